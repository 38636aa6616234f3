import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAudit, takeSnapshot } from '../../../../lib/audit.ts';
import { databaseParts } from '../../../../lib/parts.ts';
import { openHistory } from '../../../../lib/postgres/history.ts';
import { collectQueries } from '../../../../lib/queries/collect.ts';
import { QuerySnapshot, type Statement } from '../../../../lib/queries/snapshot.ts';
import { createDatabase, createRole, rolePassword, rowsOf, type TestDatabase, withSession } from '../../database.ts';

const reader = `reader "1" 😀 ${process.pid}`;
const stranger = `stranger ${process.pid}`;

let database: TestDatabase;
let snapshot: QuerySnapshot;
const roles: { drop(): Promise<void> }[] = [];

/** The rows of pg_stat_statements for this database, whose counters no later statement of ours changes. */
const byHand = `
  select queryid::text as id, userid, query, calls, total_exec_time as total, min_exec_time as min, max_exec_time as max,
    rows, shared_blks_hit as hit, shared_blks_read as read, shared_blks_dirtied as dirtied,
    temp_blks_read as temp_read, temp_blks_written as temp_written, wal_bytes as wal
  from pg_stat_statements
  where dbid = (select oid from pg_database where datname = current_database()) and query ~ '^(select|insert|update|delete|with)[^/]*shop'`;

const collectAs = (url: string) => withSession(url, collectQueries);

beforeAll(async () => {
  database = await createDatabase();
  roles.push(await createRole(reader, 'pg_read_all_stats'), await createRole(stranger));
  await database.run(
    'create table shop (id int primary key, name text, price numeric)',
    'grant select, update on shop to public',
    `insert into shop select g, 'name ' || g, g from generate_series(1, 3000) g`,
    `select * from shop where name = 'secret-literal-1'`,
    `select * from shop where name = 'secret-literal-2'`,
    `select count(*) from shop s, generate_series(1, 20) where price > 987654321`,
    'set work_mem = 64; select name from shop, generate_series(1, 5) order by name desc',
    'update shop set price = price + 1 where id < 100',
    'delete from shop where id = 2999',
    'with s as (select * from shop where id = 4) select * from s',
  );
  // The same statement by another user is another row of the view.
  const asReader = { url: database.as(reader, rolePassword) };
  await rowsOf(asReader, `select * from shop where name = 'secret-literal-3'`);
  await rowsOf(asReader, `select * from shop where name = 'secret-literal-4'`);
  snapshot = await collectAs(database.url);
});

afterAll(async () => {
  await database?.drop();
  for (const role of roles) await role.drop();
});

const ours = (pattern: RegExp) => snapshot.statements.filter(({ query }) => pattern.test(query));

describe('collectQueries', () => {
  it('has the shape that the endpoints promise, most total time first', () => {
    expect(QuerySnapshot.parse(JSON.parse(JSON.stringify(snapshot)))).toEqual(snapshot);
    const times = snapshot.statements.map(({ totalMs }) => totalMs);
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(snapshot.notes).toEqual([]);
  });

  it('answers the counters that pg_stat_statements has, joined over the users', async () => {
    const groups = Map.groupBy(await rowsOf<Record<string, string>>(database, byHand), ({ id }) => id);
    expect(groups.size).toBeGreaterThan(5);
    for (const [id, rows] of groups) {
      const numbers = (name: string) => rows.map((row) => Number(row[name]));
      const sum = (name: string) => numbers(name).reduce((all, value) => all + value, 0);
      const statement = snapshot.statements.find(({ queryId }) => queryId === id) as Statement;
      expect(statement, rows[0]?.query).toMatchObject({
        calls: sum('calls'),
        rows: sum('rows'),
        sharedBlocksHit: sum('hit'),
        sharedBlocksRead: sum('read'),
        sharedBlocksDirtied: sum('dirtied'),
        tempBlocksRead: sum('temp_read'),
        tempBlocksWritten: sum('temp_written'),
        walBytes: sum('wal'),
        minMs: Math.min(...numbers('min')),
        maxMs: Math.max(...numbers('max')),
      });
      expect(statement.totalMs).toBeCloseTo(sum('total'), 6);
      expect(statement.meanMs).toBeCloseTo(sum('total') / sum('calls'), 6);
    }
  });

  it('makes one statement of those of two users, with the deviation of all their calls', async () => {
    const [joined, ...others] = ours(/^select \* from shop where name/);
    expect(others).toEqual([]);
    expect(joined).toMatchObject({ calls: 4, kind: 'select' });
    const rows = await rowsOf<Record<string, number>>(
      database,
      `select calls::int as calls, mean_exec_time as mean, stddev_exec_time as deviation from pg_stat_statements
       where queryid = ${joined?.queryId} and calls > 0`,
    );
    expect(rows).toHaveLength(2);
    const mean = rows.reduce((all, row) => all + (row.mean ?? 0) * (row.calls ?? 0), 0) / 4;
    const squares = rows.reduce(
      (all, row) => all + (row.calls ?? 0) * ((row.deviation ?? 0) ** 2 + ((row.mean ?? 0) - mean) ** 2),
      0,
    );
    expect(joined?.stddevMs).toBeCloseTo(Math.sqrt(squares / 4), 6);
  });

  it('adds the shares of time up to everything', () => {
    expect(snapshot.statements.reduce((all, { timeSharePercent }) => all + timeSharePercent, 0)).toBeCloseTo(100, 6);
  });

  it('tells what statements do, and what spilled to disk', () => {
    expect(ours(/^insert into shop/)).toMatchObject([{ kind: 'insert', rows: 3000 }]);
    expect(ours(/^update shop/)).toMatchObject([{ kind: 'update', rows: 99 }]);
    expect(ours(/^delete from shop/)).toMatchObject([{ kind: 'delete', rows: 1 }]);
    expect(ours(/^with s as/)).toMatchObject([{ kind: 'select', rows: 1 }]);
    expect(ours(/^create table shop/)).toMatchObject([{ kind: 'utility' }]);
    expect(ours(/order by name desc/)[0]?.tempBlocksWritten).toBeGreaterThan(0);
  });

  it('does not count the statements of other databases', async () => {
    const elsewhere = await createDatabase();
    try {
      await elsewhere.run('create table only_there (a int)');
      expect(JSON.stringify(await collectAs(elsewhere.url))).toContain('only_there');
      expect(JSON.stringify(await collectAs(database.url))).not.toContain('only_there');
    } finally {
      await elsewhere.drop();
    }
  });

  it('never sees the statements of StreamGate itself', async () => {
    const own = await createDatabase({ extensions: false });
    const kept = await createDatabase({ extensions: false });
    const history = openHistory(kept.url);
    try {
      const statements = [
        'create extension pg_stat_statements',
        'create extension pgstattuple',
        'create table t (a int)',
      ];
      await own.run(...statements);
      await history.migrate();
      for (const part of databaseParts) await runAudit(part, { name: 'own', url: own.url }, new Date(), history);
      await takeSnapshot(own.url);
      const seen = (await takeSnapshot(own.url)).queries.statements.map(({ query }) => query);
      expect(seen.sort()).toEqual(statements.sort());
    } finally {
      await history.close();
      await own.drop();
      await kept.drop();
    }
  });

  it('says since when it counts', async () => {
    const { server, resetAt, evictions, statements } = snapshot;
    if (server.versionNumber < 140_000) {
      expect({ resetAt, evictions }).toEqual({ resetAt: null, evictions: null });
      return;
    }
    const [row] = await rowsOf<{ reset: Date }>(database, 'select stats_reset as reset from pg_stat_statements_info');
    expect(resetAt).toBe(row?.reset.toISOString());
    expect(evictions).toBe(0);
    for (const { since } of statements) {
      if (server.versionNumber < 170_000) expect(since).toBe(resetAt);
      else expect(Date.parse(since ?? '')).toBeGreaterThanOrEqual(Date.parse(resetAt ?? ''));
    }
  });
});

