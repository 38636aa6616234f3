import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { collectQueries } from '../../../../lib/queries/collect.ts';
import {
  type QueryTracker,
  type RepeatedStatement,
  type SlowCall,
  type TrackedStatement,
  trackQueries,
} from '../../../../lib/queries/track.ts';
import { createDatabase, type TestDatabase, withSession } from '../../database.ts';

let database: TestDatabase;
let pool: pg.Pool;
let tracker: QueryTracker;
const slow: SlowCall[] = [];
const repeated: RepeatedStatement[] = [];

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create table item (id int primary key, name text)',
    "insert into item select g, 'name ' || g from generate_series(1, 100) g",
  );
});

afterAll(() => database?.drop());

beforeEach(() => {
  slow.length = 0;
  repeated.length = 0;
  pool = new pg.Pool({ connectionString: database.url, max: 3 });
  pool.on('error', () => {});
  tracker = track(pool);
});

afterEach(async () => {
  tracker.stop();
  await pool.end();
});

function track(target: pg.Pool | pg.Client, slowMs = 60_000): QueryTracker {
  return trackQueries(target, {
    slowMs,
    onSlow: (call) => slow.push(call),
    onRepeated: (found) => repeated.push(found),
  });
}

/** The only statement, or the only one that has such a text. */
async function one(pattern = /./): Promise<TrackedStatement> {
  const found = (await tracker.stats()).filter(({ query }) => pattern.test(query));
  expect(found).toHaveLength(1);
  return found[0] as TrackedStatement;
}

/** The same on a pool that is tracked, and on one that is not. */
async function asWithout<Result>(work: (on: pg.Pool) => Promise<Result>): Promise<Result> {
  const plain = new pg.Pool({ connectionString: database.url, max: 3 });
  plain.on('error', () => {});
  try {
    const results: Result[] = [];
    for (const on of [plain, pool]) results.push(await work(on));
    expect(results[1]).toEqual(results[0]);
    return results[1] as Result;
  } finally {
    await plain.end();
  }
}

const told = (error: unknown) => {
  const { name, message, code } = error as Error & { code?: string };
  return { name, message, code };
};

