/**
 * Compares the size model of the advisor with real indexes: builds indexes of all kinds over data with the dependencies and skews
 * that real data has.
 */
import type pg from 'pg';
import {
  type Candidate,
  candidateOn,
  columnKey,
  expressionKey,
  notNull,
  sqlOf,
} from '../../lib/indexes/advisor/candidate.ts';
import { readCombinations } from '../../lib/indexes/advisor/extended-statistics.ts';
import { sizeOf } from '../../lib/indexes/advisor/size.ts';
import { withSession } from '../../lib/postgres/session.ts';
import { relationsSql } from '../../lib/queries/catalog.sql.ts';
import type { Relation } from '../../lib/queries/catalog.ts';
import { median } from '../../lib/statistics/median.ts';
import type { EmbeddedPostgres } from '../../local/postgres.ts';
import { limitGoal, type Section } from '../cache/measure.ts';
import { withClient } from '../queries/client.ts';
import { fillTpch } from '../queries/tpch/generate.ts';
import { schema as tpch } from '../queries/tpch/schema.ts';

/** 600,000 order lines. */
const scale = 0.1;

/** A log of an application: tenants of very different sizes, values that are missing, long texts. */
const events = `
create type kind as enum ('view', 'click', 'buy', 'leave');
create table events as
select
  g::bigint as id,
  -- Few tenants have most of the rows.
  floor(2000 * random() ^ 4)::int as tenant,
  md5(floor(random() * 60000)::text)::uuid as visitor,
  concat('https://shop.example/', repeat('x', (random() * 40)::int), g % 9000) as url,
  concat('user', floor(random() * 40000), '@example.com') as email,
  (array['view', 'view', 'view', 'view', 'view', 'click', 'click', 'buy', 'leave'])[1 + floor(random() * 9)::int]::kind as kind,
  case when random() < 0.9 then null else floor(random() * 5000)::int end as coupon,
  case when random() < 0.3 then null else concat('agent ', floor(random() * 300)) end as agent,
  (random() * 1000)::numeric(10, 2) as price,
  random() as score,
  random() < 0.02 as failed,
  timestamptz '2026-01-01' + g * interval '7 seconds' as created_at,
  date '2026-01-01' + (g / 12000) as day,
  floor(random() * 300)::smallint as country,
  -- City and country depend on each other.
  0 as city,
  md5(g::text) as checksum
from generate_series(1, 400000) g;
update events set city = country * 7 + id % 7;
create statistics events_place (ndistinct) on country, city from events;
vacuum full events;
vacuum analyze`;

const of = (table: string) => (keys: Parameters<typeof candidateOn>[2], rest?: Parameters<typeof candidateOn>[3]) =>
  candidateOn('public', table, keys, rest);
const lineitem = of('lineitem');
const orders = of('orders');
const event = of('events');
const nulls = (column: string, fraction: number) => ({
  predicate: { sql: notNull(column), columns: [column], fraction },
});

