import { normalQuantile } from './normal-quantile.ts';

/** Beyond so many values the binomial distribution is as good as normal, and its smallest probabilities are no longer numbers. */
const maxExact = 500;

/**
 * Within which limits the median lies of what values were drawn from, whatever their distribution: two of the values, as far from
 * the ends as the confidence allows. At most the least and the largest value: with fewer than six the confidence is below 95 %.
 *
 * W. R. Thompson, "On Confidence Ranges for the Median and Other Expectation Distributions for Populations of Unknown
 * Distribution Form", Annals of Mathematical Statistics 7(3), 1936. NaN of nothing.
 *
 * @param confidence two-sided: 0 to 1
 * @example medianInterval([1, 2, 3, 4, 5, 6], 0.95) // [1, 6], with 96.9 %
 */
export function medianInterval(values: readonly number[], confidence = 0.95): [low: number, high: number] {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  const place = n > maxExact ? normalPlace(n, confidence) : exactPlace(n, confidence);
  return [sorted[place] ?? Number.NaN, sorted[n - 1 - place] ?? Number.NaN];
}

/** How many values may be left out at each end. */
function exactPlace(n: number, confidence: number): number {
  let place = 0;
  let below = 0;
  // The chance that exactly so many values are below the median, from 0 on.
  let chance = 0.5 ** n;
  for (let count = 0; count < n / 2; count++) {
    below += chance;
    if (below > (1 - confidence) / 2) break;
    place = count;
    chance *= (n - count) / (count + 1);
  }
  return place;
}

function normalPlace(n: number, confidence: number): number {
  return Math.floor((n - 1 - normalQuantile((1 + confidence) / 2) * Math.sqrt(n)) / 2);
}