describe('every form of a query answers as without tracking, and is counted once', () => {
  const text = 'select id, name from item where id < $1 order by id';

  test.each<[string, (on: pg.Pool) => Promise<unknown>]>([
    ['a text and values', (on) => on.query(text, [4])],
    ['a configuration', (on) => on.query({ text, values: [4] })],
    ['a configuration and values', (on) => on.query({ text }, [4])],
    ['a prepared statement', (on) => on.query({ name: 'items', text, values: [4] })],
    ['rows as arrays', (on) => on.query({ text, values: [4], rowMode: 'array' })],
    ['portals', (on) => on.query({ text, values: [4], rows: 2 } as pg.QueryConfig)],
    [
      'a callback',
      (on) =>
        new Promise((resolve, reject) =>
          on.query(text, [4], (error, result) => (error ? reject(error) : resolve(result))),
        ),
    ],
    [
      'a configuration and a callback',
      (on) => new Promise((resolve) => on.query({ text, values: [4] }, (_, result) => resolve(result))),
    ],
    ['a client', (on) => onClient(on, (client) => client.query(text, [4]))],
    [
      'a client with a callback',
      (on) =>
        onClient(on, (client) => new Promise((resolve) => client.query(text, [4], (_, result) => resolve(result)))),
    ],
    [
      'a client with a callback in the configuration',
      (on) =>
        onClient(
          on,
          (client) =>
            new Promise((resolve) => {
              const callback = (_: Error, result: pg.QueryResult) => resolve(result);
              const config = Object.freeze({ text, values: [4], callback });
              expect(client.query(config)).toBeUndefined();
            }),
        ),
    ],
    [
      'a configuration whose text is inherited',
      (on) => {
        class Sql {
          get text() {
            return text;
          }
          get values() {
            return [4];
          }
        }
        return on.query(new Sql());
      },
    ],
  ])('%s', async (form, work) => {
    const { rows, rowCount } = (await asWithout(async (on) => simplified(await work(on)))) as pg.QueryResult;
    expect(rows).toHaveLength(3);
    expect(rowCount).toBe(form === 'portals' ? 1 : 3);
    const found = await one();
    expect(found).toMatchObject({ query: text, calls: 1, errors: 0, rows: 3 });
    expect(found.totalMs).toBeGreaterThan(0);
    expect(found.maxMs).toBe(found.totalMs);
    expect((found.p50Ms ?? 0) / found.totalMs).toBeCloseTo(1, 0);
  });

  test('a query object, and its events', async () => {
    const events = await asWithout((on) =>
      onClient(on, async (client) => {
        const query = client.query(new pg.Query(text, [4]));
        const rows: unknown[] = [];
        query.on('row', (row) => rows.push(row));
        const [result] = await once(query, 'end');
        expect(Object.keys(query)).not.toContain('handleReadyForQuery');
        return { rows, command: (result as pg.QueryResult).command };
      }),
    );
    expect(events.rows).toHaveLength(3);
    expect(await one()).toMatchObject({ query: text, calls: 1, rows: 3 });
  });

  test('a query object, through the pool', async () => {
    await asWithout(async (on) => simplified(await on.query(new pg.Query(text, [4]) as never)));
    expect(await one()).toMatchObject({ calls: 1, rows: 3 });
  });

  test('a cursor, counted when it was read to its end', async () => {
    const read = await asWithout((on) => onClient(on, (client) => readInTwos(client, text, [6])));
    expect(read.map((rows) => rows.length)).toEqual([2, 2, 1]);
    expect(await one()).toMatchObject({ query: text, calls: 1, rows: 5 });
  });

  test('a stream that reads a cursor', async () => {
    const read = await asWithout((on) => onClient(on, (client) => readInTwos(client, text, [4], streamOf)));
    expect(read.flat()).toHaveLength(3);
    expect(await one()).toMatchObject({ query: text, calls: 1, rows: 3 });
  });

  test('a query object that nobody may change, uncounted', async () => {
    const read = await asWithout((on) => onClient(on, (client) => readInTwos(client, text, [4], Object.freeze)));
    expect(read.flat()).toHaveLength(3);
    expect(await tracker.stats()).toEqual([]);
  });

  test('several statements in a text', async () => {
    await asWithout(async (on) =>
      simplified(await on.query("select 1; select name from item where id = 5; select 'x'")),
    );
    expect(await one()).toMatchObject({
      calls: 1,
      rows: 3,
      query: 'select $1; select name from item where id = $2; select $3',
    });
  });

  test('what changes rows has those that it changed', async () => {
    await asWithout(async (on) => simplified(await on.query('update item set name = name where id <= 7')));
    expect(await one()).toMatchObject({ rows: 7 });
    await onClient(pool, (client) =>
      once(client.query(new pg.Query('update item set name = name where id <= 8')), 'end'),
    );
    expect(await one()).toMatchObject({ calls: 2, rows: 15 });
  });

  test('an empty text', async () => {
    await asWithout(async (on) => simplified(await on.query('')));
    expect(await one(/^$/)).toMatchObject({ calls: 1, rows: 0 });
  });
});

