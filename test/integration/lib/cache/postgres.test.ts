import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { storeContract } from '../../../../lib/cache/contract.ts';
import { type PostgresPool, type PostgresStoreOptions, postgresStore } from '../../../../lib/cache/postgres.ts';
import type { NewEntry, Position, Store } from '../../../../lib/cache/store.ts';
import { startPostgres } from '../../../../local/postgres.ts';
import { freePort } from '../../../../local/process.ts';
import {
  binaries,
  createDatabase,
  createRole,
  hold,
  rolePassword,
  rowsOf,
  settled,
  type TestDatabase,
} from '../../database.ts';

let database: TestDatabase;
let schemas = 0;

beforeAll(async () => {
  database = await createDatabase({ extensions: false });
});

afterAll(async () => {
  await database?.drop();
});

const openPools = new Set<pg.Pool>();

function pool(config: pg.PoolConfig = {}): pg.Pool {
  const made = new pg.Pool({ connectionString: database.url, max: 2, ...config });
  made.on('error', () => {});
  openPools.add(made);
  return made;
}

async function endPools(): Promise<void> {
  await Promise.all([...openPools].map((open) => open.end()));
  openPools.clear();
}

afterEach(endPools);

/** A schema that no other test uses. */
const newSchema = () => `test ${schemas++}`;

const tables = ['state', 'log', 'entries', 'leases', 'counts'];
const longMs = 600_000;

function entry(key: string, position: Position, more: Partial<NewEntry> = {}): NewEntry {
  return { key, bytes: Buffer.from(key), tags: [], position, ttlMs: longMs, ...more };
}

const positionOf = async (store: Store) => (await store.read([], undefined)).position;
const isThere = async (store: Store, ...keys: string[]) =>
  (await store.read(keys, undefined)).entries.map((found) => found !== undefined);

/** Whatever a store can be asked. Each is one conversation. */
const conversations: Record<string, (store: Store) => Promise<unknown>> = {
  read: (store) => store.read(['a', 'b'], 5),
  write: (store) => store.write([entry('a', 5, { leaseToken: 'x' }), entry('b', 5)]),
  invalidate: (store) =>
    store.invalidate({ keys: ['a'], tags: ['t'] }, 5, { key: 'a', bytes: Buffer.from('a'), tags: [], ttlMs: longMs }),
  lease: (store) => store.lease('a', 'x', 1_000),
  release: (store) => store.release('a', 'x'),
  count: (store) => store.count(1, { sums: { a: 1 }, maxima: { b: 1 } }, 1_000),
  counts: (store) => store.counts(0),
  size: (store) => store.size(),
};

/** Numbers from 0 up to `below`. */
const roll = (below: number) => Math.floor(Math.random() * below);

describe('the contract of a store', () => {
  const open = (makePool: () => PostgresPool) => async (options: PostgresStoreOptions) => {
    const schema = newSchema();
    return {
      store: postgresStore(makePool(), { ...options, schema }),
      another: async () => postgresStore(makePool(), { ...options, schema }),
      lose: async () => {
        await database.run(`truncate ${tables.map((name) => `"${schema}".${name}`).join(', ')}`);
      },
      close: endPools,
    };
  };

  storeContract({ test: it, open: open(() => pool()) });

  describe('behind a pooler that gives each statement any connection, without state', () => {
    const makePool = () => {
      const connections = pool({ max: 3 });
      return {
        query: async (text: string, values?: unknown[]) => {
          const client = await connections.connect();
          try {
            await client.query('discard all');
            return await client.query(text, values);
          } finally {
            client.release();
          }
        },
      };
    };
    storeContract({ test: it, open: open(makePool) });
  });

  describe('where the default isolation is the strictest', () => {
    const strict = () => pool({ options: '-c default_transaction_isolation=serializable' });
    storeContract({ test: it, open: open(strict) });
  });
});

