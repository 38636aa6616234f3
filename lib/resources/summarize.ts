import { median, quantile } from '../statistics/median.ts';
import type { Point } from '../statistics/theil-sen.ts';
import { judgeFleet } from './fleet.ts';
import { judgeLeak } from './leak.ts';
import type { Sample, Series } from './sample.ts';
import type { CollectionTotals, Distribution, FunctionResources } from './snapshot.ts';
import { trendOf } from './trend.ts';

const hour = 3_600_000;

/** A plot shows no more points than this. */
const maxPlotted = 200;

/**
 * Lambda gives processor time in proportion to memory, one processor for 1,769 MB:
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
 */
export const bytesPerProcessor = 1_769 * 2 ** 20;

/** A sample and the series that it is of. */
interface Placed {
  sample: Sample;
  series: Series;
}

/** Sums up the samples of functions: each in the version that ran last, in the order of their names. */
export function summarize(series: readonly Series[]): FunctionResources[] {
  const known = series.filter(({ samples }) => samples.length > 0);
  const fleets = judgeFleet(known);
  const functions = Map.groupBy(known, ({ environment }) => JSON.stringify([environment.function, environment.stage]));
  return [...functions.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, several]) => {
      const { environment } = newest(several);
      const { version } = environment;
      const current = several.filter((each) => each.environment.version === version);
      const fleet = fleets.find(
        (each) =>
          each.function === environment.function && each.stage === environment.stage && each.version === version,
      );
      return fleet ? [resourcesOf(current, fleet)] : [];
    });
}

function resourcesOf(series: readonly Series[], fleet: FunctionResources['fleet']): FunctionResources {
  const placed = placedOf(series);
  const samples = placed.map(({ sample }) => sample);
  const last = placed.at(-1) as Placed;
  const { environment } = last.series;
  const longest = series.reduce((a, b) => (b.samples.length > a.samples.length ? b : a));
  const limitBytes = environment.memoryLimitBytes;
  const from = samples[0]?.at ?? last.sample.at;
  const floors = samples.flatMap(({ floor }) => (floor ? [floor.heapBytes] : []));
  const descriptors = samples.flatMap((sample) => (sample.descriptors === null ? [] : [sample.descriptors]));
  const inits = series.flatMap(({ environment: { initMs } }) => (initMs === null ? [] : [initMs]));
  const of = (figure: (sample: Sample) => number) => distribution(samples.map(figure));
  return {
    source: 'samples',
    function: environment.function,
    stage: environment.stage,
    version: environment.version,
    nodeVersion: environment.nodeVersion,
    from,
    to: last.sample.at,
    environments: series.length,
    samples: samples.length,
    invocations: samples.reduce((all, { invocations }) => all + invocations, 0),
    coldStarts: {
      count: series.filter(({ environment: { startedAt } }) => startedAt >= from).length,
      meanInitMs: inits.length === 0 ? null : inits.reduce((all, ms) => all + ms, 0) / inits.length,
    },
    memory: {
      rssBytes: of(({ rssBytes }) => rssBytes),
      heapUsedBytes: of(({ heapUsedBytes }) => heapUsedBytes),
      heapFloorBytes: floors.length === 0 ? null : distribution(floors),
      externalBytes: of(({ externalBytes }) => externalBytes),
      descriptors: descriptors.length === 0 ? null : distribution(descriptors),
      limits: { memoryBytes: limitBytes, heapBytes: last.sample.heapLimitBytes },
    },
    cpu: {
      percent: of(cpuPercent),
      loopPercent: of(({ eventLoop }) => 100 * eventLoop.utilization),
      loopDelayMs: of(({ eventLoop }) => eventLoop.p99DelayMs),
      longestLoopDelayMs: Math.max(...samples.map(({ eventLoop }) => eventLoop.longestDelayMs)),
      invocationMs: of(({ wallMs, invocations }) => wallMs / Math.max(1, invocations)),
      wallMs: samples.reduce((all, { wallMs }) => all + wallMs, 0),
      collections: collectionsOf(samples),
      limits: { processors: limitBytes === null ? null : limitBytes / bytesPerProcessor },
    },
    memoryTrend: trendOf(
      longest.samples.map(({ invocation, rssBytes }) => ({ x: invocation, y: rssBytes })),
      limitBytes === null ? {} : { limit: limitBytes },
    ),
    memoryTrendOf: { x: 'invocation', y: 'rssBytes' },
    cpuTrend: trendOf(samples.map((sample): Point => ({ x: hoursSince(from, sample.at), y: cpuPercent(sample) }))),
    leak: judgeLeak(longest),
    fleet,
    listenerWarnings: samples.reduce((all, { listenerWarnings = 0 }) => all + listenerWarnings, 0),
    memoryPlot: thinned(longest.samples).map(({ invocation, at, rssBytes, floor }) => ({
      invocation,
      at,
      rssBytes,
      heapFloorBytes: floor?.heapBytes ?? null,
    })),
    cpuPlot: thinned(samples).map((sample) => ({ at: sample.at, percent: cpuPercent(sample) })),
  };
}

/** Processor time by the time of the invocations, in percent of one processor. */
export function cpuPercent({ cpuMs, wallMs }: Pick<Sample, 'cpuMs' | 'wallMs'>): number {
  return wallMs > 0 ? (100 * cpuMs) / wallMs : 0;
}

/** All samples, the oldest first. */
function placedOf(series: readonly Series[]): Placed[] {
  return series
    .flatMap((one) => one.samples.map((sample) => ({ sample, series: one })))
    .sort((a, b) => (a.sample.at < b.sample.at ? -1 : Number(a.sample.at > b.sample.at)));
}

/** The one whose sample came last. @param series with at least one sample */
function newest(series: readonly Series[]): Series {
  return (placedOf(series).at(-1) as Placed).series;
}

/** @param values at least one, the newest last */
function distribution(values: readonly number[]): Distribution {
  return {
    current: values.at(-1) ?? Number.NaN,
    min: Math.min(...values),
    max: Math.max(...values),
    mean: values.reduce((all, value) => all + value, 0) / values.length,
    p50: median(values),
    p95: quantile(values, 0.95),
    p99: quantile(values, 0.99),
  };
}

function collectionsOf(samples: readonly Sample[]): CollectionTotals {
  const kinds = samples.flatMap(({ collections }) => Object.values(collections));
  const totalMs = kinds.reduce((all, kind) => all + kind.totalMs, 0);
  const cpuMs = samples.reduce((all, sample) => all + sample.cpuMs, 0);
  return {
    count: kinds.reduce((all, kind) => all + kind.count, 0),
    totalMs,
    longestMs: Math.max(0, ...kinds.map((kind) => kind.longestMs)),
    sharePercent: cpuMs > 0 ? (100 * totalMs) / cpuMs : 0,
  };
}

/** As many as a plot has room for, evenly, with the last one. */
function thinned(samples: readonly Sample[]): readonly Sample[] {
  const every = Math.ceil(samples.length / maxPlotted);
  return samples.filter((_, place) => (samples.length - 1 - place) % every === 0);
}

function hoursSince(from: string, at: string): number {
  return (Date.parse(at) - Date.parse(from)) / hour;
}
