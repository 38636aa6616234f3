/**
 * What a function's environments looked like. Measured by monitor.ts inside of them, judged by leak.ts and rules/.
 *
 * - environment: one Lambda execution environment, or one process elsewhere: it lives minutes to hours, and freezes between invocations.
 * - sample: what an environment looked like at the end of an invocation. The x-axis is the invocation, never the time.
 * - floor: the memory that is left after everything that can be collected was: only it tells growth from garbage.
 */
import * as z from 'zod';

/** Garbage collections of a kind since the sample before. Times in milliseconds. */
export const Collections = z.strictObject({ count: z.number(), totalMs: z.number(), longestMs: z.number() });
export type Collections = z.infer<typeof Collections>;

/** What an environment looked like at the end of an invocation. Sums count since the sample before. */
export const Sample = z
  .strictObject({
    /** How many invocations the environment has had, this one included: from 1. */
    invocation: z.number(),
    /** ISO 8601. */
    at: z.string(),
    heapUsedBytes: z.number(),
    heapTotalBytes: z.number(),
    heapLimitBytes: z.number(),
    /** Memory outside of V8's heap that objects in it hold: `external` of process.memoryUsage(), array buffers included. */
    externalBytes: z.number(),
    arrayBufferBytes: z.number(),
    rssBytes: z.number(),
    /** Used bytes of each heap space, by its name. */
    spaces: z.record(z.string(), z.number()),
    /** Memory after a forced collection; null where none was forced. */
    floor: z.strictObject({ heapBytes: z.number(), externalBytes: z.number(), collectMs: z.number() }).nullable(),
    /** Processor time of the process in the invocations since the sample before, and how long those took. */
    cpuMs: z.number(),
    wallMs: z.number(),
    /** How many invocations those were. */
    invocations: z.number(),
    eventLoop: z.strictObject({
      /** Share of the invocations' time in which the loop was busy, 0 to 1. */
      utilization: z.number(),
      meanDelayMs: z.number(),
      p99DelayMs: z.number(),
      longestDelayMs: z.number(),
    }),
    collections: z.strictObject({
      minor: Collections,
      major: Collections,
      incremental: Collections,
      weak: Collections,
    }),
    /** Active resources by their type, after the handler has answered: timers, sockets, … */
    resources: z.record(z.string(), z.number()),
    /** Of those, the ones that were not there when the invocation began: work that it left running. */
    leftRunning: z.record(z.string(), z.number()),
    /** Open file descriptors; null where the system does not tell. */
    descriptors: z.number().nullable(),
    /** Emitters that Node.js has warned of since the sample before: they have more listeners than they should. */
    listenerWarnings: z.number().optional(),
    /** Invocations that were under way: their memory and what they have open is in the sample. Left out where there were none. */
    underWay: z.number().optional(),
  })
  .meta({ id: 'Sample', description: 'What an environment looked like at the end of an invocation.' });
export type Sample = z.infer<typeof Sample>;

/** Which environment a sample is of. Its id is random, and no dimension of a metric: there would be one for each. */
export const Environment = z
  .strictObject({
    id: z.string(),
    function: z.string(),
    version: z.string(),
    stage: z.string(),
    /** What the function is given; null outside of Lambda. */
    memoryLimitBytes: z.number().nullable(),
    nodeVersion: z.string(),
    startedAt: z.string(),
    /** How long the init phase took, in milliseconds; null when unknown. */
    initMs: z.number().nullable(),
  })
  .meta({ id: 'Environment', description: 'An execution environment of a function.' });
export type Environment = z.infer<typeof Environment>;

/** The samples of an environment, oldest first. */
export const Series = z.strictObject({ environment: Environment, samples: z.array(Sample) });
export type Series = z.infer<typeof Series>;
