import { normalQuantile } from './normal-quantile.ts';

/**
 * Within which limits a share lies that was counted, with a confidence (two-sided). Good for few trials and for shares near 0
 * and 1, too.
 *
 * E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American Statistical
 * Association 22, 1927.
 *
 * @returns 0 to 1 where there was no trial
 * @example shareInterval(0, 100) // [0, 0.037]
 */
export function shareInterval(hits: number, trials: number, confidence = 0.95): [low: number, high: number] {
  if (trials === 0) return [0, 1];
  const z = normalQuantile((1 + confidence) / 2);
  const share = hits / trials;
  const middle = share + z ** 2 / (2 * trials);
  const spread = z * Math.sqrt((share * (1 - share)) / trials + (z / (2 * trials)) ** 2);
  const scale = 1 + z ** 2 / trials;
  return [hits === 0 ? 0 : (middle - spread) / scale, hits === trials ? 1 : (middle + spread) / scale];
}