describe('what it sends', () => {
  it.each(Object.entries(conversations))('%s is one statement, and no prepared one', async (_, converse) => {
    const connections = pool();
    const store = postgresStore(connections, { schema: newSchema() });
    await store.read([], undefined);
    const query = vi.spyOn(connections, 'query');
    const connect = vi.spyOn(connections, 'connect');
    await converse(store);
    expect(query).toHaveBeenCalledTimes(1);
    // A name would be a property of an object in place of the text.
    expect(query.mock.calls[0]?.[0]).toBeTypeOf('string');
    expect(connect.mock.calls.length).toBeLessThanOrEqual(1);
    const [{ count }] = (await connections.query('select count(*)::int from pg_prepared_statements')).rows;
    expect(count).toBe(0);
  });

  it('leaves the settings of the connection as they were', async () => {
    const connections = pool({ max: 1 });
    const settings = async () => (await connections.query('select name, setting from pg_settings order by 1')).rows;
    const store = postgresStore(connections, { schema: newSchema(), maxEntries: 1 });
    // The language of the functions comes with settings of its own, once.
    await store.read([], undefined);
    const before = await settings();
    for (const converse of Object.values(conversations)) await converse(store);
    const position = await positionOf(store);
    await store.write([entry('a', position), entry('b', position)]);
    expect(await settings()).toEqual(before);
  });

  it('is asked many things at once with one connection', async () => {
    const store = postgresStore(pool({ max: 1 }), { schema: newSchema() });
    const all = Array.from({ length: 20 }, () => Object.values(conversations)).flat();
    await Promise.all(all.map((converse) => converse(store)));
  });

  it('looks nothing up by going through a whole table, on plans that were made when all was empty', async () => {
    const schema = newSchema();
    const filler = postgresStore(pool(), { schema });
    const client = await pool().connect();
    try {
      const store = postgresStore(client, { schema });
      for (const converse of Object.values(conversations)) await converse(store);
      const labels = Array.from({ length: 900 }, (_, index) => `label ${index}`);
      await filler.invalidate({ keys: [], tags: labels }, undefined);
      const position = await positionOf(filler);
      const keys = Array.from({ length: 2_000 }, (_, index) => `key ${index}`);
      await filler.write(keys.map((key) => entry(key, position, { tags: ['t', 'u'] })));
      const rowsPassed = async () => {
        const { rows } = await client.query(
          `select sum(seq_tup_read)::int as passed from pg_stat_xact_user_tables
           where schemaname = $1 and relname in ('entries', 'log', 'leases')`,
          [schema],
        );
        return rows[0].passed;
      };
      // Within a transaction the counters are those of this connection, and not published meanwhile.
      await client.query('begin');
      const before = await rowsPassed();
      expect((await store.read(keys.slice(0, 100), position - 1)).entries).not.toContain(undefined);
      expect((await store.read(keys.slice(0, 1), position)).entries).not.toContain(undefined);
      expect((await store.lease('key 7', 'x', 1_000)).entry).toBeDefined();
      await store.invalidate({ keys: ['key 1'], tags: [] }, position - 1);
      // Of a table with one row a planner may well read that row; of these it would read thousands.
      expect((await rowsPassed()) - before).toBeLessThan(50);
      await store.size();
      expect((await rowsPassed()) - before).toBeGreaterThan(1_000);
      await client.query('rollback');
    } finally {
      client.release();
    }
  });
});

