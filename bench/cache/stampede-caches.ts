/** The caches of stampede.ts. */
import { Redis } from 'ioredis';
import { connectRedis, redisStore } from '../../lib/cache/redis.ts';
import { keyvOverIoredis } from './keyv-ioredis.ts';
import type { Get } from './measure.ts';
import {
  asyncCacheDedupe,
  bentocache,
  boundedMemory,
  cacheable,
  cacheManager,
  type Load,
  lruCache,
  ours,
} from './peers.ts';

const maxEntries = 1_000;

/** With Redis as the level that several processes share. */
export const sharedCaches: Readonly<Record<string, (load: Load, url: string) => Promise<Get>>> = {
  'ours, with `lease`': async (load, url) =>
    ours(load, { l2: redisStore(await connectRedis(url), { namespace: 'lease' }) }, { lease: '5s' }),
  ours: async (load, url) => ours(load, { l2: redisStore(await connectRedis(url), { namespace: 'none' }) }),
  bentocache: async (load, url) => bentocache(load, { maxItems: maxEntries, client: connect(url, 'b:') }),
  cacheable: async (load, url) => cacheable(load, { secondary: keyvOverIoredis(connect(url, 'c:')) }),
  'cache-manager': async (load, url) =>
    cacheManager(load, { stores: [boundedMemory(maxEntries), keyvOverIoredis(connect(url, 'm:'))] }),
  'async-cache-dedupe': async (load, url) =>
    asyncCacheDedupe(load, { type: 'redis', options: { client: connect(url, 'a:') } }),
};

/** In the memory of one process. */
export const localCaches: Readonly<Record<string, (load: Load) => Get>> = {
  ours: (load) => ours(load),
  bentocache: (load) => bentocache(load, { maxItems: maxEntries }),
  cacheable: (load) => cacheable(load),
  'cacheable, `throwErrors`': (load) => cacheable(load, {}, { throwErrors: true }),
  'cache-manager': (load) => cacheManager(load),
  'async-cache-dedupe': (load) => asyncCacheDedupe(load, { type: 'memory', options: { size: maxEntries } }),
  'lru-cache `fetch`': (load) => lruCache(load, maxEntries),
};

function connect(url: string, keyPrefix: string): Redis {
  return new Redis(url, { keyPrefix });
}
