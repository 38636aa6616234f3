/** No literal of anybody's statement is in the history, in an answer, or in what is printed: whatever the statement is. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { handler } from '../../../../functions/audits/queries.ts';
import { configure, serveApi } from '../../api.ts';
import { createDatabase, hold, type TestDatabase } from '../../database.ts';
import { openProxy } from './proxy.ts';
import { type OwnServer, ownServer } from './servers.ts';
import { everythingIn } from './watched.ts';

const secret = 'hunter2';
const card = '4111111111111111';

/** Statements that all succeed. */
const statements = [
  `create role vault login password '${secret}'`,
  `alter role vault password E'\\'${secret}' valid until 'infinity'`,
  `alter role vault set my.token = ${secret}`,
  `alter role vault in database postgres set my.token to ${secret}`,
  `alter database postgres set my.token = ${secret}`,
  `alter system set my.token = ${secret}`,
  `alter system reset my.token`,
  `alter database postgres reset my.token`,
  `set my.token = ${secret}`,
  `set session my.token to '${secret}'`,
  `begin; set local my.token = ${secret}; commit`,
  `select set_config('my.token', '${secret}', false)`,
  `create function told(a text) returns text language sql set my.token = ${secret} as 'select ''${secret}'' || a'`,
  `alter function told(text) set my.token = ${secret}`,
  `create procedure done(a text, b bigint) language plpgsql as $body$ begin perform '${secret}'; end $body$`,
  `call done('${secret}', ${card})`,
  `do $$ begin perform '${secret}', ${card}; end $$`,
  `create foreign data wrapper wrapper options (token '${secret}')`,
  `create server far foreign data wrapper wrapper options (host '${secret}')`,
  `create user mapping for vault server far options (user '${secret}', password '${secret}')`,
  `alter user mapping for vault server far options (set password '${secret}')`,
  `create table ledger (id int primary key default ${card.slice(0, 9)}, word text default '${secret}', card bigint, check (word <> '${secret}x'))`,
  `create table notes as select 'a${secret}'::text as word, ${card} as card`,
  `copy notes (word) from program 'echo ${secret}'`,
  `copy (select '${secret}', ${card} from notes) to program 'cat > /dev/null # ${secret}'`,
  `copy notes to stdout with (delimiter '|', null '${secret}')`,
  `insert into ledger values (1, '${secret}', ${card}), (2, $$${secret}$$, ${card})`,
  `update ledger set word = U&'${secret}\\0021' where card = ${card}`,
  `delete from ledger where word = $tag$${secret}$tag$`,
  `select * from ledger where word = '${secret}' /* ${secret} /* ${secret} */ */ and card = ${card} -- ${secret}`,
  `-- ${secret}\nselect word from ledger group by 1, word || '${secret}' order by 1`,
  `select word from ledger where word like '%${secret}%' or card in (${card}, 1${card}) limit 5`,
  `select x.* from json_to_recordset('[{"a":"${secret}"}]') as x(a text)`,
  `select interval '1 day', date '2026-01-01', '${secret}'::text, B'1', X'1F'`,
  `prepare p (text) as select * from ledger where word = $1 and card = ${card}; execute p('${secret}'); deallocate p`,
  `begin; declare c cursor for select * from ledger where word = '${secret}'; fetch 3 from c; commit`,
  `explain (costs off) select * from ledger where word = '${secret}' and card = ${card}`,
  `notify news, '${secret}'`,
  `comment on table ledger is '${secret}'`,
  `create index on ledger (card) where word = '${secret}'`,
  `create view few as select * from notes where word = 'view-${secret}'`,
  `create policy own on ledger using (word = '${secret}')`,
  `create publication told for table ledger`,
  `create subscription heard connection 'host=127.0.0.1 password=${secret}' publication told with (connect = false, slot_name = none)`,
  `alter subscription heard connection 'password=${secret}'`,
  `create type mood as enum ('${secret}')`,
  `create domain word as text check (value <> '${secret}')`,
  `alter table ledger alter word set default '${secret}'`,
  `set standard_conforming_strings = off; select 1`,
  `select 1 as "a", '${secret}'; select ${card}`,
];

let server: OwnServer;
let kept: TestDatabase;
const printed: string[] = [];
/** The history after each audit, which forgets the rows of those before. */
const seen: string[] = [];

