import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differenceTail, meanTail } from '../../../../lib/statistics/t-test.ts';

/** Student's own data: hours of sleep gained by ten patients with either of two drugs. They are R's `datasets::sleep`. */
const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

/** R documentation of sleep and t.test: t = 1.8608 and p = 0.07919 with equal variances, t = 4.0621 and p = 0.002833 paired; two-sided. */
describe('the sleep of ten patients, as R says', () => {
  test('with two samples', () => {
    expect(differenceTail(second, first)).toBeCloseTo(0.07918671421593822 / 2, 12);
    expect(differenceTail(first, second)).toBeCloseTo(1 - 0.07918671421593822 / 2, 12);
  });

  test('with pairs', () => {
    expect(meanTail(second.map((gain, patient) => gain - (first[patient] ?? 0)))).toBeCloseTo(
      0.002832890197384273 / 2,
      12,
    );
  });
});

/** scipy 1.17.1: scipy.stats.ttest_ind and ttest_1samp, alternative='greater'. */
describe('scipy finds the same', () => {
  test('of samples of different sizes', () => {
    expect(differenceTail([5.1, 4.8, 6.2, 5.5], [3.9, 5, 4.1, 4.4, 3.2])).toBeCloseTo(0.010092337207810395, 12);
    expect(differenceTail([4, 5, 6], [1, 2, 3])).toBeCloseTo(0.010655820564378356, 12);
  });

  test('of one sample', () => {
    expect(meanTail([0.3, -0.1, 0.8, 0.5, 0.2])).toBeCloseTo(0.043261389973006055, 12);
    expect(meanTail([1, 2, 3])).toBeCloseTo(0.03708995011372427, 12);
  });

  /** scipy.stats.t.sf((mean − 4) / (deviation · √(1 + 1/5)), 4): the prediction interval of a mean. */
  test('of one value beside others', () => {
    expect(differenceTail([10, 12, 9, 11, 13], [4])).toBeCloseTo(0.007792650094031047, 12);
  });
});

test('too few values show nothing', () => {
  expect([meanTail([]), meanTail([5])]).toEqual([1, 1]);
  expect([differenceTail([], [1, 2, 3]), differenceTail([1, 2, 3], []), differenceTail([2], [1])]).toEqual([1, 1, 1]);
});

test('values that are all alike leave nothing to chance', () => {
  expect([meanTail([2, 2]), meanTail([0, 0]), meanTail([-2, -2])]).toEqual([0, 1, 1]);
  expect([differenceTail([2, 2], [1, 1]), differenceTail([1, 1], [1])]).toEqual([0, 1]);
});

describe('laws', () => {
  const sample = fc.uniqueArray(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 2, maxLength: 12 });

  test('one way or the other', () => {
    fc.assert(
      fc.property(sample, sample, (some, others) => {
        expect(differenceTail(some, others) + differenceTail(others, some)).toBeCloseTo(1, 9);
        expect(meanTail(some) + meanTail(some.map((value) => -value))).toBeCloseTo(1, 9);
      }),
    );
  });

  test('where the axis begins, and its unit, do not matter to a difference', () => {
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -99, max: 99 }), (some, others, shift) => {
        const moved = (values: readonly number[]) => values.map((value) => 3 * value + shift);
        expect(differenceTail(moved(some), moved(others))).toBeCloseTo(differenceTail(some, others), 9);
      }),
    );
  });

  test('the further above, the less likely', () => {
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: 1, max: 500 }), (some, others, more) => {
        const raised = some.map((value) => value + more);
        expect(differenceTail(raised, others)).toBeLessThanOrEqual(differenceTail(some, others) + 1e-12);
        expect(meanTail(raised)).toBeLessThanOrEqual(meanTail(some) + 1e-12);
      }),
    );
  });
});
