import type { Sink } from './monitor/options.ts';
import type { Environment, Sample } from './sample.ts';

/** Units that CloudWatch knows: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html */
export type Unit = 'Bytes' | 'Milliseconds' | 'Percent' | 'Count';

/** A line of the log that CloudWatch turns into metrics. */
export interface EmbeddedMetrics {
  /** Milliseconds since 1970. */
  at: number;
  namespace: string;
  /** Each combination of values is a metric of its own, and is paid for. */
  dimensions: Readonly<Record<string, string>>;
  /** By unit and name; one without a value is left out. At most 100. */
  metrics: Readonly<Partial<Record<Unit, Readonly<Record<string, number | null | undefined>>>>>;
  /** What stands in the line beside them, for Logs Insights and other readers of the log. */
  properties?: Readonly<Record<string, unknown>>;
}

/**
 * Writes metrics as a line of the embedded metric format.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function embeddedMetricLine({ at, namespace, dimensions, metrics, properties }: EmbeddedMetrics): string {
  const known = Object.entries(metrics).flatMap(([Unit, values]) =>
    Object.entries(values)
      .filter(([, value]) => typeof value === 'number')
      .map(([Name, value]) => ({ Name, Unit, value })),
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

/** Where the metrics of samples go in CloudWatch. */
export interface SampleEmfOptions {
  /** Default: `StreamGate`. */
  namespace?: string | undefined;
  /** What the function is a part of: the dimension beside `function` and `stage`. Default: `streamgate`. */
  service?: string | undefined;
}

/**
 * Writes samples to the log, for CloudWatch to make metrics of.
 *
 * @example monitor({ sink: emf({ service: 'shop' }) })
 */
export function emf(options: SampleEmfOptions = {}): Sink {
  return (sample, environment) => {
    process.stdout.write(`${sampleLine(sample, environment, options)}\n`);
  };
}

/**
 * A sample as a line of the log. The metrics are those of the function, whatever the number of its environments; the properties
 * `environment` and `sample` are the whole truth. The processor's share of a fleet is `SUM(CpuTime) / SUM(WallTime)`.
 */
export function sampleLine(
  sample: Sample,
  environment: Environment,
  { namespace = 'StreamGate', service = 'streamgate' }: SampleEmfOptions = {},
): string {
  return embeddedMetricLine({
    at: Date.parse(sample.at),
    namespace,
    dimensions: { service, function: environment.function, stage: environment.stage },
    metrics: {
      Bytes: {
        HeapUsed: sample.heapUsedBytes,
        HeapFloor: sample.floor?.heapBytes,
        ExternalMemory: sample.externalBytes,
        ResidentMemory: sample.rssBytes,
      },
      Milliseconds: {
        CpuTime: sample.cpuMs,
        WallTime: sample.wallMs,
        EventLoopDelay: sample.eventLoop.longestDelayMs,
        CollectionTime: sum(Object.values(sample.collections).map(({ totalMs }) => totalMs)),
      },
      Percent: { EventLoopUtilization: 100 * sample.eventLoop.utilization },
      Count: {
        OpenDescriptors: sample.descriptors,
        ActiveResources: sum(Object.values(sample.resources)),
        ResourcesLeftRunning: sum(Object.values(sample.leftRunning)),
      },
    },
    properties: { environment, sample },
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
