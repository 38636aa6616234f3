import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { Deadlines } from '../../../../lib/cache/deadlines.ts';
import { advance, useFakeClock } from './clock.ts';

useFakeClock();

test('what is not met expires after its time, in order; what is met does not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ wait: fc.nat(30), meetAfter: fc.option(fc.nat(80)) }), { maxLength: 20 }),
      async (steps) => {
        const deadlines = new Deadlines(50);
        const expired: Array<{ index: number; after: number }> = [];
        const met: boolean[] = [];
        for (const [index, { wait, meetAfter }] of steps.entries()) {
          const began = performance.now();
          const meet = deadlines.set(() => expired.push({ index, after: performance.now() - began }));
          if (meetAfter !== null) setTimeout(() => (met[index] = meet()), meetAfter);
          await advance(wait);
        }
        await advance(1_000);
        const late = steps.flatMap(({ meetAfter }, index) =>
          meetAfter === null || met[index] === false ? [index] : [],
        );
        expect(expired.map(({ index }) => index)).toEqual(late);
        for (const { after } of expired) expect(after).toBeGreaterThanOrEqual(50);
        for (const { after } of expired) expect(after).toBeLessThanOrEqual(55);
        for (const [index, { meetAfter }] of steps.entries()) {
          if (meetAfter !== null && meetAfter < 50) expect(met[index]).toBe(true);
        }
        expect(vi.getTimerCount()).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test('one timer serves all', async () => {
  const deadlines = new Deadlines(50);
  const done = Array.from({ length: 1_000 }, () => deadlines.set(() => {}));
  expect(vi.getTimerCount()).toBe(1);
  for (const meet of done) expect(meet()).toBe(true);
  expect(done[0]?.()).toBe(false);
  await advance(100);
  expect(vi.getTimerCount()).toBe(0);
});

test.each([[Number.POSITIVE_INFINITY], [2 ** 31], [30 * 86_400_000]])(
  'one that is %d ms away is no timer that fires all the time',
  async (ms) => {
    const calls = vi.spyOn(globalThis, 'setTimeout');
    let isExpired = false;
    new Deadlines(ms).set(() => {
      isExpired = true;
    });
    // Node.js takes a delay that does not fit in 31 bits for one millisecond.
    for (const [, delay] of calls.mock.calls) expect(delay).toBeLessThan(2 ** 31);
    await advance(10_000);
    expect(isExpired).toBe(false);
    expect(calls.mock.calls.length).toBeLessThan(5);
  },
);
