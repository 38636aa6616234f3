/**
 * What the environments of a function looked like together, from the metrics that their monitors wrote. Environments, versions and
 * invocations cannot be told apart here: for verdicts, see store.ts.
 */
import { isValue } from '../metrics/checks.ts';
import type {
  Dimensions,
  Measurement,
  MetricSeries,
  Metrics,
  SeriesQuery,
  Span,
  Statistic,
  Unit,
} from '../metrics/metrics.ts';
import { figuresOf, type MetricName } from './figures.ts';
import type { Series } from './sample.ts';
import type { SampleStore } from './store.ts';

const minuteMs = 60_000;

/** A period of a function: figures over the samples of all its environments; null where no sample had one. */
export interface PooledPoint {
  /** When the period began, ISO 8601. */
  at: string;
  samples: number;
  meanHeapUsedBytes: number | null;
  /** What is left after forced collections: the mean, since environments differ in their age. */
  meanHeapFloorBytes: number | null;
  meanExternalBytes: number | null;
  p95RssBytes: number | null;
  largestRssBytes: number | null;
  /** Processor time and time of the invocations, of all samples together. */
  cpuMs: number | null;
  wallMs: number | null;
  /** The one by the other: 100 is one processor. */
  cpuPercent: number | null;
  meanLoopPercent: number | null;
  longestLoopDelayMs: number | null;
  /** Time of garbage collections, of all samples together. */
  collectionMs: number | null;
  /** Garbage collections by the time of the invocations. */
  collectionPercent: number | null;
  mostDescriptors: number | null;
  mostResources: number | null;
}

/** What is asked for a {@link PooledPoint}. */
const wanted = {
  samples: ['ResidentMemory', 'SampleCount'],
  meanHeapUsedBytes: ['HeapUsed', 'Average'],
  meanHeapFloorBytes: ['HeapFloor', 'Average'],
  meanExternalBytes: ['ExternalMemory', 'Average'],
  p95RssBytes: ['ResidentMemory', 'p95'],
  largestRssBytes: ['ResidentMemory', 'Maximum'],
  cpuMs: ['CpuTime', 'Sum'],
  wallMs: ['WallTime', 'Sum'],
  meanLoopPercent: ['EventLoopUtilization', 'Average'],
  longestLoopDelayMs: ['EventLoopDelay', 'Maximum'],
  collectionMs: ['CollectionTime', 'Sum'],
  mostDescriptors: ['OpenDescriptors', 'Maximum'],
  mostResources: ['ActiveResources', 'Maximum'],
} as const satisfies Record<string, readonly [MetricName, Statistic]>;

type Wanted = keyof typeof wanted;

/** What was read of a function. */
export interface Pooled {
  /** The period that was read by, which may be longer than the one that was asked for. */
  periodMs: number;
  /** Periods with samples, the oldest first. */
  points: PooledPoint[];
  /** Whether that is all there is. */
  isComplete: boolean;
  /** What the store had to say about it. */
  notes: string[];
}

const names = Object.keys(wanted) as Wanted[];

/** How many series are read of each function. */
export const seriesOfFunction = names.length;

/** Reads what a function looked like. @throws MetricsError as `metrics.read` does */
export async function readPooled(metrics: Pick<Metrics, 'read'>, dimensions: Dimensions, span: Span): Promise<Pooled> {
  const [pooled] = await readAllPooled(metrics, [dimensions], span);
  return pooled as Pooled;
}

/** Reads what functions looked like, in one go and in their order. @throws MetricsError as `metrics.read` does */
export async function readAllPooled(
  metrics: Pick<Metrics, 'read'>,
  functions: readonly Dimensions[],
  span: Span,
): Promise<Pooled[]> {
  const queries = functions.flatMap((dimensions) =>
    names.map((name): SeriesQuery => {
      const [metric, statistic] = wanted[name];
      return { name: metric, dimensions, statistic };
    }),
  );
  const { series, periodMs, notes } = await metrics.read(queries, span);
  return functions.map((_, place) => {
    const own = series.slice(place * names.length, (place + 1) * names.length);
    return {
      periodMs,
      points: pointsOf(own),
      isComplete: own.every(({ isComplete }) => isComplete),
      notes,
    };
  });
}

/** @param series one for each of the names */
function pointsOf(series: readonly MetricSeries[]): PooledPoint[] {
  const found = new Map(
    names.map((name, place) => [name, new Map(series[place]?.points.map(({ at, value }) => [at, value]))]),
  );
  const times = [...(found.get('samples')?.keys() ?? [])].sort((a, b) => a - b);
  const at = (time: number) => (name: Wanted) => found.get(name)?.get(time) ?? null;
  return times.map((time) => pointOf(new Date(time).toISOString(), at(time)));
}

function pointOf(at: string, of: (name: Wanted) => number | null): PooledPoint {
  return {
    at,
    samples: of('samples') ?? 0,
    meanHeapUsedBytes: of('meanHeapUsedBytes'),
    meanHeapFloorBytes: of('meanHeapFloorBytes'),
    meanExternalBytes: of('meanExternalBytes'),
    p95RssBytes: of('p95RssBytes'),
    largestRssBytes: of('largestRssBytes'),
    cpuMs: of('cpuMs'),
    wallMs: of('wallMs'),
    cpuPercent: percent(of('cpuMs'), of('wallMs')),
    meanLoopPercent: of('meanLoopPercent'),
    longestLoopDelayMs: of('longestLoopDelayMs'),
    collectionMs: of('collectionMs'),
    collectionPercent: percent(of('collectionMs'), of('wallMs')),
    mostDescriptors: of('mostDescriptors'),
    mostResources: of('mostResources'),
  };
}

function percent(part: number | null, whole: number | null): number | null {
  return part !== null && whole ? (100 * part) / whole : null;
}

/**
 * Where a {@link SampleKeeper} brings samples that have no log of Lambda to go to: to metrics, by the minute.
 *
 * @param service the dimension beside `function` and `stage`
 */
export function metricsOfSamples(metrics: Pick<Metrics, 'write'>, service = 'streamgate'): Pick<SampleStore, 'append'> {
  return { append: (series) => metrics.write(measurementsOf(series, service)) };
}

function measurementsOf({ environment, samples }: Series, service: string): Measurement[] {
  const dimensions = { service, function: environment.function, stage: environment.stage };
  const minutes = Map.groupBy(samples, ({ at }) => Math.floor(Date.parse(at) / minuteMs) * minuteMs);
  return [...minutes].flatMap(([at, several]) =>
    Object.entries(figuresOf(several)).flatMap(([unit, byName]) =>
      Object.entries(byName).flatMap(([name, given]) => {
        const values = given.filter(isValue);
        return values.length === 0 ? [] : [{ name, unit: unit as Unit, dimensions, at, values }];
      }),
    ),
  );
}
