/**
 * What functions looked like lately, from the samples of their environments, or from metrics where there are no samples. Judged by
 * rules/, served by the endpoints.
 *
 * - function: of a stage, in the version that ran last. Older versions are what it is compared to.
 * - point: a sample of an environment, as a plot shows it.
 * - source: `metrics` are those of all environments and versions together, by the period. What they do not tell is null, and a
 *   period counts as often as it has samples.
 */
import * as z from 'zod';
import { Note } from '../postgres/server.ts';
import { FleetVerdict } from './fleet.ts';
import { LeakVerdict } from './leak.ts';
import { Trend } from './trend.ts';

/** Where what is known of a function comes from. */
const source = z.enum(['samples', 'metrics']);

/** The values of a figure in the samples, or in the periods. */
export const Distribution = z
  .strictObject({
    /** In the newest sample or period. */
    current: z.number(),
    min: z.number(),
    max: z.number(),
    mean: z.number(),
    p50: z.number(),
    p95: z.number(),
    p99: z.number(),
  })
  .meta({ id: 'Distribution', description: 'The values of a figure in the samples, or in the periods of metrics.' });
export type Distribution = z.infer<typeof Distribution>;

/** Garbage collections, summed up. Times in milliseconds. */
export const CollectionTotals = z.strictObject({
  /** Null when the source is metrics, as `longestMs` is. */
  count: z.number().nullable(),
  totalMs: z.number(),
  longestMs: z.number().nullable(),
  /** Share of the processor time, in percent. */
  sharePercent: z.number(),
});
export type CollectionTotals = z.infer<typeof CollectionTotals>;

/** The memory of a function. From metrics, the value of a period is the mean of its samples unless something else is said. */
export const MemoryFigures = z.strictObject({
  /** From metrics: the 95th percentile of a period; `max` is the largest in a sample. */
  rssBytes: Distribution,
  heapUsedBytes: Distribution,
  /** What is left after a forced collection; null where none was forced. */
  heapFloorBytes: Distribution.nullable(),
  externalBytes: Distribution,
  /** Null where the system does not tell. From metrics: the most in a period. */
  descriptors: Distribution.nullable(),
  limits: z.strictObject({
    /** What the function is given; null outside of Lambda, and when the source is metrics. */
    memoryBytes: z.number().nullable(),
    /** V8's; null when the source is metrics. */
    heapBytes: z.number().nullable(),
  }),
});
export type MemoryFigures = z.infer<typeof MemoryFigures>;

/** The processor and the event loop of a function, while it is invoked. */
export const CpuFigures = z.strictObject({
  /**
   * Processor time by the time of the invocations: of one processor, and more where several threads work. From metrics, the mean is
   * that of all the time together.
   */
  percent: Distribution,
  /** Share of the invocations' time in which the event loop was busy. */
  loopPercent: Distribution,
  /** How late the event loop was: the 99th percentile within each sample; null when the source is metrics. */
  loopDelayMs: Distribution.nullable(),
  longestLoopDelayMs: z.number(),
  /** Between two samples, the mean time of an invocation; null when the source is metrics. */
  invocationMs: Distribution.nullable(),
  /** The time of the invocations, of all samples together: those that overlap count once. */
  wallMs: z.number(),
  collections: CollectionTotals,
  /** Processors that Lambda gives for the memory; null where that is not known. */
  limits: z.strictObject({ processors: z.number().nullable() }),
});
export type CpuFigures = z.infer<typeof CpuFigures>;

/** Environments that began in the time that is looked at, and how long they took to; null when unknown. */
const ColdStarts = z.strictObject({ count: z.number(), meanInitMs: z.number().nullable() });

/** What a function is called, and what was seen of it. What is null is not known when the source is metrics. */
const head = {
  source,
  function: z.string(),
  stage: z.string(),
  version: z.string().nullable(),
  /** From the oldest sample to the newest, or from the beginning of the oldest period to that of the newest. */
  from: z.string(),
  to: z.string(),
  environments: z.number().nullable(),
  invocations: z.number().nullable(),
};

