/** The statements that ask for plans in one message, on every version of PostgreSQL, with HypoPG and without. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planCostOf } from '../../../../../lib/indexes/advisor/plan-cost.ts';
import { prepare } from '../../../../../lib/indexes/advisor/prepare.ts';
import { workloadOfFile } from '../../../../../lib/indexes/advisor/workload.ts';
import { readServer } from '../../../../../lib/postgres/server.ts';
import { withSession } from '../../../../../lib/postgres/session.ts';
import { nodesOf } from '../../../../../lib/queries/plan/tree.ts';
import { createDatabase, type TestDatabase } from '../../../database.ts';

let database: TestDatabase;

const statements = [
  'select * from shop.orders where customer_id = $1 and status = $2 order by id limit $3',
  "select count(*) from shop.orders where note = 'it''s \\ -- no comment' -- a comment",
  "select id from shop.parts where made_at >= $1 and made_at < '2026-02-01'",
  'update shop.orders set status = $1 where id = $2',
  "select id from shop.tenants where name = 'x'",
];

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create schema shop',
    'create table shop.orders (id int primary key, customer_id int, status text, note text)',
    `insert into shop.orders select i, i % 500, 'state ' || i % 5, md5(i::text) from generate_series(1, 20000) i`,
    'create index on shop.orders (customer_id)',
    'create table shop.parts (id int, made_at timestamptz) partition by range (made_at)',
    "create table shop.parts_1 partition of shop.parts for values from ('2026-01-01') to ('2026-02-01')",
    "create table shop.parts_2 partition of shop.parts for values from ('2026-02-01') to ('2026-03-01')",
    // Its policy asks for a setting that is made up.
    'create table shop.tenants (id int, name text)',
    `create view shop.mine as select * from shop.tenants where id = current_setting('app.tenant')::int`,
    'analyze',
    `do $$ begin execute format('alter database %I set standard_conforming_strings = off', current_database()); end $$`,
  );
});

afterAll(async () => {
  await database?.drop();
});

test('several in one message give the plans that each alone gives, and leave nothing prepared', () =>
  withSession(database.url, async (session) => {
    const workload = await workloadOfFile([...statements, 'select name from shop.mine'].join('\n;'));
    const { planner, known } = await prepare(session, await readServer(session), workload, { valuesAllowed: true });
    expect(known.plans.size).toBe(statements.length + 1);
    const asked: string[] = [];
    const places = [...known.plans].map(([queryId, plan]) => {
      const sql = planner.sqlFor(queryId);
      if (!sql) throw new Error('It has a plan, and no statements that ask for it.');
      asked.push('savepoint one', ...sql.before(1_000));
      // Twice: what is prepared must not be in the way of the next.
      const answers = [0, 1].map(() => {
        asked.push(...sql.prepare);
        const place = asked.push(sql.explain) - 1;
        asked.push(...sql.after);
        return place;
      });
      asked.push('rollback to savepoint one');
      return { plan, answers };
    });
    const rows = await session.transaction((_, readAll) => readAll(asked));
    for (const { plan, answers } of places) {
      const indexes = new Set([...nodesOf(plan)].flatMap(({ node }) => node.index ?? []));
      for (const place of answers) {
        const [row] = rows[place] as Record<string, unknown>[];
        expect(planCostOf(row?.['QUERY PLAN'])).toEqual({ total: plan.root.estimate.totalCost, indexes });
      }
    }
    expect(await session.read('select from pg_prepared_statements')).toEqual([]);
    expect(await session.read("select current_setting('app.tenant', true) as tenant")).toEqual([{ tenant: '' }]);
  }));
