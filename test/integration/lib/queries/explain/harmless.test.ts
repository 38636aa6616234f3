import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readServer, type Server } from '../../../../../lib/postgres/server.ts';
import { openSession, type Session } from '../../../../../lib/postgres/session.ts';
import { explainStatement } from '../../../../../lib/queries/explain/explain.ts';
import { createDatabase, rowsOf, type TestDatabase } from '../../../database.ts';
import { explainText } from './workload.ts';

let database: TestDatabase;
/** A superuser's: what it does not do no other role does. */
let session: Session;
let server: Server;

/** Functions that do what they should not. PostgreSQL runs the IMMUTABLE and STABLE ones when it plans, whatever they do. */
const functions = [
  ['writes', "begin insert into canary values (default, 'sung'); return 1; end"],
  ['deletes', 'begin delete from canary; return 1; end'],
  ['counts', "begin return nextval('ticket'); end"],
  ['sets', "begin perform set_config('app.sung', 'yes', false), set_config('work_mem', '65kB', false); return 1; end"],
  ['tells', "begin perform pg_notify('canary', 'sung'); return 1; end"],
  ['locks', 'begin lock table canary in share mode; return 1; end'],
  ['makes', 'begin create table egg (); return 1; end'],
  ['frees', "begin set transaction read write; insert into canary values (default, 'sung'); return 1; end"],
].flatMap(([name, body]) =>
  ['volatile', 'stable', 'immutable'].map(
    (kind) => `create function ${kind}_${name}() returns int language plpgsql ${kind} as $$${body}$$`,
  ),
);

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create extension dblink',
    'create sequence ticket',
    'create table canary (id serial primary key, said text)',
    "insert into canary (said) select 'tweet' from generate_series(1, 100)",
    ...functions,
    "create procedure proceeds() language sql as 'delete from canary'",
    'create view sings as select * from canary where id > immutable_writes() and id < stable_counts()',
    "create function triggered() returns trigger language plpgsql as 'begin perform nextval(''ticket''); return new; end'",
    'create trigger t before insert or update or delete on canary for each statement execute function triggered()',
    "create rule r as on update to canary do also select nextval('ticket')",
  );
  session = await openSession(database.url);
  server = await readServer(session);
  // The language brings settings of its own when it is used first.
  await session.read('do $$begin end$$');
});

afterAll(async () => {
  await session?.close();
  await database?.drop();
});

/** What must be after each statement as it was before. */
async function state(): Promise<unknown[]> {
  const [{ pid } = { pid: 0 }] = await session.read<{ pid: number }>('select pg_backend_pid() as pid');
  const inside = await session.read(`
    select md5(string_agg(name || '=' || setting, ',' order by name)) as settings, nullif(current_setting('app.sung', true), '') as own,
      (select count(*) from pg_prepared_statements) as prepared, (select count(*) from pg_listening_channels()) as channels,
      (select count(*) from pg_cursors where name <> '') as cursors
    from pg_settings where name not in ('transaction_isolation')`);
  const outside = await rowsOf(
    database,
    `select (select md5(string_agg(c::text, ',' order by id)) from canary c) as rows, (select row(last_value, is_called)::text from ticket) as ticket,
      (select row(last_value, is_called)::text from canary_id_seq) as ids, (select count(*) from pg_class where oid >= 16384) as relations,
      (select state from pg_stat_activity where pid = ${pid}) as state,
      (select count(*) from pg_locks where pid = ${pid} and locktype <> 'virtualxid') as locks,
      (select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend') as sessions`,
  );
  return [inside, outside];
}

const calls = functions.map((sql) => /function (\w+)/.exec(sql)?.[1] ?? '');