/** What a trend of memory is over, and of what. */
const TrendOf = z.strictObject({
  x: z.enum(['invocation', 'hours']),
  y: z.enum(['rssBytes', 'heapFloorBytes']),
});

/** What a function looked like. */
export const FunctionResources = z
  .strictObject({
    ...head,
    nodeVersion: z.string().nullable(),
    samples: z.number(),
    coldStarts: ColdStarts.nullable(),
    memory: MemoryFigures,
    cpu: CpuFigures,
    /**
     * Of the resident set, over the invocations of the environment with most samples; the limit is that of the function's memory. From
     * metrics: of the heap's floor over the hours, or of the resident set where there is no floor, without a limit.
     */
    memoryTrend: Trend,
    memoryTrendOf: TrendOf,
    /** Over the hours, of all environments. */
    cpuTrend: Trend,
    /** The environment with most samples. From metrics it is never judged: `insufficient-data`. */
    leak: LeakVerdict,
    /** All environments together; null when the source is metrics, where they cannot be told apart. */
    fleet: FleetVerdict.nullable(),
    /** Emitters with more listeners than they should have; null when the source is metrics. */
    listenerWarnings: z.number().nullable(),
    /** The environment with most samples, to be plotted; or the periods. */
    memoryPlot: z.array(
      z.strictObject({
        invocation: z.number().nullable(),
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

/** Which sample or period a point is. What is null is not known of a period. */
const place = {
  source,
  function: z.string(),
  stage: z.string(),
  version: z.string().nullable(),
  environment: z.string().nullable(),
  /** Of the environment, from 1. */
  invocation: z.number().nullable(),
  /** When the sample was taken, or the period began. */
  at: z.string(),
};

/** The memory in a sample or period: of a period the means of its samples, of the resident set the 95th percentile. */
const MemoryInSample = z.strictObject({
  rssBytes: z.number(),
  heapUsedBytes: z.number(),
  heapTotalBytes: z.number().nullable(),
  heapFloorBytes: z.number().nullable(),
  externalBytes: z.number(),
  arrayBufferBytes: z.number().nullable(),
  /** Used bytes of each heap space. */
  spaces: z.record(z.string(), z.number()).nullable(),
  /** Active resources by their type. */
  handles: z.record(z.string(), z.number()).nullable(),
  leftRunning: z.record(z.string(), z.number()).nullable(),
  /** Of a period: the most. */
  descriptors: z.number().nullable(),
});

/** The processor in a sample, or in all samples of a period. */
const CpuInSample = z.strictObject({
  percent: z.number(),
  cpuMs: z.number(),
  wallMs: z.number(),
  invocations: z.number().nullable(),
  loopPercent: z.number(),
  loopDelayMs: z.number().nullable(),
  longestLoopDelayMs: z.number(),
  collections: z.number().nullable(),
  collectionMs: z.number(),
  longestCollectionMs: z.number().nullable(),
});

/** A sample, or a period, as it is kept. */
export const ResourcePoint = z.strictObject({ ...place, memory: MemoryInSample, cpu: CpuInSample });
export type ResourcePoint = z.infer<typeof ResourcePoint>;

/** The memory of an environment in a sample, or of all in a period. */
export const MemoryPoint = z
  .strictObject({ ...place, ...MemoryInSample.shape })
  .meta({ id: 'MemoryPoint', description: 'The memory of an environment in a sample, or of all in a period.' });
export type MemoryPoint = z.infer<typeof MemoryPoint>;

/** The processor of an environment in a sample, or of all in a period. */
export const CpuPoint = z.strictObject({ ...place, ...CpuInSample.shape }).meta({
  id: 'CpuPoint',
  description: 'The processor and the event loop of an environment in a sample, or of all in a period.',
});
export type CpuPoint = z.infer<typeof CpuPoint>;

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
        trendOf: TrendOf,
        leak: LeakVerdict,
        fleet: FleetVerdict.nullable(),
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
