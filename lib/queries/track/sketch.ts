/** By so much a percentile may be off, as a share of it. */
const accuracy = 0.01;

/** What takes less than this lands in the first bucket, what takes longer than that in the last one; in milliseconds. */
const shortestMs = 0.001;
const longestMs = 10_000_000;

const growth = (1 + accuracy) / (1 - accuracy);
const bucketsPerNat = 1 / Math.log(growth);
const buckets = Math.ceil(Math.log(longestMs / shortestMs) * bucketsPerNat) + 1;

/**
 * Percentiles of all durations that were recorded, in 5 kB however many there are: DDSketch with a relative error of 1 %
 * (https://www.vldb.org/pvldb/vol12/p2195-masson.pdf), between a microsecond and three hours. Sketches add up, which
 * percentiles do not.
 */
export class Sketch {
  readonly #counts = new Uint32Array(buckets);
  #total = 0;

  /** Of how many durations it is. */
  get total(): number {
    return this.#total;
  }

  /** Counts a duration, in milliseconds. */
  record(ms: number): void {
    const bucket = ms > shortestMs ? Math.ceil(Math.log(ms / shortestMs) * bucketsPerNat) : 0;
    const at = Math.min(bucket, buckets - 1);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#total++;
  }

  /** Counts what another one has counted. */
  add(other: Sketch): void {
    for (const [at, count] of other.#counts.entries()) this.#counts[at] = (this.#counts[at] ?? 0) + count;
    this.#total += other.#total;
  }

  /**
   * The least duration that so large a share of all did not exceed, in milliseconds, off by 1 % at most; null when nothing
   * was recorded.
   *
   * @param share above 0 and at most 1
   */
  percentile(share: number): number | null {
    const rank = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (const [at, count] of this.#counts.entries()) {
      seen += count;
      // Of all durations in a bucket it is the one from which none is further away, as a share.
      if (seen >= rank) return (shortestMs * 2 * growth ** at) / (growth + 1);
    }
    return null;
  }
}
