/** A program that uses the cache, closes its clients and ends: nothing else may keep it. Arguments: adapter, URL, space. */
import pg from 'pg';
import { createCache } from '../../../../../lib/cache/index.ts';
import { postgresStore } from '../../../../../lib/cache/postgres.ts';
import { connectRedis, redisStore } from '../../../../../lib/cache/redis.ts';

const [adapter, url = '', space = ''] = process.argv.slice(2);
const isRedis = adapter === 'redis';
const client = isRedis ? await connectRedis(url) : undefined;
const pool = isRedis ? undefined : new pg.Pool({ connectionString: url, max: 2 });
const l2 = client ? redisStore(client, { namespace: space }) : postgresStore(pool as pg.Pool, { schema: space });
const cache = createCache({ l2, softLimit: '30s', hardLimit: '40s', flushEvery: '50s' });
const items = cache.define('item', { load: async (id: string) => ({ id }), fresh: 1, stale: '1h', lease: '60s' });
{
  await using _ = cache.scope();
  await items.getMany(['a', 'b', 'a']);
  await items.get('a');
  await cache.invalidate({ keys: [items.key('a')], tags: ['t'] });
  await items.get('a');
}
client?.disconnect();
await pool?.end();
console.log('ended');
