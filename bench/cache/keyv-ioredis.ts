import { Keyv, type KeyvStoreAdapter } from 'cacheable';
import type { Redis } from 'ioredis';

/**
 * The least that cacheable and cache-manager need of a store in Redis, over the same client as all others. Their
 * own, `@keyv/redis`, brings another client; on the way of a hit it does no less than this.
 */
export function keyvOverIoredis(client: Redis): Keyv {
  const store: KeyvStoreAdapter = {
    opts: {},
    get: async <Value>(key: string) => ((await client.get(key)) ?? undefined) as Value | undefined,
    set: (key, value: string, ttlMs) =>
      ttlMs ? client.set(key, value, 'PX', Math.ceil(ttlMs)) : client.set(key, value),
    delete: async (key) => (await client.del(key)) > 0,
    clear: async () => {},
    on: () => store,
  };
  return new Keyv({ store });
}