const candidates: Candidate[] = [
  lineitem(['l_orderkey']),
  lineitem(['l_partkey']),
  lineitem(['l_suppkey']),
  lineitem(['l_partkey', 'l_suppkey']),
  lineitem(['l_orderkey', 'l_linenumber']),
  lineitem(['l_shipdate']),
  lineitem(['l_shipdate', 'l_discount', 'l_quantity']),
  lineitem(['l_returnflag', 'l_linestatus']),
  lineitem(['l_shipmode']),
  lineitem(['l_shipmode', 'l_receiptdate']),
  lineitem(['l_quantity']),
  lineitem(['l_shipdate', 'l_orderkey']),
  lineitem(['l_partkey'], { included: ['l_quantity', 'l_extendedprice'] }),
  lineitem(['l_orderkey'], { included: ['l_suppkey'] }),
  lineitem(['l_comment']),
  orders(['o_custkey']),
  orders(['o_orderdate']),
  orders(['o_custkey', columnKey('o_orderdate', { descending: true })]),
  orders(['o_clerk']),
  orders(['o_totalprice']),
  orders(['o_orderpriority', 'o_orderdate']),
  orders(['o_comment']),
  of('part')(['p_brand', 'p_container']),
  of('part')(['p_type', 'p_size']),
  of('part')(['p_name']),
  of('customer')(['c_mktsegment']),
  of('customer')(['c_phone']),
  of('partsupp')(['ps_suppkey']),
  of('partsupp')(['ps_supplycost', 'ps_suppkey']),
  event(['id']),
  event(['tenant']),
  event(['tenant', 'created_at']),
  event(['tenant', 'kind']),
  event(['visitor']),
  event(['url']),
  event(['email']),
  event([expressionKey('lower(email)', ['email'])]),
  event(['kind']),
  event(['coupon']),
  event(['coupon'], nulls('coupon', 0.1)),
  event(['agent']),
  event(['agent', 'day']),
  event(['coupon', 'tenant']),
  event(['price']),
  event(['score']),
  event(['created_at'], { predicate: { sql: '"failed"', columns: ['failed'], fraction: 0.02 } }),
  event(['created_at']),
  event(['day', 'kind']),
  event(['country', 'city']),
  event(['city', 'country', 'failed']),
  event(['checksum']),
  event(['failed']),
  event(['id'], { method: 'hash' }),
  event(['checksum'], { method: 'hash' }),
  event(['visitor'], { method: 'hash' }),
  event(['tenant'], { method: 'hash' }),
  lineitem(['l_comment'], { method: 'hash' }),
  event(['created_at'], { method: 'brin' }),
  lineitem(['l_shipdate', 'l_orderkey'], { method: 'brin' }),
];

/** Measures on a database of its own. */
export async function sizes(server: EmbeddedPostgres): Promise<Section> {
  await withClient(server.url('postgres'), (client) => client.query('create database sizes'));
  const url = server.url('sizes');
  return withClient(url, async (client) => {
    for (const statement of [...tpch, ...fillTpch(scale), ...events.split(';')]) await client.query(statement);
    return compared(client, url);
  });
}

async function compared(client: pg.Client, url: string): Promise<Section> {
  const relations = await readRelations(url);
  const combinations = await withSession(url, (session) => readCombinations(session, relations));
  const rows: { error: number; cells: string[] }[] = [];
  for (const candidate of candidates) {
    const relation = relations.find(({ table }) => table === candidate.table);
    if (!relation) throw new Error(`${candidate.table} is not there.`);
    const expected = sizeOf(candidate, relation, { relations, combinations });
    const real = await build(client, candidate);
    const error = (100 * (expected - real)) / real;
    const definition = sqlOf(candidate, { concurrently: false })
      .replace(/^.* ON "public"\./, '')
      .replaceAll('"', '');
    rows.push({ error, cells: [definition, kilobytes(real), kilobytes(expected), error.toFixed(1)] });
  }
  const errors = rows.map(({ error }) => Math.abs(error));
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  return {
    title: `The size of ${rows.length} indexes`,
    method:
      'What the advisor expects an index to take, from the statistics of its columns, and what it takes when it is built.',
    head: ['index', 'real, kB', 'expected, kB', 'error, %'],
    rows: rows.map(({ cells }) => cells),
    goals: [
      limitGoal('a median error of at most 5 %', 5, median(errors), ' %'),
      limitGoal('a mean error of at most 10 %', 10, mean, ' %'),
    ],
  };
}

async function build(client: pg.Client, candidate: Candidate): Promise<number> {
  await client.query('begin');
  await client.query(sqlOf(candidate, { concurrently: false }));
  const { rows } = await client.query<{ bytes: string }>(
    'select pg_relation_size(indexrelid) as bytes from pg_index order by indexrelid::int8 desc limit 1',
  );
  await client.query('rollback');
  return Number(rows[0]?.bytes);
}

function readRelations(url: string): Promise<Relation[]> {
  const tables = [...new Set([...candidates.map(({ table }) => table), 'customer', 'supplier'])];
  return withSession(url, (session) => session.read<Relation>(relationsSql, [tables.map(() => 'public'), tables]));
}

function kilobytes(bytes: number): string {
  return Math.round(bytes / 1024).toLocaleString('en');
}
