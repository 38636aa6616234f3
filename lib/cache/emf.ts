import type { CounterName } from './statistics.ts';
import type { Counts } from './store.ts';

/** Where the metrics go in CloudWatch. */
export interface EmfOptions {
  /** Default: `StreamGate`. */
  namespace?: string | undefined;
  /** Such as `{ service: 'shop', stage: 'prod' }`. Never an instance: each value is a metric of its own, and is paid for. */
  dimensions?: Readonly<Record<string, string>> | undefined;
}

const metrics: Readonly<Record<string, readonly CounterName[]>> = {
  CacheGets: ['l1Fresh', 'l1Stale', 'l1Negative', 'l1Misses'],
  CacheWaits: ['waits'],
  CacheL1Hits: ['l1Fresh', 'l1Stale', 'l1Negative'],
  CacheL2Hits: ['l2Fresh', 'l2Stale', 'l2Negative'],
  CacheL2Misses: ['l2Misses'],
  CacheL2Failures: ['l2TimeOuts', 'l2Errors'],
  CacheLoads: ['loads'],
  CacheLoadsFailed: ['loadsFailed'],
};

/**
 * What has come to the counters, as a line of the log that CloudWatch turns into metrics. The hit rate of a fleet is
 * `1 - SUM(CacheWaits) / SUM(CacheGets)`: a ratio of sums, never a mean of ratios.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 *
 * @param at milliseconds since 1970
 */
export function emfLine(
  { sums }: Counts,
  { namespace = 'StreamGate', dimensions = {} }: EmfOptions,
  at: number,
): string {
  const values = Object.entries(metrics).map(([name, counters]) => [
    name,
    counters.reduce((sum, counter) => sum + (sums[counter] ?? 0), 0),
  ]);
  return JSON.stringify({
    _aws: {
      Timestamp: at,
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [Object.keys(dimensions)],
          Metrics: Object.keys(metrics).map((Name) => ({ Name, Unit: 'Count' })),
        },
      ],
    },
    ...dimensions,
    ...Object.fromEntries(values),
  });
}