describe('what goes wrong goes wrong as without tracking', () => {
  test.each<[string, (on: pg.Pool) => Promise<unknown>]>([
    ['an error of the server', (on) => on.query('select 1 / $1::int', [0])],
    ['an error in a client', (on) => onClient(on, (client) => client.query('select 1 / $1::int', [0]))],
    [
      'an error of a query object',
      (on) => onClient(on, (client) => once(client.query(new pg.Query('select 1 / 0')), 'end')),
    ],
    ['a callback', (on) => new Promise((_, reject) => on.query('select 1 / 0', (error) => reject(error)))],
    [
      'values that cannot be sent',
      (on) =>
        on.query('select $1::text', [
          {
            toPostgres: () => {
              throw new Error('no');
            },
          },
        ]),
    ],
    ['a timeout of the client', (on) => on.query({ text: 'select pg_sleep(2)', query_timeout: 30 } as pg.QueryConfig)],
    [
      'a timeout of the server',
      (on) =>
        onClient(on, async (client) => {
          await client.query('begin');
          await client.query('set local statement_timeout = 30');
          await client.query('select pg_sleep(2)').finally(() => client.query('rollback'));
        }),
    ],
  ])('%s', async (_, work) => {
    await asWithout(async (on) => work(on).then(() => undefined, told));
    const failed = (await tracker.stats()).filter(({ errors }) => errors > 0);
    expect(failed).toMatchObject([{ calls: 1, errors: 1, rows: 0 }]);
  });

  test.each<[string, (on: pg.Pool) => unknown]>([
    ['nothing', (on) => onClient(on, (client) => client.query(null as never))],
    ['a function', (on) => on.query((() => {}) as never)],
    ['a configuration without a text', (on) => on.query({} as never)],
    ['a callback that is none', (on) => onClient(on, async (client) => client.query('select 1', [], 'x' as never))],
  ])('%s is asked for', async (_, work) => {
    await asWithout(async (on) => {
      try {
        return await work(on);
      } catch (error) {
        return told(error);
      }
    });
  });

  test('a connection that breaks', async () => {
    await asWithout((on) =>
      on.query('select pg_terminate_backend(pg_backend_pid())').then(
        () => undefined,
        (error) => (error as Error).message !== '',
      ),
    );
    expect(await one()).toMatchObject({ calls: 1, errors: 1 });
    expect((await pool.query('select 5 as n')).rows).toEqual([{ n: 5 }]);
  });

  test('a pool that has ended, or finds no server: that is counted without a time', async () => {
    const lost = new pg.Pool({ connectionString: 'postgres://127.0.0.1:1/none' });
    const lostTracker = track(lost);
    await expect(lost.query('select 1')).rejects.toThrow();
    await lost.end();
    await expect(lost.query('select 1')).rejects.toThrow('Cannot use a pool after calling end');
    expect(await lostTracker.stats()).toMatchObject([{ calls: 2, errors: 2, totalMs: 0, p95Ms: null }]);
  });

  test('an error that nobody catches is still an unhandled rejection', async () => {
    const unhandled = vi.fn();
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', unhandled);
    try {
      void pool.query('select 1 / 0');
      void onClient(pool, async (client) => {
        void client.query('select 2 / 0');
      });
      await vi.waitFor(() => expect(unhandled).toHaveBeenCalledTimes(2));
    } finally {
      process.off('unhandledRejection', unhandled);
      for (const listener of others) process.on('unhandledRejection', listener);
    }
  });

  test.each<[string, (on: pg.Pool) => Promise<unknown>]>([
    ['a pool', (on) => on.query('select 1 / 0')],
    ['a client', (on) => onClient(on, (client) => client.query('select 1 / 0'))],
    [
      'a pool that finds no server',
      async () => {
        const lost = new pg.Pool({ connectionString: 'postgres://127.0.0.1:1/none' });
        const lostTracker = track(lost);
        await lost.connect().finally(() => lostTracker.stop());
      },
    ],
  ])('an error leads to the line that asked %s', async (_, work) => {
    const linesOf = async (on: pg.Pool) => {
      // The line from which both are asked.
      const error = await failureOf(work, on);
      return error.stack?.split('\n').filter((line) => line.includes('track.test.ts'));
    };
    const lines = await asWithout(linesOf);
    expect(lines?.join()).toContain('failureOf');
  });

  test('a connection that is given back as broken', async () => {
    await asWithout(async (on) => {
      const client = await on.connect();
      await client.query('select 1');
      client.release(true);
      expect(() => client.release()).toThrow('already been released');
      return [on.totalCount, simplified(await on.query('select 1 as n'))];
    });
    expect(await one()).toMatchObject({ calls: 2, errors: 0 });
  });

  test('a query object that cannot be submitted', async () => {
    const error = new Error('submit');
    const query = {
      text: 'select 1',
      submit() {
        throw error;
      },
      handleError() {},
      handleReadyForQuery() {},
    };
    const client = await pool.connect();
    expect(() => client.query(query as never)).toThrow(error);
    client.release(true);
    expect(await one()).toMatchObject({ calls: 1, errors: 1 });
  });

  test('another query in the callback of one that cannot be submitted', async () => {
    // What is new is submitted only later.
    await pool.query('begin');
    const client = await pool.connect();
    const idle = await pool.connect();
    idle.release();
    const query = {
      text: 'select a',
      submit() {
        throw new Error('submit');
      },
      handleError() {},
      handleReadyForQuery() {},
    };
    const other = new Promise((resolve) =>
      // biome-ignore lint/suspicious/noExplicitAny: types have no callback for query objects
      (pool.query as any)(query, [], () => resolve(client.query('select b'))),
    );
    await other.catch(told);
    client.release();
    expect(await one(/select a/)).toMatchObject({ calls: 1, errors: 1 });
    expect(await one(/select b/)).toMatchObject({ calls: 1, errors: 1 });
  });

  test('a query object that takes too long', async () => {
    const query = () => Object.assign(new pg.Query('select pg_sleep(2)'), { query_timeout: 30 });
    await asWithout(async (on) => {
      const client = await on.connect();
      const result = await once(client.query(query()), 'end').catch(told);
      client.release(true);
      return result;
    });
    expect(await one()).toMatchObject({ calls: 1, errors: 1 });
  });

  test.each(['text', 'values', 'callback'])('a configuration whose %s cannot be read', async (property) => {
    const config = () =>
      Object.defineProperty({ text: 'select 1', values: [] }, property, {
        enumerable: true,
        get() {
          throw new Error(`no ${property}`);
        },
      }) as pg.QueryConfig;
    await asWithout(async (on) => {
      const outcomes: unknown[] = [];
      const promise = on.query(config());
      outcomes.push(await promise.then(() => 'answered', told));
      const client = await on.connect();
      try {
        outcomes.push(simplified(await client.query(config())));
      } catch (error) {
        outcomes.push(told(error));
      }
      client.release(true);
      return outcomes;
    });
  });

  test('a callback that throws', async () => {
    const uncaught = vi.fn();
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', uncaught);
    try {
      await onClient(pool, async (client) => {
        client.query('select 1', () => {
          throw new Error('callback');
        });
        await vi.waitFor(() => expect(uncaught).toHaveBeenCalledOnce());
        expect(uncaught.mock.calls[0]?.[0]).toMatchObject({ message: 'callback' });
        expect((await client.query('select 2')).rowCount).toBe(1);
      });
    } finally {
      process.off('uncaughtException', uncaught);
      for (const listener of others) process.on('uncaughtException', listener);
    }
    expect(await one()).toMatchObject({ calls: 2, errors: 0 });
  });
});

