import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DistinctKeys, estimateDistinct } from '../../../../lib/cache/distinct.ts';

test.each([10, 100, 1_000, 1_300, 10_000, 100_000, 1_000_000])('%d keys are counted to within 15 %%', (count) => {
  for (const prefix of ['product:', 'user/', '']) {
    const keys = new DistinctKeys();
    for (let n = 0; n < count; n++) keys.add(`${prefix}${n}`);
    for (let n = 0; n < Math.min(count, 1_000); n++) keys.add(`${prefix}${n}`);
    expect(Math.abs(estimateDistinct(keys.ranks) - count) / count, prefix).toBeLessThan(0.15);
  }
});

test('putting two together counts what either has counted', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.string()), (one, other) => {
      const [a, b, both] = [new DistinctKeys(), new DistinctKeys(), new DistinctKeys()];
      for (const key of one) a.add(key);
      for (const key of other) b.add(key);
      for (const key of [...one, ...other]) both.add(key);
      const larger = a.ranks.map((rank, register) => Math.max(rank, b.ranks[register] as number));
      expect(larger).toEqual(both.ranks);
      expect(estimateDistinct(new DistinctKeys().ranks)).toBe(0);
    }),
  );
});
