/** What the rules read off the counters of a cache. */
import type { CacheStatistics } from '../snapshot.ts';

/**
 * Of fewer gets a hit rate says little: at 98 % its standard error over 1,000 gets is 0.4 points,
 * sqrt(0.98 × 0.02 / 1000).
 */
export const enoughGets = 1_000;

/** Of fewer failures a share says little: the standard error of a count of ten is a third of it, 1 / sqrt(10). */
export const enoughFailures = 10;

/** A store that keeps to its size within 5 % (../contract/capacity.ts) is full from here on. */
export const fullPercent = 95;

/** As the share of a whole: "12.3 %", and "1.25 %" where it is small. */
export function percent(share: number): string {
  const scaled = share * 100;
  return `${scaled.toLocaleString('en-US', { maximumFractionDigits: scaled < 10 ? 2 : 1 })} %`;
}

/** So many gets may wait, at most, for the target to be met. */
export function toleratedWaits({ gets, targetHitRate }: CacheStatistics): number {
  return Math.round(gets * (1 - targetHitRate));
}

/** So many keys were asked for at most: the estimate of them and two of its standard errors, of 4.6 % each (../distinct.ts). */
export function mostKeys({ distinctKeys }: CacheStatistics): number {
  return Math.ceil(distinctKeys * 1.092);
}

/** The waits beyond the first of each key: what a cache could have spared, as far as the keys are known. */
export function avoidableWaits({ waits, distinctKeys }: CacheStatistics): number {
  return Math.max(0, waits - distinctKeys);
}

/** Those of them that are certain. */
export function repeatedWaits(statistics: CacheStatistics): number {
  return Math.max(0, statistics.waits - mostKeys(statistics));
}

/** What left memory for want of room, in number or in bytes. */
export function evictedForRoom({ l1 }: CacheStatistics): number {
  return l1.evictions.capacity + l1.evictions.bytes;
}

/** The gets that the second level answered: memory did not have the value, and nobody loaded it. */
export function answeredByL2({ l1, waits, loads }: CacheStatistics): number {
  return Math.max(0, l1.misses - waits - loads.rememberedErrors);
}

/** The keys that the second level was asked for and answered, whether it had them or not. */
export function answeredReads({ l2 }: CacheStatistics): number {
  return l2.fresh + l2.stale + l2.negative + l2.misses;
}

/** Whether the second level has as many entries as it may have. */
export function isL2Full({ l2 }: CacheStatistics, fromPercent = fullPercent): boolean {
  return l2.entries * 100 >= l2.maxEntries * fromPercent;
}

/** Values that were served after their time, at any level. */
export function staleHits({ l1, l2 }: CacheStatistics): number {
  return l1.stale + l2.stale;
}

/** Reads that brought no answer: those that failed, and those that the breaker spared. */
export function unansweredReads({ l2 }: CacheStatistics): number {
  return l2.timeOuts + l2.errors + l2.notAsked;
}

/** Loads whose values were not to be kept: none was handed to the second level. */
export function unkeptLoads({ loads, l2 }: CacheStatistics): number {
  return Math.max(0, loads.ok - l2.writes - l2.writesOutdated - l2.writesFailed);
}

/** Why gets had to wait for a load of what had been loaded before. */
export type Cause = 'unreachable' | 'failing' | 'unkept' | 'room' | 'expired' | 'invalidated' | 'together';

/**
 * What most of the avoidable waits go back to, where there are some.
 *
 * Three causes are counted once each time they happen, over all processes: when one of them explains half of
 * the waits, that is it. Otherwise the values had been kept and were gone, and how entries leave memory, of which each
 * process counts its own, tells which way. What memory gave up for want of room is still in the second level,
 * unless that is full as well: it ended there by expiring. Where memory lost nothing, several loaded the same
 * values before they were there, or processes end sooner than their values.
 */
export function causeOfWaits(statistics: CacheStatistics): Cause {
  const [direct, explained] = largest([
    ['unreachable', unansweredReads(statistics) + statistics.l2.writesFailed],
    ['failing', statistics.loads.failed],
    ['unkept', unkeptLoads(statistics)],
  ]);
  if (explained * 2 >= avoidableWaits(statistics)) return direct;
  const isFull = isL2Full(statistics);
  const room = evictedForRoom(statistics);
  const { expired, invalidated } = statistics.l1.evictions;
  const [way, gone] = largest([
    ['expired', isFull ? expired : expired + room],
    ['room', isFull ? room : 0],
    ['invalidated', invalidated],
  ]);
  if (gone > 0) return way;
  if (isFull) return 'room';
  // With no memory there is nobody who sees how values end; most expire.
  return statistics.l1.maxEntries === 0 ? 'expired' : 'together';
}

/** Of several with the same number the first. */
function largest(counts: [Cause, number][]): [Cause, number] {
  return counts.reduce((most, each) => (each[1] > most[1] ? each : most));
}
