import type { BreakerState } from './breaker.ts';
import { DistinctKeys, estimateDistinct } from './distinct.ts';
import { Histogram, type Percentiles, percentiles } from './histogram.ts';
import type { Counts } from './store.ts';

/** What is counted. Every one only grows, and those of several processes add up. */
export const counterNames = [
  'l1Fresh',
  'l1Stale',
  'l1Negative',
  'l1Misses',
  'l1EvictedCapacity',
  'l1EvictedBytes',
  'l1EvictedExpired',
  'l1EvictedInvalidated',
  'l2Fresh',
  'l2Stale',
  'l2Negative',
  'l2Misses',
  'l2TimeOuts',
  'l2Errors',
  'l2NotAsked',
  'l2Writes',
  'l2WritesOutdated',
  'l2WritesFailed',
  'l2BreakerOpened',
  'l3Purges',
  'l3PurgesFailed',
  'loads',
  'loadsFailed',
  'loadsTimedOut',
  'joined',
  'waits',
  'rememberedErrors',
  'servedOnError',
  'refreshesEarly',
  'refreshesStale',
  'refreshesDropped',
  'unjitteredWrites',
  'invalidations',
] as const;

/** One of {@link counterNames}. */
export type CounterName = (typeof counterNames)[number];

/** What is timed. */
export const timerNames = ['l1', 'l2', 'load'] as const;

/** One of {@link timerNames}. */
export type TimerName = (typeof timerNames)[number];

/** The counters of one process, since it started. */
export class Statistics {
  readonly counters = Object.fromEntries(counterNames.map((name) => [name, 0])) as Record<CounterName, number>;
  readonly timers: Record<TimerName, Histogram> = { l1: new Histogram(), l2: new Histogram(), load: new Histogram() };
  /** The keys that were not in memory when they were asked for, in this span of time. */
  readonly keys = new DistinctKeys();
  /** Those of the spans before. */
  readonly #earlierKeys = new DistinctKeys();

  /** Begins a new span of time, whose keys are counted apart. */
  startSpan(): void {
    this.#earlierKeys.merge(this.keys);
    this.keys.clear();
  }

