/**
 * Whether an environment leaks. Growth alone does not say so: garbage, compiled code, caches, pools and bursts all grow. A leak
 * grows on and on, as fast as before, and not in a few jumps. docs/guides/leaks.md has the measurements behind it.
 */
import type * as z from 'zod';
import { codeGrowth, unlessCompiling } from './leak/compiling.ts';
import { judgeGrowth } from './leak/growth.ts';
import { judgeLeftRunning } from './leak/left-running.ts';
import { LeakOptions } from './leak/options.ts';
import { outOfMemory } from './leak/out-of-memory.ts';
import { pointsOf } from './leak/points.ts';
import { type Growth, gravest, type LeakVerdict } from './leak/verdict.ts';
import type { Series } from './sample.ts';

/** With fewer samples after the warm-up nothing is said of handles. */
const minSamples = 20;

export { LeakOptions } from './leak/options.ts';
export { Growth, LeakVerdict, LeftRunning, OutOfMemory, Verdict } from './leak/verdict.ts';

/**
 * Judges the samples of an environment. It needs floors: forced collections every so many invocations. Without them there is
 * never a leak in the heap, only a suspicion.
 *
 * @throws ZodError when an option is unknown or out of range
 * @example const { verdict, heap, outOfMemory } = judgeLeak(monitor.series());
 */
export function judgeLeak(series: Series, options: z.input<typeof LeakOptions> = {}): LeakVerdict {
  const settings = LeakOptions.parse(options);
  const points = pointsOf(series.samples, settings);
  const memory = (of: typeof points.external) =>
    bounded(judgeGrowth(of, settings.minBytesPerInvocation, settings, 'memory'), settings.cacheBytes);
  const things = (of: typeof points.external) =>
    bounded(
      judgeGrowth(of, settings.minHandlesPerInvocation, { ...settings, minFloors: minSamples }, 'things'),
      settings.poolHandles,
    );
  const codePerInvocation = codeGrowth(points.heap.code);
  const { floors } = points.heap;
  const heap = {
    ...certain(unlessCompiling(memory(points.heap.points), codePerInvocation), floors),
    floors,
    codePerInvocation,
  };
  const external = memory(points.external);
  const handles = Object.fromEntries(Object.entries(points.handles).map(([type, counts]) => [type, things(counts)]));
  const descriptors = points.descriptors.length > 0 ? things(points.descriptors) : null;
  // What others have open while they are under way is not what they leave.
  const leftRunning = judgeLeftRunning(points.warm.filter(({ underWay = 0 }) => underWay === 0));
  const all = [heap, external, descriptors, ...Object.values(handles), ...Object.values(leftRunning)];
  return {
    verdict: gravest(all.flatMap((one) => (one ? [one.verdict] : []))),
    heap,
    external,
    handles,
    descriptors,
    leftRunning,
    outOfMemory: outOfMemory(series.environment, points.warm, { heap, external }),
  };
}

/** Natural floors may have garbage in them. */
function certain(growth: Growth, floors: 'forced' | 'natural'): Growth {
  return growth.verdict === 'leak' && floors === 'natural'
    ? { ...growth, verdict: 'suspect', reason: 'without-floors' }
    : growth;
}

/** What has not grown by more since the environment began may be caches or pools that fill. */
function bounded(growth: Growth, most: number): Growth {
  const sinceStart = growth.grown + growth.perInvocation * growth.from;
  return growth.verdict === 'leak' && sinceStart <= most
    ? { ...growth, verdict: 'suspect', reason: 'within-bounds' }
    : growth;
}
