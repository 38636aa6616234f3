/**
 * What the functions of one execution environment share: made at first use, and kept for as long as
 * the environment lives and the settings stay the same.
 */
import { type Cache, type Cdn, createCache, type ShareableStore } from '../lib/cache/index.ts';
import { postgresStore } from '../lib/cache/postgres.ts';
import { connectRedis, redisStore } from '../lib/cache/redis.ts';
import { type CacheStatistics, cacheStatistics, type EdgeStatistics } from '../lib/cache/snapshot.ts';
import { StreamGateError } from '../lib/errors.ts';
import { type History, openHistory } from '../lib/postgres/history.ts';
import { openPool } from '../lib/postgres/pool.ts';
import type { Note } from '../lib/postgres/server.ts';
import { type CollectionOrders, cachedOrders } from '../lib/resources/gc/order.ts';
import type { Series } from '../lib/resources/sample.ts';
import { cacheEntries, readSettings, type Settings, thresholds } from '../lib/settings.ts';
import { readSecret } from './secret.ts';

const day = 86_400_000;

let read: { from: object; settings: Settings } | undefined;
let cached: { where: string; opened: Promise<OpenCache> } | undefined;
let edge: { cdn: Cdn; statistics(): EdgeStatistics } | undefined;
let opened: { url: string; history: History } | undefined;

/** The checked settings: environment variables and, in a deployment, the secret that STREAMGATE_SECRET_ARN names. */
export async function settings(): Promise<Settings> {
  const arn = process.env.STREAMGATE_SECRET_ARN;
  const from = arn ? await readSecret(arn) : process.env;
  if (read?.from !== from) read = { from, settings: readSettings(arn ? { ...process.env, ...from } : process.env) };
  return read.settings;
}

/** The history store. */
export async function history(): Promise<History> {
  const { historyUrl } = await settings();
  if (opened?.url === historyUrl) return opened.history;
  const outdated = opened;
  opened = { url: historyUrl, history: openHistory(historyUrl) };
  await outdated?.history.close();
  return opened.history;
}

/** The cache that the endpoints are served from. */
export async function cache(): Promise<Cache> {
  return (await openedCache()).cache;
}

/** Orders to the environments of all functions, in the second level; apart from the cache, whose hits they would be counted among. */
export async function orders(): Promise<CollectionOrders> {
  return (await openedCache()).orders;
}

async function openedCache(): Promise<OpenCache> {
  const { historyUrl, redisUrl } = await settings();
  const where = redisUrl ?? historyUrl;
  if (cached?.where !== where) {
    const outdated = cached;
    cached = { where, opened: openCache(historyUrl, redisUrl) };
    await (await outdated?.opened)?.close();
  }
  return cached.opened;
}

/**
 * Puts a third level before the endpoints, which is told of every invalidation. For a cache that is opened afterwards.
 *
 * @param statistics what it can tell of itself
 */
export function useEdge(cdn: Cdn, statistics: () => EdgeStatistics): void {
  edge = { cdn, statistics };
}

/**
 * What the cache served in the last 24 hours, in all environments.
 *
 * @throws StreamGateError `cache-unreachable`
 */
export async function readCacheStatistics(): Promise<CacheStatistics> {
  const { redisUrl } = await settings();
  const since = new Date(Date.now() - day);
  const fleet = await (await cache()).fleetStats(since.getTime()).catch((cause) => {
    throw new StreamGateError('cache-unreachable', 'The second level of the cache did not answer.', { cause });
  });
  return cacheStatistics(fleet, {
    since,
    store: redisUrl === undefined ? 'postgres' : 'redis',
    l1MaxEntries: cacheEntries.l1,
    targetHitRate: thresholds.hitRate,
    edge: edge?.statistics(),
  });
}

/** The samples of the functions of the last day. */
export async function readSamples(): Promise<{ series: Series[]; notes: Note[] }> {
  const series = await (await history()).samples.read({ since: new Date(Date.now() - day) });
  return { series, notes: [] };
}

interface OpenCache {
  cache: Cache;
  orders: CollectionOrders;
  close(): Promise<void>;
}

async function openCache(historyUrl: string, redisUrl: string | undefined): Promise<OpenCache> {
  const options = { maxEntries: cacheEntries.l2 };
  const over = (l2: ShareableStore, forOrders: ShareableStore, disconnect: () => unknown): OpenCache => {
    const cache = createCache({ l1: { maxEntries: cacheEntries.l1, policy: 'sieve' }, l2, l3: edge?.cdn });
    const board = createCache({ l1: { maxEntries: 1 }, l2: forOrders });
    return {
      cache,
      orders: cachedOrders(board),
      async close() {
        await Promise.all([cache.close(), board.close()]);
        await disconnect();
      },
    };
  };
  if (redisUrl === undefined) {
    const pool = openPool(historyUrl);
    return over(postgresStore(pool, options), postgresStore(pool, { schema: 'streamgate_orders' }), () => pool.end());
  }
  const client = await connectRedis(redisUrl);
  return over(redisStore(client, options), redisStore(client, { namespace: 'streamgate-orders' }), () =>
    client.disconnect(),
  );
}

/** Lets go of everything: at the end of local mode and between tests. */
export async function closeEnvironment(): Promise<void> {
  const open = opened;
  const openCaches = cached;
  read = undefined;
  opened = undefined;
  cached = undefined;
  await (await openCaches?.opened)?.close();
  await open?.history.close();
}