describe('nobody can tell that there is tracking', () => {
  test('by what callbacks are called with', async () => {
    await asWithout(async (on) => {
      const calls: unknown[] = [];
      const client = await on.connect();
      const recorded = (name: string, resolve: () => void) =>
        function (this: unknown, ...given: unknown[]) {
          const self = this === undefined ? 'nothing' : (this as object).constructor.name;
          calls.push([name, self, given.length, given[0] instanceof Error ? told(given[0]) : given[0]]);
          resolve();
        };
      const called = (work: (resolve: () => void) => void) => new Promise<void>(work);
      await called((done) => client.query('select 1', recorded('client', done)));
      await called((done) => client.query('select 1', [], recorded('client with values', done)));
      await called((done) => client.query('select 1 / 0', recorded('client, failing', done)));
      await called((done) => on.query('select 1', recorded('pool', done)));
      await called((done) => on.query('select 1 / 0', [], recorded('pool, failing', done)));
      await called((done) =>
        on.connect((error, _, release) => {
          recorded('connect', done).call(undefined, error);
          release();
        }),
      );
      client.release();
      return calls;
    });
  });

  test('by the order of answers', async () => {
    await asWithout((on) =>
      onClient(on, async (client) => {
        const order: string[] = [];
        const note = (name: string) => () => {
          order.push(name);
        };
        const answers = [
          client.query('select 1').then(note('promise')),
          new Promise<void>((resolve) =>
            client.query('select 2', () => {
              note('callback')();
              resolve();
            }),
          ),
          client.query('select 1 / 0').catch(note('error')),
          once(client.query(new pg.Query('select 3')), 'end').then(note('query')),
          client.query('select 4').then(note('another promise')),
        ];
        await Promise.all(answers);
        return order;
      }),
    );
  });

  test('by the class of promises', async () => {
    class OwnPromise<Result> extends Promise<Result> {}
    await asWithout(async (on) => {
      const own = new pg.Pool({ ...on.options, Promise: OwnPromise });
      const ownTracker = on === pool ? track(own) : undefined;
      const promises = [own.query('select 1'), own.connect()] as const;
      const client = await promises[1];
      const all = [...promises, client.query('select 1')];
      await Promise.all(all);
      client.release();
      ownTracker?.stop();
      await own.end();
      return all.map((promise) => promise instanceof OwnPromise);
    });
  });

  test('by the context that answers come in', async () => {
    const context = new AsyncLocalStorage<string>();
    await asWithout(async (on) =>
      context.run('outer', async () => {
        const seen: unknown[] = [];
        const see = () => seen.push(context.getStore());
        const client = await on.connect();
        await context.run('inner', async () => {
          await on.query('select 1');
          see();
          await client.query('select 1').then(see);
          await new Promise<void>((resolve) =>
            client.query('select 1', () => {
              see();
              resolve();
            }),
          );
        });
        see();
        client.release();
        return seen;
      }),
    );
  });

  test('by timers or whatever else keeps a process running', () => {
    const before = process.getActiveResourcesInfo().toSorted();
    const other = new pg.Pool();
    const otherTracker = trackQueries(other);
    otherTracker.invocation();
    expect(process.getActiveResourcesInfo().toSorted()).toEqual(before);
  });
});

