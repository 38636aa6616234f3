/** The ways to Redis of thaw.ts, all without a memory of their own. */
import { Redis } from 'ioredis';
import { connectRedis, redisStore } from '../../lib/cache/redis.ts';
import type { Get } from './measure.ts';
import { bentocache, type Load, ours } from './peers.ts';

const noMemory = { l1: { maxEntries: 0 } };

export const thawCaches: Readonly<Record<string, (load: Load, url: string) => Promise<Get>>> = {
  'ours, over `connectRedis`': async (load, url) =>
    ours(load, { ...noMemory, l2: redisStore(await connectRedis(url)) }),
  'ours, over ioredis as it comes': async (load, url) => ours(load, { ...noMemory, l2: redisStore(connect(url)) }),
  bentocache: async (load, url) => bentocache(load, { client: connect(url) }),
  'ioredis `GET`': async (load, url) => {
    const client = connect(url);
    return async (key) => (await client.get(key)) ?? client.set(key, JSON.stringify(await load(key)));
  },
};

function connect(url: string): Redis {
  return new Redis(url).on('error', () => {});
}
