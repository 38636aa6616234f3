import type { Unit } from '../metrics/metrics.ts';
import type { Sample } from './sample.ts';

/** Values of metrics: one for each sample, without a value where the sample has none. */
type Figures<Names extends string> = Readonly<Record<Names, readonly (number | null | undefined)[]>>;

/**
 * The twelve metrics of samples, by their units. The processor's share of a fleet is `SUM(CpuTime) / SUM(WallTime)`: a ratio of
 * sums, never a mean of ratios.
 */
export function figuresOf(samples: readonly Sample[]) {
  const of = (figure: (sample: Sample) => number | null | undefined) => samples.map(figure);
  return {
    Bytes: {
      HeapUsed: of(({ heapUsedBytes }) => heapUsedBytes),
      HeapFloor: of(({ floor }) => floor?.heapBytes),
      ExternalMemory: of(({ externalBytes }) => externalBytes),
      ResidentMemory: of(({ rssBytes }) => rssBytes),
    },
    Milliseconds: {
      CpuTime: of(({ cpuMs }) => cpuMs),
      WallTime: of(({ wallMs }) => wallMs),
      EventLoopDelay: of(({ eventLoop }) => eventLoop.longestDelayMs),
      CollectionTime: of(({ collections }) => sum(Object.values(collections).map(({ totalMs }) => totalMs))),
    },
    Percent: { EventLoopUtilization: of(({ eventLoop }) => 100 * eventLoop.utilization) },
    Count: {
      OpenDescriptors: of(({ descriptors }) => descriptors),
      ActiveResources: of(({ resources }) => sum(Object.values(resources))),
      ResourcesLeftRunning: of(({ leftRunning }) => sum(Object.values(leftRunning))),
    },
  } satisfies Readonly<Record<Unit, Figures<string>>>;
}

type ByUnit = ReturnType<typeof figuresOf>;

/** The names of the twelve. */
export type MetricName = { [Each in Unit]: keyof ByUnit[Each] }[Unit];

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
