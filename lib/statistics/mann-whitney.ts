/**
 * The Mann–Whitney U test: whether the values of one sample tend to be larger than those of another, whatever their
 * distribution.
 *
 * H. B. Mann, D. R. Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other",
 * Annals of Mathematical Statistics 18(1), 1947; F. Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics
 * Bulletin 1(6), 1945.
 */
import { normalUpperTail } from './normal.ts';
import { deviationOfU, rank } from './ranks.ts';

/** What is asked of the first sample, compared to the second. */
export type Alternative = 'greater' | 'less' | 'different';

/** The outcome of a test. */
export interface MannWhitney {
  /** In how many pairs the value of the first sample is the larger one; an equal pair counts half. */
  u: number;
  /** How likely so much of a difference, or more, would be if there were none: 0 to 1. */
  p: number;
  /** `exact`: by counting all orders of the values; `normal`: approximated, with corrections for ties and for continuity. */
  method: 'exact' | 'normal';
}

/** Up to so many pairs all orders are counted; beyond, the approximation is as good. */
const maxExactPairs = 400;

/**
 * Compares two samples. Exact without ties and with at most 400 pairs, else by the normal approximation. An empty sample,
 * or one with a value that is no finite number, shows nothing: then p is 1.
 *
 * @example mannWhitney([1, 2, 3], [4, 5, 6], 'less').p // 0.05
 */
export function mannWhitney(
  first: readonly number[],
  second: readonly number[],
  alternative: Alternative = 'different',
): MannWhitney {
  const n = first.length;
  const m = second.length;
  const all = [...first, ...second];
  if (n === 0 || m === 0 || !all.every(Number.isFinite)) return { u: (n * m) / 2, p: 1, method: 'normal' };
  const { ranks, tieTerm } = rank(all);
  const u = ranks.subarray(0, n).reduce((sum, each) => sum + each, 0) - (n * (n + 1)) / 2;
  const method = tieTerm === 0 && n * m <= maxExactPairs ? 'exact' : 'normal';
  const atLeast = method === 'exact' ? exactTail(n, m) : normalTail(n, m, tieTerm);
  switch (alternative) {
    case 'greater':
      return { u, p: atLeast(u), method };
    case 'less':
      return { u, p: atLeast(n * m - u), method };
    case 'different':
      return { u, p: Math.min(1, 2 * atLeast(Math.max(u, n * m - u))), method };
  }
}

/**
 * How likely U is at least so large: the share of the orders of n + m values in which it is. They are the coefficients of the
 * Gaussian binomial, Π (1 − x^(m + i)) / (1 − x^i) for i from 1 to n. They stay below 2^53.
 */
function exactTail(n: number, m: number): (u: number) => number {
  const orders = new Float64Array(n * m + 1);
  orders[0] = 1;
  for (let i = 1; i <= n; i++) {
    for (let u = orders.length - 1; u >= m + i; u--) orders[u] = at(u) - at(u - m - i);
    for (let u = i; u < orders.length; u++) orders[u] = at(u) + at(u - i);
  }
  const all = orders.reduce((sum, count) => sum + count, 0);
  return (u) => orders.subarray(u).reduce((sum, count) => sum + count, 0) / all;

  function at(u: number): number {
    return orders[u] ?? 0;
  }
}

/** The same by the normal distribution: half a step is taken off, since U moves in steps. */
function normalTail(n: number, m: number, tieTerm: number): (u: number) => number {
  const deviation = deviationOfU(n, m, tieTerm);
  // When all values are equal there is nothing to tell apart.
  if (deviation === 0) return () => 1;
  return (u) => normalUpperTail((u - (n * m) / 2 - 0.5) / deviation);
}
