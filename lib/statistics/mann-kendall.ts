/**
 * The Mann–Kendall test: whether values tend to rise, or to fall, in the order in which they come. It looks at the order of
 * the values alone, so that neither outliers nor the shape of the rise matter.
 *
 * H. B. Mann, "Nonparametric Tests Against Trend", Econometrica 13(3), 1945; M. G. Kendall, "Rank Correlation Methods", 4th
 * edition, 1975; R. O. Gilbert, "Statistical Methods for Environmental Pollution Monitoring", 1987, sections 16.4.1 to 16.4.4.
 */
import { normalUpperTail } from './normal.ts';

/** What the test looks for. */
export type Direction = 'rising' | 'falling' | 'either';

/** The outcome of a test. */
export interface MannKendall {
  /** How many more pairs rise than fall. */
  s: number;
  /** The variance of S without a trend: corrected for ties, and multiplied by the inflation. */
  variance: number;
  /** S in standard deviations, brought one step closer to 0; 0 when S is. */
  z: number;
  /** How likely so much of a trend, or more, would be if there were none: 0 to 1. */
  p: number;
  /** `exact`: by counting all orders of the values; `normal`: approximated. */
  method: 'exact' | 'normal';
}

/** Up to so many values all orders are counted; from 10 on the approximation is a good one (Gilbert, p. 211). */
const maxExact = 40;

/**
 * Tests values for a trend. Exact without ties, with at most 40 values and an inflation of 1; else by the normal
 * approximation. Too few values for a trend, or one that is no finite number, show nothing: then p is 1.
 *
 * @param values in the order of time; how far apart they are does not matter
 * @param inflation what serial correlation does to the variance: see {@link varianceInflation}
 *
 * @example mannKendall([5, 6, 11, 8, 10], 'rising').p // 0.117
 */
export function mannKendall(values: readonly number[], direction: Direction = 'either', inflation = 1): MannKendall {
  if (!values.every(Number.isFinite)) return { s: 0, variance: 0, z: 0, p: 1, method: 'normal' };
  const s = risesMinusFalls(values);
  const ties = tieSum(values);
  const n = values.length;
  const variance = (Math.max(0, n * (n - 1) * (2 * n + 5) - ties) / 18) * inflation;
  const z = variance === 0 ? 0 : (s - Math.sign(s)) / Math.sqrt(variance);
  const method = ties === 0 && n <= maxExact && inflation === 1 ? 'exact' : 'normal';
  const atLeast = method === 'exact' ? exactTail(n) : normalTail(variance);
  switch (direction) {
    case 'rising':
      return { s, variance, z, p: atLeast(s), method };
    case 'falling':
      return { s, variance, z, p: atLeast(-s), method };
    case 'either':
      return { s, variance, z, p: Math.min(1, 2 * atLeast(Math.abs(s))), method };
  }
}

function risesMinusFalls(values: readonly number[]): number {
  let s = 0;
  values.forEach((later, place) => {
    for (let before = 0; before < place; before++) s += Math.sign(later - (values[before] ?? 0));
  });
  return s;
}

/** Σ t (t − 1) (2 t + 5) over the groups of equal values, t being their sizes. */
function tieSum(values: readonly number[]): number {
  const sizes = new Map<number, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  return sizes.values().reduce((sum, t) => sum + t * (t - 1) * (2 * t + 5), 0);
}

/**
 * How likely S is at least so large: the share of the orders of n values in which it is. An order with so many pairs that
 * fall is built by putting the k-th value before 0 to k − 1 of those that are there (Kendall 1975, section 5.2).
 */
function exactTail(n: number): (s: number) => number {
  const pairs = (n * (n - 1)) / 2;
  let shares = new Float64Array(pairs + 1);
  shares[0] = 1;
  for (let k = 2; k <= n; k++) {
    const next = new Float64Array(pairs + 1);
    let window = 0;
    for (let falls = 0; falls <= (k * (k - 1)) / 2; falls++) {
      window += (shares[falls] ?? 0) - (shares[falls - k] ?? 0);
      next[falls] = Math.max(0, window) / k;
    }
    shares = next;
  }
  return (s) =>
    Math.min(
      1,
      shares.subarray(0, (pairs - s) / 2 + 1).reduce((sum, share) => sum + share, 0),
    );
}

/** The same by the normal distribution: one step is taken off, since S moves in steps of two. */
function normalTail(variance: number): (s: number) => number {
  // When all values are equal there is no order.
  if (variance === 0) return () => 1;
  return (s) => normalUpperTail((s - 1) / Math.sqrt(variance));
}
