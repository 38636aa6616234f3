/** What is known of functions: their samples in the history, and the metrics of those that have none there. */
import type { CollectedFunctions } from '../../lib/audit.ts';
import { cloudWatchMetrics } from '../../lib/metrics/cloudwatch.ts';
import type { Dimensions } from '../../lib/metrics/metrics.ts';
import { connectCloudWatch } from '../../lib/metrics/sdk.ts';
import { type MetricsReading, readFromMetrics } from '../../lib/resources/read-metrics.ts';
import { readSamples, settings } from '../environment.ts';
import { nameOfAll } from '../monitoring.ts';

/** Each figure that is read is paid for, and changes little meanwhile. */
const freshMs = 900_000;

const timeoutMs = 10_000;

let read: { namespace: string; at: number; reading: MetricsReading } | undefined;

/**
 * Reads the last day of all functions. StreamGate's own functions write both, and count once: by their samples, which tell more.
 *
 * @throws StreamGateError when the history cannot be read; CloudWatch is only noted
 */
export async function readFunctions(): Promise<CollectedFunctions> {
  const { series, notes } = await readSamples();
  const { metricsNamespace } = await settings();
  if (metricsNamespace === undefined) return { series, pooled: [], notes };
  const sampled = new Set(series.map(({ environment }) => keyOf(environment)));
  const isKnown = (dimensions: Pick<Dimensions, 'function' | 'stage'>) =>
    dimensions.function === nameOfAll || sampled.has(keyOf(dimensions));
  const { functions, notes: more } = await readMetrics(metricsNamespace, isKnown);
  return { series, pooled: functions.filter(({ dimensions }) => !isKnown(dimensions)), notes: [...notes, ...more] };
}

/** What was read completely stands for a quarter of an hour. */
async function readMetrics(namespace: string, isKnown: (dimensions: Dimensions) => boolean): Promise<MetricsReading> {
  if (read?.namespace === namespace && Date.now() - read.at < freshMs) return read.reading;
  const metrics = cloudWatchMetrics({ connect: connectCloudWatch, namespace, timeoutMs });
  const reading = await readFromMetrics(metrics, { isKnown, timeoutMs });
  read = reading.isComplete ? { namespace, at: Date.now(), reading } : undefined;
  return reading;
}

function keyOf({ function: name, stage }: Pick<Dimensions, 'function' | 'stage'>): string {
  return JSON.stringify([name, stage]);
}
