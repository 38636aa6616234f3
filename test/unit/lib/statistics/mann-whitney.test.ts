import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mannWhitney } from '../../../../lib/statistics/mann-whitney.ts';

/** What scipy 1.17.1 says: scipy.stats.mannwhitneyu(first, second, alternative, method='exact' or 'asymptotic'). */
const references = [
  {
    first: [1, 2, 3],
    second: [4, 5, 6],
    expected: { u: 0, method: 'exact', greater: 1.0, less: 0.05, different: 0.1 },
  },
  {
    first: [19, 22, 16, 29, 24],
    second: [20, 11, 17, 12],
    expected: {
      u: 17,
      method: 'exact',
      greater: 0.05555555555555555,
      less: 0.9682539682539683,
      different: 0.1111111111111111,
    },
  },
  {
    first: [1.1, 2.2, 0.3, 9.4, 5.5],
    second: [3.1, 4.2, 8.8, 7.7],
    expected: {
      u: 6,
      method: 'exact',
      greater: 0.8571428571428572,
      less: 0.20634920634920634,
      different: 0.4126984126984127,
    },
  },
  {
    first: [56.3, 98.6, 67.3, 97.7, 89.9, 57.6, 56.2, 62.0],
    second: [117.55, 90.15, 49.45, 48.95, 112.35, 82.45, 78.75, 94.45, 92.85, 111.25, 49.05, 39.65],
    expected: {
      u: 44,
      method: 'exact',
      greater: 0.6327538302770501,
      less: 0.39603873938239265,
      different: 0.7920774787647853,
    },
  },
  {
    first: Array.from({ length: 20 }, (_, i) => i),
    second: Array.from({ length: 20 }, (_, i) => i + 0.5),
    expected: {
      u: 190,
      method: 'exact',
      greater: 0.6105981821922238,
      less: 0.3997035935808485,
      different: 0.799407187161697,
    },
  },
  {
    first: [3, 1, 4, 1, 5, 9, 2, 6],
    second: [5, 3, 5, 8, 9, 7, 9],
    expected: {
      u: 12.5,
      method: 'normal',
      greater: 0.9691466549858436,
      less: 0.039919359822926305,
      different: 0.07983871964585261,
    },
  },
  {
    first: [10, 10, 10],
    second: [10, 10, 11],
    expected: {
      u: 3,
      method: 'normal',
      greater: 0.9087887802741321,
      less: 0.2524925375469229,
      different: 0.5049850750938458,
    },
  },
  {
    first: [1, 0, 1, 2, 1, 1, 1, 1, 1, 1, 1, 2, 0, 0, 2, 1, 2, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 3, 0, 0],
    second: [3, 1, 0, 2, 0, 0, 1, 0, 0, 2, 0, 5, 0, 1, 2, 1, 2, 0, 2, 1],
    expected: {
      u: 271.5,
      method: 'normal',
      greater: 0.7292545920242226,
      less: 0.2777608286045659,
      different: 0.5555216572091318,
    },
  },
  {
    first: [
      609.8, 644.9, 124.8, 771.8, 293.3, 320.5, 503.6, 265.5, 117.9, 198.1, 861.7, 897.6, 391.1, 408.6, 833.0, 933.7,
      412.4, 314.5, 786.8, 728.7, 290.8, 746.9, 789.3, 448.7, 100.7,
    ],
    second: [
      692.05, 748.35, 282.15, 595.25, 556.85, 895.95, 414.35, 318.95, 489.75, 599.35, 973.45, 673.15, 265.65, 788.95,
      735.45, 882.75, 370.25, 371.75, 397.65, 591.95,
    ],
    expected: {
      u: 215,
      method: 'normal',
      greater: 0.7912818858517989,
      less: 0.21533796116702397,
      different: 0.43067592233404794,
    },
  },
] as const;

describe('the test says what scipy says', () => {
  const cases = references.flatMap(({ first, second, expected }, i) =>
    (['greater', 'less', 'different'] as const).map((alternative) => ({ i, first, second, expected, alternative })),
  );

  test.each(cases)('of pair $i, $alternative', ({ first, second, expected, alternative }) => {
    const { u, p, method } = mannWhitney(first, second, alternative);
    expect({ u, method }).toEqual({ u: expected.u, method: expected.method });
    expect(p / expected[alternative]).toBeCloseTo(1, 10);
  });
});

/** The first lines of the tables of Mann and Whitney, 1947: how likely U is at most 0, 1, 2, …, for samples of one size. */
const tables: [number, number[]][] = [
  [3, [0.05, 0.1, 0.2, 0.35]],
  [4, [0.014, 0.029, 0.057, 0.1, 0.171, 0.243, 0.343, 0.443]],
  [5, [0.004, 0.008, 0.016, 0.028, 0.048, 0.075, 0.111, 0.155, 0.21, 0.274, 0.345, 0.421]],
];

test.each(tables)('its exact p is that of the tables, for two samples of %d', (size, probabilities) => {
  for (const [u, probability] of probabilities.entries()) {
    expect(mannWhitney(...samplesWith(size, u), 'less').p).toBeCloseTo(probability, 3);
  }
});

/** Two samples without ties whose U is that: the values of the first one are pushed up past those of the second. */
function samplesWith(size: number, u: number): [number[], number[]] {
  const second = Array.from({ length: size }, (_, i) => i + 0.5);
  const first = Array.from({ length: size }, (_, i) => {
    const above = Math.min(size, Math.max(0, u - (size - 1 - i) * size));
    return above + (i + 1) / 100;
  });
  return [first, second];
}

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });
const rounded = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 30 });

test('p is a probability, and the same the other way round', () => {
  fc.assert(
    fc.property(fc.oneof(values, rounded), fc.oneof(values, rounded), (first, second) => {
      for (const alternative of ['greater', 'less', 'different'] as const) {
        const { p } = mannWhitney(first, second, alternative);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
      }
      const one = mannWhitney(first, second, 'greater');
      const other = mannWhitney(second, first, 'less');
      expect(one.p).toBeCloseTo(other.p, 12);
      expect(one.u + other.u).toBe(first.length * second.length);
    }),
  );
});

test('only the order of the values counts', () => {
  fc.assert(
    fc.property(values, values, (first, second) => {
      const cubed = (sample: number[]) => sample.map((value) => Math.cbrt(value));
      // What a cube root makes equal was not equal before.
      fc.pre(new Set(cubed([...first, ...second])).size === new Set([...first, ...second]).size);
      expect(mannWhitney(cubed(first), cubed(second))).toEqual(mannWhitney(first, second));
    }),
  );
});

test('the exact and the approximate p agree where the one takes over from the other', () => {
  const first = Array.from({ length: 20 }, (_, i) => i * 1.7);
  const small = mannWhitney(
    first,
    Array.from({ length: 20 }, (_, i) => i + 0.05),
    'greater',
  );
  const large = mannWhitney(
    first,
    Array.from({ length: 21 }, (_, i) => i + 0.05),
    'greater',
  );
  expect([small.method, large.method]).toEqual(['exact', 'normal']);
  expect(Math.abs(small.p - large.p)).toBeLessThan(0.02);
});

test.each<[string, number[], number[]]>([
  ['a sample is empty', [], [1, 2]],
  ['both are', [], []],
  ['a value is no number', [1, Number.NaN], [1, 2]],
  ['a value is infinite', [1, 2], [Number.POSITIVE_INFINITY]],
  ['all values are equal', [5, 5, 5], [5, 5, 5, 5]],
])('nothing is shown when %s', (_, first, second) => {
  expect(mannWhitney(first, second, 'less').p).toBe(1);
});
