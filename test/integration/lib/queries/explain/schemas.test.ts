import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession, type Session } from '../../../../../lib/postgres/session.ts';
import { nodesOf } from '../../../../../lib/queries/plan/tree.ts';
import { createDatabase, type TestDatabase } from '../../../database.ts';
import { explainText, openAuditor } from './workload.ts';

let database: TestDatabase;
let auditor: { session: Session; drop(): Promise<void> };

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create schema shop',
    'create schema "Odd ""Schema"""',
    'create schema small',
    'create schema large',
    'create table shop.orders (id int, at date)',
    'create table shop.lines (order_id int)',
    'create table "Odd ""Schema"""."Odd Table" ("Odd Column" int)',
    // Of two tables of a name the larger one, if it has the column.
    'create table small.items (id int, only_small int)',
    'create table large.items (id int, only_large int)',
    'insert into large.items select g from generate_series(1, 1000) g',
    'create function small.twice(x int) returns int language sql as $$select 2 * x$$',
    'create table plain (id int)',
    'create schema types',
    "create type types.mood as enum ('ok')",
    'create extension citext schema types',
    'create table parts (id int, at date) partition by range (at)',
    "create table parts_1 partition of parts for values from ('2026-01-01') to ('2026-02-01')",
    "create table parts_2 partition of parts for values from ('2026-02-01') to ('2026-03-01')",
    'create view open_orders as select o.id, l.order_id from shop.orders o join shop.lines l on l.order_id = o.id',
    'analyze',
  );
  auditor = await openAuditor(database);
});

afterAll(async () => {
  await auditor?.drop();
  await database?.drop();
});

/** The tables that a plan reads, with their schemas. */
async function tablesOf(text: string, session = auditor.session): Promise<string[]> {
  const { plan, failure } = await explainText(session, text);
  expect(failure).toBeNull();
  const nodes = [...nodesOf(plan as NonNullable<typeof plan>)];
  return [
    ...new Set(nodes.flatMap(({ node: { relation } }) => (relation ? [`${relation.schema}.${relation.name}`] : []))),
  ].sort();
}

describe('a statement finds its tables', () => {
  it.each([
    ['that are in public', 'select * from plain where id = $1', ['public.plain']],
    ['that are named with their schema', 'select * from shop.orders where id = $1', ['shop.orders']],
    ['in a schema that no setting names', 'select * from orders where id = $1', ['shop.orders']],
    [
      'in several schemas',
      'select * from orders, lines, plain where orders.id = $1',
      ['public.plain', 'shop.lines', 'shop.orders'],
    ],
    ['with odd names', 'select * from "Odd Table" where "Odd Column" = $1', ['Odd "Schema".Odd Table']],
    ['by the larger one of a name', 'select * from items where id = $1', ['large.items']],
    ['by the one that has the column', 'select * from items where only_small = $1', ['small.items']],
    ['by the schema that has the function', 'select twice(id) from items where id = $1', ['small.items']],
    [
      'next to those of the catalog',
      'select * from pg_class c, plain where c.relname = $1',
      ['pg_catalog.pg_class', 'public.plain'],
    ],
    ['below a view', 'select * from open_orders where id = $1', ['shop.lines', 'shop.orders']],
    [
      'and all partitions, for nobody knows which',
      'select * from parts where at = $1',
      ['public.parts_1', 'public.parts_2'],
    ],
    ['that WITH does not define', 'with items as (select 1 as id) select * from items, plain', ['public.plain']],
    [
      'that are changed',
      'update orders set at = $1 from lines where lines.order_id = orders.id',
      ['shop.lines', 'shop.orders'],
    ],
    ['that are inserted into', 'insert into lines (order_id) select id from orders where at > $1', ['shop.orders']],
    [
      'with the operators and types of extensions',
      'select * from plain where $1::citext = $2::citext',
      ['public.plain'],
    ],
  ])('%s', async (_, text, tables) => {
    expect(await tablesOf(text)).toEqual(tables);
  });

  it('by the search path of the role that looks most particular', async () => {
    await database.run(`alter database "${database.name}" set search_path = small, public`);
    const fresh = await openSession(database.url);
    expect(await tablesOf('select id from items where id = $1', fresh)).toEqual(['small.items']);
    await fresh.close();
    await database.run(`alter database "${database.name}" reset search_path`);
  });

  it('and never a temporary table of the session in their place', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('create temp table plain (other int)');
    expect(await tablesOf('select id from plain where id = $1')).toEqual(['public.plain']);
    await client.end();
  });
});