const nasty: [string, string[]][] = [
  ['functions in the list', calls.map((name) => `select ${name}(), $1::int from canary`)],
  ['functions in conditions', calls.map((name) => `select * from canary where id = ${name}() and said = $1`)],
  ['functions in FROM and LIMIT', calls.map((name) => `select * from ${name}() as x limit ${name}()`)],
  ['functions of a change', calls.map((name) => `update canary set id = ${name}() where id = ${name}()`)],
  [
    'functions of the server',
    [
      "select nextval('ticket'), setval('ticket', 500), lastval()",
      "select nextval('ticket') from canary where id = nextval('ticket')",
      "select set_config('work_mem', '65kB', false), set_config('app.sung', 'yes', false)",
      'select pg_sleep(60) from canary where pg_sleep(60) is not null',
      'select pg_terminate_backend(pg_backend_pid())',
      'select pg_terminate_backend(pid), pg_cancel_backend(pid) from pg_stat_activity where pid <> 0',
      'select pg_advisory_lock(1), pg_try_advisory_lock(2), pg_advisory_xact_lock(3)',
      "select dblink_exec('dbname=' || current_database(), 'delete from canary')",
      "select * from dblink('dbname=x', 'delete from canary') as d(x int)",
      "select lo_create(0), lo_import('/etc/passwd'), pg_read_file('/etc/passwd'), pg_ls_dir('.')",
      "select query_to_xml('delete from canary', true, true, '')",
      "select pg_notify('canary', 'x'), pg_reload_conf(), pg_switch_wal(), pg_stat_reset()",
    ],
  ],
  [
    'changes',
    [
      "insert into canary (said) values ('x')",
      'insert into canary default values',
      "insert into canary (said) select 'x' from canary",
      "insert into canary values (1, 'x') on conflict (id) do update set said = 'y'",
      "update canary set said = 'x'",
      "update canary set said = 'x' where id = 1 returning *",
      'delete from canary',
      'delete from canary using canary other where canary.id = other.id returning *',
      'delete from sings',
      'select * from sings where said = $1',
    ],
  ],
  [
    'changes in WITH',
    [
      "with x as (insert into canary (said) values ('x') returning *) select * from x",
      'with x as (delete from canary returning *) select count(*) from x',
      'with x as (delete from canary) select 1',
      "with x as (update canary set said = 'x' returning id), y as (delete from canary) insert into canary select * from x",
      'select * from (with x as (delete from canary returning *) select * from x) y',
      'with recursive x as (select 1 union all (with y as (delete from canary returning 1) select * from y)) select * from x',
    ],
  ],
  [
    'locks and new tables',
    [
      'select * from canary for update',
      'select * from canary where id = $1 for share of canary skip locked',
      'select * from (select * from canary for no key update nowait) x',
      'select * into egg from canary',
      'select 1 as x into temp egg union select 2',
      'with x as (select 1 as y) select * into egg from x',
      'create table egg as select 1',
      'create view egg as select 1',
    ],
  ],
  [
    'what is no query',
    [
      'explain analyze delete from canary',
      'explain (analyze, costs off) insert into canary default values',
      'explain (analyze) select volatile_writes()',
      'analyze',
      'vacuum canary',
      'do $$begin delete from canary; end$$',
      'call proceeds()',
      "copy canary to program 'touch /tmp/egg'",
      'copy (delete from canary returning *) to stdout',
      'truncate canary',
      'drop table canary',
      'lock table canary',
      'prepare egg as select 1',
      'prepare streamgate_explained as delete from canary',
      'execute streamgate_explained',
      'deallocate all',
      'discard all',
      'begin',
      'commit',
      'rollback',
      'savepoint streamgate',
      'set work_mem = 65',
      'set session characteristics as transaction read write',
      'reset all',
      'listen canary',
      'notify canary',
      'declare egg cursor with hold for select 1',
      "alter system set work_mem = '65kB'",
      'refresh materialized view egg',
      'update canary set said = $1 where current of egg',
    ],
  ],
  [
    'texts that try to be several',
    [
      'select 1; delete from canary',
      'select 1;; delete from canary;',
      'select 1 -- \n; delete from canary',
      'select 1 /* ; */ ; /* */ delete from canary',
      "select 'a'';' ; delete from canary --'",
      'select $$;$$ ; delete from canary',
      'select $a$ $$ $a$; delete from canary; --$a$',
      'select 1\u0000; delete from canary',
      'select 1 \\; delete from canary',
      "select '\\'; delete from canary; --'",
      "select E'\\'; delete from canary; --'",
      'select "x"; delete from canary; --"',
      'commit; delete from canary',
      'rollback; delete from canary; begin; select 1',
      ') select 1; delete from canary; (',
      ', analyze) delete from canary',
      'analyze delete from canary',
      'verbose delete from canary',
      'explain_dummy as (select 1) delete from canary',
      'select 1 as "x\'; delete from canary; --"',
      "select 1 where 1 = $1; select 'x' where 2 = $2",
      'update canary set said = (select 1); delete from canary',
      'select $1$2; delete from canary',
      'select 1\u2028; delete from canary',
      'select 1 from canary as "a" -- ; delete\r; delete from canary',
    ],
  ],
  [
    'texts that are hardly texts',
    [
      '',
      ' ',
      ';',
      '\u0000',
      '…',
      '(',
      "'",
      '"',
      '$$',
      '/*',
      '--',
      '\uD800',
      'select',
      'table',
      'values',
      '(unreadable)',
      'select * from canary where id = $1 and …',
      `select ${'('.repeat(5_000)}1${')'.repeat(5_000)}`,
      `select ${'1 + '.repeat(5_000)}1`,
      `select 1 ${'union select 1 '.repeat(2_000)}`,
      `select * from ${'(select * from '.repeat(500)}canary${') x'.repeat(500)}`,
      `select ${'case when true then '.repeat(1_000)}1${' end'.repeat(1_000)}`,
      `select '${'x'.repeat(200_000)}'`,
      `select $${'9'.repeat(30)}, $2147483647, $2147483648, $0`,
      'select $40000 from canary',
      `select * from canary where id in (${'1,'.repeat(20_000)}1)`,
    ],
  ],
];

