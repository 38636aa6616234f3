import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { theilSen } from '../../../../lib/statistics/theil-sen.ts';
import { nile } from './nile.ts';

const pointsOf = (xs: readonly number[], ys: readonly number[]) => xs.map((x, place) => ({ x, y: ys[place] ?? 0 }));
const overTime = (ys: readonly number[]) => ys.map((y, x) => ({ x, y }));
const cloud = fc.array(fc.record({ x: fc.integer({ min: 0, max: 30 }), y: fc.integer({ min: -100, max: 100 }) }), {
  minLength: 2,
  maxLength: 25,
});
const isSteep = (points: readonly { x: number }[]) => new Set(points.map(({ x }) => x)).size > 1;

test('the example of cloud seeding: Hollander and Wolfe, "Nonparametric Statistical Methods", example 9.3, −0.056', () => {
  expect(theilSen(pointsOf([1, 2, 3, 4, 5], [1.26, 1.27, 1.12, 1.16, 1.03]))?.slope).toBeCloseTo(-0.05625, 12);
});

/** R package modifiedmk 1.6, documentation of mmkh: "Sen's slope". */
test('the Nile loses 2.6 a year, as R says', () => {
  expect(theilSen(overTime(nile))?.slope).toBe(-2.6);
});

/** scipy 1.17.1: scipy.stats.theilslopes(y, x, confidence, method='joint'). It takes whole places, which is at most one slope off. */
describe('scipy finds the same', () => {
  const uneven = pointsOf([1, 2, 4, 7, 8, 11, 15, 16, 20, 22], [2.1, 2.0, 3.9, 5.2, 4.8, 9.1, 10.2, 9.9, 14.5, 13.8]);

  test('slope', () => {
    expect(theilSen(uneven)?.slope).toBeCloseTo(0.59, 12);
    expect(theilSen(overTime([5, 3, 8, 1, 9, 2, 7, 7]))?.slope).toBeCloseTo(0.30952380952380953, 12);
  });

  test.each([
    [0.95, 0.5, 0.6944444444444444],
    [0.9, 0.5142857142857145, 0.6625],
  ])('%d interval', (confidence, low, high) => {
    const [from = 0, to = 0] = theilSen(uneven, confidence)?.interval ?? [];
    expect(from).toBeCloseTo(low, 1);
    expect(to).toBeCloseTo(high, 1);
  });
});

/**
 * Gilbert 1987, section 16.5, by hand: of 5 points without ties Var(S) is 50/3, so that 90 % give C = 1.645 · 4.082 = 6.715, and of the
 * 10 slopes the M1 = 1.643-th and the (M2 + 1) = 9.357-th are the limits, interpolated.
 */
test('the interval is that of Gilbert', () => {
  const { interval } = theilSen(pointsOf([1, 2, 3, 4, 5], [1.26, 1.27, 1.12, 1.16, 1.03]), 0.9) ?? { interval: [0, 0] };
  expect(interval[0]).toBeCloseTo(-0.15 + 0.6426 * 0.02, 3);
  expect(interval[1]).toBeCloseTo(0.01 + 0.3574 * 0.03, 3);
});

test('three of twelve points may be anywhere', () => {
  const points = overTime([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22]);
  const spoilt = points.map((point) => (point.x % 5 === 1 ? { x: point.x, y: 1e6 } : point));
  expect(theilSen(spoilt)?.slope).toBe(2);
  expect(theilSen(spoilt)?.intercept).toBe(0);
});

test.each([
  [[]],
  [[{ x: 1, y: 1 }]],
  [
    [
      { x: 1, y: 1 },
      { x: 1, y: 2 },
    ],
  ],
])('there is no line through %j', (points) => {
  expect(theilSen(points)).toBeUndefined();
});

describe('laws', () => {
  test('a line that is added is added to the slope, and to its interval', () => {
    fc.assert(
      fc.property(
        cloud.filter(isSteep),
        fc.integer({ min: -9, max: 9 }),
        fc.integer({ min: -99, max: 99 }),
        (points, by, shift) => {
          const { slope } = theilSen(points) ?? { slope: 0 };
          const tilted = theilSen(points.map(({ x, y }) => ({ x, y: y + by * x + shift })));
          expect(tilted?.slope).toBeCloseTo(slope + by, 9);
        },
      ),
    );
  });

  test('scaled, mirrored and shuffled points scale, mirror and keep it', () => {
    fc.assert(
      fc.property(cloud.filter(isSteep), fc.integer({ min: 1, max: 50 }), (points, scale) => {
        const { slope, interval, intercept } = theilSen(points) ?? { slope: 0, interval: [0, 0], intercept: 0 };
        const larger = theilSen(points.map(({ x, y }) => ({ x, y: scale * y })));
        expect(larger?.slope).toBeCloseTo(scale * slope, 7);
        expect(larger?.interval[1]).toBeCloseTo(scale * interval[1], 7);
        const mirrored = theilSen(points.map(({ x, y }) => ({ x, y: -y })));
        expect(mirrored?.slope).toBeCloseTo(-slope, 9);
        expect(mirrored?.interval[0]).toBeCloseTo(-interval[1], 9);
        expect(theilSen(points.toReversed())?.intercept).toBeCloseTo(intercept, 9);
      }),
    );
  });

  test('the slope lies in its interval, and more confidence or correlation makes it wider', () => {
    fc.assert(
      fc.property(cloud.filter(isSteep), (points) => {
        const { slope, interval } = theilSen(points, 0.5) ?? { slope: 0, interval: [0, 0] };
        expect(interval[0]).toBeLessThanOrEqual(slope);
        expect(interval[1]).toBeGreaterThanOrEqual(slope);
        for (const wider of [theilSen(points, 0.99), theilSen(points, 0.5, 4)]) {
          expect(wider?.interval[0]).toBeLessThanOrEqual(interval[0]);
          expect(wider?.interval[1]).toBeGreaterThanOrEqual(interval[1]);
        }
      }),
    );
  });
});