describe('waiting for a connection', () => {
  test('is counted, whoever waits', async () => {
    const held = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    const before = tracker.connections();
    expect(before).toMatchObject({ calls: 3, errors: 0 });
    const waiting = [
      pool.query('select 1'),
      pool.connect().then((client) => client.release()),
      new Promise<void>((resolve) =>
        pool.connect((_, __, release) => {
          release();
          resolve();
        }),
      ),
    ];
    for (const client of held) client.release();
    await Promise.all(waiting);
    const { calls, totalMs, maxMs, p50Ms } = tracker.connections();
    expect(calls).toBe(6);
    expect(totalMs).toBeGreaterThan(before.totalMs);
    expect(maxMs).toBeLessThanOrEqual(totalMs);
    expect(p50Ms).toBeGreaterThan(0);
    expect((await one()).waitMs).toBeLessThan(totalMs);
  });

  test('belongs to the scope that waits', async () => {
    const report = await tracker.run(async (scope) => {
      await onClient(pool, async () => {});
      await pool.query('select 1');
      return scope.end();
    });
    expect(report.waitMs).toBeCloseTo(tracker.connections().totalMs, 6);
    await pool.query('select 1');
    expect(report.waitMs).toBeLessThan(tracker.connections().totalMs);
  });

  test('in vain is counted as such', async () => {
    const full = new pg.Pool({ connectionString: database.url, max: 1 });
    const fullTracker = track(full);
    const held = await full.connect();
    full.options.connectionTimeoutMillis = 20;
    await expect(full.query('select 1')).rejects.toThrow('timeout exceeded');
    await expect(full.connect()).rejects.toThrow('timeout exceeded');
    await expect(new Promise((_, reject) => full.connect((error) => reject(error)))).rejects.toThrow(
      'timeout exceeded',
    );
    held.release();
    expect(fullTracker.connections()).toMatchObject({ calls: 4, errors: 3 });
    const [statement] = await fullTracker.stats();
    expect(statement).toMatchObject({ calls: 1, errors: 1, meanMs: null });
    expect(statement?.waitMs).toBeGreaterThan(0);
    await full.end();
  });
});

