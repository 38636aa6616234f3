/** What the judge says. All of it is plain data: docs/guides/leaks.md tells how it comes about. */
import * as z from 'zod';

/** The verdicts, the gravest first. */
export const verdicts = ['leak', 'suspect', 'insufficient-data', 'healthy'] as const;
export const Verdict = z.enum(verdicts);
export type Verdict = z.infer<typeof Verdict>;

/**
 * Why:
 * - `steady`: it grows on and on, and as fast as before.
 * - `slowing-down`: it grows, but less than before, as a cache does that fills.
 * - `uneven`: a few jumps make up the growth, or it goes up and down so much that it may be chance.
 * - `compiling`: it grows steadily, but so does the compiled code, by as much or more: V8 keeps other things for it.
 * - `within-bounds`: it grows steadily, but has not yet grown by more than caches and pools may.
 * - `without-floors`: it grows steadily, but no collection was forced, so that garbage may be in it.
 * - `levelled-off`: it grew, and has come to rest.
 * - `flat`: it does not grow, or less than counts.
 * - `unclear`: no growth is seen, but what is seen goes up and down too much to rule it out.
 * - `too-few`: there are too few samples.
 */
export const reasons = [
  'steady',
  'slowing-down',
  'uneven',
  'compiling',
  'within-bounds',
  'without-floors',
  'levelled-off',
  'flat',
  'unclear',
  'too-few',
] as const;

/** Whether something grows from one invocation to the next: bytes, or a number of things. */
export const Growth = z.strictObject({
  verdict: Verdict,
  reason: z.enum(reasons),
  /** How much there is more of after each invocation (Theil–Sen), and its 95 % interval. */
  perInvocation: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  /** How likely so much of a trend would be if there were none (Mann–Kendall, two-sided). */
  p: z.number(),
  /** How many points were judged, and from which invocation to which. */
  n: z.number(),
  from: z.number(),
  to: z.number(),
  /** How much more there was at the last point than at the first. */
  grown: z.number(),
  /** The growth in the first and in the second half of these invocations. */
  early: z.number(),
  late: z.number(),
  /** How likely the late growth would look so large if it were at most 60 % of the early one: one-sided. */
  pStopped: z.number(),
  /** How likely the late growth would look so small if it were as large as the early one: one-sided. */
  pSlower: z.number(),
  /** The same by the steps between neighbouring points. */
  pSlowerSteps: z.number(),
  /** How likely the late growth would look so small if it were the least that counts: one-sided. */
  pResting: z.number(),
  /** What the last step has brought, as a share of what it should have by the points before it. */
  lastShare: z.number(),
  /** How likely the last point would be so low if the growth went on: one-sided. */
  pLast: z.number(),
  /** How likely the last step would be so small if it were like the others: one-sided. */
  pLastStep: z.number(),
  /** How likely the growth between neighbouring points would add up so far if each were as likely to go down as up: one-sided. */
  pWandering: z.number(),
});
export type Growth = z.infer<typeof Growth>;

/** How often invocations leave something running. */
export const LeftRunning = z.strictObject({
  verdict: Verdict,
  /** The share of the samples in which something was left running, and its 95 % interval (Wilson). */
  share: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  n: z.number(),
  /** How many more of the type are open at the end than at the beginning: those are no work, but handles. */
  kept: z.number(),
});
export type LeftRunning = z.infer<typeof LeftRunning>;

/** When the memory is used up if it grows on like this. */
export const OutOfMemory = z.strictObject({
  /** Which limit is reached first: that of V8's heap, or the memory of the function. */
  limit: z.enum(['heap', 'memory']),
  limitBytes: z.number(),
  /** What is left of it, at the highest use of the latest samples. */
  freeBytes: z.number(),
  invocations: z.number(),
  /** By the interval of the growth: at the earliest, and at the latest; null when it may never be. */
  interval: z.tuple([z.number(), z.number().nullable()]),
});
export type OutOfMemory = z.infer<typeof OutOfMemory>;

/** The verdict on an environment. */
export const LeakVerdict = z
  .strictObject({
    /** The gravest of those below. Healthy is only what was seen long enough to be sure. */
    verdict: Verdict,
    /**
     * Objects in V8's heap that outlive a collection, without compiled code. `floors`: of forced collections, or of those that V8 made.
     * `codePerInvocation`: by how much the compiled code grows; 0 when unknown.
     */
    heap: Growth.extend({ floors: z.enum(['forced', 'natural']), codePerInvocation: z.number() }),
    /** Memory outside of the heap that objects in it hold: buffers. */
    external: Growth,
    /** Active resources by type. */
    handles: z.record(z.string(), Growth),
    /** Open file descriptors; null where the system does not tell. */
    descriptors: Growth.nullable(),
    /** Work that goes on after the answer, by type of resource: an execution leak. */
    leftRunning: z.record(z.string(), LeftRunning),
    /** Null when memory does not grow, or no limit is known. */
    outOfMemory: OutOfMemory.nullable(),
  })
  .meta({ id: 'LeakVerdict', description: 'Whether an environment leaks, and the evidence.' });
export type LeakVerdict = z.infer<typeof LeakVerdict>;

/** The gravest of several verdicts; too little data when there is none. */
export function gravest(several: readonly Verdict[]): Verdict {
  return verdicts.find((verdict) => several.includes(verdict)) ?? 'insufficient-data';
}
