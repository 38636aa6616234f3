/** Statements that read their tables through views get the same advice as those that name the tables. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { adviseDatabase } from '../../../../../lib/indexes/advisor/advise-database.ts';
import { estimatePricing, hypopgPricing } from '../../../../../lib/indexes/advisor/pricing.ts';
import { parseThroughViews, readViews, type Views } from '../../../../../lib/indexes/advisor/views.ts';
import { workloadOfFile } from '../../../../../lib/indexes/advisor/workload.ts';
import type { Relation } from '../../../../../lib/queries/catalog.ts';
import { readRelations } from '../../../../../lib/queries/collect.ts';
import { nameOf } from '../../../../../lib/queries/syntax/resolve.ts';
import { createDatabase, createHypopg, hold, type TestDatabase, withSession } from '../../../database.ts';

let database: TestDatabase;
const depth = 12;

beforeAll(async () => {
  database = await createDatabase();
  await createHypopg(database);
  await database.run(
    'create schema "App"',
    'create table customers (id int primary key, region int, name text)',
    'create table orders (id int primary key, customer_id int, state text, total int, placed date)',
    `insert into customers select i, i % 500, 'n' || i from generate_series(1, 30000) i`,
    `insert into orders select i, 1 + i % 30000, 'done', i % 100, date '2026-01-01' + i % 500 from generate_series(1, 90000) i`,
    'create view recent as select o.id, o.customer_id as buyer, o.total, o.placed from orders o where o.total > 3',
    'create view "App".named as select r.id as "Order", r.buyer, r.placed, c.name, c.region from public.recent r join public.customers c on c.id = r.buyer',
    'create view totals as select customer_id, sum(total) as spent from orders group by customer_id',
    'create view both_kinds as select id, placed from orders where total > 5 union all select id, placed from orders where total < 2',
    'create view v0 as select * from orders',
    ...Array.from({ length: depth }, (_, i) => `create view v${i + 1} as select * from v${i}`),
    'vacuum analyze',
  );
});

afterAll(async () => {
  await database?.drop();
});

async function advised(sql: string): Promise<string[][]> {
  return withSession(database.url, async (session, server) => {
    const ways = [estimatePricing(), hypopgPricing(session, server)].filter((pricing) => pricing !== null);
    const keys: string[][] = [];
    for (const pricing of ways) {
      const advice = await adviseDatabase(session, server, {
        workload: await workloadOfFile(sql),
        pricing,
        budgetBytes: null,
      });
      keys.push(advice.indexes.map(({ table, columns }) => `${table} ${columns[0]}`).sort());
    }
    return keys;
  });
}

describe('a statement that reads through a view', () => {
  test.each([
    [
      'a view',
      'select total from recent where buyer = 7',
      'select total from orders where customer_id = 7 and total > 3',
    ],
    [
      'views behind a view, with other names',
      'select "Order" from "App".named where region = 3',
      'select o.id from orders o join customers c on c.id = o.customer_id where c.region = 3 and o.total > 3',
    ],
    [
      'a view under an alias',
      `select n.name from "App".named as n where n.placed = '2026-03-01'`,
      `select c.name from orders o join customers c on c.id = o.customer_id where o.placed = '2026-03-01' and o.total > 3`,
    ],
    ['groups', 'select spent from totals where customer_id = 7', 'select sum(total) from orders where customer_id = 7'],
    [
      'a subquery',
      'select name from customers where region = 4 and id in (select buyer from recent where placed = current_date)',
      'select name from customers where region = 4 and id in (select customer_id from orders where placed = current_date)',
    ],
  ])('gets the advice of one that names the tables: %s', async (_, through, direct) => {
    const expected = await advised(direct);
    for (const keys of expected) expect(keys.length).toBeGreaterThan(0);
    expect(await advised(through)).toEqual(expected);
  });

  it('is followed for some levels, and no further', async () => {
    for (const keys of await advised('select id from v5 where customer_id = 7')) {
      expect(keys).toEqual(['orders customer_id']);
    }
    for (const keys of await advised(`select id from v${depth} where customer_id = 7`)) expect(keys).toEqual([]);
  });

  it('does without the definitions that somebody locks', async () => {
    const { end } = await hold(database.url, 'begin', 'lock table customers in access exclusive mode');
    try {
      await withSession(database.url, async (session) => {
        const relations: Relation[] = [{ kind: 'view', schema: 'App', table: 'named' } as Relation];
        expect(await readViews(session, relations)).toEqual(new Map());
      });
    } finally {
      await end();
    }
  });
});

describe('what a text says', () => {
  const views = async (names: string[]) =>
    withSession(database.url, async (session) => {
      const relations = await readRelations(
        session,
        names.map((name) => ({ schema: undefined, name })),
      );
      return { relations, views: await readViews(session, relations) };
    });
  const tablesOf = (sql: string, known: { relations: readonly Relation[]; views: Views }) =>
    parseThroughViews(sql, known.views, known.relations)
      ?.blocks.flatMap(({ sources }) => sources)
      .flatMap(({ of }) => (of.is === 'table' ? [of.table] : []))
      .sort();

  it('has tables in the places of views', async () => {
    const known = await views(['recent', 'customers', 'orders']);
    expect(tablesOf('select * from recent', known)).toEqual(['orders']);
    expect(tablesOf('select * from recent r, recent s', known)).toEqual(['orders', 'orders']);
    expect(tablesOf('select * from public.recent', known)).toEqual(['orders']);
    expect(tablesOf('select * from customers', known)).toEqual(['customers']);
  });

  it('leaves alone a WITH query of that name, another schema, what two relations are called, and what is written to', async () => {
    const known = await views(['recent', 'orders']);
    expect(tablesOf('with recent as (select 1 as a) select * from recent', known)).toEqual([]);
    expect(tablesOf('select * from other.recent', known)).toEqual(['recent']);
    const [recent] = known.relations.filter(({ table }) => table === 'recent');
    const twice = { ...known, relations: [...known.relations, { ...(recent as Relation), schema: 'other' }] };
    expect(tablesOf('select * from recent', twice)).toEqual(['recent']);
    expect(tablesOf('delete from recent where id = 1', known)).toEqual(['recent']);
  });

  it('answers of a view only what is asked for', async () => {
    const known = await views(['recent', 'totals']);
    const targets = (sql: string) =>
      parseThroughViews(sql, known.views, known.relations)
        ?.blocks.find(({ place }) => place !== 'statement')
        ?.targets.map((target) => nameOf(target));
    expect(targets('select total from recent r where r.buyer = 7')).toEqual(['buyer', 'total']);
    expect(targets('select total from recent r (a, b, c, d) where a = 7')).toHaveLength(4);
    expect(targets('select placed from recent join recent r using (id)')).toEqual(['id', 'placed']);
    for (const all of ['select *', 'select r.*', 'select r', 'select total, to_jsonb(r)']) {
      expect(targets(`${all} from recent r`), all).toHaveLength(4);
    }
    expect(targets('select id from recent natural join recent r')).toHaveLength(4);
    // What is grouped by may stand among the answers by its number.
    expect(targets('select spent from totals')).toHaveLength(2);
    expect(targets('select count(*) from recent')).toHaveLength(4);
  });

  it('is undefined where the text cannot be parsed', async () => {
    const known = await views(['recent']);
    expect(parseThroughViews('select from from recent', known.views, known.relations)).toBeUndefined();
    expect(parseThroughViews('select * from recent whe…', known.views, known.relations)).toBeUndefined();
  });
});
