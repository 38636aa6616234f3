/** How measurements are packed for PutMetricData. */
import type { Dimensions, Measurement } from '../metrics.ts';
import type { Dimension, MetricDatum } from './api.ts';

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html */
const mostValues = 150;
const mostMetrics = 1_000;

/** A request may have 1 MB (2^20 bytes); this leaves room for what stands around the metrics. */
const mostBytes = 1_000_000;

/** The dimensions of a metric as CloudWatch has them. */
export function dimensionsOf({ service, function: name, stage }: Dimensions): Dimension[] {
  return [
    { Name: 'service', Value: service },
    { Name: 'function', Value: name },
    { Name: 'stage', Value: stage },
  ];
}

/** The measurements in as few requests as CloudWatch takes them in. Values of a metric at the same moment go together. */
export function requestsOf(measurements: readonly Measurement[]): MetricDatum[][] {
  const requests: MetricDatum[][] = [];
  let bytes = 0;
  for (const datum of dataOf(measurements)) {
    const size = JSON.stringify(datum).length;
    const request = requests.at(-1);
    if (!request || request.length === mostMetrics || bytes + size > mostBytes) {
      requests.push([datum]);
      bytes = size;
    } else {
      request.push(datum);
      bytes += size;
    }
  }
  return requests;
}

function dataOf(measurements: readonly Measurement[]): MetricDatum[] {
  const together = Map.groupBy(measurements, ({ name, unit, dimensions: { service, function: of, stage }, at }) =>
    JSON.stringify([name, unit, service, of, stage, at]),
  );
  return [...together.values()].flatMap((several) => {
    const [first] = several;
    if (!first) return [];
    const counts = new Map<number, number>();
    for (const { values } of several) for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    return chunksOf([...counts], mostValues).map((chunk) => ({
      MetricName: first.name,
      Dimensions: dimensionsOf(first.dimensions),
      Timestamp: new Date(first.at),
      Unit: first.unit,
      Values: chunk.map(([value]) => value),
      Counts: chunk.map(([, count]) => count),
    }));
  });
}

/** The items in groups of at most so many. */
export function chunksOf<Item>(items: readonly Item[], most: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, chunk) =>
    items.slice(chunk * most, (chunk + 1) * most),
  );
}
