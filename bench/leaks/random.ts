/** Random numbers that are the same in each run for a seed, and what the workloads draw from them. */
export interface Random {
  /** Evenly distributed from 0 up to 1. */
  next(): number;
  /** A whole number from 0 up to `below`. */
  below(below: number): number;
  /** One of the range, evenly distributed. */
  between(low: number, high: number): number;
  /** Log-normal: its median, and by what factor a standard deviation takes it up. */
  logNormal(median: number, factor: number): number;
}

/** mulberry32 by T. Ettinger, https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32 */
export function randomOf(seed: number): Random {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  // Box and Muller, 1958.
  const gauss = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    next,
    below: (below) => Math.floor(next() * below),
    between: (low, high) => low + next() * (high - low),
    logNormal: (median, factor) => median * factor ** gauss(),
  };
}