describe('its tables', () => {
  it('are made once by ten first users at once, whatever they want', async () => {
    const schema = newSchema();
    const stores = Array.from({ length: 10 }, () => postgresStore(pool(), { schema }));
    const all = Object.values(conversations);
    await Promise.all(stores.flatMap((store, index) => [all[index % all.length], all[0]].map((ask) => ask?.(store))));
    expect(
      await rowsOf(
        database,
        `select c.relname, c.relpersistence from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = '${schema}' and c.relkind = 'r' order by 1`,
      ),
    ).toEqual([...tables].sort().map((relname) => ({ relname, relpersistence: 'u' })));
    expect(new Set(await Promise.all(stores.map(positionOf))).size).toBe(1);
  });

  it('live in a schema of any name', async () => {
    for (const schema of ['Odd "name" \\ \' $prepare$ $body$ 😀;', 'ü'.repeat(31), 'select', '%I']) {
      const store = postgresStore(pool(), { schema });
      await store.write([entry('a', await positionOf(store))]);
      expect(await isThere(store, 'a')).toEqual([true]);
      for (const converse of Object.values(conversations)) await converse(store);
    }
  });

  it('do not meet those of another schema', async () => {
    const one = postgresStore(pool(), { schema: newSchema() });
    const other = postgresStore(pool(), { schema: newSchema() });
    await one.write([entry('a', await positionOf(one))]);
    expect(await isThere(other, 'a')).toEqual([false]);
  });

  it('may be dropped while they are in use, in part or all of them', async () => {
    const schema = newSchema();
    const work = Array.from({ length: 6 }, () => postgresStore(pool(), { schema }));
    await Promise.all(work.map(positionOf));
    let dropping = true;
    const workers = work.map(async (store) => {
      const all = Object.values(conversations);
      while (dropping) {
        // A drop that locks table after table gets into deadlocks, which the server takes a second each to find.
        await all[roll(all.length)]?.(store).catch((error) => expect(error.cause).toMatchObject({ code: '55P03' }));
      }
    });
    const drops = [
      `drop schema "${schema}" cascade`,
      ...tables.map((table) => `drop table if exists "${schema}".${table}`),
      `drop function if exists "${schema}".read_v1`,
      `truncate "${schema}".state`,
    ];
    for (const drop of [...drops, ...drops]) {
      await delay(20);
      // Dropping may find nothing, or lose against the workers in a deadlock.
      await database.run(drop).catch((error) => expect(['3F000', '42P01', '40P01']).toContain(error.code));
    }
    dropping = false;
    await Promise.all(workers);
    for (const store of work) for (const converse of Object.values(conversations)) await converse(store);
  });

  it.each(tables)('never let an old value come back when "%s" is lost', async (table) => {
    const schema = newSchema();
    const store = postgresStore(pool(), { schema });
    const other = postgresStore(pool(), { schema });
    const before = await positionOf(store);
    await store.write([entry('a', before), entry('b', before, { tags: ['t'] })]);
    const { position } = await store.invalidate({ keys: [], tags: ['t'] }, before);
    expect(await isThere(store, 'a', 'b')).toEqual([true, false]);
    await database.run(`drop table "${schema}".${table}`);
    for (const converse of Object.values(conversations)) await converse(other);
    const reply = await store.read(['b'], position);
    expect(reply.entries).toEqual([undefined]);
    expect(reply.changes).toBe('lost');
    expect(reply.position).toBeGreaterThan(position);
    expect(await store.write([entry('b', before, { tags: ['t'] })])).toEqual([false]);
  });

  it('begin after all positions this process has seen, even when those have overtaken the clock', async () => {
    const schema = newSchema();
    const store = postgresStore(pool({ max: 20 }), { schema });
    const invalidate = () => store.invalidate({ keys: [], tags: ['t'] }, undefined);
    await invalidate();
    await database.run(`update "${schema}".state set position = position + 1000000`);
    const { position } = await invalidate();
    expect(position).toBeGreaterThan(Date.now());
    await database.run(`drop schema "${schema}" cascade`);
    const after = await store.read([], position);
    expect(after.position).toBeGreaterThan(position);
    expect(after.changes).toBe('lost');
  });

  it('are empty after a crash of the server, and the store works on', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'streamgate-crash-'));
    const options = { directory, port: await freePort(), ...(await binaries()), settings: { fsync: 'off' } };
    const server = await startPostgres(options);
    try {
      const connections = pool({ connectionString: server.url('postgres') });
      const store = postgresStore(connections);
      const before = await positionOf(store);
      await store.write([entry('a', before)]);
      await store.invalidate({ keys: ['b'], tags: [] }, before);
      await connections.query('checkpoint');

      // The end of one process by force makes the server start all of them anew, and recover.
      const client = await pool({ connectionString: server.url('postgres') }).connect();
      client.on('error', () => {});
      const [{ pid }] = (await client.query('select pg_backend_pid() as pid')).rows;
      process.kill(pid, 'SIGKILL');
      client.release(true);

      const reply = await vi.waitFor(
        async () => {
          const answer = await store.read(['a'], before);
          // Until the other processes are ended too, it goes on as ever.
          expect(answer.changes).toBe('lost');
          return answer;
        },
        { timeout: 30_000, interval: 20 },
      );
      expect(reply.entries).toEqual([undefined]);
      expect(reply.position).toBeGreaterThan(before);
      expect(await store.write([entry('a', before), entry('b', reply.position)])).toEqual([false, true]);
      expect(await isThere(store, 'a', 'b')).toEqual([false, true]);
    } finally {
      await endPools();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});