describe('collectQueries, where not everything can be seen', () => {
  it('notes the statements of others that the role may not see', async () => {
    const { statements, notes, server } = await collectAs(database.as(stranger, rolePassword));
    expect(server.readsAllStatistics).toBe(false);
    expect(JSON.stringify(statements)).not.toContain('shop');
    expect(notes).toMatchObject([{ code: 'statements-hidden' }]);
    expect(notes[0]?.message).toContain(`GRANT pg_read_all_stats TO "${stranger}"`);
  });

  it('sees them all with pg_read_all_stats', async () => {
    const { statements, notes, server } = await collectAs(database.as(reader, rolePassword));
    expect(server).toMatchObject({ readsAllStatistics: true, role: reader });
    expect(statements.filter(({ query }) => /^select \* from shop where name/.test(query))).toMatchObject([
      { calls: 4 },
    ]);
    expect(notes).toEqual([]);
  });

  it('finds the extension in a schema of any name', async () => {
    await database.run(
      'create schema "Ext ""Schema"" 😀"',
      'alter extension pg_stat_statements set schema "Ext ""Schema"" 😀"',
    );
    const { statements, notes, server } = await collectAs(database.url);
    expect(server.extensions.pg_stat_statements?.schema).toBe('Ext "Schema" 😀');
    expect(statements.some(({ query }) => query.startsWith('update shop'))).toBe(true);
    expect(notes).toEqual([]);
    await database.run('alter extension pg_stat_statements set schema public');
  });

  it('notes that the role may not read the view', async () => {
    await database.run('revoke select on pg_stat_statements from public');
    const { statements, notes } = await collectAs(database.as(stranger, rolePassword));
    expect(statements).toEqual([]);
    expect(notes).toMatchObject([{ code: 'pg_stat_statements-permission', rules: ['queries/*', 'plans/*'] }]);
    await database.run('grant select on pg_stat_statements to public');
    expect((await collectAs(database.as(stranger, rolePassword))).notes).toMatchObject([{ code: 'statements-hidden' }]);
  });

  it('notes that the extension is missing, and how to get it', async () => {
    const bare = await createDatabase({ extensions: false });
    try {
      const { statements, notes, resetAt } = await collectAs(bare.url);
      expect({ statements, resetAt }).toEqual({ statements: [], resetAt: null });
      expect(notes).toMatchObject([{ code: 'pg_stat_statements-missing', rules: ['queries/*', 'plans/*'] }]);
      await bare.run(/CREATE EXTENSION \w+/.exec(notes[0]?.message ?? '')?.[0] ?? '');
      expect((await collectAs(bare.url)).notes).toEqual([]);
    } finally {
      await bare.drop();
    }
  });

  it('notes an extension that is older than the server', async () => {
    const old = await createDatabase({ extensions: false });
    try {
      // 1.4 to 1.7 can still be installed everywhere; their view lacks what is read.
      await old.run("create extension pg_stat_statements version '1.7'");
      expect((await collectAs(old.url)).notes).toMatchObject([{ code: 'pg_stat_statements-old' }]);
      await old.run('alter extension pg_stat_statements update');
      expect((await collectAs(old.url)).notes).toEqual([]);
    } finally {
      await old.drop();
    }
  });
});
