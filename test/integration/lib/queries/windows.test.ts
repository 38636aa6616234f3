import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Statement } from '../../../../lib/queries/snapshot.ts';
import { configure, serveApi } from '../../api.ts';
import { createDatabase, rowsOf, type TestDatabase } from '../../database.ts';
import { type Watched, watch, watchedName } from './watched.ts';

/** What the view says of a statement, at one moment. */
interface Counters {
  id: string;
  calls: number;
  total: number;
  rows: number;
  hit: number;
  read: number;
  dirtied: number;
  wal: number;
  deviation: number;
}

const byHand = `
  select queryid::text as id, calls::float8, total_exec_time as total, rows::float8, shared_blks_hit::float8 as hit,
    shared_blks_read::float8 as read, shared_blks_dirtied::float8 as dirtied, wal_bytes::float8 as wal,
    stddev_exec_time as deviation
  from pg_stat_statements
  where dbid = (select oid from pg_database where datname = current_database())
    and query ~ '^(select|insert|update|delete)[^/]*(wares|sales)'`;

let shop: TestDatabase;
let watched: Watched;
let atFirst: Map<string, Counters>;

/** The statements, once each; they take as long as they have to do. */
const once = (much: number) => [
  `select count(*) from wares, generate_series(1, ${much}) where price > ${much}`,
  `insert into sales select g, g from generate_series(1, ${10 * much}) g`,
  `update wares set price = price + 1 where id between ${much} and ${20 * much}`,
];

const work = (times: number) => shop.run(...Array.from({ length: times }, (_, i) => once(1 + (i % 3))).flat());

const counters = async () => new Map((await rowsOf<Counters>(shop, byHand)).map((row) => [row.id, row]));

beforeAll(async () => {
  shop = await createDatabase();
  await shop.run(
    'create table wares (id int primary key, price int)',
    'create table sales (ware int, amount int)',
    'insert into wares select g, g from generate_series(1, 5000) g',
    'analyze wares',
  );
  watched = await watch(shop.url);
});

afterAll(async () => {
  await watched?.close();
  await shop?.drop();
});