/** Waits until a statement waits for a lock. */
const somebodyWaits = () =>
  settled(
    database,
    `select from pg_stat_activity where datname = current_database() and state = 'active' and wait_event_type = 'Lock'`,
  );

describe('its bounds', () => {
  it('holds 1,000 entries within 5 %, and the newest of them, however many write', async () => {
    const schema = newSchema();
    const stores = Array.from({ length: 8 }, () => postgresStore(pool(), { schema, maxEntries: 1_000 }));
    const position = await positionOf(stores[0] as Store);
    let written = 0;
    let most = 0;
    await Promise.all(
      stores.map(async (store) => {
        while (written < 6_000) {
          await store.write([entry(`key ${written++}`, position)]);
          if (written % 100 < 8) most = Math.max(most, (await store.size()).entries);
        }
      }),
    );
    expect(most).toBeGreaterThan(950);
    expect(most).toBeLessThanOrEqual(1_050);
    const newest = Array.from({ length: 500 }, (_, index) => `key ${written - 1 - index}`);
    expect(await isThere(stores[0] as Store, ...newest)).not.toContain(false);
  });

  it('holds few entries exactly, however many write', async () => {
    const schema = newSchema();
    const stores = Array.from({ length: 10 }, () => postgresStore(pool(), { schema, maxEntries: 10 }));
    const position = await positionOf(stores[0] as Store);
    for (let round = 0; round < 20; round++) {
      await Promise.all(stores.map((store, index) => store.write([entry(`key ${index} ${round}`, position)])));
      expect(await stores[0]?.size()).toEqual({ entries: 10, maxEntries: 10 });
    }
  });

  it('counts what another clean-up leaves, not what it found', async () => {
    const schema = newSchema();
    const store = postgresStore(pool(), { schema, maxEntries: 1 });
    const position = await positionOf(store);
    const first = await hold(database.url, 'begin');
    try {
      await postgresStore(first.client, { schema, maxEntries: 1 }).write([entry('a', position)]);
      const waiting = store.write([entry('b', position)]);
      await somebodyWaits();
      await first.client.query('commit');
      expect(await waiting).toEqual([true]);
      expect((await store.size()).entries).toBe(1);
    } finally {
      await first.end();
    }
  });

  it('makes room of what has expired, or is from before the log', async () => {
    const schema = newSchema();
    const store = postgresStore(pool(), { schema, maxEntries: 10, logSize: 5 });
    const write = async (prefix: string, ttlMs: number) => {
      const position = await positionOf(store);
      await store.write(Array.from({ length: 5 }, (_, index) => entry(`${prefix} ${index}`, position, { ttlMs })));
    };
    await write('short', 1);
    await write('before', longMs);
    const tags = Array.from({ length: 6 }, (_, index) => `label ${index}`);
    await store.invalidate({ keys: [], tags }, undefined);
    await delay(5);
    await write('new', longMs);
    const rows = await rowsOf(database, `select convert_from(key, 'UTF8') as key from "${schema}".entries order by 1`);
    expect(rows).toEqual([0, 1, 2, 3, 4].map((index) => ({ key: `new ${index}` })));
  });

  it('remembers logSize labels, and at most 5 % more', async () => {
    const schema = newSchema();
    const connections = pool();
    const store = postgresStore(connections, { schema, logSize: 100, maxChanges: 200 });
    const positions: Position[] = [];
    for (let index = 0; index < 500; index++) {
      // Now and then one that is there already.
      const tags = [`label ${index % 7 === 0 && index > 0 ? index - 1 : index}`];
      positions.push((await store.invalidate({ keys: [], tags }, undefined)).position);
      const { rows } = await connections.query(`select count(*)::int from "${schema}".log`);
      const { count } = rows[0];
      expect(count).toBeLessThanOrEqual(105);
      if (index >= 130) expect(count).toBeGreaterThanOrEqual(100);
    }
    const { changes } = await store.read([], positions.at(-90));
    expect(changes === 'lost' ? changes : changes.tags.length).toBeGreaterThan(70);
    expect((await store.read([], positions.at(-150))).changes).toBe('lost');
  });

  it('takes an invalidation of more labels than the log holds', async () => {
    const store = postgresStore(pool(), { schema: newSchema(), logSize: 10 });
    const before = await positionOf(store);
    await store.write([entry('a', before)]);
    const tags = Array.from({ length: 50 }, (_, index) => `label ${index}`);
    const { bytes, ttlMs } = entry('b', 0);
    const reply = await store.invalidate({ keys: ['b'], tags }, before, { key: 'b', bytes, tags: [], ttlMs });
    expect(reply.changes).toBe('lost');
    expect(await isThere(store, 'a', 'b')).toEqual([false, true]);
    expect(await store.write([entry('a', before), entry('a', reply.position)])).toEqual([false, true]);
    expect((await store.read([], reply.position)).changes).toEqual({ keys: [], tags: [] });
  });

  it('tells up to maxChanges changes', async () => {
    const store = postgresStore(pool(), { schema: newSchema(), maxChanges: 3 });
    const before = await positionOf(store);
    const { changes } = await store.invalidate({ keys: ['a'], tags: ['a', 'b'] }, before);
    expect(changes === 'lost' ? changes : [changes.keys.length, changes.tags.length]).toEqual([1, 2]);
    expect((await store.invalidate({ keys: ['b'], tags: [] }, before)).changes).toBe('lost');
    expect((await store.read([], before)).changes).toBe('lost');
  });

  it('keeps for ever what is to be kept for ever', async () => {
    const store = postgresStore(pool(), { schema: newSchema() });
    await store.write([entry('a', await positionOf(store), { ttlMs: Number.MAX_VALUE })]);
    await store.lease('a', 'x', Number.MAX_VALUE);
    await store.count(1, { sums: { n: 1 }, maxima: {} }, Number.MAX_VALUE);
    expect(await isThere(store, 'a')).toEqual([true]);
    expect((await store.lease('a', 'y', 1)).granted).toBe(false);
    expect((await store.counts(0)).sums).toEqual({ n: 1 });
  });

  it('removes leases and counters that nobody asks for any more', async () => {
    const schema = newSchema();
    const connections = pool();
    const store = postgresStore(connections, { schema });
    for (let index = 0; index < 50; index++) await store.lease(`key ${index}`, 'x', 1);
    for (let index = 0; index < 50; index++) await store.count(index, { sums: { n: 1 }, maxima: {} }, 1);
    const left = `select (select count(*)::int from "${schema}".leases),
      (select count(*)::int from "${schema}".counts)`;
    // Each call does it with a chance of 1 or 2 %.
    for (let attempt = 0, done: boolean | undefined; !done; attempt++) {
      expect(attempt).toBeLessThan(5_000);
      await store.lease('another', 'x', longMs);
      await store.count(1_000, { sums: { n: 1 }, maxima: {} }, longMs);
      const { rows } = await connections.query({ text: left, rowMode: 'array' });
      done = rows[0]?.every((count: number) => count === 1);
    }
  });
});

