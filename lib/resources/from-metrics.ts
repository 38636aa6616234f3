/** What metrics tell of a function whose samples nobody brought to the store. What they do not tell is null, and is not guessed. */
import type { Dimensions } from '../metrics/metrics.ts';
import type { Point } from '../statistics/theil-sen.ts';
import { judgeLeak } from './leak.ts';
import type { PooledPoint } from './pooled.ts';
import type { Distribution, FunctionResources, ResourcePoint } from './snapshot.ts';
import { trendOf } from './trend.ts';

const hour = 3_600_000;

/** A plot shows no more periods than this: those of 500 functions fit into an answer of Lambda, which may have 6 MB. */
const maxPlotted = 72;

/** A function, and its periods, the oldest first. */
export interface PooledFunction {
  dimensions: Dimensions;
  points: readonly PooledPoint[];
}

/** A period with all the figures that every sample has. */
type Period = {
  [Name in keyof PooledPoint]: Name extends Optional ? PooledPoint[Name] : NonNullable<PooledPoint[Name]>;
};

/** What some samples do not have, and no summary is made of. */
type Optional = 'meanHeapFloorBytes' | 'mostDescriptors' | 'cpuPercent' | 'collectionPercent' | 'mostResources';

/** A value, and how often it counts. */
interface Weighed {
  value: number;
  weight: number;
}

/** Sums up the periods of a function; undefined without a period that has all figures of a sample. */
export function summarizePooled({ dimensions, points }: PooledFunction): FunctionResources | undefined {
  const periods = points.filter(isPeriod);
  const [first] = periods;
  const last = periods.at(-1);
  if (!first || !last) return undefined;
  const of = (figure: (period: Period) => number | null) => distribution(weighed(periods, figure));
  const sum = (figure: (period: Period) => number) => periods.reduce((all, period) => all + figure(period), 0);
  const largest = (figure: (period: Period) => number) => Math.max(...periods.map(figure));
  const optional = (figure: (period: Period) => number | null) =>
    periods.some((period) => figure(period) !== null) ? of(figure) : null;
  const cpuMs = sum((period) => period.cpuMs);
  const wallMs = sum((period) => period.wallMs);
  const collectionMs = sum((period) => period.collectionMs);
  const over = (figure: (period: Period) => number | null) =>
    trendOf(
      weighed(periods, figure).map(({ period, value }): Point => ({ x: hoursSince(first.at, period.at), y: value })),
    );
  const floors = optional(({ meanHeapFloorBytes }) => meanHeapFloorBytes);
  return {
    source: 'metrics',
    function: dimensions.function,
    stage: dimensions.stage,
    version: null,
    nodeVersion: null,
    from: first.at,
    to: last.at,
    environments: null,
    samples: sum(({ samples }) => samples),
    invocations: null,
    coldStarts: null,
    memory: {
      rssBytes: { ...of(({ p95RssBytes }) => p95RssBytes), max: largest(({ largestRssBytes }) => largestRssBytes) },
      heapUsedBytes: of(({ meanHeapUsedBytes }) => meanHeapUsedBytes),
      heapFloorBytes: floors,
      externalBytes: of(({ meanExternalBytes }) => meanExternalBytes),
      descriptors: optional(({ mostDescriptors }) => mostDescriptors),
      limits: { memoryBytes: null, heapBytes: null },
    },
    cpu: {
      percent: { ...of(cpuPercent), mean: share(cpuMs, wallMs) },
      loopPercent: of(({ meanLoopPercent }) => meanLoopPercent),
      loopDelayMs: null,
      longestLoopDelayMs: largest(({ longestLoopDelayMs }) => longestLoopDelayMs),
      invocationMs: null,
      wallMs,
      collections: { count: null, totalMs: collectionMs, longestMs: null, sharePercent: share(collectionMs, cpuMs) },
      limits: { processors: null },
    },
    memoryTrend: over(floors ? ({ meanHeapFloorBytes }) => meanHeapFloorBytes : ({ p95RssBytes }) => p95RssBytes),
    memoryTrendOf: { x: 'hours', y: floors ? 'heapFloorBytes' : 'rssBytes' },
    cpuTrend: over(cpuPercent),
    leak: leakOf(dimensions, first.at),
    fleet: null,
    listenerWarnings: null,
    memoryPlot: thinned(periods).map(({ at, p95RssBytes, meanHeapFloorBytes }) => ({
      invocation: null,
      at,
      rssBytes: p95RssBytes,
      heapFloorBytes: meanHeapFloorBytes,
    })),
    cpuPlot: thinned(periods).map((period) => ({ at: period.at, percent: cpuPercent(period) })),
  };
}

