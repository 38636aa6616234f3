/**
 * What CloudWatch refuses, found before anything is sent: one value that it does not take fails the whole request.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
 */
import { MetricsError } from './errors.ts';
import type { Dimensions, Measurement, SeriesQuery, Span } from './metrics.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html */
const largest = 2 ** 360;
const oldestMs = 14 * dayMs;
const newestMs = 2 * hourMs;

/** Printable ASCII: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html */
const metricName = /^[\x20-\x7e]{1,255}$/;
const dimensionValue = /^(?!:)(?=.*[\x21-\x7e])[\x20-\x7e]{1,1024}$/;

/** Names that begin with AWS/ are those of AWS's own metrics. */
const namespaceName = /^(?!AWS\/)[\w.\-/#][\w.\-/#: ]{0,254}$/;

const statistics: readonly string[] = ['Average', 'Sum', 'Minimum', 'Maximum', 'SampleCount'];

/** Whether CloudWatch takes it as a value of a metric. */
export function isValue(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= largest;
}

/** Whether CloudWatch takes it as a value of a dimension. */
export function isDimensionValue(value: unknown): value is string {
  return typeof value === 'string' && dimensionValue.test(value);
}

/** Whether CloudWatch takes it as a namespace of ours. */
export function isNamespace(value: unknown): value is string {
  return typeof value === 'string' && namespaceName.test(value);
}

/** Refuses what no store takes. @param now milliseconds since 1970 @throws MetricsError `measurement-invalid` */
export function checkMeasurements(measurements: readonly Measurement[], now: number): void {
  for (const { name, dimensions, at, values } of measurements) {
    const problem =
      problemOf(name, dimensions) ??
      (values.length === 0 ? 'has no values' : undefined) ??
      (values.every(isValue) ? undefined : 'has a value that is no finite number between -2^360 and 2^360') ??
      (at >= now - oldestMs && at <= now + newestMs ? undefined : 'is older than two weeks, or of the future');
    if (problem) throw new MetricsError('measurement-invalid', `The measurement "${name}" ${problem}.`);
  }
}

/** Refuses what cannot be answered. @throws MetricsError `query-invalid` */
export function checkQueries(queries: readonly SeriesQuery[], { from, to, periodMs }: Span): void {
  if (!(from < to)) throw new MetricsError('query-invalid', 'The span does not end after it begins.');
  if (!(periodMs >= minuteMs && periodMs % minuteMs === 0)) {
    throw new MetricsError('query-invalid', `A period of ${periodMs} ms is no multiple of a minute.`);
  }
  for (const { name, dimensions, statistic } of queries) {
    const problem =
      problemOf(name, dimensions) ?? (isStatistic(statistic) ? undefined : `has no statistic "${statistic}"`);
    if (problem) throw new MetricsError('query-invalid', `The metric "${name}" ${problem}.`);
  }
}

function problemOf(name: string, dimensions: Dimensions): string | undefined {
  if (!metricName.test(name)) return 'has a name that is not 1 to 255 printable ASCII characters';
  const bad = Object.entries(dimensions).find(([, value]) => !isDimensionValue(value));
  return bad && `has a ${bad[0]} that is not 1 to 1,024 printable ASCII characters, or begins with a colon`;
}

function isStatistic(statistic: string): boolean {
  const percent = /^p(\d{1,3}(?:\.\d{1,10})?)$/.exec(statistic)?.[1];
  return statistics.includes(statistic) || (percent !== undefined && Number(percent) <= 100);
}

/**
 * The span in whole periods that are still kept: by the minute for 15 days, by five minutes for 63, by the hour for 15 months.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html
 */
export function wholePeriods({ from, to, periodMs }: Span, now: number): Span {
  const ageMs = now - from;
  const keptMs = ageMs > 63 * dayMs ? hourMs : ageMs > 15 * dayMs ? 5 * minuteMs : minuteMs;
  const period = Math.ceil(periodMs / keptMs) * keptMs;
  return { from: Math.floor(from / period) * period, to: Math.ceil(to / period) * period, periodMs: period };
}
