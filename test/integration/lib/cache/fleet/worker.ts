/**
 * A process of a fleet: it has a cache with a first level of its own, and does what its parent says. Its loader asks
 * the parent, who is the source of truth.
 */
import type { Cluster, Redis } from 'ioredis';
import pg from 'pg';
import { type Cache, CacheError, createCache, type Definition, type Store } from '../../../../../lib/cache/index.ts';
import { postgresStore } from '../../../../../lib/cache/postgres.ts';
import { connectRedis, redisStore } from '../../../../../lib/cache/redis.ts';
import { shareable } from '../../../../../lib/cache/shared/level.ts';
import {
  type Calls,
  type Change,
  type Downwards,
  type Got,
  type Invoked,
  type Opening,
  type Order,
  type Settled,
  tagsOf,
  type Upwards,
} from './protocol.ts';

/** A value of the cache. */
interface Value {
  version: number;
}

/** A cache that is open, and what it stands on. */
interface Opened {
  cache: Cache;
  items: Definition<string, Value>;
  calls: Calls;
  connection(): Promise<number>;
  end(): Promise<void>;
}

const say = (message: Upwards) => void process.send?.(message);
const loads = new Map<number, { resolve(value: Value): void; reject(error: Error): void }>();
/** When the invocations began that are under way. */
const scopes = new Map<symbol, number>();
let loadCount = 0;
let settledCount = 0;
let opened: Opened | undefined;

for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (error: unknown) => say({ unhandled: `${event}: ${textOf(error)}` }));
}

process.on('message', (message: Downwards) => {
  if ('order' in message) {
    obey(message.order).then(
      (answer) => say({ id: message.id, answer }),
      (error) => say({ id: message.id, failure: textOf(error) }),
    );
    return;
  }
  const load = loads.get(message.loaded);
  loads.delete(message.loaded);
  if ('failure' in message) load?.reject(new Error(message.failure));
  else load?.resolve({ version: message.version });
});

process.on('disconnect', () => process.exit());
say({ ready: true });

async function obey(order: Order): Promise<unknown> {
  if (order.do === 'open') {
    // What the last one still has to do is nobody's business any more.
    opened?.end().catch(() => {});
    opened = await open(order.opening);
    return;
  }
  if (!opened) throw new Error('Nothing is open.');
  const { cache, items, calls } = opened;
  switch (order.do) {
    case 'get': {
      if (!order.together) return Promise.all(order.items.map((item) => get(items, item, beginning())));
      const began = beginning();
      const settledBefore = settledCount;
      const values = await items.getMany(order.items);
      return values.map(({ version }, at) => ({ item: order.items[at], version, began, settledBefore }));
    }
    case 'invocation':
      return invocation(opened, order);
    case 'change':
      return settled(cache.invalidate(labelsOf(items, order.change)));
    case 'set':
      return settled(items.set(order.item, { version: order.version }));
    case 'stats':
      return cache.stats();
    case 'fleetStats':
      return cache.fleetStats(order.since);
    case 'calls':
      return Object.fromEntries(
        Object.entries(calls).map(([name, count]) => {
          calls[name] = 0;
          return [name, count];
        }),
      );
    case 'connection':
      return opened.connection();
    case 'close':
      await cache.close();
      await opened.end();
      opened = undefined;
  }
}

async function invocation(
  { cache, items }: Opened,
  { steps, remainingMs }: Extract<Order, { do: 'invocation' }>,
): Promise<Invoked> {
  const began = Date.now();
  const until = began + (remainingMs ?? 0);
  const scope = cache.scope(
    remainingMs === undefined ? undefined : { getRemainingTimeInMillis: () => until - Date.now() },
  );
  const id = Symbol('invocation');
  scopes.set(id, began);
  const done: Invoked = { gets: [], changes: [] };
  for (const step of steps) {
    if ('get' in step) done.gets.push(await get(items, step.get, began));
    else if ('change' in step) done.changes.push(await settled(cache.invalidate(labelsOf(items, step.change))));
    else await new Promise((resume) => setTimeout(resume, step.pauseMs));
  }
  await scope.end();
  scopes.delete(id);
  return done;
}

/** When something begins that is no invocation of its own: with the last one that is under way, or now. */
function beginning(): number {
  return scopes.size > 0 ? Math.max(...scopes.values()) : Date.now();
}

async function get(items: Definition<string, Value>, item: string, began: number): Promise<Got> {
  const settledBefore = settledCount;
  try {
    const { version } = await items.get(item);
    return { item, version, began, settledBefore };
  } catch (error) {
    return { item, error: textOf(error), began, settledBefore };
  }
}

async function settled(change: Promise<void>): Promise<Settled> {
  const error = await change.then(
    () => undefined,
    (thrown) => textOf(thrown),
  );
  const outcome = { at: Date.now(), settled: settledCount++ };
  return error === undefined ? outcome : { ...outcome, error };
}

function labelsOf(items: Definition<string, Value>, { items: changed = [], tags = [] }: Change) {
  return { keys: changed.map((item) => items.key(item)), tags };
}

async function open(opening: Opening): Promise<Opened> {
  const { store, connection, end } = await (opening.adapter === 'redis' ? openRedis(opening) : openPostgres(opening));
  const calls: Calls = {};
  const cache = createCache({
    l1: { maxEntries: opening.l1Entries, policy: opening.policy },
    l2: shareable(counting(store, calls)),
    maxLag: opening.maxLag,
    softLimit: opening.softLimit,
    hardLimit: opening.hardLimit,
    breaker: { cooldown: opening.cooldown },
  });
  const items = cache.define<string, Value>('item', {
    load(item, { signal }) {
      const load = loadCount++;
      signal.addEventListener('abort', () => say({ aborted: load, item }));
      say({ load, item });
      return new Promise((resolve, reject) => loads.set(load, { resolve, reject }));
    },
    tags: (_, item) => tagsOf(item),
    fresh: (_, item) => (item.startsWith('brief') ? 20 : (opening.fresh ?? '1h')),
    stale: opening.stale,
    lease: opening.lease,
    retryAfter: opening.retryAfter,
    earlyRefresh: opening.earlyRefresh ?? 0,
  });
  return { cache, items, calls, connection, end };
}

async function openRedis({ url, space, logSize, maxChanges }: Opening) {
  const client: Redis | Cluster = await connectRedis(url);
  return {
    store: redisStore(client, { namespace: space, logSize, maxChanges }),
    connection: async () => Number(await client.call('CLIENT', ['ID'])),
    end: async () => client.disconnect(),
  };
}

async function openPostgres({ url, space, logSize, maxChanges, connections = 2 }: Opening) {
  const pool = new pg.Pool({ connectionString: url, max: connections, connectionTimeoutMillis: 1_000 });
  pool.on('error', () => {});
  return {
    store: postgresStore(pool, {
      schema: space,
      ...(logSize === undefined ? {} : { logSize }),
      ...(maxChanges === undefined ? {} : { maxChanges }),
    }),
    connection: async () => Number((await pool.query('select pg_backend_pid() as pid')).rows[0].pid),
    end: () => pool.end(),
  };
}

/** The same store, with its calls counted. */
function counting(store: Store, calls: Calls): Store {
  return new Proxy(store, {
    get(target, name, receiver) {
      const member = Reflect.get(target, name, receiver);
      if (typeof member !== 'function' || name === 'open') return member;
      return (...args: unknown[]) => {
        calls[String(name)] = (calls[String(name)] ?? 0) + 1;
        return member.apply(target, args);
      };
    },
  });
}

function textOf(error: unknown): string {
  if (error instanceof CacheError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