describe('audits one after the other', () => {
  it('know of no window at first', async () => {
    // The slowest calls of all come first: where counters have no date, it is they who tell that those count on.
    await shop.run(...once(1_500));
    await work(2);
    atFirst = await counters();
    expect(await watched.audit(0)).toMatchObject({ kept: true });
    const { windowFrom, statements } = await watched.newest();
    expect(windowFrom).toBeNull();
    expect(statements.map(({ window }) => window).filter((window) => window !== null)).toEqual([]);
  });

  it.each([5, 10, 15])('have what the counters gained, at minute %d', async (minute) => {
    const { takenAt } = await watched.newest();
    const before = await counters();
    await work(minute);
    const now = await counters();
    await watched.audit(minute);
    const { windowFrom, statements, server } = await watched.newest();
    expect(windowFrom).toBe(takenAt);
    expect(now.size).toBeGreaterThanOrEqual(3);
    for (const [id, after] of now) {
      const gained = (name: keyof Omit<Counters, 'id'>) => after[name] - (before.get(id)?.[name] ?? 0);
      const { window, query } = statements.find(({ queryId }) => queryId === id) as Statement;
      // Where counters have no date, a call that had to wait is one more reason for doubt.
      if (window === null && server.versionNumber < 170_000 && !query.startsWith('select')) continue;
      expect(window).toMatchObject({
        calls: gained('calls'),
        rows: gained('rows'),
        sharedBlocksHit: gained('hit'),
        sharedBlocksRead: gained('read'),
        sharedBlocksDirtied: gained('dirtied'),
        walBytes: gained('wal'),
      });
      expect(window?.totalMs).toBeCloseTo(gained('total'), 6);
      expect(window?.meanMs).toBeCloseTo(gained('calls') === 0 ? 0 : gained('total') / gained('calls'), 6);
    }
  });

  it('have the deviation of the calls of the window: with those before them they make up the whole', async () => {
    const all = [...(await counters()).values()].find(({ id }) => atFirst.get(id)?.rows === 3) as Counters;
    const first = atFirst.get(all.id) as Counters;
    const windows = (await watched.history.past(watchedName, [all.id], new Date(0))).windows.get(all.id) ?? [];
    expect(windows.map(({ calls }) => calls)).toEqual([5, 10, 15]);
    const parts = [{ calls: first.calls, meanMs: first.total / first.calls, stddevMs: first.deviation }, ...windows];
    const mean = all.total / all.calls;
    const squares = parts.reduce((sum, part) => sum + part.calls * (part.stddevMs ** 2 + (part.meanMs - mean) ** 2), 0);
    expect(Math.sqrt(squares / all.calls)).toBeCloseTo(all.deviation, 6);
  });

  it('share the time of the window out to the statements', async () => {
    const { statements } = await watched.newest();
    const shares = statements.map(({ window }) => window?.timeSharePercent ?? 0);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(100, 6);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
  });

  it('have an empty window for what nobody called, and the whole of what is new', async () => {
    await shop.run('delete from sales where ware < 100', 'delete from sales where ware < 200');
    await watched.audit(20);
    const { server } = await watched.newest();
    // Before PostgreSQL 14 nobody knows whether it was there before, and was dropped for lack of room.
    const isKnown = server.versionNumber >= 140_000;
    expect((await watched.statement('delete from sales'))?.window?.calls ?? null).toBe(isKnown ? 2 : null);
    expect((await watched.statement('select count(*) from wares,'))?.window).toMatchObject({ calls: 0, meanMs: 0 });
    await watched.audit(25);
    expect((await watched.statement('delete from sales'))?.window).toMatchObject({ calls: 0, meanMs: 0, stddevMs: 0 });
  });

  it('leave the database alone when the window was kept before', async () => {
    const before = await watched.newest();
    expect(await watched.audit(25)).toEqual({ kept: false, findings: [] });
    expect(await watched.newest()).toEqual(before);
  });
});

describe('a statement over time, as the endpoint tells it', () => {
  it('has its windows, its plans and what was found about it', async () => {
    const wanted = (price: number, much = 1) =>
      `select * from wares, generate_series(1, ${much}) where price = ${price}`;
    // What was there before would be nearly all of the time, and of that alone there would be plans.
    await shop.run(
      'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)',
      wanted(0, 1_000),
      ...once(1),
    );
    await watched.audit(40);
    await shop.run(...Array.from({ length: 12 }, (_, i) => wanted(i)));
    await watched.audit(45, { 'queries/slow': { minMeanMs: 0.001 } });
    const statement = await watched.statement('select * from wares,');
    await configure({
      STREAMGATE_DATABASES: JSON.stringify({ [watchedName]: shop.url }),
      STREAMGATE_HISTORY_URL: watched.kept.url,
    });
    const api = await serveApi();
    try {
      const path = `/optimization/queries/stats?database=${watchedName}&queryId=`;
      const { status, body } = await api.get(path + statement?.queryId);
      expect(status).toBe(200);
      const { data } = body as { data: { windows: object[]; plans: object[]; findings: { rule: string }[] } };
      expect(data).toMatchObject({ statement: { queryId: statement?.queryId, calls: 13, kind: 'select' } });
      expect(data.windows.at(-1)).toMatchObject({ calls: 12, rows: statement?.window?.rows });
      expect(data.plans).toMatchObject([{ queryId: statement?.queryId, plan: { root: { type: 'Nested Loop' } } }]);
      expect(data.findings.map(({ rule }) => rule)).toContain('queries/slow');

      const often = await watched.statement('select count(*) from wares,');
      const { windows } = ((await api.get(path + often?.queryId)).body as { data: { windows: { calls: number }[] } })
        .data;
      expect(windows.map(({ calls }) => calls)).toEqual([5, 10, 15]);
      expect((await api.get(`${path}12345`)).body).toMatchObject({ status: 404, code: 'statement-unknown' });
    } finally {
      await api.close();
    }
  });
});
