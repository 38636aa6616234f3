/**
 * What functions looked like lately, from the samples of their environments. Judged by rules/, served by the endpoints.
 *
 * - function: of a stage, in the version that ran last. Older versions are what it is compared to.
 * - point: a sample of an environment, as a plot shows it.
 */
import * as z from 'zod';
import { Note } from '../postgres/server.ts';
import { FleetVerdict } from './fleet.ts';
import { LeakVerdict } from './leak.ts';
import { Trend } from './trend.ts';

/** The values of a figure in the samples. */
export const Distribution = z
  .strictObject({
    /** In the newest sample. */
    current: z.number(),
    min: z.number(),
    max: z.number(),
    mean: z.number(),
    p50: z.number(),
    p95: z.number(),
    p99: z.number(),
  })
  .meta({ id: 'Distribution', description: 'The values of a figure in the samples.' });
export type Distribution = z.infer<typeof Distribution>;

/** Garbage collections, summed up. Times in milliseconds. */
export const CollectionTotals = z.strictObject({
  count: z.number(),
  totalMs: z.number(),
  longestMs: z.number(),
  /** Share of the processor time, in percent. */
  sharePercent: z.number(),
});
export type CollectionTotals = z.infer<typeof CollectionTotals>;

/** The memory of a function. */
export const MemoryFigures = z.strictObject({
  rssBytes: Distribution,
  heapUsedBytes: Distribution,
  /** What is left after a forced collection; null where none was forced. */
  heapFloorBytes: Distribution.nullable(),
  externalBytes: Distribution,
  /** Null where the system does not tell. */
  descriptors: Distribution.nullable(),
  limits: z.strictObject({
    /** What the function is given; null outside of Lambda. */
    memoryBytes: z.number().nullable(),
    /** V8's. */
    heapBytes: z.number(),
  }),
});
export type MemoryFigures = z.infer<typeof MemoryFigures>;

/** The processor and the event loop of a function, while it is invoked. */
export const CpuFigures = z.strictObject({
  /** Processor time by the time of the invocations: of one processor, and more where several threads work. */
  percent: Distribution,
  /** Share of the invocations' time in which the event loop was busy. */
  loopPercent: Distribution,
  /** How late the event loop was: the 99th percentile within each sample. */
  loopDelayMs: Distribution,
  longestLoopDelayMs: z.number(),
  /** Between two samples, the mean time of an invocation. */
  invocationMs: Distribution,
  collections: CollectionTotals,
  /** Processors that Lambda gives for the memory; null outside of Lambda. */
  limits: z.strictObject({ processors: z.number().nullable() }),
});
export type CpuFigures = z.infer<typeof CpuFigures>;

/** What a function looked like. */
export const FunctionResources = z
  .strictObject({
    function: z.string(),
    stage: z.string(),
    version: z.string(),
    nodeVersion: z.string(),
    /** Of this version, from the oldest sample to the newest. */
    from: z.string(),
    to: z.string(),
    environments: z.number(),
    samples: z.number(),
    invocations: z.number(),
    /** Environments that began in this time, and how long they took to; null when unknown. */
    coldStarts: z.strictObject({ count: z.number(), meanInitMs: z.number().nullable() }),
    memory: MemoryFigures,
    cpu: CpuFigures,
    /** Over the invocations of the environment with most samples; the limit is that of the function's memory. */
    memoryTrend: Trend,
    /** Over the hours, of all environments. */
    cpuTrend: Trend,
    /** The environment with most samples. */
    leak: LeakVerdict,
    /** All environments together. */
    fleet: FleetVerdict,
    /** Emitters with more listeners than they should have. */
    listenerWarnings: z.number(),
    /** The environment with most samples, to be plotted. */
    memoryPlot: z.array(
      z.strictObject({
        invocation: z.number(),
        at: z.string(),
        rssBytes: z.number(),
        heapFloorBytes: z.number().nullable(),
      }),
    ),
    /** All environments, to be plotted. */
    cpuPlot: z.array(z.strictObject({ at: z.string(), percent: z.number() })),
  })
  .meta({ id: 'FunctionResources', description: 'The memory, the processor and the event loop of a function.' });
export type FunctionResources = z.infer<typeof FunctionResources>;

