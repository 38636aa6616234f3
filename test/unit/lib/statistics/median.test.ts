import { expect, test } from 'vitest';
import { median, quantile } from '../../../../lib/statistics/median.ts';

test.each<[number[], number]>([
  [[], Number.NaN],
  [[7], 7],
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
  [[10, 9], 9.5],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected);
});

/** numpy.quantile([1, 2, 4, 8, 16], q), with its usual method. */
test.each([
  [0, 1],
  [0.1, 1.4],
  [0.25, 2],
  [0.95, 14.4],
  [1, 16],
])('the quantile at %d is interpolated', (share, expected) => {
  expect(quantile([16, 8, 4, 2, 1], share)).toBeCloseTo(expected, 12);
});

test('no value is changed, and none need be in order', () => {
  const values = Object.freeze([3, 1, 2]);
  expect(quantile(values, 0.5)).toBe(2);
});