describe('explaining', () => {
  it.each(nasty)('changes, locks and runs nothing: %s', async (_, texts) => {
    const before = await state();
    for (const text of texts) {
      await explainText(session, text).catch(noCrash(text));
      await explainStatement(session, server, text).catch(noCrash(text));
      expect(await state(), text.slice(0, 200)).toEqual(before);
    }
  });

  it('says nothing but a fixed sentence of what it refuses', async () => {
    for (const text of nasty.flatMap(([, texts]) => texts)) {
      const { plan, failure } = await explainText(session, text).catch(noCrash(text));
      expect([plan === null, failure === null].sort(), text.slice(0, 200)).toEqual([false, true]);
      expect(failure?.message ?? 'It is not PostgreSQL that speaks.').toMatch(
        /^(?:It|Its|The|A|PostgreSQL|Planning) [^$'"]*\.$/,
      );
    }
  });

  it('gives up a function that does not come back while PostgreSQL plans', async () => {
    await database.run(
      "create function immutable_sleeps() returns int language plpgsql immutable as 'begin perform pg_sleep(600); return 1; end'",
    );
    const before = await state();
    expect((await explainText(session, 'select immutable_sleeps()')).failure?.code).toBe('timeout');
    expect(await state()).toEqual(before);
  });

  it('takes over the name of a statement that a killed audit left prepared', async () => {
    await session.read('prepare streamgate_explained as select 1');
    expect(await explainText(session, 'select * from canary where id = $1')).toMatchObject({ failure: null });
    await session.read('deallocate all');
  });
});

function noCrash(text: string) {
  return (error: unknown): never => {
    throw new Error(`It was not explained but failed: ${text.slice(0, 200)}`, { cause: error });
  };
}
