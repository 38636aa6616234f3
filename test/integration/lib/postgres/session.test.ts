import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeSnapshot } from '../../../../lib/audit.ts';
import { defaultLimits, openSession } from '../../../../lib/postgres/session.ts';
import { createDatabase, createRole, hold, rolePassword, rowsOf, settled, type TestDatabase } from '../../database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await database.run('create table t (id int primary key, at timestamptz, n numeric, big bigint)');
  await database.run(`insert into t values (1, '2026-02-03 04:05:06.789+02', 1.5, 9007199254740991)`);
});

afterAll(() => database?.drop());

const connections = () =>
  rowsOf<{ application: string; state: string }>(
    database,
    `select application_name as application, state from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
  );

describe('openSession', () => {
  it.each([
    'insert into t values (2)',
    'update t set n = 2',
    'delete from t',
    'create table u (a int)',
    'create index on t (n)',
    'drop table t',
    'truncate t',
    'with gone as (delete from t returning id) select * from gone',
    'select * from t for update',
    "select setval(pg_get_serial_sequence('t', 'id'), 5) union all select nextval('pg_catalog.pg_class_oid_seq')",
  ])('cannot run %s', async (statement) => {
    const session = await openSession(database.url);
    await expect(session.read(statement)).rejects.toMatchObject({ code: 'database-failed' });
    expect(await session.read('select id, n from public.t')).toEqual([{ id: 1, n: 1.5 }]);
    await session.close();
  });

  it('is one connection under a name of its own, and leaves nothing behind', async () => {
    const session = await openSession(database.url);
    await session.read('select 1');
    expect(await connections()).toEqual([{ application: 'streamgate', state: 'idle' }]);
    await session.close();
    await settled(
      database,
      `select where not exists (select from pg_stat_activity where application_name = 'streamgate'
      and datname = current_database())`,
    );
  });

  it('audits over that one connection, and leaves nothing behind', async () => {
    const seen = await openSession(database.url);
    await database.run('create table big as select g as a from generate_series(1, 50000) g', 'create index on big (a)');
    await seen.close();
    await takeSnapshot(database.url);
    const [row] = await rowsOf<{ sessions: string }>(
      database,
      `select count(*) as sessions from pg_stat_activity
       where datname = current_database() and application_name = 'streamgate' and state <> 'idle'`,
    );
    expect(row?.sessions).toBe('0');
    await settled(
      database,
      `select where not exists (select from pg_stat_activity where application_name = 'streamgate'
      and datname = current_database())`,
    );
  });

  it('answers bigint and numeric as numbers, and times in UTC whatever the time zone', async () => {
    for (const zone of ['UTC', 'Asia/Kathmandu', 'America/St_Johns']) {
      await database.run(`alter database "${database.name}" set timezone = '${zone}'`);
      const session = await openSession(database.url);
      expect(await session.read('select * from public.t')).toEqual([
        { id: 1, at: '2026-02-03T02:05:06.789Z', n: 1.5, big: Number.MAX_SAFE_INTEGER },
      ]);
      await session.close();
    }
  });

  it('passes parameters', async () => {
    const session = await openSession(database.url);
    expect(await session.read('select $1::text as word, $2::int as n', [`it's "x" \\`, 7])).toEqual([
      { word: `it's "x" \\`, n: 7 },
    ]);
    await session.close();
  });

  it('sets its limits in the transaction alone', async () => {
    const session = await openSession(database.url, { connectMs: 5000, statementMs: 1234, lockMs: 56 });
    const setting = (name: string) => session.read(`select current_setting('${name}') as value`);
    expect(await setting('statement_timeout')).toEqual([{ value: '1234ms' }]);
    expect(await setting('lock_timeout')).toEqual([{ value: '56ms' }]);
    expect(await setting('transaction_read_only')).toEqual([{ value: 'on' }]);
    expect(await setting('search_path')).toEqual([{ value: 'pg_catalog, pg_temp' }]);
    await session.close();
  });

  it('gives up a statement that takes too long, and goes on', async () => {
    const session = await openSession(database.url, { ...defaultLimits, statementMs: 500 });
    await expect(session.read('select pg_sleep(60)')).rejects.toMatchObject({
      code: 'database-timeout',
      message: expect.stringContaining('statement timeout'),
    });
    expect(await session.read('select 1 as n')).toEqual([{ n: 1 }]);
    await session.close();
  });

  it('does not wait for a lock, and goes on', async () => {
    const other = await hold(database.url, 'begin', 'lock table t in access exclusive mode');
    const session = await openSession(database.url, { ...defaultLimits, lockMs: 20 });
    await expect(session.read('select * from public.t')).rejects.toMatchObject({
      code: 'database-timeout',
      message: expect.stringContaining('locked by somebody else'),
    });
    await other.end();
    await settled(database, "select where not exists (select from pg_locks where mode = 'AccessExclusiveLock')");
    expect(await session.read('select id from public.t')).toEqual([{ id: 1 }]);
    await session.close();
  });

  it('does not fall for functions that shadow the catalog', async () => {
    await database.run(
      `create function public.current_database() returns name language sql as $$ select 'wrong'::name $$`,
      `alter database "${database.name}" set search_path = public, pg_catalog`,
    );
    const session = await openSession(database.url);
    expect(await session.read('select current_database() as name')).toEqual([{ name: database.name }]);
    await session.close();
    await database.run(
      'drop function public.current_database()',
      `alter database "${database.name}" reset search_path`,
    );
  });

  it('logs in with a name and a password that mean something in URLs', async () => {
    const name = `us@er:/"?# %41 ${process.pid}`;
    const role = await createRole(name);
    const session = await openSession(database.as(name, rolePassword));
    expect(await session.read('select current_user as name')).toEqual([{ name }]);
    expect(session.where).toContain(name);
    await session.close();
    await role.drop();
  });
});
