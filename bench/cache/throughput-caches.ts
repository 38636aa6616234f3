/** The caches of throughput.ts that live in memory. */
import type { Get } from './measure.ts';
import {
  asyncCacheDedupe,
  bentocache,
  boundedMemory,
  cacheable,
  cacheManager,
  type Load,
  lruCache,
  map,
  ours,
  productOf,
} from './peers.ts';

const keys = Array.from({ length: 1_000 }, (_, at) => `product-${at}`);

/** The bound of every first level: all the keys that are asked for again. */
const maxEntries = keys.length;

/** A loader that answers at once. */
export const load: Load = async (id) => productOf(id);

/** The names that goals are about. */
export const own = 'ours, lru (default)';
export const dedupe = 'async-cache-dedupe';
export const bentos = ['bentocache, `serialize: false`', 'bentocache, default'] as const;

/** What is measured in memory, by the name of the section. */
export const workloads = {
  memory: {
    caches: () => ({ ...bounded(), ...unbounded() }),
    keyAt,
  },
  loading: {
    caches: bounded,
    keyAt: (turn: number) => `product-${turn}`,
  },
} as const;

/** One of the keys that are asked for again and again. */
export function keyAt(turn: number): string {
  return keys[turn % keys.length] as string;
}

function bounded(): Record<string, Get> {
  return {
    [own]: ours(load, { l1: { maxEntries } }),
    'ours, sieve': ours(load, { l1: { maxEntries, policy: 'sieve' } }),
    Map: map(load, maxEntries),
    'lru-cache `fetch`': lruCache(load, maxEntries),
    [dedupe]: asyncCacheDedupe(load, { type: 'memory', options: { size: maxEntries } }),
    [bentos[0]]: bentocache(load, { maxItems: maxEntries, serialize: false }),
    [bentos[1]]: bentocache(load, { maxItems: maxEntries }),
    'cache-manager `wrap`, LRU': cacheManager(load, { stores: [boundedMemory(maxEntries)] }),
    'cacheable `getOrSet`, LRU': cacheable(load, { primary: boundedMemory(maxEntries) }),
  };
}

function unbounded(): Record<string, Get> {
  return {
    'cache-manager `wrap`, unbounded': cacheManager(load),
    'cacheable `getOrSet`, unbounded': cacheable(load),
  };
}
