/** Four buckets to each doubling: a percentile is off by at most 9 %. */
const bucketsPerOctave = 4;

/** What takes less than this lands in the first bucket, in milliseconds. */
const smallestMs = 0.001;

/** Percentiles, in milliseconds; null when nothing was counted. */
export interface Percentiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/**
 * How often something took how long, in buckets that grow by the fourth root of two. Histograms of several processes
 * add up bucket by bucket, which percentiles do not.
 */
export class Histogram {
  /** By number of the bucket. */
  readonly counts = new Map<number, number>();

  /** Counts one duration, in milliseconds. */
  record(ms: number): void {
    this.add(Math.max(0, Math.ceil(Math.log2(ms / smallestMs) * bucketsPerOctave)), 1);
  }

  /** Counts what somebody else has counted. */
  add(bucket: number, count: number): void {
    this.counts.set(bucket, (this.counts.get(bucket) ?? 0) + count);
  }

  /** The percentiles: of each the middle of its bucket. */
  percentiles(): Percentiles {
    const buckets = [...this.counts].sort(([a], [b]) => a - b);
    const total = buckets.reduce((sum, [, count]) => sum + count, 0);
    const at = (share: number) => {
      let seen = 0;
      for (const [bucket, count] of buckets) {
        seen += count;
        if (seen >= share * total)
          return Number((smallestMs * 2 ** ((bucket - 0.5) / bucketsPerOctave)).toPrecision(3));
      }
      return null;
    };
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
  }
}
