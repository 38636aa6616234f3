/** Ours and the peers: each as its own documentation sets it up, all asked in the same way. */
import { createCache as createAsyncCacheDedupe, type StorageOptions } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisDriver } from 'bentocache/drivers/redis';
import { createCache as createCacheManager } from 'cache-manager';
import { Cacheable, type CacheableOptions, Keyv, KeyvCacheableMemory } from 'cacheable';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { type CacheOptions, createCache, type Policy } from '../../lib/cache/index.ts';
import type { Get } from './measure.ts';

/** Brings the value of an identifier when it is not cached. */
export type Load = (id: string) => Promise<object>;

/** Nothing expires while it is measured. */
const hourMs = 3_600_000;

/** A value of about 280 bytes as JSON. */
export function productOf(id: string): object {
  return {
    id,
    name: 'Espresso machine with two circuits',
    price: { amount: 1299.5, currency: 'EUR' },
    tags: ['kitchen', 'coffee', 'steel', 'new'],
    stock: 42,
    description: 'Heats up in four minutes, keeps the temperature to within half a degree and is easy to take apart.',
    updatedAt: '2026-02-11T09:30:00.000Z',
  };
}

/** Ours. */
export function ours(load: Load, options: CacheOptions = {}, policy: Policy<string, object> = {}): Get {
  const products = createCache(options).define('product', { load, fresh: '1h', ...policy });
  return (id) => products.get(id);
}

/** A Map: what a hit costs at the very least. With `maxEntries` the oldest goes. */
export function map(load: Load, maxEntries: number): Get {
  const values = new Map<string, object>();
  return async (id) => {
    const known = values.get(id);
    if (known) return known;
    const value = await load(id);
    if (values.size >= maxEntries) values.delete(values.keys().next().value as string);
    values.set(id, value);
    return value;
  };
}

/** https://github.com/isaacs/node-lru-cache: `fetch`. */
export function lruCache(load: Load, max: number): Get {
  const cache = new LRUCache<string, object>({ max, ttl: hourMs, fetchMethod: load });
  return (id) => cache.fetch(id);
}

/** https://github.com/mcollina/async-cache-dedupe */
export function asyncCacheDedupe(load: Load, storage: StorageOptions): Get {
  const cache = createAsyncCacheDedupe({ ttl: hourMs / 1_000, storage: storage as never }).define('product', load);
  return (id) => cache.product(id);
}

/** https://github.com/jaredwray/cacheable/tree/main/packages/cache-manager: `wrap`. */
export function cacheManager(load: Load, options: { stores?: Keyv[]; nonBlocking?: boolean } = {}): Get {
  const cache = createCacheManager(options);
  return (id) => cache.wrap(id, () => load(id), hourMs);
}

/** What a cache-manager or a cacheable that is bounded has for a first level. */
export function boundedMemory(lruSize: number): Keyv {
  return new Keyv({ store: new KeyvCacheableMemory({ lruSize }) });
}

/** https://github.com/jaredwray/cacheable: `getOrSet`. */
export function cacheable(load: Load, options: CacheableOptions = {}, policy: { throwErrors?: boolean } = {}): Get {
  const cache = new Cacheable(options);
  // An error that nobody listens for ends the process.
  cache.on('error', () => {});
  return (id) => cache.getOrSet(id, () => load(id), { ttl: hourMs, ...policy });
}

/** What a BentoCache is made of. */
export interface BentoOptions {
  /** How many entries the first level holds; without it there is none. */
  maxItems?: number;
  serialize?: boolean;
  client?: Redis;
  resilience?: { hardTimeout?: number; l2CircuitBreakerDuration?: string };
}

/** https://github.com/Julien-R44/bentocache: `getOrSet`. */
export function bentocache(load: Load, { maxItems, serialize, client, resilience }: BentoOptions): Get {
  const store = bentostore();
  if (maxItems !== undefined) {
    store.useL1Layer(memoryDriver({ maxItems, ...(serialize === undefined ? {} : { serialize }) } as never));
  }
  if (client) store.useL2Layer(redisDriver({ connection: client }));
  const cache = new BentoCache({ default: 'products', stores: { products: store }, ...resilience });
  return (key) => cache.getOrSet({ key, factory: () => load(key), ttl: hourMs });
}