describe('among others', () => {
  it('comes into nobody’s way: 20 clients, the same keys, and not one deadlock', async () => {
    const schema = newSchema();
    const failures: string[] = [];
    const watched = (): PostgresPool => {
      const connections = pool({ max: 1 });
      return {
        query: (text, values) =>
          connections.query(text, values).catch((error) => {
            failures.push(`${error.code} ${error.message}`);
            throw error;
          }),
      };
    };
    const first = postgresStore(pool(), { schema });
    await positionOf(first);
    const keys = Array.from({ length: 12 }, (_, index) => `key ${index}`);
    const some = () => keys.filter(() => roll(2) === 0).sort(() => roll(3) - 1);
    const until = Date.now() + 3_000;
    await Promise.all(
      Array.from({ length: 20 }, async (_, client) => {
        const store = postgresStore(watched(), { schema, maxEntries: client % 2 ? 8 : 10_000 });
        while (Date.now() < until) {
          const { position } = await store.read(some(), undefined);
          const action = roll(5);
          const one = keys[roll(keys.length)] as string;
          if (action === 0) await store.read(some(), position);
          else if (action === 1) await store.write(some().map((key) => entry(key, position, { leaseToken: 'x' })));
          else if (action === 2) await store.lease(one, roll(2) ? 'x' : 'y', 50);
          else if (action === 3) await store.count(roll(2), { sums: { b: 1, a: 1 }, maxima: { a: 1, c: 1 } }, longMs);
          else {
            const { bytes, ttlMs } = entry(one, 0);
            const replacement = roll(2) ? { key: one, bytes, tags: some(), ttlMs, leaseToken: 'x' } : undefined;
            await store.invalidate({ keys: [one, ...some()], tags: some() }, position, replacement);
          }
        }
      }),
    );
    expect(failures).toEqual([]);
  });

  it('reads what somebody has locked, and waits for two seconds at most to write it', async () => {
    const schema = newSchema();
    const store = postgresStore(pool(), { schema, maxEntries: 2 });
    const position = await positionOf(store);
    await store.write([entry('a', position), entry('b', position)]);
    const lock = await hold(database.url, 'begin', `select from "${schema}".entries where key = 'a' for update`);
    try {
      const started = performance.now();
      expect(await isThere(store, 'a', 'b')).toEqual([true, true]);
      await store.invalidate({ keys: ['a'], tags: [] }, undefined);
      expect(await isThere(store, 'a', 'b')).toEqual([false, true]);
      expect(performance.now() - started).toBeLessThan(1_000);
      await expect(store.write([entry('a', await positionOf(store))])).rejects.toMatchObject({
        code: 'level-unreachable',
        message: expect.stringContaining('holds a lock'),
      });
    } finally {
      await lock.end();
    }
    expect(await store.write([entry('a', await positionOf(store))])).toEqual([true]);
  });

  it('removes the entries of all keys, before and after that of the replacement', async () => {
    const store = postgresStore(pool(), { schema: newSchema() });
    const position = await positionOf(store);
    await store.write(['a', 'b', 'c', 'd'].map((key) => entry(key, position)));
    const { bytes, ttlMs } = entry('new', 0);
    await store.invalidate({ keys: ['c', 'a', 'b'], tags: [] }, undefined, { key: 'b', bytes, tags: [], ttlMs });
    expect((await store.size()).entries).toBe(2);
    expect(await isThere(store, 'a', 'b', 'c', 'd')).toEqual([false, true, false, true]);
  });

  it('grants a lease that was waited for with the entry of its last holder', async () => {
    const schema = newSchema();
    const store = postgresStore(pool(), { schema });
    const { position } = await store.lease('a', 'one', 1);
    await delay(5);
    // The holder is late: it writes, and ends its lease, while the next one already waits for that.
    const holder = await hold(database.url, 'begin');
    try {
      await postgresStore(holder.client, { schema }).write([entry('a', position, { leaseToken: 'one' })]);
      const waiting = store.lease('a', 'two', 1_000);
      await somebodyWaits();
      await holder.client.query('commit');
      const { granted, entry: found } = await waiting;
      expect([granted, String(found?.bytes)]).toEqual([true, 'a']);
    } finally {
      await holder.end();
    }
  });

  it('does not grant a lease that it waited for, when somebody else got it', async () => {
    const schema = newSchema();
    const store = postgresStore(pool(), { schema });
    await positionOf(store);
    const first = await hold(database.url, 'begin');
    try {
      expect((await postgresStore(first.client, { schema }).lease('a', 'one', longMs)).granted).toBe(true);
      const waiting = store.lease('a', 'two', longMs);
      await somebodyWaits();
      await first.client.query('commit');
      expect((await waiting).granted).toBe(false);
    } finally {
      await first.end();
    }
  });

  it('tells all changes up to its position to an invalidation that waited for another', async () => {
    const schema = newSchema();
    const store = postgresStore(pool(), { schema });
    const start = await positionOf(store);
    const first = await hold(database.url, 'begin');
    try {
      await postgresStore(first.client, { schema }).invalidate({ keys: [], tags: ['one'] }, undefined);
      const waiting = store.invalidate({ keys: [], tags: ['two'] }, start);
      await somebodyWaits();
      await first.client.query('commit');
      const reply = await waiting;
      expect(reply.position).toBe(start + 2);
      expect(reply.changes).toEqual({
        keys: [],
        tags: [
          ['one', start + 1],
          ['two', start + 2],
        ],
      });
    } finally {
      await first.end();
    }
  });
});

