import fc from 'fast-check';
import { expect, test } from 'vitest';
import { History } from '../../../../../lib/resources/monitor/history.ts';
import { sample } from '../leak-series.ts';

const floor = { heapBytes: 1, externalBytes: 1, collectMs: 1 };

test('the newer half is kept as it came, and in the older half samples with a floor stay for longer', () => {
  const history = new History(8);
  for (let invocation = 1; invocation <= 30; invocation++) {
    history.push(sample(invocation, { floor: invocation % 5 === 0 ? floor : null }));
  }
  expect(history.samples().map(({ invocation }) => invocation)).toEqual([15, 20, 25, 26, 27, 28, 29, 30]);
});

test('whatever comes, no more are kept than said, in their order, and the newest are among them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.boolean(), { maxLength: 60 }), (size, floors) => {
      const history = new History(size);
      for (const [place, has] of floors.entries()) history.push(sample(place, { floor: has ? floor : null }));
      const kept = history.samples().map(({ invocation }) => invocation);
      expect(kept.length).toBe(Math.min(size, floors.length));
      expect(kept).toEqual(kept.toSorted((a, b) => a - b));
      const newest = Math.min(floors.length, Math.floor(size / 2));
      expect(kept.slice(kept.length - newest)).toEqual(
        Array.from({ length: newest }, (_, place) => floors.length - newest + place),
      );
    }),
  );
});