const at = (minute: number) => ({ time: new Date(Date.now() - 3_600_000 + minute * 60_000).toISOString() });
const databases = (url: string) => ({
  STREAMGATE_DATABASES: JSON.stringify({ vault: url }),
  STREAMGATE_HISTORY_URL: kept.url,
});

/** On a machine that is busy the cache may not be told in time: then the same event comes again, as from a scheduler. */
const audited = (minute: number) => {
  const event = at(minute);
  return handler(event).catch(() => handler(event));
};

/** Whatever holds a secret of a text, with its surroundings. */
function leaks(text: string): string[] {
  return [...text.matchAll(new RegExp(`.{0,120}(?:${secret}|${card}).{0,40}`, 'g'))].map(([found]) => found);
}

beforeAll(async () => {
  server = await ownServer();
  kept = await createDatabase({ extensions: false });
  await server.run('create extension pg_stat_statements');
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    vi.spyOn(stream, 'write').mockImplementation((...words) => {
      printed.push(String(words[0]));
      return write(...(words as Parameters<typeof write>));
    });
  }
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, name).mockImplementation((...words) => void printed.push(inspect(words, { depth: 9 })));
  }
  await configure(databases(server.url));
  await audited(0);
  for (const statement of statements) await server.run(statement);
  // A value that most rows have, so that PostgreSQL keeps it in its statistics.
  await server.run(
    `insert into ledger select g, case when g % 9 = 0 then 'rare' || g else '${secret}' end, ${card} from generate_series(10, 30000) g`,
    'analyze ledger',
    ...Array.from({ length: 12 }, () => `select count(*) from ledger where word = '${secret}' and card = ${card}`),
  );
  await server.run(...Array.from({ length: 20 }, () => `select count(*) from few, generate_series(1, 20000)`));
  await audited(3);
  seen.push(await everythingIn(kept));
  // A statement that was prepared before a reset is kept as it was written.
  const before = await hold(server.url);
  const query = { name: 'x', text: `select word from ledger where card = ${card} and word <> $1`, values: [secret] };
  await before.client.query(query);
  await server.run(
    'select pg_stat_statements_reset()',
    ...statements.filter((s) => !/^(create|alter|insert|do)/.test(s)),
  );
  await before.client.query(query);
  await before.client.query(`begin; select pg_sleep(1.1), '${secret}', ${card}`);
  await audited(5).finally(before.end);
  seen.push(await everythingIn(kept));
});

afterAll(async () => {
  vi.restoreAllMocks();
  await server?.remove();
  await kept?.drop();
});

describe('a secret in a statement', () => {
  it('is nowhere in the history', async () => {
    const everything = seen.join('\n');
    expect(leaks(everything)).toEqual([]);
    for (const text of ['from ledger where word = $1', 'create role', 'from few']) {
      expect(everything.includes(text), text).toBe(true);
    }
  });

  it('is in no answer of an endpoint', async () => {
    const api = await serveApi();
    try {
      const { body } = await api.get('/optimization/queries/metrics?limit=500');
      const ids = (body as { data: { queryId: string }[] }).data.map(({ queryId }) => queryId);
      expect(ids.length).toBeGreaterThan(20);
      const paths = [
        ...[
          'queries/metrics?limit=500',
          'queries/slow',
          'queries/stats',
          'recommendations?status=all&limit=500',
          'health',
        ],
        ...ids.map((id) => `queries/stats?queryId=${id}`),
        `queries/metrics?search=${secret}&limit=oops${secret}`,
      ];
      for (const path of paths) {
        const { text } = await api.get(`/optimization/${path}`);
        // What was asked for may be told to who asked for it.
        if (!path.includes(secret)) expect(leaks(text), path).toEqual([]);
      }
    } finally {
      await api.close();
    }
  });

  it('is in no message of an audit that fails', async () => {
    const proxy = await openProxy(server.url);
    proxy.when(/pg_stat_statements s/, 'cut');
    await configure(databases(proxy.url));
    const error = await handler(at(15)).catch((thrown: unknown) => thrown);
    await proxy.close();
    expect(error).toBeInstanceOf(Error);
    expect(leaks(inspect(error, { depth: 9, showHidden: true }))).toEqual([]);
  });

  it('is never printed', () => {
    expect(leaks(printed.join('\n'))).toEqual([]);
  });
});