describe('what it says when it cannot be', () => {
  it('names the statement that an administrator is to run, which is enough', async () => {
    const database = await createDatabase({ extensions: false });
    const name = `cache role ${process.pid}`;
    const role = await createRole(name);
    try {
      const store = postgresStore(pool({ connectionString: database.as(name, rolePassword) }), { schema: 'my cache' });
      const error = await store.read([], undefined).catch((reason) => reason);
      expect(error).toMatchObject({ name: 'CacheError', code: 'level-unreachable', cause: { code: '42501' } });
      const [, statement = ''] = /Let an administrator run: (.*)$/.exec(error.message) ?? [];
      expect(statement).toBe(`CREATE SCHEMA "my cache" AUTHORIZATION "${name}"`);
      await database.run(statement);
      for (const converse of Object.values(conversations)) await converse(store);

      await database.run('create schema theirs', `grant usage on schema theirs to "${name}"`);
      const other = postgresStore(pool({ connectionString: database.as(name, rolePassword) }), { schema: 'theirs' });
      await expect(other.size()).rejects.toMatchObject({
        code: 'level-unreachable',
        message: expect.stringContaining(`Let an administrator run: GRANT USAGE, CREATE ON SCHEMA theirs TO "${name}"`),
      });

      await postgresStore(pool({ connectionString: database.url }), { schema: 'foreign' }).size();
      const third = postgresStore(pool({ connectionString: database.as(name, rolePassword) }), { schema: 'foreign' });
      await expect(third.read(['a'], 1)).rejects.toMatchObject({
        code: 'level-unreachable',
        message: expect.stringMatching(/permission denied for schema foreign\. Let all processes log in with the role/),
      });
    } finally {
      await endPools();
      await database.drop();
      await role.drop();
    }
  });

  it('says that a server only reads', async () => {
    const store = postgresStore(pool({ options: '-c default_transaction_read_only=on' }), { schema: newSchema() });
    await expect(store.read([], undefined)).rejects.toMatchObject({
      code: 'level-unreachable',
      message: expect.stringContaining('Connect to the primary server'),
    });
  });

  it('says that nobody answers', async () => {
    const store = postgresStore(pool({ connectionString: `postgres://nobody@localhost:${await freePort()}/none` }));
    for (const converse of Object.values(conversations)) {
      await expect(converse(store)).rejects.toMatchObject({
        code: 'level-unreachable',
        message: expect.stringContaining('ECONNREFUSED'),
        cause: expect.anything(),
      });
    }
  });

  it('does not take tables of somebody else for its own', async () => {
    const schema = newSchema();
    await database.run(`create schema "${schema}"`, `create table "${schema}".entries (id int primary key)`);
    const store = postgresStore(pool(), { schema });
    await expect(store.read(['a'], undefined)).rejects.toMatchObject({
      code: 'option-invalid',
      message: expect.stringContaining('option "schema"'),
    });
    expect(
      await rowsOf(database, `select * from information_schema.tables where table_schema = '${schema}'`),
    ).toHaveLength(1);
  });

  it('refuses options that there are not, or that cannot be', () => {
    const refused: Array<[PostgresStoreOptions | Record<string, unknown>, string]> = [
      [{ scheme: 'x' }, '"scheme"'],
      [{ maxEntries: 0 }, 'maxEntries: 0'],
      [{ maxEntries: 1.5 }, 'maxEntries: 1.5'],
      [{ logSize: -1 }, 'logSize: -1'],
      [{ maxChanges: Number.NaN }, 'maxChanges: NaN'],
      [{ schema: '' }, 'schema: ""'],
      [{ schema: 5 }, 'schema: 5'],
      [{ schema: 'a\0b' }, 'schema: "a\\u0000b"'],
      [{ schema: 'pg_cache' }, 'schema: "pg_cache"'],
      [{ schema: 'x'.repeat(64) }, 'longer than 63 bytes'],
    ];
    for (const [options, message] of refused) {
      expect(() => postgresStore(pool(), options as PostgresStoreOptions)).toThrowError(
        expect.objectContaining({
          name: 'CacheError',
          code: 'option-invalid',
          message: expect.stringContaining(message),
        }),
      );
    }
    expect(() => postgresStore('postgres://localhost' as unknown as PostgresPool)).toThrowError(/Give it a pg.Pool/);
  });
});
