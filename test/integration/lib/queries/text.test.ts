import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeSnapshot } from '../../../../lib/audit.ts';
import { createDatabase, type TestDatabase } from '../../database.ts';

const role = `secretive_${process.pid}`;

let database: TestDatabase;
let written: string;
let queries: string[];

/** Every way in which people write a secret into a statement; each holds the word `hunter2`. */
const secrets = [
  `create role ${role} password 'hunter2'`,
  `alter role ${role} password 'hunter2'`,
  `alter role ${role} with encrypted password E'a\\'hunter2'`,
  `alter role ${role} password 'it''s hunter2'`,
  `alter role ${role} password U&'hunter2\\0021'`,
  `alter role ${role} password $body$hunter2$body$`,
  `alter role ${role} password 'x'\n  'hunter2'`,
  `/* hunter2 */ alter role ${role} -- hunter2\n password /* hunter2 /* nested */ */ 'hunter2' valid until 'infinity'`,
  `do $$ begin perform 'hunter2'; end $$`,
  `create function f_${process.pid}() returns text language sql as 'select ''hunter2''::text'`,
  `comment on function f_${process.pid}() is 'hunter2'`,
  `create table kept as select 'hunter2'::text as word, 4111111111111111 as card`,
  `select * from kept where word = 'hunter2' and card = 4111111111111111`,
  `select * from kept where word in ('hunter2', 'hunter2b') group by word, card, 'hunter2'::text`,
  `insert into kept values ('hunter2', 4111111111111111)`,
  `update kept set word = 'hunter2' where card = 4111111111111111`,
  `explain select * from kept where word = 'hunter2' and card = 4111111111111111`,
  `prepare p as select * from kept where word = 'hunter2' and card = 4111111111111111; execute p`,
  `begin; declare c cursor for select * from kept where word = 'hunter2' or card = 4111111111111111; commit`,
  `copy (select 'hunter2', 4111111111111111) to stdout`,
  `set app.token = 'hunter2'`,
  `select set_config('app.token', 'hunter2', false)`,
  `notify news, 'hunter2'`,
  `alter table kept alter word set default 'hunter2'`,
];

beforeAll(async () => {
  database = await createDatabase();
  await database.run(...secrets);
  const snapshot = await takeSnapshot(database.url);
  written = JSON.stringify(snapshot);
  queries = snapshot.queries.statements.map(({ query }) => query);
});

afterAll(async () => {
  await database?.run(`drop role ${role}`);
  await database?.drop();
});

describe('what is kept of statement texts', () => {
  it('never holds a password, a literal or a comment', () => {
    expect(queries.filter((query) => /hunter2|4111111111111111/.test(query))).toEqual([]);
    expect(written).not.toContain('hunter2');
    expect(written).not.toContain('4111111111111111');
  });

  it('still tells what the statement was', () => {
    const masked = queries.map((query) => query.replace(/\$\d+/g, '$').replace(/\s+/g, ' '));
    expect(masked).toContain(`create role ${role} password $`);
    expect(masked).toContain(`alter role ${role} with encrypted password $`);
    expect(masked).toContain('select * from kept where word = $ and card = $');
    expect(masked).toContain('copy (select $, $) to stdout');
    expect(masked).toContain('notify news, $');
  });

  it('keeps names that need quoting', async () => {
    await database.run(
      'create table "Tab le 😀" ("Col\'umn" int)',
      'select "Col\'umn" from "Tab le 😀" where "Col\'umn" = 7',
    );
    const { queries: seen } = await takeSnapshot(database.url);
    expect(seen.statements.map(({ query }) => query)).toContain(
      'select "Col\'umn" from "Tab le 😀" where "Col\'umn" = $1',
    );
  });
});
