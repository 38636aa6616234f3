import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readServer } from '../../../../../lib/postgres/server.ts';
import type { Session } from '../../../../../lib/postgres/session.ts';
import { nodesOf } from '../../../../../lib/queries/plan/tree.ts';
import { createDatabase, type TestDatabase } from '../../../database.ts';
import { explainText, openAuditor } from './workload.ts';

let database: TestDatabase;
let auditor: { session: Session; drop(): Promise<void> };
let versionNumber: number;

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create table accounts (id int primary key, owner text, balance numeric, parent int)',
    "insert into accounts select g, 'o' || g, g, g / 10 from generate_series(1, 20000) g",
    'create unique index accounts_owner on accounts (owner)',
    'create table moves (id serial primary key, account int, amount numeric, at timestamptz)',
    'insert into moves (account, amount, at) select g % 20000, 1, now() from generate_series(1, 20000) g',
    'create index moves_account on moves (account)',
    'create view rich as select * from accounts where balance > 100',
    'analyze',
  );
  auditor = await openAuditor(database);
  ({ versionNumber } = await readServer(auditor.session));
});

afterAll(async () => {
  await auditor?.drop();
  await database?.drop();
});

/** The nodes of a plan that scan something, with what they scan it by. */
async function scansOf(text: string): Promise<string[]> {
  const { plan, failure, explainedAs } = await explainText(auditor.session, text);
  expect([failure, explainedAs]).toEqual([null, 'select']);
  return [...nodesOf(plan as NonNullable<typeof plan>)].flatMap(({ node: { type, relation, index } }) =>
    /Scan/.test(type) && (relation || index) ? [`${type} ${index ?? relation?.name}`] : [],
  );
}

describe('a statement that changes rows is explained as the SELECT that finds them', () => {
  it.each([
    ['update accounts set balance = balance + $1 where id = $2', ['Index Scan accounts_pkey']],
    ['update accounts as a set balance = $1 where a.owner = $2 returning *', ['Index Scan accounts_owner']],
    ['update accounts set balance = $1', ['Seq Scan accounts']],
    ['update only accounts set balance = $1 where balance < $2', ['Seq Scan accounts']],
    ['delete from accounts where id = $1', ['Index Scan accounts_pkey']],
    ['delete from accounts', ['Seq Scan accounts']],
    ['update rich set owner = $1 where id = $2', ['Index Scan accounts_pkey']],
    ['insert into moves (account, amount) select id, $1 from accounts where owner = $2', ['Index Scan accounts_owner']],
    [
      'insert into accounts (id, owner) values ($1, $2) on conflict (id) do update set owner = excluded.owner',
      ['Index Scan accounts_pkey'],
    ],
    [
      'insert into accounts (id, owner) values ($1, $2), ($3, $4) on conflict (owner) do nothing',
      ['Index Scan accounts_owner'],
    ],
    ['insert into rich (id, owner) values ($1, $2) on conflict (id) do nothing', ['Index Scan accounts_pkey']],
    ['insert into moves (account) values ((select id from accounts where owner = $1))', ['Index Scan accounts_owner']],
    [
      'with gone as (delete from moves where account = $1 returning *) select count(*) from gone',
      ['Index Scan moves_account'],
    ],
    ['select * from accounts where id = $1 for update', ['Index Scan accounts_pkey']],
    ['select * from accounts where id = $1 for no key update of accounts skip locked', ['Index Scan accounts_pkey']],
  ])('%s', async (text, scans) => {
    expect(await scansOf(text)).toEqual(scans);
  });

  it.each([
    [
      'update moves set amount = a.balance from accounts a where a.id = moves.account and a.owner = $1',
      ['accounts_owner', 'moves_account'],
    ],
    [
      'delete from moves using accounts a where a.id = moves.account and a.owner = $1',
      ['accounts_owner', 'moves_account'],
    ],
    [
      'update accounts set balance = (select sum(amount) from moves where account = accounts.id) where owner = $1',
      ['accounts_owner', 'moves_account'],
    ],
    [
      'update accounts set (balance, parent) = (select sum(amount), count(*) from moves where account = accounts.id) where id = $1',
      ['accounts_pkey', 'moves_account'],
    ],
    ['delete from accounts where id in (select account from moves where id = $1)', ['accounts_pkey', 'moves_pkey']],
    [
      'with next as (select id from accounts where owner = $1 for update skip locked) update moves set amount = $2 from next where moves.account = next.id returning moves.id',
      ['accounts_owner', 'moves_account'],
    ],
    [
      'with gone as (delete from moves where account = $1 returning account) update accounts set balance = $2 where id in (select account from gone)',
      ['accounts_pkey', 'moves_account'],
    ],
    [
      'with made as (insert into moves (account) values ($1) returning account) select * from accounts where id in (select account from made) and owner = $2',
      ['accounts_owner', 'moves'],
    ],
    [
      'with gone as (delete from moves where account = $1), kept as (select 1) update accounts set balance = $2 where owner = $3',
      ['accounts_owner', 'moves_account'],
    ],
  ])('with all that it looks at: %s', async (text, used) => {
    const scans = (await scansOf(text)).join(', ');
    for (const name of used) expect(scans).toContain(name);
  });

  it.each([
    ['insert into moves (account, amount) values ($1, $2)', 'Result'],
    ['insert into moves values (default, $1, $2 + 1, now()) returning id', 'Result'],
    ['insert into moves (account, amount) values ($1, default), ($2, $3)', 'Values Scan'],
    ['insert into moves default values', 'Result'],
    ['insert into accounts (id) values ($1) on conflict do nothing', 'Result'],
    [
      'insert into accounts (id) values ($1) on conflict on constraint accounts_pkey do update set balance = $2',
      'Result',
    ],
  ])('but for values that are given there is nothing to find: %s', async (text, type) => {
    const { plan, failure } = await explainText(auditor.session, text);
    expect([failure, plan?.root.type]).toEqual([null, type]);
  });

  it.each([
    ['when matched then update set balance = m.amount', 'Inner'],
    ['when not matched then insert (id) values (m.account)', 'Left'],
    ['when matched and m.amount > $2 then delete when not matched then do nothing', 'Left'],
  ])('MERGE as a join: %s', async (clauses, joinType) => {
    if (versionNumber < 150_000) return;
    const text = `merge into accounts a using (select * from moves where account = $1) m on a.id = m.account ${clauses}`;
    const { plan, failure } = await explainText(auditor.session, text);
    expect([failure, plan?.root.joinType]).toEqual([null, joinType]);
    expect((await scansOf(text)).join(', ')).toContain('moves_account');
  });

  it('and a SELECT as itself', async () => {
    expect(await explainText(auditor.session, 'select * from accounts where id = $1')).toMatchObject({
      explainedAs: 'itself',
    });
  });
});
