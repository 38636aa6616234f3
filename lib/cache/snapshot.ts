/**
 * What the cache looked like at one moment, for the rules and for `GET /optimization/cache/stats`. Like the rules it is
 * no part of `streamgate/cache`, which depends on nothing.
 */
import * as z from 'zod';
import type { CacheService } from '../aws/facts.ts';
import type { FleetStatistics } from './level.ts';

const count = z.number().int().min(0);
const rate = z.number().min(0).max(1).nullable();
const latencyMs = z.strictObject({
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
});
const hits = {
  fresh: count.describe('Served as they were.'),
  stale: count.describe('Served, and refreshed.'),
  negative: count.describe('Fresh ones that say that there is nothing.'),
  misses: count,
  hitRate: rate,
};

/** The counters of all processes that share the cache, from the full hours since `since`. */
export const CacheStatistics = z
  .strictObject({
    since: z.string().describe('When the counting began.'),
    gets: count.describe('How often a value was asked for.'),
    waits: count.describe('How often somebody had to wait until it was loaded.'),
    hitRate: rate.describe('The share of gets that waited for no load; null without gets.'),
    targetHitRate: z.number(),
    distinctKeys: count.describe('How many different keys were asked for: estimated, to within about 5 %.'),
    attainableHitRate: rate.describe(
      'The hit rate if no key were ever loaded twice: no cache of any size can do better.',
    ),
    l1: z.strictObject({
      ...hits,
      maxEntries: count.describe('In each process.'),
      evictions: z.strictObject({ capacity: count, bytes: count, expired: count, invalidated: count }),
      latencyMs,
    }),
    l2: z.strictObject({
      ...hits,
      store: z.string().describe('What keeps it: redis or postgres.'),
      entries: count,
      maxEntries: count,
      timeOuts: count,
      errors: count,
      notAsked: count.describe('Reads that were spared because the breaker was open.'),
      breakerOpened: count,
      writes: count,
      writesOutdated: count.describe('Writes that an invalidation had overtaken.'),
      writesFailed: count,
      latencyMs,
    }),
    l3: z.strictObject({
      purges: count,
      purgesFailed: count,
      maxEntries: count.nullable().describe('Null where the CDN has no such limit.'),
      entries: count.nullable(),
      hits: count.nullable().describe('Null where only the CDN itself knows.'),
      misses: count.nullable(),
      hitRate: rate,
    }),
    loads: z.strictObject({
      ok: count,
      failed: count,
      timedOut: count,
      joined: count.describe('Gets that joined a load which was under way.'),
      rememberedErrors: count.describe('Gets that were told of an error which had happened shortly before.'),
      servedOnError: count.describe('Gets that got an old value since the load had failed.'),
      latencyMs,
    }),
    refreshes: z.strictObject({
      early: count,
      stale: count,
      dropped: count.describe('Given up because the invocation was over.'),
    }),
    invalidations: count,
    unjitteredWrites: count.describe('Entries whose time to live did not vary: they all expire together.'),
  })
  .meta({ id: 'CacheStatistics', description: 'What the levels of the cache served.' });
export type CacheStatistics = z.infer<typeof CacheStatistics>;

/** What the rules of the cache look at. */
export interface CacheSnapshot {
  takenAt: string;
  /** The name that its findings stand under: a cache belongs to no database. */
  database: string;
  statistics: CacheStatistics;
  /** The service behind the second level, where it can be asked. */
  service?: CacheService | undefined;
}

/** What the third level can say of itself. */
export interface EdgeStatistics {
  hits: number;
  misses: number;
  /** Left out where it does not know. */
  entries?: number;
  maxEntries?: number;
}

/** Puts together what the cache, its store and, where it can be asked, its CDN say. */
export function cacheStatistics(
  fleet: FleetStatistics,
  facts: { since: Date; store: string; l1MaxEntries: number; targetHitRate: number; edge: EdgeStatistics | undefined },
): CacheStatistics {
  const { edge } = facts;
  const answered = (edge?.hits ?? 0) + (edge?.misses ?? 0);
  return {
    ...fleet,
    since: facts.since.toISOString(),
    targetHitRate: facts.targetHitRate,
    l1: { ...fleet.l1, maxEntries: facts.l1MaxEntries },
    l2: { ...fleet.l2, store: facts.store },
    l3: {
      ...fleet.l3,
      maxEntries: edge?.maxEntries ?? null,
      entries: edge?.entries ?? null,
      hits: edge?.hits ?? null,
      misses: edge?.misses ?? null,
      hitRate: edge && answered > 0 ? edge.hits / answered : null,
    },
  };
}