/** Which sample a point is. */
const place = {
  function: z.string(),
  stage: z.string(),
  version: z.string(),
  environment: z.string(),
  /** Of the environment, from 1. */
  invocation: z.number(),
  at: z.string(),
};

/** The memory in a sample. */
const MemoryInSample = z.strictObject({
  rssBytes: z.number(),
  heapUsedBytes: z.number(),
  heapTotalBytes: z.number(),
  heapFloorBytes: z.number().nullable(),
  externalBytes: z.number(),
  arrayBufferBytes: z.number(),
  /** Used bytes of each heap space. */
  spaces: z.record(z.string(), z.number()),
  /** Active resources by their type. */
  handles: z.record(z.string(), z.number()),
  leftRunning: z.record(z.string(), z.number()),
  descriptors: z.number().nullable(),
});

/** The processor in a sample. */
const CpuInSample = z.strictObject({
  percent: z.number(),
  cpuMs: z.number(),
  wallMs: z.number(),
  invocations: z.number(),
  loopPercent: z.number(),
  loopDelayMs: z.number(),
  longestLoopDelayMs: z.number(),
  collections: z.number(),
  collectionMs: z.number(),
  longestCollectionMs: z.number(),
});

/** A sample as it is kept. */
export const ResourcePoint = z.strictObject({ ...place, memory: MemoryInSample, cpu: CpuInSample });
export type ResourcePoint = z.infer<typeof ResourcePoint>;

/** The memory of an environment in a sample. */
export const MemoryPoint = z
  .strictObject({ ...place, ...MemoryInSample.shape })
  .meta({ id: 'MemoryPoint', description: 'The memory of an environment in a sample.' });
export type MemoryPoint = z.infer<typeof MemoryPoint>;

/** The processor of an environment in a sample. */
export const CpuPoint = z
  .strictObject({ ...place, ...CpuInSample.shape })
  .meta({ id: 'CpuPoint', description: 'The processor and the event loop of an environment in a sample.' });
export type CpuPoint = z.infer<typeof CpuPoint>;

/** What a function is called, and what was seen of it. */
const head = {
  function: z.string(),
  stage: z.string(),
  version: z.string(),
  from: z.string(),
  to: z.string(),
  environments: z.number(),
  invocations: z.number(),
};

/** The memory of functions, summed up. */
export const MemoryStatistics = z
  .strictObject({
    targetBytes: z.number(),
    functions: z.array(z.strictObject({ ...head, ...MemoryFigures.shape, isWithinTarget: z.boolean() })),
  })
  .meta({ id: 'MemoryStatistics', description: 'The memory of functions, summed up.' });
export type MemoryStatistics = z.infer<typeof MemoryStatistics>;

/** The processor of functions, summed up. */
export const CpuStatistics = z
  .strictObject({
    targetPercent: z.number(),
    functions: z.array(
      z.strictObject({
        ...head,
        ...CpuFigures.shape,
        coldStarts: FunctionResources.shape.coldStarts,
        isWithinTarget: z.boolean(),
      }),
    ),
  })
  .meta({ id: 'CpuStatistics', description: 'The processor of functions, summed up.' });
export type CpuStatistics = z.infer<typeof CpuStatistics>;

/** Where the memory of functions is going. */
export const MemoryTrends = z
  .strictObject({
    functions: z.array(
      z.strictObject({
        ...head,
        trend: Trend,
        leak: LeakVerdict,
        fleet: FleetVerdict,
        points: FunctionResources.shape.memoryPlot,
      }),
    ),
  })
  .meta({ id: 'MemoryTrends', description: 'Where the memory of functions is going, and whether they leak.' });
export type MemoryTrends = z.infer<typeof MemoryTrends>;

/** Where the use of the processor is going. */
export const CpuTrends = z
  .strictObject({
    functions: z.array(z.strictObject({ ...head, trend: Trend, points: FunctionResources.shape.cpuPlot })),
  })
  .meta({ id: 'CpuTrends', description: 'Where the use of the processor is going.' });
export type CpuTrends = z.infer<typeof CpuTrends>;

/** What the rules over functions judge. */
export const ResourceSnapshot = z.strictObject({
  takenAt: z.string(),
  /** The name that its findings stand under: functions belong to no database. */
  database: z.string(),
  functions: z.array(FunctionResources),
  notes: z.array(Note),
});
export type ResourceSnapshot = z.infer<typeof ResourceSnapshot>;
