import fc from 'fast-check';
import { expect, test } from 'vitest';
import { medianInterval } from '../../../../lib/statistics/median-interval.ts';
import { noise } from '../../noise.ts';

/** The binomial distribution, as in Hollander and Wolfe, table A.2: of 9 values P(B ≤ 1) is 0.0195, of 20 P(B ≤ 5) is 0.0207. */
test.each([
  [5, 1, 5],
  [6, 1, 6],
  [9, 2, 8],
  [20, 6, 15],
])('of %d values the limits are the %dth and the %dth', (n, low, high) => {
  const values = Array.from({ length: n }, (_, place) => n - place);
  expect(medianInterval(values)).toEqual([low, high]);
});

test('nothing has no median', () => {
  expect(medianInterval([])).toEqual([Number.NaN, Number.NaN]);
});

test('thousands of values are near the binomial limits, too', () => {
  const [low, high] = medianInterval(Array.from({ length: 10_000 }, (_, place) => place));
  expect(low).toBeGreaterThan(4_890);
  expect(low).toBeLessThan(4_910);
  expect(high).toBe(9_999 - low);
});

test('19 of 20 intervals hold the true median', () => {
  const random = noise(3);
  let held = 0;
  for (let turn = 0; turn < 1_000; turn++) {
    const [low, high] = medianInterval(Array.from({ length: 25 }, () => random() ** 3));
    if (low <= 1 / 8 && 1 / 8 <= high) held++;
  }
  expect(held).toBeGreaterThan(935);
});

test('more confidence never makes it narrower', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 40 }), (values) => {
      const [[low, high], [lower, higher]] = [medianInterval(values, 0.8), medianInterval(values, 0.99)];
      expect(low).toBeLessThanOrEqual(high);
      expect(lower).toBeLessThanOrEqual(low);
      expect(higher).toBeGreaterThanOrEqual(high);
    }),
  );
});
