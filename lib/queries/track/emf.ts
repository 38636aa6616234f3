import { embeddedMetricLine } from '../../metrics/embedded.ts';
import type { ScopeReport } from './scope.ts';

/** Where the metrics of scopes go in CloudWatch. */
export interface QueryEmfOptions {
  /** Default: `StreamGate`. */
  namespace?: string | undefined;
  /** Such as `{ service: 'shop', stage: 'prod' }`. Never a request: each value is a metric of its own, and is paid for. */
  dimensions?: Readonly<Record<string, string>> | undefined;
}

/**
 * Writes what each scope did as a line of the log that CloudWatch turns into metrics. A scope that asked nothing has none.
 *
 * @example trackQueries(pool, { onScope: emf({ dimensions: { service: 'shop' } }) })
 */
export function emf(options: QueryEmfOptions = {}): (report: ScopeReport) => void {
  return (report) => {
    if (report.calls > 0) process.stdout.write(`${scopeLine(report, options, Date.now())}\n`);
  };
}

/**
 * What a scope did as a line of the log. The repeated statements stand beside the metrics, for Logs Insights.
 *
 * @param at milliseconds since 1970
 */
export function scopeLine(
  { requestId, calls, errors, totalMs, waitMs, repeated }: ScopeReport,
  { namespace = 'StreamGate', dimensions = {} }: QueryEmfOptions,
  at: number,
): string {
  return embeddedMetricLine({
    at,
    namespace,
    dimensions,
    metrics: {
      Count: { Queries: calls, QueryErrors: errors, RepeatedQueries: repeated.length },
      Milliseconds: { QueryTime: totalMs, ConnectionWait: waitMs },
    },
    properties: { requestId, repeated },
  });
}
