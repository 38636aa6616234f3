import { type Duration, milliseconds } from './duration.ts';
import type { Reporter } from './level.ts';
import { DeltaReporter } from './shared/reporter.ts';
import type { Statistics } from './statistics.ts';
import type { Counts } from './store.ts';

/** Where the metrics go in CloudWatch, and how often. */
export interface EmfOptions {
  /** Default: `StreamGate`. */
  namespace?: string | undefined;
  /** Such as `{ service: 'shop', stage: 'prod' }`. Never an instance: each value is a metric of its own, and is paid for. */
  dimensions?: Readonly<Record<string, string>> | undefined;
  /** Default: every ten seconds. */
  every?: Duration | undefined;
}

const metrics: Readonly<Record<string, readonly string[]>> = {
  CacheGets: ['l1.fresh', 'l1.stale', 'l1.negative', 'l1.misses'],
  CacheWaits: ['waits'],
  CacheL1Hits: ['l1.fresh', 'l1.stale', 'l1.negative'],
  CacheL2Hits: ['l2.fresh', 'l2.stale', 'l2.negative'],
  CacheL2Misses: ['l2.misses'],
  CacheL2Failures: ['l2.timeOuts', 'l2.errors'],
  CacheLoads: ['loads.ok'],
  CacheLoadsFailed: ['loads.failed'],
};

/**
 * Writes the counters to the log, for CloudWatch to make metrics of.
 *
 * @example createCache({ reporters: [emf({ dimensions: { service: 'shop' } })] })
 */
export function emf(options: EmfOptions = {}): (statistics: Statistics) => Reporter {
  const everyMs = milliseconds(options.every ?? '10s', 'every');
  return (statistics) =>
    new DeltaReporter(statistics, everyMs, (news) => {
      process.stdout.write(`${emfLine(news, options, Date.now())}\n`);
    });
}

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