describe('what is told', () => {
  /** From here on every call is slow. */
  const everythingIsSlow = () => {
    tracker.stop();
    tracker = track(pool, 0);
  };

  test('are no values and no constants', async () => {
    everythingIsSlow();
    const secret = 'SeCrEt42';
    await pool.query(`select * from item where name = '${secret}' -- ${secret}`);
    await pool.query('select * from item where name = $1', [secret]);
    await pool.query(`select '${secret}'::int`).catch(() => {});
    await tracker.run(async () => {
      for (let i = 0; i < 12; i++) await pool.query('select $1::text', [`${secret}${i}`]);
    });
    expect(slow).toHaveLength(15);
    expect(repeated).toHaveLength(1);
    expect(JSON.stringify([await tracker.stats(), slow, repeated])).not.toContain(secret);
  });

  test('are slow calls, with their time', async () => {
    everythingIsSlow();
    await pool.query('select 5 from item');
    await pool.query('select 1 / 0').catch(() => {});
    expect(slow).toMatchObject([
      { query: 'select $1 from item', rows: 100, failed: false },
      { query: 'select $1 / $2', rows: 0, failed: true },
    ]);
    const found = await one(/item/);
    expect(found).toMatchObject({ slowCalls: 1, totalMs: slow[0]?.ms });
    expect(new Date(slow[0]?.at ?? '').toISOString()).toBe(slow[0]?.at);
  });

  test('are no calls that are quick', async () => {
    await pool.query('select 1');
    expect(slow).toEqual([]);
    expect(await one()).toMatchObject({ slowCalls: 0 });
  });

  test('is the same statement that an audit knows', async () => {
    await pool.query('select name from item where id = $1 and name <> $2', [1, 'x']);
    const { fingerprint } = await one();
    const { statements } = await withSession(database.url, collectQueries);
    const known = statements.find(({ query }) => query.startsWith('select name from item where id = $1 and name <>'));
    expect(fingerprint).toBe(known?.fingerprint);
    expect(fingerprint).not.toBeNull();
  });

  test('a listener that throws is a warning, and no fault of the query', async () => {
    const other = new pg.Pool({ connectionString: database.url });
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    trackQueries(other, {
      slowMs: 0,
      onSlow: () => {
        throw new Error('listener');
      },
    });
    expect((await other.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    expect(warned).toHaveBeenCalledWith(expect.objectContaining({ message: 'listener' }));
    warned.mockRestore();
    await other.end();
  });
});

describe('a statement that is asked again and again', () => {
  const lookUp = async (ids: number[]) => {
    for (const id of ids) await pool.query('select name from item where id = $1', [id]);
  };
  const ids = Array.from({ length: 15 }, (_, i) => i);

  test('is found in its scope, with the line that asks', async () => {
    const report = await tracker.run(async (scope) => {
      await pool.query('select id from item');
      await lookUp(ids);
      return scope.end();
    });
    expect(report).toMatchObject({ calls: 16, errors: 0, repeated });
    expect(repeated).toMatchObject([{ query: 'select name from item where id = $1', calls: 15 }]);
    expect(repeated[0]?.place).toMatch(/^test[\\/]integration[\\/]lib[\\/]queries[\\/]track\.test\.ts:\d+:\d+$/);
    expect(repeated[0]?.totalMs).toBeGreaterThan(0);
    expect((await one(/name/)).repeated).toEqual({
      invocations: 1,
      mostCalls: 15,
      kind: 'n-plus-one',
      place: repeated[0]?.place,
    });
    expect((await one(/select id/)).repeated).toBeNull();
  });

  test('is found when all are asked at once, with fewer connections than questions', async () => {
    await tracker.run(() => Promise.all(ids.map((id) => pool.query('select name from item where id = $1', [id]))));
    expect(repeated).toMatchObject([{ calls: 15, place: expect.stringContaining('track.test.ts') }]);
    expect((await one()).waitMs).toBeGreaterThan(0);
  });

  test('is found on a client, in a transaction that is not', async () => {
    await tracker.run(() =>
      onClient(pool, async (client) => {
        for (const id of ids) {
          await client.query('begin');
          await client.query('update item set name = name where id = $1', [id]);
          await client.query('commit');
        }
      }),
    );
    expect(repeated).toMatchObject([{ query: 'update item set name = name where id = $1', kind: 'row-by-row' }]);
  });

  test('belongs to the scope that asked, however many wait for a connection', async () => {
    const reports = await Promise.all(
      [3, 5, 11, 12].map((count) =>
        tracker.run(async (scope) => {
          await Promise.all(ids.slice(0, count).map((id) => pool.query('select name from item where id = $1', [id])));
          return scope.end();
        }),
      ),
    );
    expect(reports.map(({ calls }) => calls)).toEqual([3, 5, 11, 12]);
    expect(repeated.map(({ calls }) => calls).sort()).toEqual([11, 12]);
  });

  test('is another matter when it asks the same', async () => {
    await tracker.run(() => lookUp(new Array(15).fill(7)));
    expect(repeated).toMatchObject([{ calls: 15, kind: 'same-values' }]);
  });

  test('is of the worst of its scopes', async () => {
    for (const count of [12, 15, 10, 3]) await tracker.run(() => lookUp(ids.slice(0, count)));
    expect((await one()).repeated).toMatchObject({ invocations: 3, mostCalls: 15 });
  });

  test('is not found in a batch whose items are scopes of their own', async () => {
    await tracker.run(async () => {
      for (const id of ids) await tracker.run(() => lookUp([id]));
    });
    expect(repeated).toEqual([]);
  });

  test('is not, without a scope', async () => {
    await lookUp(ids);
    expect(repeated).toEqual([]);
    expect(await one()).toMatchObject({ calls: 15 });
  });

  test('is found in an invocation that is begun and ended', async () => {
    const invocation = tracker.invocation({ awsRequestId: 'r-1' });
    await lookUp(ids);
    expect(invocation.end()).toMatchObject({ requestId: 'r-1', calls: 15, repeated: [{ calls: 15 }] });
  });
});

describe('many at once', () => {
  test('are all counted, each with its own answer', async () => {
    const numbers = Array.from({ length: 200 }, (_, i) => i);
    const answers = await Promise.all(
      numbers.map(async (n) => {
        if (n % 10 === 0) return pool.query('select $1::int / 0', [n]).catch(() => 'failed');
        return (await pool.query('select $1::int as n', [n])).rows[0]?.n;
      }),
    );
    expect(answers).toEqual(numbers.map((n) => (n % 10 === 0 ? 'failed' : n)));
    expect(await one(/as n/)).toMatchObject({ calls: 180, errors: 0, rows: 180 });
    expect(await one(/int \//)).toMatchObject({ calls: 20, errors: 20, rows: 0 });
  });

  test('may wait in the queue of one client', async () => {
    await onClient(pool, async (client) => {
      const answers = await Promise.all([1, 2, 3].map((n) => client.query('select $1::int as n', [n])));
      expect(answers.map(({ rows }) => rows[0].n)).toEqual([1, 2, 3]);
    });
    expect(await one()).toMatchObject({ calls: 3, waitMs: 0 });
  });
});

describe('a pipeline', () => {
  test('answers as without tracking, and each query is counted', async () => {
    const answers = await asWithout(async (on) => {
      const piped = new pg.Pool({ ...on.options, pipeline: true } as pg.PoolConfig);
      const pipedTracker = on === pool ? track(piped) : undefined;
      const client = await piped.connect();
      const all = await Promise.all(
        [1, 2, 0, 3].map((n) => client.query('select 6 / $1::int as n', [n]).then(simplified, told)),
      );
      client.release();
      if (pipedTracker) {
        expect(await pipedTracker.stats()).toMatchObject([{ calls: 4, errors: 1, rows: 3 }]);
      }
      await piped.end();
      return all;
    });
    expect(answers).toHaveLength(4);
  });
});

describe('tracking', () => {
  test('happens once, however often it is asked for', async () => {
    expect(trackQueries(pool)).toBe(tracker);
    await onClient(pool, async (client) => {
      expect(trackQueries(client)).toBe(tracker);
      await client.query('select 1');
    });
    expect(await one()).toMatchObject({ calls: 1 });
  });

  test('ends, and leaves nothing behind', async () => {
    const [poolKeys, listeners] = [Object.keys(pool), pool.listenerCount('acquire')];
    await pool.query('select 1');
    const client = await pool.connect();
    tracker.stop();
    expect(Object.getOwnPropertyNames(client)).not.toContain('query');
    expect(Object.getOwnPropertyNames(pool)).not.toContain('query');
    expect(Object.getOwnPropertyNames(pool)).not.toContain('connect');
    expect(Object.keys(pool)).toEqual(poolKeys);
    expect(pool.listenerCount('acquire')).toBe(listeners - 1);
    await client.query('select 2');
    client.release();
    await pool.query('select 3');
    expect(await one()).toMatchObject({ calls: 1 });
  });

  test('can begin anew', async () => {
    await pool.query('select 1');
    tracker.stop();
    tracker = track(pool);
    await pool.query('select 1');
    await onClient(pool, (client) => client.query('select 1'));
    expect(await one()).toMatchObject({ calls: 2 });
  });

  test('ends below what somebody else has put on top', async () => {
    const ours = pool.query;
    const theirs = vi.fn(function (this: pg.Pool, ...given: unknown[]) {
      return Reflect.apply(ours, this, given);
    });
    Object.assign(pool, { query: theirs });
    tracker.stop();
    await pool.query('select 1');
    expect(theirs).toHaveBeenCalledOnce();
    expect(await tracker.stats()).toEqual([]);
  });

  test('of a pool that answers by itself leaves what comes after alone', async () => {
    class Answering extends pg.Pool {
      override query(): never {
        return Promise.resolve('kept') as never;
      }
    }
    const answering = new Answering({ connectionString: database.url });
    const own = track(answering);
    expect(await answering.query()).toBe('kept');
    await (answering.query as (text: string) => unknown)('select 1');
    const answer = await new Promise((resolve) =>
      answering.connect((_, client, release) => {
        resolve(client?.query('select 2 as n').finally(release));
      }),
    );
    expect(answer).toMatchObject({ rows: [{ n: 2 }] });
    expect(await own.stats()).toMatchObject([{ calls: 1, rows: 1, waitMs: 0 }]);
    expect(own.connections()).toMatchObject({ calls: 1 });
    await answering.end();
  });

  test.each([undefined, {}, { query() {} }])('refuses what is no pool and no client: %j', (target) => {
    expect(() => trackQueries(target as never)).toThrow(/pg\.Pool or a pg\.Client/);
  });

  test('that ends counts what is under way, and what comes later not', async () => {
    const client = await pool.connect();
    const waiting = [client.query('select 1'), pool.query('select 2')];
    tracker.stop();
    await Promise.all(waiting);
    await client.query('select 3');
    client.release();
    expect(await one()).toMatchObject({ calls: 1 });
  });

  test('of a client alone', async () => {
    const client = new pg.Client({ connectionString: database.url });
    const alone = track(client);
    await client.connect();
    await client.query('select 1');
    await client.query('select 2');
    expect(await alone.stats()).toMatchObject([{ query: 'select $1', calls: 2, waitMs: 0 }]);
    alone.stop();
    expect(Object.getOwnPropertyNames(client)).not.toContain('query');
    await client.end();
  });

  test('sees a client that was taken out before from the next time on', async () => {
    tracker.stop();
    const client = await pool.connect();
    tracker = track(pool);
    await client.query('select 1');
    client.release();
    expect(await tracker.stats()).toEqual([]);
    await onClient(pool, (again) => again.query('select 1'));
    expect(await one()).toMatchObject({ calls: 1 });
  });

  test.each<[object, RegExp]>([
    [{ slow: 5 }, /no option "slow"/],
    [{ slowMs: -1 }, /slowMs/],
    [{ repeats: 1 }, /repeats/],
    [{ maxStatements: 0 }, /maxStatements/],
    [{ slowMs: Number.NaN }, /slowMs/],
    [{ slowMs: '5' }, /slowMs/],
    [{ onScope: 'emf' }, /onScope/],
  ])('refuses the options %j', (options, message) => {
    expect(() => trackQueries(new pg.Pool(), options)).toThrow(message);
  });
});

async function onClient<Result>(on: pg.Pool, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const client = await on.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}

/** The error that it fails with. */
async function failureOf(work: (on: pg.Pool) => Promise<unknown>, on: pg.Pool): Promise<Error> {
  try {
    await work(on);
  } catch (error) {
    return error as Error;
  }
  throw new Error('It did not fail.');
}

/** What of an answer is the same at every time. */
function simplified(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(simplified);
  const { rows, rowCount, command } = answer as pg.QueryResult;
  return { rows, rowCount, command };
}

interface Cursor {
  text: string;
  values: unknown[];
}

/** What pg-cursor does, in a few lines: a portal that is read piece by piece, and then closed. */
async function readInTwos(
  client: pg.ClientBase,
  text: string,
  values: unknown[],
  form: (cursor: Cursor) => object = (cursor) => cursor,
): Promise<unknown[][]> {
  const pieces: unknown[][] = [[]];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let connection: { [method: string]: (...given: unknown[]) => void };
  const more = () => {
    connection.execute?.({ portal: 'c', rows: 2 });
    connection.flush?.();
  };
  const cursor = {
    text,
    values,
    submit(to: typeof connection) {
      connection = to;
      connection.parse?.({ text });
      connection.bind?.({ portal: 'c', values: values.map(String) });
      connection.describe?.({ type: 'P', name: 'c' });
      more();
      return null;
    },
    handleRowDescription() {},
    handleDataRow({ fields }: { fields: unknown[] }) {
      pieces.at(-1)?.push(fields);
    },
    handlePortalSuspended() {
      pieces.push([]);
      more();
    },
    handleCommandComplete() {
      connection.sync?.();
    },
    handleReadyForQuery: () => resolve(),
    handleError: (error: Error) => reject(error),
  };
  client.query(form(cursor) as never);
  await promise;
  return pieces;
}

/** What pg-query-stream does: it has a cursor, and hands on what it is told. */
function streamOf(cursor: Cursor): object {
  const { text: _, values: __, ...methods } = cursor;
  return { cursor, ...methods };
}
