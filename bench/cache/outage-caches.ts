/** The caches of outage.ts: each as it comes, and as its documentation advises for when Redis is out of order. */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { connectRedis, redisStore } from '../../lib/cache/redis.ts';
import { keyvOverIoredis } from './keyv-ioredis.ts';
import type { Get } from './measure.ts';
import { asyncCacheDedupe, bentocache, cacheable, cacheManager, type Load, ours, productOf } from './peers.ts';

/** How long a load takes. */
export const loaderMs = 10;

const load: Load = async (id) => {
  await delay(loaderMs);
  return productOf(id);
};

/** What `createKeyvNonBlocking` of @keyv/redis sets, said to ioredis. */
const impatient = { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => null };

/** What no cache advises, but whoever knows ioredis can add to any of them. */
const timed = { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 50 };

const resilience = { hardTimeout: 500, l2CircuitBreakerDuration: '30s' };
const maxItems = 1_000;

export const outageCaches: Readonly<Record<string, (url: string) => Promise<Get>>> = {
  ours: async (url) => ours(load, { l2: redisStore(await connectRedis(url)) }),
  'ours, over ioredis as it comes': async (url) => ours(load, { l2: redisStore(await connect(url)) }),
  bentocache: async (url) => bentocache(load, { maxItems, client: await connect(url) }),
  'bentocache, breaker and hard time-out': async (url) =>
    bentocache(load, { maxItems, client: await connect(url), resilience }),
  'bentocache, and time-outs in ioredis': async (url) =>
    bentocache(load, { maxItems, client: await connect(url, timed), resilience }),
  cacheable: async (url) => cacheable(load, { secondary: keyvOverIoredis(await connect(url)) }),
  'cacheable, non-blocking': async (url) =>
    cacheable(load, { secondary: keyvOverIoredis(await connect(url, impatient)), nonBlocking: true }),
  'cache-manager': async (url) => cacheManager(load, { stores: [keyvOverIoredis(await connect(url))] }),
  'cache-manager, non-blocking': async (url) =>
    cacheManager(load, { stores: [keyvOverIoredis(await connect(url, impatient))], nonBlocking: true }),
  'async-cache-dedupe': async (url) =>
    asyncCacheDedupe(load, { type: 'redis', options: { client: await connect(url) } }),
};

/** A connection that stands: what happens when there has never been one is another question. */
async function connect(url: string, options: RedisOptions = {}): Promise<Redis> {
  const client = new Redis(url, options).on('error', () => {});
  await new Promise<void>((ready) => client.once('ready', ready));
  return client;
}
