/**
 * Where a series of values rises to another level, and whether it does: the split between two neighbours for which the
 * Wilcoxon statistic is the largest. The largest of many statistics is large by chance, too; its p says by how much.
 *
 * B. Lausen, M. Schumacher, "Maximally Selected Rank Statistics", Biometrics 48(1), 1992, after R. Miller, D. Siegmund,
 * "Maximally Selected Chi Square Statistics", Biometrics 38(4), 1982.
 */
import { normalDensity } from './normal.ts';
import { deviationOfU, rank } from './ranks.ts';

/** The best split of a series. */
export interface ChangePoint {
  /** The place of the first value of the higher level. */
  at: number;
  /** How many standard deviations the sum of the ranks from there on is above what it would be without a change. */
  z: number;
  /** How likely a split so good, or better, would be without a change; an approximation, from above for short series. */
  p: number;
}

/**
 * Finds the split after which values are larger; undefined where the series is too short for one.
 *
 * @param values in the order of time, finite
 * @param leastBefore so many values at least come before the split
 * @param leastAfter and so many after it
 */
export function riseIn(values: readonly number[], leastBefore: number, leastAfter: number): ChangePoint | undefined {
  const n = values.length;
  const { ranks, tieTerm } = rank(values);
  let sum = 0;
  let best: { at: number; z: number } | undefined;
  for (let at = n - 1; at >= leastBefore; at--) {
    sum += ranks[at] ?? 0;
    const after = n - at;
    const deviation = deviationOfU(at, after, tieTerm);
    if (after < leastAfter || deviation === 0) continue;
    const z = (sum - (after * (n + 1)) / 2) / deviation;
    if (best === undefined || z > best.z) best = { at, z };
  }
  return best && { ...best, p: chanceOf(best.z, leastBefore / n, 1 - leastAfter / n) };
}

/** The chance that the best split between two shares of the series is so good: half of the two-sided formula (5) of Lausen and Schumacher. */
function chanceOf(z: number, least: number, most: number): number {
  // Below that the approximation does not hold, and nothing is unusual.
  if (z < 1) return 1;
  const odds = (most * (1 - least)) / ((1 - most) * least);
  const twoSided = normalDensity(z) * ((z - 1 / z) * Math.log(Math.max(1, odds)) + 4 / z);
  return Math.min(1, twoSided / 2);
}
