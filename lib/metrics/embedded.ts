import { isValue } from './checks.ts';
import type { Unit } from './metrics.ts';

/** One value of a metric, or several; what is no value is left out. */
type Given = number | null | undefined;

/** A line of the log that CloudWatch turns into metrics. */
export interface EmbeddedMetrics {
  /** Milliseconds since 1970. */
  at: number;
  namespace: string;
  /** Each combination of values is a metric of its own, and is paid for. */
  dimensions: Readonly<Record<string, string>>;
  /** By unit and name, each with one value or at most 100; at most 100 metrics. One without a value is left out. */
  metrics: Readonly<Partial<Record<Unit, Readonly<Record<string, Given | readonly Given[]>>>>>;
  /** What stands in the line beside them, for Logs Insights and other readers of the log. */
  properties?: Readonly<Record<string, unknown>>;
}

/**
 * Writes metrics as a line of the embedded metric format.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function embeddedMetricLine({ at, namespace, dimensions, metrics, properties }: EmbeddedMetrics): string {
  const known = Object.entries(metrics).flatMap(([Unit, byName]) =>
    Object.entries(byName).flatMap(([Name, given]) => {
      const values = [given].flat().filter(isValue);
      return values.length === 0 ? [] : [{ Name, Unit, value: values.length === 1 ? values[0] : values }];
    }),
  );
  return JSON.stringify({
    _aws: {
      Timestamp: at,
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [Object.keys(dimensions)],
          Metrics: known.map(({ Name, Unit }) => ({ Name, Unit })),
        },
      ],
    },
    ...properties,
    ...dimensions,
    ...Object.fromEntries(known.map(({ Name, value }) => [Name, value])),
  });
}
