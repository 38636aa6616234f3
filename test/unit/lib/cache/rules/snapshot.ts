import type { CacheSnapshot, CacheStatistics } from '../../../../../lib/cache/snapshot.ts';

/** Some of the figures, at every level. */
export type Some<Figures> = {
  [Name in keyof Figures]?: NonNullable<Figures[Name]> extends object ? Some<Figures[Name]> : Figures[Name];
};

/**
 * The statistics of a healthy cache: of 100,000 gets 1,000 waited, each for another key. The rates follow from the counters
 * unless they are given.
 */
export function cacheStatistics(overrides: Some<CacheStatistics> = {}): CacheStatistics {
  const statistics = merged(
    {
      since: '2026-02-28T12:00:00.000Z',
      gets: 100_000,
      waits: 1_000,
      hitRate: null,
      targetHitRate: 0.98,
      distinctKeys: 1_000,
      attainableHitRate: null,
      l1: {
        fresh: 93_000,
        stale: 1_000,
        negative: 1_000,
        misses: 5_000,
        hitRate: 0.95,
        maxEntries: 1_000,
        evictions: { capacity: 500, bytes: 0, expired: 1_000, invalidated: 200 },
        latencyMs: { p50: 0.001, p95: 0.002, p99: 0.004 },
      },
      l2: {
        fresh: 3_800,
        stale: 1_100,
        negative: 100,
        misses: 1_000,
        hitRate: 5 / 6,
        store: 'redis',
        entries: 1_000,
        maxEntries: 10_000,
        timeOuts: 5,
        errors: 1,
        notAsked: 0,
        breakerOpened: 0,
        writes: 2_000,
        writesOutdated: 3,
        writesFailed: 2,
        latencyMs: { p50: 0.8, p95: 2, p99: 6 },
      },
      l3: { purges: 10, purgesFailed: 0, maxEntries: null, entries: null, hits: null, misses: null, hitRate: null },
      loads: {
        ok: 2_005,
        failed: 5,
        timedOut: 1,
        joined: 20,
        rememberedErrors: 3,
        servedOnError: 1,
        latencyMs: { p50: 12, p95: 40, p99: 90 },
      },
      refreshes: { early: 400, stale: 600, dropped: 2 },
      invalidations: 50,
      unjitteredWrites: 0,
    } satisfies CacheStatistics,
    overrides,
  );
  const { gets, waits, distinctKeys } = statistics;
  if (gets > 0 && overrides.hitRate === undefined) statistics.hitRate = 1 - waits / gets;
  if (statistics.hitRate !== null && overrides.attainableHitRate === undefined) {
    statistics.attainableHitRate = Math.max(statistics.hitRate, 1 - distinctKeys / gets);
  }
  return statistics;
}

/** A snapshot of the cache of `shop`. */
export function cacheSnapshot(overrides: Some<CacheStatistics> = {}): CacheSnapshot {
  return { takenAt: '2026-03-01T12:00:00.000Z', database: 'shop', statistics: cacheStatistics(overrides) };
}

function merged<Figures extends object>(figures: Figures, overrides: Some<Figures>): Figures {
  const entries = Object.entries(overrides).map(([name, value]) => {
    const own = figures[name as keyof Figures];
    const isGroup = typeof own === 'object' && own !== null && typeof value === 'object' && value !== null;
    return [name, isGroup ? merged(own, value) : value];
  });
  return { ...figures, ...Object.fromEntries(entries) };
}
