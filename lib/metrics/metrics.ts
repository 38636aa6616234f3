/**
 * Metrics of functions over time, written here and read back.
 *
 * - **metric**: a name, such as `HeapUsed`, of a function of a service in a stage. Each combination is paid for, so an environment's
 *   id is never part of it: what belongs to one environment stands in the log (see embedded.ts) or in the store of samples.
 * - **measurement**: values of a metric at a moment.
 * - **period**: what is read is summed up by it.
 */

/** Units that CloudWatch knows: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html */
export type Unit = 'Bytes' | 'Milliseconds' | 'Percent' | 'Count';

/** Whose metric it is. */
export interface Dimensions {
  service: string;
  function: string;
  stage: string;
}

/** Values of a metric at a moment. */
export interface Measurement {
  name: string;
  unit: Unit;
  dimensions: Dimensions;
  /** Milliseconds since 1970: at most two weeks ago, and at most two hours from now. */
  at: number;
  /** Each finite, and between -2^360 and 2^360. */
  values: readonly number[];
}

/** How the values of a period become one. Percentiles are those of the values, to within about a hundredth. */
export type Statistic = 'Average' | 'Sum' | 'Minimum' | 'Maximum' | 'SampleCount' | `p${number}`;

/** A metric, and what is wanted of it. */
export interface SeriesQuery {
  name: string;
  dimensions: Dimensions;
  statistic: Statistic;
}

/** A span of time: milliseconds since 1970. It is widened to whole periods. */
export interface Span {
  from: number;
  to: number;
  /** A multiple of a minute. Metrics of long ago are kept by five minutes or by the hour, and so are read. */
  periodMs: number;
}

/** What a period has, and when that began. */
export interface MetricPoint {
  at: number;
  value: number;
}

/** A metric over time, the oldest first. Periods without a value are left out. */
export interface MetricSeries {
  query: SeriesQuery;
  points: MetricPoint[];
  /** Whether that is all there is. */
  isComplete: boolean;
}

/** What was read. */
export interface Readings {
  /** The period that was read by, which may be longer than the one that was asked for. */
  periodMs: number;
  /** One for each query, in their order. */
  series: MetricSeries[];
  /** What the store had to say about it. */
  notes: string[];
}

/** The metric that tells which functions there are: the monitor writes it with every sample. */
export const metricOfAll = 'ResidentMemory';

/** The functions that have metrics. */
export interface FunctionList {
  /** In the order of their dimensions. */
  functions: Dimensions[];
  /** Whether those are all. */
  isComplete: boolean;
}

/** So many functions are listed at most. */
export const mostFunctions = 500;

/** Where metrics are kept. An adapter is right when it passes test/integration/lib/metrics/contract.ts. */
export interface Metrics {
  /**
   * Keeps measurements.
   *
   * @throws MetricsError `measurement-invalid`, and then nothing was kept; `store-failed`, and then some may have been
   */
  write(measurements: readonly Measurement[]): Promise<void>;
  /**
   * Reads series.
   *
   * @throws MetricsError `query-invalid` or `store-failed`
   */
  read(queries: readonly SeriesQuery[], span: Span): Promise<Readings>;
  /**
   * Lists the functions that have written the resident memory of a sample: all that did since a moment, in milliseconds since 1970, and
   * perhaps some that did not since then.
   *
   * @throws MetricsError `store-failed`
   */
  functions(since: number): Promise<FunctionList>;
}