  /** Everything as plain numbers by name, the keys those since the start; what is zero is left out. */
  total(): Counts {
    const keys = new DistinctKeys();
    keys.merge(this.#earlierKeys);
    keys.merge(this.keys);
    return this.counts(keys);
  }

  /** The same with the keys of this span alone. */
  counts(keys = this.keys): Counts {
    const sums: Record<string, number> = {};
    const maxima: Record<string, number> = {};
    for (const name of counterNames) if (this.counters[name] > 0) sums[name] = this.counters[name];
    for (const name of timerNames) {
      for (const [bucket, count] of this.timers[name].counts) sums[`${name}Ms.${bucket}`] = count;
    }
    for (const [register, rank] of keys.ranks.entries()) if (rank > 0) maxima[`keys.${register}`] = rank;
    return { sums, maxima };
  }
}

/** What has come to the counters since they were last looked at. */
export function countsSince(now: Counts, before: Counts): Counts {
  const sums = Object.entries(now.sums).map(([name, sum]) => [name, sum - (before.sums[name] ?? 0)] as const);
  const maxima = Object.entries(now.maxima).filter(([name, most]) => most > (before.maxima[name] ?? 0));
  return { sums: Object.fromEntries(sums.filter(([, sum]) => sum > 0)), maxima: Object.fromEntries(maxima) };
}

/** What a level has served. */
export interface Hits {
  /** Served as they were. */
  fresh: number;
  /** Served, and refreshed. */
  stale: number;
  /** Fresh ones that say that there is nothing. */
  negative: number;
  misses: number;
  /** Hits of all kinds among what was asked of this level, from 0 to 1; null when it was asked nothing. */
  hitRate: number | null;
}

/** The statistics of a cache, of one process or of many. Times are in milliseconds. */
export interface CacheStatistics {
  /** How often a value was asked for. */
  gets: number;
  /** How often somebody had to wait until it was loaded. */
  waits: number;
  /** The share of gets that waited for no load, from 0 to 1; null without gets. */
  hitRate: number | null;
  /** How many different keys were asked for: estimated, to within about 5 %. */
  distinctKeys: number;
  /** The hit rate if no key were ever loaded twice: no cache of any size can do better on these gets. */
  attainableHitRate: number | null;
  l1: Hits & {
    evictions: { capacity: number; bytes: number; expired: number; invalidated: number };
    latencyMs: Percentiles;
  };
  l2: Hits & {
    timeOuts: number;
    errors: number;
    /** Reads that were spared because the breaker was open. */
    notAsked: number;
    breakerOpened: number;
    writes: number;
    /** Writes that an invalidation had overtaken. */
    writesOutdated: number;
    writesFailed: number;
    latencyMs: Percentiles;
  };
  l3: { purges: number; purgesFailed: number };
  loads: {
    ok: number;
    failed: number;
    timedOut: number;
    /** Gets that joined a load which was under way. */
    joined: number;
    /** Gets that were told of an error which had happened shortly before. */
    rememberedErrors: number;
    /** Gets that got an old value since the load had failed. */
    servedOnError: number;
    latencyMs: Percentiles;
  };
  refreshes: {
    early: number;
    stale: number;
    /** Given up because the invocation was over. */
    dropped: number;
  };
  invalidations: number;
  /** Entries whose time to live did not vary: they all expire together. */
  unjitteredWrites: number;
}

/** What only the process itself can say. */
export interface ProcessStatistics extends CacheStatistics {
  l1: CacheStatistics['l1'] & { entries: number; maxEntries: number; bytes: number | null };
  l2: CacheStatistics['l2'] & { breaker: BreakerState | null };
}

/** Puts counters together. */
export function summarize({ sums, maxima }: Counts): CacheStatistics {
  const of = (name: CounterName) => sums[name] ?? 0;
  const timer = (name: TimerName) => {
    const counts = Object.entries(sums).filter(([key]) => key.startsWith(`${name}Ms.`));
    return percentiles(new Map(counts.map(([key, count]) => [Number(key.slice(name.length + 3)), count])));
  };
  const hits = (fresh: number, stale: number, negative: number, misses: number): Hits => ({
    fresh,
    stale,
    negative,
    misses,
    hitRate: share(fresh + stale + negative, fresh + stale + negative + misses),
  });
  const l1 = hits(of('l1Fresh'), of('l1Stale'), of('l1Negative'), of('l1Misses'));
  const gets = l1.fresh + l1.stale + l1.negative + l1.misses;
  const ranks = new Uint8Array(512);
  for (const [name, rank] of Object.entries(maxima)) {
    if (name.startsWith('keys.')) ranks[Number(name.slice(5))] = rank;
  }
  const distinctKeys = Math.min(estimateDistinct(ranks), gets);
  const hitRate = share(gets - of('waits'), gets);
  return {
    gets,
    waits: of('waits'),
    hitRate,
    distinctKeys,
    // What was cached before the counting began can make the real rate the higher one.
    attainableHitRate: hitRate === null ? null : Math.max(hitRate, 1 - distinctKeys / gets),
    l1: {
      ...l1,
      evictions: {
        capacity: of('l1EvictedCapacity'),
        bytes: of('l1EvictedBytes'),
        expired: of('l1EvictedExpired'),
        invalidated: of('l1EvictedInvalidated'),
      },
      latencyMs: timer('l1'),
    },
    l2: {
      ...hits(of('l2Fresh'), of('l2Stale'), of('l2Negative'), of('l2Misses')),
      timeOuts: of('l2TimeOuts'),
      errors: of('l2Errors'),
      notAsked: of('l2NotAsked'),
      breakerOpened: of('l2BreakerOpened'),
      writes: of('l2Writes'),
      writesOutdated: of('l2WritesOutdated'),
      writesFailed: of('l2WritesFailed'),
      latencyMs: timer('l2'),
    },
    l3: { purges: of('l3Purges'), purgesFailed: of('l3PurgesFailed') },
    loads: {
      ok: of('loads'),
      failed: of('loadsFailed'),
      timedOut: of('loadsTimedOut'),
      joined: of('joined'),
      rememberedErrors: of('rememberedErrors'),
      servedOnError: of('servedOnError'),
      latencyMs: timer('load'),
    },
    refreshes: { early: of('refreshesEarly'), stale: of('refreshesStale'), dropped: of('refreshesDropped') },
    invalidations: of('invalidations'),
    unjitteredWrites: of('unjitteredWrites'),
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
