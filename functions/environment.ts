/**
 * What the functions of one execution environment share: made at first use, and kept for as long as
 * the environment lives and the settings stay the same.
 */
import { emf } from '../lib/cache/emf.ts';
import { type Cache, type Cdn, createCache, type ShareableStore } from '../lib/cache/index.ts';
import { postgresStore } from '../lib/cache/postgres.ts';
import { redisStore } from '../lib/cache/redis.ts';
import { type CacheStatistics, cacheStatistics, type EdgeStatistics } from '../lib/cache/snapshot.ts';
import { StreamGateError } from '../lib/errors.ts';
import { connectHistory, type HistoryConnection } from '../lib/postgres/history/connection.ts';
import { type ReadableHistory, readHistory } from '../lib/postgres/history/read.ts';
import { openPool } from '../lib/postgres/pool.ts';
import type { Note } from '../lib/postgres/server.ts';
import { type CollectionOrders, cachedOrders } from '../lib/resources/gc/order.ts';
import type { Series } from '../lib/resources/sample.ts';
import { cacheEntries, readSettings, type Settings, thresholds } from '../lib/settings.ts';
import { urlOf } from './login.ts';
import { connectSecondLevel, type SecondLevel } from './second-level.ts';
import { readSecret } from './secret.ts';

const day = 86_400_000;

let read: { from: readonly object[]; settings: Settings } | undefined;
let cached: { where: string; opened: Promise<OpenCache> } | undefined;
let edge: { cdn: Cdn; statistics(): EdgeStatistics } | undefined;
let opened: { url: string; connection: HistoryConnection; history: ReadableHistory } | undefined;
let connection: { where: string; level: Promise<SecondLevel> } | undefined;

// In a deployment the second level needs no secret, so the connection is made while Lambda starts the environment, which has a whole
// processor for that and is not paid for by the request that waits.
if (process.env.STREAMGATE_ELASTICACHE_NAME && process.env.REDIS_URL)
  secondLevel(process.env.REDIS_URL, process.env.STREAMGATE_ELASTICACHE_NAME).catch(() => {});

function secondLevel(url: string, cacheName: string | undefined): Promise<SecondLevel> {
  const where = `${cacheName} ${url}`;
  if (connection?.where !== where) connection = { where, level: connectSecondLevel(url, cacheName) };
  return connection.level;
}

/**
 * The checked settings: environment variables and, in a deployment, what is in the secrets that they name. What the owner put into the
 * secret of settings goes before everything else.
 */
export async function settings(): Promise<Settings> {
  const { STREAMGATE_SECRET_ARN, STREAMGATE_DATABASE_SECRET_ARN, STREAMGATE_HISTORY_SECRET_ARN } = process.env;
  const [own, database, kept] = await Promise.all([
    STREAMGATE_SECRET_ARN ? ownSettings(STREAMGATE_SECRET_ARN) : process.env,
    STREAMGATE_DATABASE_SECRET_ARN ? readSecret(STREAMGATE_DATABASE_SECRET_ARN) : nothing,
    STREAMGATE_HISTORY_SECRET_ARN ? readSecret(STREAMGATE_HISTORY_SECRET_ARN) : nothing,
  ]);
  const from = [own, database, kept];
  if (!read || read.from.some((each, place) => each !== from[place])) {
    const variables = { ...process.env };
    if (database !== nothing) variables.DATABASE_URL = urlOf(database, variables.DATABASE_URL);
    if (kept !== nothing) variables.STREAMGATE_HISTORY_URL = urlOf(kept, variables.STREAMGATE_HISTORY_URL);
    read = { from, settings: readSettings({ ...variables, ...own }) };
  }
  return read.settings;
}

const nothing: Record<string, string> = {};

/** Where the database is known otherwise, a secret that nobody has put anything into yet is no mistake. */
async function ownSettings(arn: string): Promise<Record<string, string>> {
  try {
    return await readSecret(arn);
  } catch (error) {
    if (process.env.DATABASE_URL || process.env.STREAMGATE_DATABASE_SECRET_ARN) return nothing;
    throw error;
  }
}

/** The history, as endpoints read it. Audits have functions/kept-history.ts. */
export async function history(): Promise<ReadableHistory> {
  return (await openedHistory()).history;
}

/** The way to the history, for who needs more of it. */
export async function historyConnection(): Promise<HistoryConnection> {
  return (await openedHistory()).connection;
}

async function openedHistory(): Promise<NonNullable<typeof opened>> {
  const { historyUrl: url } = await settings();
  if (opened?.url === url) return opened;
  const outdated = opened;
  const connection = connectHistory(url);
  const now = { url, connection, history: readHistory(connection) };
  opened = now;
  await outdated?.connection.close();
  return now;
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
  const now = await settings();
  const where = now.redisUrl ?? now.historyUrl;
  if (cached?.where !== where) {
    const outdated = cached;
    cached = { where, opened: openCache(now) };
    await (await outdated?.opened)?.close();
  }
  const open = await cached.opened;
  open.renew();
  return open;
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
 * @param told what the CDN served, where somebody else has asked it
 * @throws StreamGateError `cache-unreachable`
 */
export async function readCacheStatistics(told?: EdgeStatistics): Promise<CacheStatistics> {
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
    edge: told ?? edge?.statistics(),
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
  /** To be called before every use. */
  renew(): void;
  close(): Promise<void>;
}

async function openCache({ historyUrl, redisUrl, elastiCacheName, tagHeader, stage }: Settings): Promise<OpenCache> {
  const options = { maxEntries: cacheEntries.l2 };
  const l3 = edge?.cdn ?? (tagHeader ? labelsFor(tagHeader) : undefined);
  const { AWS_LAMBDA_FUNCTION_NAME } = process.env;
  const reporters = AWS_LAMBDA_FUNCTION_NAME ? [emf({ dimensions: { service: 'streamgate', stage } })] : [];
  const over = (
    l2: ShareableStore,
    forOrders: ShareableStore,
    disconnect: () => unknown,
    renew = () => {},
  ): OpenCache => {
    const l1 = { maxEntries: cacheEntries.l1, policy: 'sieve' } as const;
    const cache = createCache({ l1, l2, l3, reporters });
    const board = createCache({ l1: { maxEntries: 1 }, l2: forOrders });
    return {
      cache,
      renew,
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
  const { client, renew } = await secondLevel(redisUrl, elastiCacheName);
  const disconnect = () => {
    connection = undefined;
    client.disconnect();
  };
  return over(redisStore(client, options), redisStore(client, { namespace: 'streamgate-orders' }), disconnect, renew);
}

/** CloudFront as who answers sees it: answers are labelled for it here, and purged by functions/purge.ts. */
function labelsFor(tagHeader: string): Cdn {
  return { name: 'cloudfront', tagHeader, purge: async () => {} };
}

/** Lets go of everything: at the end of local mode and between tests. */
export async function closeEnvironment(): Promise<void> {
  const open = opened;
  const openCaches = cached;
  read = undefined;
  opened = undefined;
  cached = undefined;
  await (await openCaches?.opened)?.close();
  await open?.connection.close();
}