/** Every period as it is kept, newest first. */
export function pooledResourcePoints({ dimensions, points }: PooledFunction): ResourcePoint[] {
  return points
    .filter(isPeriod)
    .map((period) => ({
      source: 'metrics' as const,
      function: dimensions.function,
      stage: dimensions.stage,
      version: null,
      environment: null,
      invocation: null,
      at: period.at,
      memory: {
        rssBytes: period.p95RssBytes,
        heapUsedBytes: period.meanHeapUsedBytes,
        heapTotalBytes: null,
        heapFloorBytes: period.meanHeapFloorBytes,
        externalBytes: period.meanExternalBytes,
        arrayBufferBytes: null,
        spaces: null,
        handles: null,
        leftRunning: null,
        descriptors: period.mostDescriptors,
      },
      cpu: {
        percent: cpuPercent(period),
        cpuMs: period.cpuMs,
        wallMs: period.wallMs,
        invocations: null,
        loopPercent: period.meanLoopPercent,
        loopDelayMs: null,
        longestLoopDelayMs: period.longestLoopDelayMs,
        collections: null,
        collectionMs: period.collectionMs,
        longestCollectionMs: null,
      },
    }))
    .reverse();
}

const needed = [
  'p95RssBytes',
  'largestRssBytes',
  'meanHeapUsedBytes',
  'meanExternalBytes',
  'cpuMs',
  'wallMs',
  'meanLoopPercent',
  'longestLoopDelayMs',
  'collectionMs',
] as const satisfies Exclude<keyof PooledPoint, Optional>[];

function isPeriod(point: PooledPoint): point is Period {
  return needed.every((name) => point[name] !== null);
}

/** What the judge says where nothing was seen: figures of several environments together say nothing of any of them. */
function leakOf({ function: name, stage }: Dimensions, startedAt: string): FunctionResources['leak'] {
  const nobody = { id: '', version: '', memoryLimitBytes: null, nodeVersion: '', initMs: null };
  return judgeLeak({ environment: { ...nobody, function: name, stage, startedAt }, samples: [] });
}

function cpuPercent({ cpuMs, wallMs }: Period): number {
  return share(cpuMs, wallMs);
}

/** In percent; 0 of nothing. */
function share(part: number, whole: number): number {
  return whole > 0 ? (100 * part) / whole : 0;
}

/** What the periods have of a figure, each as often as it has samples. */
function weighed(periods: readonly Period[], figure: (period: Period) => number | null) {
  return periods.flatMap((period) => {
    const value = figure(period);
    return value === null ? [] : [{ period, value, weight: period.samples }];
  });
}

/** @param values at least one, the newest last */
function distribution(values: readonly Weighed[]): Distribution {
  const sorted = values.toSorted((a, b) => a.value - b.value);
  const all = values.reduce((sum, { weight }) => sum + weight, 0);
  const below = (part: number) => {
    let seen = 0;
    return (
      sorted.find(({ weight }) => {
        seen += weight;
        return seen >= part * all;
      })?.value ?? Number.NaN
    );
  };
  return {
    current: values.at(-1)?.value ?? Number.NaN,
    min: sorted[0]?.value ?? Number.NaN,
    max: sorted.at(-1)?.value ?? Number.NaN,
    mean: values.reduce((sum, { value, weight }) => sum + value * weight, 0) / all,
    p50: below(0.5),
    p95: below(0.95),
    p99: below(0.99),
  };
}

/** As many as a plot has room for, evenly, with the last one. */
function thinned(periods: readonly Period[]): readonly Period[] {
  const every = Math.ceil(periods.length / maxPlotted);
  return periods.filter((_, place) => (periods.length - 1 - place) % every === 0);
}

function hoursSince(from: string, at: string): number {
  return (Date.parse(at) - Date.parse(from)) / hour;
}
