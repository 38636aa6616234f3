import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mannKendall } from '../../../../lib/statistics/mann-kendall.ts';
import { nile } from './nile.ts';

const series = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 30 });
const different = fc.uniqueArray(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 2, maxLength: 30 });

/** An order of 0 to n − 1 whose S is as wanted: from sorted, with as many neighbours swapped as there must be pairs that fall. */
function orderOf(n: number, s: number): number[] {
  const order = Array.from({ length: n }, (_, value) => value);
  let falls = ((n * (n - 1)) / 2 - s) / 2;
  for (let round = 0; falls > 0; round++) {
    for (let place = 0; place < n - 1 - round && falls > 0; place++, falls--) {
      [order[place], order[place + 1]] = [order[place + 1] ?? 0, order[place] ?? 0];
    }
  }
  return order;
}

/** Kendall's table of the upper tail of S: Kendall 1975, appendix table 1; Gilbert 1987, table A18; Hollander and Wolfe, table A.30. */
describe('the exact probabilities are those of the tables', () => {
  test.each([
    [4, 2, 0.375],
    [4, 6, 0.042],
    [5, 0, 0.592],
    [5, 6, 0.117],
    [5, 8, 0.042],
    [5, 10, 0.0083],
    [6, 9, 0.068],
    [6, 15, 0.0014],
    [7, 15, 0.015],
    [7, 17, 0.0054],
    [7, 21, 0.0002],
    [8, 12, 0.089],
    [8, 20, 0.0071],
    [8, 26, 0.00019],
    [9, 36, 0.0000028],
    [10, 19, 0.054],
    [10, 31, 0.0023],
    [10, 45, 0.00000028],
  ])('of %d values with S at least %d it is %d', (n, s, p) => {
    const { s: found, p: probability, method } = mannKendall(orderOf(n, s), 'rising');
    expect(found).toBe(s);
    expect(method).toBe('exact');
    // The tables round, and drop digits.
    expect(Math.abs(probability / p - 1)).toBeLessThan(0.06);
  });
});

test('the example of cloud seeding: Hollander and Wolfe, "Nonparametric Statistical Methods", example 9.1, C = −6', () => {
  const rainfall = [1.26, 1.27, 1.12, 1.16, 1.03];
  expect(mannKendall(rainfall, 'falling')).toMatchObject({ s: -6, method: 'exact' });
  expect(mannKendall(rainfall, 'falling').p).toBeCloseTo(14 / 120, 12);
});

/** scipy 1.17.1: scipy.stats.kendalltau(range(10), y, method='exact'). */
test('scipy finds the same p', () => {
  const values = [3, 1, 4, 1.5, 5, 9, 2, 6, 8, 7];
  expect(mannKendall(values).p).toBeCloseTo(0.04662257495590829, 13);
  expect(mannKendall(values, 'rising').p).toBeCloseTo(0.023311287477954145, 13);
});

/** R package modifiedmk 1.6, documentation of mmkh: "Original Z", "old P.value", "old.variance". There are ties among the values. */
test('the Nile has fallen, as R says', () => {
  const { s, variance, z, p, method } = mannKendall(nile);
  expect(method).toBe('normal');
  expect(variance).toBeCloseTo(112728.33333333331, 6);
  expect(z).toBeCloseTo(-4.12806652284, 10);
  expect(p).toBeCloseTo(0.00003658263, 10);
  // "Tau" is S by the number of pairs.
  expect(s / 4_950).toBeCloseTo(-0.2802020202, 9);
});

test('an inflation of the variance takes the method that can use it, and makes trends less certain', () => {
  const values = [1, 2, 3, 4, 5, 6, 8, 7, 9, 10];
  const [plain, wary] = [mannKendall(values, 'rising'), mannKendall(values, 'rising', 3)];
  expect(wary.method).toBe('normal');
  expect(wary.variance).toBeCloseTo(3 * plain.variance, 9);
  expect(wary.p).toBeGreaterThan(plain.p);
});

describe('what cannot show a trend', () => {
  test.each([[[]], [[1]], [[2, 2, 2, 2]], [[1, Number.NaN, 3]], [[1, Number.POSITIVE_INFINITY, 3]]])(
    '%j has a p of 1',
    (values) => {
      expect(mannKendall(values)).toMatchObject({ s: 0, p: 1 });
    },
  );
});

describe('laws', () => {
  test('what keeps the order keeps everything', () => {
    fc.assert(
      fc.property(
        series,
        fc.integer({ min: -1_000, max: 1_000 }),
        fc.integer({ min: 1, max: 1_000 }),
        (values, shift, scale) => {
          const all = mannKendall(values);
          expect(mannKendall(values.map((value) => scale * value + shift))).toEqual(all);
          expect(mannKendall(values.map((value) => value ** 3))).toEqual(all);
        },
      ),
    );
  });

  test('backwards, and upside down, rising is falling', () => {
    fc.assert(
      fc.property(series, (values) => {
        const { s, p } = mannKendall(values, 'rising');
        for (const other of [values.toReversed(), values.map((value) => -value)]) {
          expect(mannKendall(other, 'falling').p).toBeCloseTo(p, 12);
          expect(mannKendall(other).s).toBe(-s || 0);
        }
      }),
    );
  });

  test('the exact tails overlap in the order itself alone', () => {
    fc.assert(
      fc.property(different, (values) => {
        const [up, down] = [mannKendall(values, 'rising').p, mannKendall(values, 'falling').p];
        expect(up + down).toBeGreaterThan(1 - 1e-12);
        expect(Math.min(up, down)).toBeLessThanOrEqual(mannKendall(values).p + 1e-12);
      }),
    );
  });

  test('the approximation is near the exact probability', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer(), { minLength: 12, maxLength: 40 }), (values) => {
        const exact = mannKendall(values, 'rising');
        const normal = mannKendall(values, 'rising', 1 + 1e-9);
        expect([exact.method, normal.method]).toEqual(['exact', 'normal']);
        expect(Math.abs(exact.p - normal.p)).toBeLessThan(0.006);
      }),
    );
  });

  test('equal values make the variance smaller', () => {
    fc.assert(
      fc.property(series, (values) => {
        const n = values.length;
        const untied = (n * (n - 1) * (2 * n + 5)) / 18;
        const { variance } = mannKendall(values);
        expect(variance).toBeLessThanOrEqual(untied + 1e-9);
        expect(variance < untied - 1e-9).toBe(new Set(values).size < n);
      }),
    );
  });
});
