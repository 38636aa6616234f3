import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, rowsOf, type TestDatabase } from '../integration/database.ts';
import { type Ended, streamgate } from './command.ts';

let database: TestDatabase;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgate-explain-'));
  database = await createDatabase();
  await database.run(
    'create table users (id int primary key, email text, token text)',
    "insert into users select g, 'u' || g, md5(g::text) from generate_series(1, 60000) g",
    'create sequence ticket',
  );
  // Counters of a connection are published when it ends.
  await database.run('analyze');
});

afterAll(async () => {
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

function explain(words: string[], given: { input?: string; url?: string } = {}): Promise<Ended> {
  return streamgate(['explain', ...words], { directory, ...given });
}

describe('streamgate explain', () => {
  it('prints the plan of a statement whose constants nobody knows, and what is wrong with it', async () => {
    const { code, out, err } = await explain([database.url, 'select * from users where email = $1']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/Seq Scan on users/);
    expect(out).toMatch(/email = \$1/);
    expect(out).not.toContain('\u001b');
  });

  it('prints JSON and nothing else', async () => {
    const { code, out, err } = await explain([database.url, 'delete from users where id = $1', '--format', 'json']);
    expect([code, err]).toEqual([0, '']);
    const { plan, findings } = JSON.parse(out);
    expect(plan.root).toMatchObject({ type: 'Index Scan', index: 'users_pkey' });
    expect(plan.executionMs).toBeUndefined();
    expect(findings).toEqual([]);
    expect(await rowsOf(database, 'select count(*)::int as n from users')).toEqual([{ n: 60_000 }]);
  });

  it('takes the database of DATABASE_URL where only the statement is given', async () => {
    const { code, out } = await explain(['select * from users where id = $1'], { url: database.url });
    expect([code, out]).toEqual([0, expect.stringMatching(/Index Scan/)]);
  });

  it('--analyze runs what only reads, and measures', async () => {
    const { code, out } = await explain([
      database.url,
      "select * from users where token = 'x'",
      '--analyze',
      '--format',
      'json',
    ]);
    expect(code).toBe(0);
    const { plan } = JSON.parse(out);
    expect(plan.root.actual).toMatchObject({ rows: 0, loops: 1 });
    expect(plan.executionMs).toBeGreaterThan(0);
  });

  it.each([
    ["update users set email = 'x'", /changes or locks rows/],
    ['with x as (delete from users returning *) select * from x', /changes or locks rows/],
    ['select * from users for update', /changes or locks rows/],
    ['insert into users values (0)', /changes or locks rows/],
    ['select * into copied from users', /not one query/],
    ['select 1; delete from users', /not one query/],
    ['explain analyze delete from users', /not one query/],
    ["select nextval('ticket')", /or a sequence/],
    ['select * from users where id = $1', /has parameters/],
    ['select * from gone', /does not exist/],
    ['select gone from users', /does not exist/],
    ['select 1 from users where id / 0 = 1', /./],
  ])('--analyze refuses, and changes nothing: %s', async (statement, message) => {
    const { code, out, err } = await explain([database.url, statement, '--analyze']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    const state = await rowsOf(
      database,
      "select count(*)::int as n, count(email)::int as emails, (select is_called from ticket) as called, to_regclass('copied') as copied from users",
    );
    expect(state).toEqual([{ n: 60_000, emails: 60_000, called: false, copied: null }]);
  });

  const plan = JSON.stringify([
    {
      Plan: {
        'Node Type': 'Seq Scan',
        'Relation Name': 'big',
        Alias: 'big',
        'Startup Cost': 0,
        'Total Cost': 10,
        'Plan Rows': 1,
        'Plan Width': 4,
      },
    },
  ]);

  it.each([
    ['as JSON', plan],
    ['as text', 'Seq Scan on big  (cost=0.00..10.00 rows=1 width=4)\n  Filter: (a = 1)\n'],
    [
      'as psql prints it',
      '                     QUERY PLAN\n-----------------------------------\n Seq Scan on big  (cost=0.00..10.00 rows=1 width=4)\n(1 row)\n',
    ],
  ])('reads a plan from standard input, %s', async (_, input) => {
    const { code, out, err } = await explain(['-'], { input });
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/Seq Scan on big/);
  });

  it('reads a file of plans, even if its name has spaces', async () => {
    const file = join(directory, 'my plan.json');
    await writeFile(file, plan);
    const { code, out } = await explain([file, '--format', 'json']);
    expect([code, JSON.parse(out).plan.root.type]).toEqual([0, 'Seq Scan']);
  });

  const bad: [string, string[], RegExp, string?][] = [
    ['nothing at all', [], /Which database\?/],
    ['no statement', ['postgres://u:hunter2@127.0.0.1:1/d'], /Which statement\?/],
    ['a statement without a database', ["select * from users where token = 'hunter2'"], /Which database\?/],
    ['a statement behind a file', ['plan.json', 'select 1'], /takes no statement/],
    ['a file that is not there', ['nope.json'], /"nope\.json" is neither a postgres:\/\/ URL nor a file/],
    ['what is no plan', ['-'], /plan/i, 'hunter2'],
    ['no input', ['-'], /plan/i, ''],
    ['a plan that would have to be run', ['-', '--analyze'], /Leave --analyze out/, plan],
    ['another protocol', ['mysql://u:hunter2@h/d', 'select 1'], /not with "postgres:\/\/"/],
    ['nothing that listens', ['postgres://u:hunter2@127.0.0.1:1/d', 'select 1'], /Nothing listens/],
    ['an unknown format', ['postgres://u:hunter2@h/d', 'select 1', '--format', 'xml'], /'xml' is invalid/],
    ['words that lost their quotes', ['postgres://u:hunter2@h/d', 'select', '1'], /too many arguments/],
  ];

  it.each(bad)('%s: one line on standard error, exit code 2', async (_, words, message, input) => {
    const { code, out, err } = await explain(words, input === undefined ? {} : { input });
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).not.toContain('hunter2');
  });

  it.each([
    ["select * from gone where token = 'hunter2'", /does not exist/],
    ["select * from users where token = 'hunter2' and", /parse/],
    ["set role = 'hunter2'", /not one query/],
    ["alter role postgres password 'hunter2'", /not one query/],
    ["select 'hunter2'::int", /refuses/],
    ["select gone('hunter2')", /does not exist/],
    ["select * from users where token = 'hunter2", /parse/],
  ])('what is refused is not repeated: %s', async (statement, message) => {
    const { code, out, err } = await explain([database.url, statement]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
    expect(err).not.toContain('hunter2');
  });
});
