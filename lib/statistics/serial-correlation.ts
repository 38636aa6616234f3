/**
 * What neighbours that resemble each other do to the Mann–Kendall test: values that wander show trends where there are none.
 *
 * K. H. Hamed, A. R. Rao, "A modified Mann-Kendall trend test for autocorrelated data", Journal of Hydrology 204, 1998, with one
 * change: they count every correlation that is significant, which in short series misses most. Here the correlation of direct
 * neighbours stands for all, as in an AR(1) process (S. Yue, C. Wang, Water Resources Management 18, 2004), and is corrected for
 * being too small in short series (M. G. Kendall, Biometrika 41, 1954). Of 60 values that wander (0.6 from one to the next), 21 %
 * show a trend at 5 % without a correction, 14 % with theirs, and 8 % with this one (test/unit/lib/statistics).
 */
import { rank } from './ranks.ts';

/** Shorter series say nothing reliable about their correlation. */
const least = 10;

/** A series whose neighbours are more alike is a random walk, for which nothing can be corrected. */
const most = 0.95;

/**
 * By how much the variance of Mann–Kendall's S is larger than it would be if the values did not depend on each other: n/n* of
 * Hamed and Rao. At least 1, and 1 for fewer than 10 values.
 *
 * @param residuals the values in the order of time, less their trend
 */
export function varianceInflation(residuals: readonly number[]): number {
  const n = residuals.length;
  if (n < least) return 1;
  const observed = rankCorrelation(residuals, 1);
  const neighbours = Math.min(most, observed + (1 + 4 * observed) / n);
  return neighbours > 0 ? inflationBy(n, (lag) => rankFromNormal(neighbours ** lag)) : 1;
}

/** The factor by the rank correlations at each distance from 1 to n − 1: equation 14 of Hamed and Rao. */
export function inflationBy(n: number, correlationAt: (lag: number) => number): number {
  let sum = 0;
  for (let lag = 1; lag < n; lag++) sum += (n - lag) * (n - lag - 1) * (n - lag - 2) * correlationAt(lag);
  return 1 + (2 * sum) / (n * (n - 1) * (n - 2));
}

/** How much the ranks of values resemble those of the values so many places before them: −1 to 1; 0 when all are equal. */
export function rankCorrelation(values: readonly number[], lag: number): number {
  const ranks = rank(values).ranks.map((each) => each - (values.length + 1) / 2);
  const variance = ranks.reduce((sum, each) => sum + each * each, 0);
  const together = ranks.subarray(lag).reduce((sum, each, place) => sum + each * (ranks[place] ?? 0), 0);
  return variance === 0 ? 0 : together / variance;
}

/** The correlation of the ranks of normal variables: equation 11 of Hamed and Rao. */
function rankFromNormal(correlation: number): number {
  return (6 / Math.PI) * Math.asin(correlation / 2);
}
