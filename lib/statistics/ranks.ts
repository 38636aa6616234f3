/** The ranks of values, from 1 for the least, and what their ties take from the variance of a sum of them. */
export interface Ranks {
  /** In the order of the values; equal ones share the mean of their ranks. */
  ranks: Float64Array;
  /** Σ (t³ − t) over the groups of equal values, t being their sizes; 0 without ties. */
  tieTerm: number;
}

/** Ranks values, with midranks where they are equal. */
export function rank(values: readonly number[]): Ranks {
  const order = values.map((_, place) => place).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Float64Array(values.length);
  let tieTerm = 0;
  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && valueAt(end) === valueAt(first)) end++;
    for (let place = first; place < end; place++) ranks[order[place] ?? 0] = (first + 1 + end) / 2;
    const size = end - first;
    tieTerm += size ** 3 - size;
    first = end;
  }
  return { ranks, tieTerm };

  function valueAt(place: number): number | undefined {
    return values[order[place] ?? 0];
  }
}

/**
 * The standard deviation of U, and of a sum of ranks, when two samples are from one distribution, corrected for ties:
 * E. L. Lehmann, "Nonparametrics", 1975, (1.35). 0 when all values are equal.
 */
export function deviationOfU(n: number, m: number, tieTerm: number): number {
  const all = n + m;
  return Math.sqrt(Math.max(0, ((n * m) / 12) * (all + 1 - tieTerm / (all * (all - 1)))));
}
