/**
 * What p-values are worth when there are many of them: of those whose adjusted value is at most q, a share of at most q is
 * expected to be false alarms.
 *
 * Y. Benjamini, Y. Hochberg, "Controlling the False Discovery Rate: A Practical and Powerful Approach to Multiple Testing",
 * Journal of the Royal Statistical Society B 57(1), 1995. Holds for tests that do not depend on each other, or positively do.
 *
 * @param ps p-values, 0 to 1
 * @returns the adjusted values, in the same order: the least q at which each would count
 *
 * @example falseDiscoveryRates([0.01, 0.04, 0.03]) // [0.03, 0.04, 0.04]
 */
export function falseDiscoveryRates(ps: readonly number[]): number[] {
  const order = ps.map((_, place) => place).sort((a, b) => (ps[b] ?? 1) - (ps[a] ?? 1));
  const adjusted = new Array<number>(ps.length).fill(1);
  let least = 1;
  order.forEach((place, fromLargest) => {
    least = Math.min(least, ((ps[place] ?? 1) * ps.length) / (ps.length - fromLargest));
    adjusted[place] = least;
  });
  return adjusted;
}
