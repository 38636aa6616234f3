import type { EdgeCounts } from '../lib/aws/facts.ts';
import { embeddedMetricLine } from '../lib/metrics/embedded.ts';

/** Of fewer requests in a day a rate says nothing. */
const enough = 1_000;

/**
 * What CloudFront answered by itself in the last day, in percent, as a line of the log that CloudWatch turns into a metric: its own metrics are in us-east-1
 * alone, where an alarm of another region does not see them. Undefined where too little was asked.
 *
 * @param at milliseconds since 1970
 */
export function edgeHitsLine({ hits, misses }: EdgeCounts, stage: string, at: number): string | undefined {
  const requests = hits + misses;
  if (requests < enough) return undefined;
  return embeddedMetricLine({
    at,
    namespace: 'StreamGate',
    dimensions: { service: 'streamgate', stage },
    metrics: { Percent: { EdgeHitRate: (100 * hits) / requests } },
  });
}
