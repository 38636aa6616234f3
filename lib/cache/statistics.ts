import { DistinctKeys, estimateDistinct } from './distinct.ts';
import { Histogram, type Percentiles } from './histogram.ts';

/** What is counted. Every counter only grows, and those of several processes add up. */
const zeros = () => ({
  /** How often somebody had to wait until a value was loaded. */
  waits: 0,
  invalidations: 0,
  /** Entries whose time to live did not vary: they all expire together. */
  unjitteredWrites: 0,
  l1: {
    /** Served as they were. */
    fresh: 0,
    /** Served, and refreshed. */
    stale: 0,
    /** Fresh ones that say that there is nothing. */
    negative: 0,
    misses: 0,
    evictions: { capacity: 0, bytes: 0, expired: 0, invalidated: 0 },
  },
  l2: {
    /** As in `l1`. */
    fresh: 0,
    stale: 0,
    negative: 0,
    misses: 0,
    timeOuts: 0,
    errors: 0,
    /** Reads that were spared because the breaker was open. */
    notAsked: 0,
    breakerOpened: 0,
    writes: 0,
    /** Writes that an invalidation had overtaken. */
    writesOutdated: 0,
    writesFailed: 0,
  },
  l3: { purges: 0, purgesFailed: 0 },
  loads: {
    ok: 0,
    failed: 0,
    timedOut: 0,
    /** Gets that joined a load which was under way. */
    joined: 0,
    /** Gets that were told of an error which had happened shortly before. */
    rememberedErrors: 0,
    /** Gets that got an old value since the load had failed. */
    servedOnError: 0,
  },
  refreshes: {
    early: 0,
    stale: 0,
    /** Given up because the invocation was over. */
    dropped: 0,
  },
});

/** What is counted. */
export type Counters = ReturnType<typeof zeros>;

/** What is counted and measured in one process since it started, or in many. */
export class Statistics {
  readonly counters: Counters = zeros();
  readonly timers = { l1: new Histogram(), l2: new Histogram(), loads: new Histogram() };
  /** The keys that were not in memory when they were asked for, among which is every key that was asked for. */
  readonly keys = new DistinctKeys();
}

interface Level {
  /** Hits of all kinds among what was asked of this level, from 0 to 1; null when it was asked nothing. */
  hitRate: number | null;
  latencyMs: Percentiles;
}

/** The statistics of a cache, of one process or of many. Times are in milliseconds. */
export type CacheStatistics = Counters & {
  /** How often a value was asked for. */
  gets: number;
  /** The share of gets that waited for no load, from 0 to 1; null without gets. */
  hitRate: number | null;
  /** How many different keys were asked for: estimated, to within about 5 %. */
  distinctKeys: number;
  /** The hit rate if no key were ever loaded twice: no cache of any size can do better on these gets. */
  attainableHitRate: number | null;
  l1: Level;
  l2: Level;
  loads: { latencyMs: Percentiles };
};

/** Makes rates and percentiles of what was counted. */
export function summarize({ counters, timers, keys }: Statistics): CacheStatistics {
  const { l1, l2, loads, waits } = counters;
  const gets = l1.misses + hitsOf(l1);
  const distinctKeys = Math.min(estimateDistinct(keys.ranks), gets);
  const hitRate = share(gets - waits, gets);
  return {
    ...counters,
    gets,
    hitRate,
    distinctKeys,
    // What was cached before the counting began can make the real rate the higher one.
    attainableHitRate: hitRate === null ? null : Math.max(hitRate, 1 - distinctKeys / gets),
    l1: { ...l1, evictions: { ...l1.evictions }, hitRate: hitRateOf(l1), latencyMs: timers.l1.percentiles() },
    l2: { ...l2, hitRate: hitRateOf(l2), latencyMs: timers.l2.percentiles() },
    loads: { ...loads, latencyMs: timers.loads.percentiles() },
  };
}

function hitsOf({ fresh, stale, negative }: Pick<Counters['l1'], 'fresh' | 'stale' | 'negative'>): number {
  return fresh + stale + negative;
}

function hitRateOf(level: Counters['l1'] | Counters['l2']): number | null {
  return share(hitsOf(level), hitsOf(level) + level.misses);
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
