/**
 * The Theil–Sen line: its slope is the median of the slopes of all pairs of points. Up to 29 % of the points may be anywhere
 * without taking it along.
 *
 * H. Theil, "A rank-invariant method of linear and polynomial regression analysis", 1950; P. K. Sen, "Estimates of the
 * Regression Coefficient Based on Kendall's Tau", Journal of the American Statistical Association 63, 1968; the interval as
 * in R. O. Gilbert, "Statistical Methods for Environmental Pollution Monitoring", 1987, section 16.5.
 */
import { mannKendall } from './mann-kendall.ts';
import { median } from './median.ts';
import { normalQuantile } from './normal-quantile.ts';

/** Where a value stands. */
export interface Point {
  x: number;
  y: number;
}

/** A line through points. */
export interface Line {
  slope: number;
  /** Within these the slope lies, with the confidence that was asked for. At most the least and the largest slope: with few points it is too narrow. */
  interval: readonly [low: number, high: number];
  /** The median of what is left of each y without the slope: the line's y where x is 0. */
  intercept: number;
}

/**
 * Fits a line; undefined when no two points have different x.
 *
 * @param confidence of the interval, two-sided: 0 to 1
 * @param inflation what serial correlation does to the variance, which widens the interval: see {@link varianceInflation}
 *
 * @example theilSen([{ x: 1, y: 10 }, { x: 2, y: 15 }, { x: 3, y: 14 }, { x: 4, y: 20 }], 0.9)?.slope // 2.917
 */
export function theilSen(points: readonly Point[], confidence = 0.95, inflation = 1): Line | undefined {
  const inOrder = points.toSorted((a, b) => a.x - b.x);
  const slopes = slopesOf(inOrder);
  if (slopes.length === 0) return undefined;
  const slope = at(slopes, (slopes.length - 1) / 2);
  return {
    slope,
    interval: intervalOf(slopes, kendallDeviation(inOrder, inflation), confidence),
    intercept: median(points.map(({ x, y }) => y - slope * x)),
  };
}

/** The slopes of all pairs, the flattest first. */
function slopesOf(points: readonly Point[]): Float64Array {
  const slopes: number[] = [];
  points.forEach((to, place) => {
    for (const from of points.slice(0, place)) if (to.x > from.x) slopes.push((to.y - from.y) / (to.x - from.x));
  });
  return Float64Array.from(slopes).sort();
}

/** The standard deviation of Kendall's S, which the number of slopes on either side of the true one follows. */
function kendallDeviation(points: readonly Point[], inflation: number): number {
  return Math.sqrt(
    mannKendall(
      points.map(({ y }) => y),
      'either',
      inflation,
    ).variance,
  );
}

/** Of N slopes, the M1-th and the (M2 + 1)-th: M = (N ∓ z·σ) / 2, interpolated where that is between two of them. */
function intervalOf(slopes: Float64Array, deviation: number, confidence: number): [number, number] {
  const spread = normalQuantile((1 + confidence) / 2) * deviation;
  const low = Math.max(0, (slopes.length - spread) / 2 - 1);
  const high = Math.min(slopes.length - 1, (slopes.length + spread) / 2);
  return [at(slopes, low), at(slopes, high)];
}

/** The value at a place from 0 on, interpolated between two places. */
function at(sorted: Float64Array, place: number): number {
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below === above ? below : below + (above - below) * (place - Math.floor(place));
}
