import * as z from 'zod';

/** What counts as a leak. The defaults were chosen on the first sets of bench/leaks, and proven on the last one. */
export const LeakOptions = z.strictObject({
  /** Memory that grows by less than this in an invocation is not looked at any further. */
  minBytesPerInvocation: z.number().positive().default(100),
  /** The same for handles and file descriptors. */
  minHandlesPerInvocation: z.number().positive().default(0.005),
  /** With fewer floors after the warm-up there is no verdict. 9 are there after 1,000 invocations, with a floor in every 100. */
  minFloors: z.int().min(5).default(9),
  /** An environment warms up for so many invocations, which do not count; or for longer, see `warmUpShare`. */
  warmUpInvocations: z.number().nonnegative().default(100),
  /** An environment warms up for this share of the invocations that it has had. */
  warmUpShare: z.number().min(0).lt(1).default(0.15),
  /**
   * What the function's caches may take when they are full. A cache that takes every key for a new one fills as evenly as a leak
   * grows: until it has grown by more than this, there is only a suspicion.
   */
  cacheBytes: z.number().nonnegative().default(0),
  /** The same for handles and file descriptors: pools have so many. The AWS SDK keeps up to 50 connections. */
  poolHandles: z.number().nonnegative().default(50),
  /** How likely growth may be to be mere chance: a two-sided p-value. */
  significance: z.number().positive().max(1).default(0.02),
});
export type LeakOptions = z.infer<typeof LeakOptions>;
