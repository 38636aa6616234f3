/** When memory that grows reaches a limit. */
import type { Environment, Sample } from '../sample.ts';
import type { Growth, OutOfMemory } from './verdict.ts';

/** The highest use of so many of the latest samples counts: garbage needs room, too. */
const latest = 10;

/**
 * What runs out first: V8's heap by the growth of the heap, or the memory of the function by that of both. Null when nothing
 * grows, or when no limit is known.
 *
 * @param samples the oldest first
 */
export function outOfMemory(
  { memoryLimitBytes }: Environment,
  samples: readonly Sample[],
  growth: { heap: Growth; external: Growth },
): OutOfMemory | null {
  const recent = samples.slice(-latest);
  const heap = growing(growth.heap);
  const external = growing(growth.external);
  const heapLimit = recent.at(-1)?.heapLimitBytes ?? 0;
  const ends = [
    endOf('heap', heapLimit, Math.max(...recent.map(({ heapUsedBytes }) => heapUsedBytes)), [heap]),
    endOf('memory', memoryLimitBytes ?? 0, Math.max(...recent.map(({ rssBytes }) => rssBytes)), [heap, external]),
  ];
  return ends.filter((end) => end !== undefined).sort((a, b) => a.invocations - b.invocations)[0] ?? null;
}

interface Rate {
  bytes: number;
  low: number;
  high: number;
}

/** Bytes per invocation; undefined for what does not grow. */
function growing({ verdict, perInvocation, interval: [low, high] }: Growth): Rate | undefined {
  return verdict === 'leak' || verdict === 'suspect' ? { bytes: perInvocation, low, high } : undefined;
}

function endOf(
  limit: OutOfMemory['limit'],
  limitBytes: number,
  usedBytes: number,
  rates: readonly (Rate | undefined)[],
): OutOfMemory | undefined {
  const grows = rates.filter((rate) => rate !== undefined);
  const sum = (of: (rate: Rate) => number) => grows.reduce((total, rate) => total + of(rate), 0);
  const bytes = sum((rate) => rate.bytes);
  if (!(limitBytes > 0) || !(bytes > 0)) return undefined;
  const freeBytes = Math.max(0, limitBytes - usedBytes);
  const low = sum((rate) => rate.low);
  return {
    limit,
    limitBytes,
    freeBytes,
    invocations: Math.floor(freeBytes / bytes),
    interval: [Math.floor(freeBytes / sum((rate) => rate.high)), low > 0 ? Math.floor(freeBytes / low) : null],
  };
}
