/** How many values per second are served: from memory, through a loader, and from Redis. */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { redisStore } from '../../lib/cache/redis.ts';
import { startChild } from './children.ts';
import { keyvOverIoredis } from './keyv-ioredis.ts';
import {
  fastest,
  type Get,
  overSockets,
  type Rates,
  type Rounds,
  rateRows,
  ratesOf,
  ratioGoal,
  ratioOf,
  type Section,
  together,
} from './measure.ts';
import {
  asyncCacheDedupe,
  bentocache,
  boundedMemory,
  cacheable,
  cacheManager,
  type Load,
  ours,
  productOf,
} from './peers.ts';
import { withRedis } from './redis-server.ts';
import { bentos, dedupe, keyAt, load, own, type workloads } from './throughput-caches.ts';

/** So many processes measure what is in memory: V8 compiles the same code now better, now worse, and stays with it. */
const processes = 3;

/** What is as fast as it gets with one command at a time. */
const rawGet = 'ioredis `GET`';

/** Values that are in memory. */
export async function memory(): Promise<Section> {
  const rates = await ratesInMemory('memory');
  const bento = fastest(rates, bentos);
  return {
    title: 'Hit in memory',
    method:
      '1,000 keys, all of them in memory, asked for one after the other. `Map` is one behind an async function, with nothing else.',
    head: ['', '1,000 gets/s', 'spread', 'to bentocache', 'to async-cache-dedupe'],
    rows: rateRows(rates, [bento, dedupe]),
    goals: [
      ratioGoal('at least 10x bentocache (its faster one)', 10, ratioOf(rates, own, bento)),
      ratioGoal('at least 3x async-cache-dedupe', 3, ratioOf(rates, own, dedupe)),
    ],
  };
}

/** Values that are nowhere, and whose loader has them at once. */
export async function loading(): Promise<Section> {
  const rates = await ratesInMemory('loading');
  const bento = fastest(rates, bentos);
  return {
    title: 'Miss, and a loader that answers at once',
    method: 'A new key each time, asked for one after the other; memory is full at 1,000 entries.',
    head: ['', '1,000 gets/s', 'spread', 'to bentocache'],
    rows: rateRows(rates, [bento]),
    goals: [ratioGoal('at least 5x bentocache (its faster one)', 5, ratioOf(rates, own, bento))],
  };
}

async function ratesInMemory(workload: keyof typeof workloads): Promise<Rates> {
  const all: Rates[] = [];
  for (let at = 0; at < processes; at++) {
    all.push(await startChild('throughput-process.ts', [workload], ['--expose-gc']).hear<Rates>());
  }
  return together(all);
}

/** Values that are in Redis only, one at a time. */
export function redisOneByOne(): Promise<Section> {
  return fromRedis('Hit in Redis, one at a time', overSockets);
}

/** Values that are in Redis only, many at a time. */
export function redisManyAtOnce(): Promise<Section> {
  // Longer turns, of which the last answers, with fewer in flight, are a smaller part.
  return fromRedis('Hit in Redis, 64 in flight', { ...overSockets, inFlight: 64, rounds: 80, uncounted: 8, ms: 25 });
}

async function fromRedis(title: string, rounds: Rounds): Promise<Section> {
  return withRedis(async ({ url }) => {
    const clients: Redis[] = [];
    const connect = (keyPrefix: string, options: RedisOptions = {}) => {
      const client = new Redis(url, { keyPrefix, ...options });
      clients.push(client);
      return client;
    };
    let loads = 0;
    const counted: Load = (id) => {
      loads++;
      return load(id);
    };
    const raw = connect('raw:');
    const piped = connect('raw:', { enableAutoPipelining: true });
    const caches: Record<string, Get> = {
      [rawGet]: (id) => raw.get(id),
      'ioredis `GET`, auto-pipelined': (id) => piped.get(id),
      'ours, no L1': ours(counted, { l1: { maxEntries: 0 }, l2: redisStore(connect(''), { namespace: 'none' }) }),
      'ours, L1 of 1': ours(counted, { l1: { maxEntries: 1 }, l2: redisStore(connect(''), { namespace: 'one' }) }),
      'async-cache-dedupe, no L1': asyncCacheDedupe(counted, { type: 'redis', options: { client: connect('a:') } }),
      'bentocache, no L1': bentocache(counted, { client: connect('b:') }),
      'bentocache, L1 of 1': bentocache(counted, { maxItems: 1, client: connect('b1:') }),
      'cache-manager, no L1': cacheManager(counted, { stores: [keyvOverIoredis(connect('m:'))] }),
      'cache-manager, L1 of 1': cacheManager(counted, { stores: [boundedMemory(1), keyvOverIoredis(connect('m1:'))] }),
      'cacheable, L1 of 1': cacheable(counted, {
        primary: boundedMemory(1),
        secondary: keyvOverIoredis(connect('c:')),
      }),
    };
    const keys = Array.from({ length: 1_000 }, (_, turn) => keyAt(turn));
    for (const key of keys) await raw.set(key, JSON.stringify(productOf(key)));
    for (const get of Object.values(caches)) for (const key of keys) await get(key);
    // What is written behind the caller's back may take its time.
    await delay(500);
    loads = 0;
    const rates = await ratesOf(caches, keyAt, rounds);
    for (const client of clients) client.disconnect();
    return {
      title,
      method: `1,000 keys, all of them in Redis and none in memory. Each has a connection of its own. Loads meanwhile: ${loads}.`,
      head: ['', '1,000 gets/s', 'spread', `to ${rawGet}`],
      rows: rateRows(rates, [rawGet]),
      goals: [ratioGoal(`at least 0.8x ${rawGet}`, 0.8, ratioOf(rates, 'ours, no L1', rawGet))],
    };
  });
}
