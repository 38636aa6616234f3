/**
 * Compares the size model of the advisor with real indexes: builds indexes of all kinds on an embedded PostgreSQL, over data with
 * the dependencies and skews that real data has, and prints what was expected and what came out. Takes a minute.
 *
 *   node bench/indexes/sizes.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import {
  type Candidate,
  candidateOn,
  columnKey,
  expressionKey,
  notNull,
  sqlOf,
} from '../../lib/indexes/advisor/candidate.ts';
import { sizeOf } from '../../lib/indexes/advisor/size.ts';
import { openSession } from '../../lib/postgres/session.ts';
import { relationsSql } from '../../lib/queries/catalog.sql.ts';
import type { Relation } from '../../lib/queries/catalog.ts';
import { startPostgres } from '../../local/postgres.ts';
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

const directory = await mkdtemp(join(tmpdir(), 'streamgate-bench-'));
const server = await startPostgres({ directory, settings: { fsync: 'off', autovacuum: 'off' } });
const client = new pg.Client({ connectionString: server.url('postgres') });
try {
  await client.connect();
  process.stderr.write('filling tables …\n');
  for (const statement of [...tpch, ...fillTpch(scale), ...events.split(';')]) await client.query(statement);
  await compare();
} finally {
  await client.end();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}

async function compare(): Promise<void> {
  const relations = await readRelations();
  const combinations = await readCombinations();
  const rows: { error: number; line: string }[] = [];
  for (const candidate of candidates) {
    const relation = relations.find(({ table }) => table === candidate.table);
    if (!relation) throw new Error(`${candidate.table} is not there.`);
    const expected = sizeOf(candidate, relation, { relations, combinations });
    const real = await build(candidate);
    const error = (100 * (expected - real)) / real;
    const definition = sqlOf(candidate, { concurrently: false })
      .replace(/^.* ON "public"\./, '')
      .replaceAll('"', '');
    rows.push({ error, line: `| ${definition} | ${kilobytes(real)} | ${kilobytes(expected)} | ${error.toFixed(1)} |` });
  }
  const errors = rows.map(({ error }) => Math.abs(error)).toSorted((a, b) => a - b);
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  console.log('| index | real, kB | expected, kB | error, % |\n|---|---:|---:|---:|');
  console.log(rows.map(({ line }) => line).join('\n'));
  console.log(
    `\n${errors.length} indexes: error median ${errors[Math.floor(errors.length / 2)]?.toFixed(1)} % (goal 5), mean ${mean.toFixed(1)} % (goal 10), at most ${errors.at(-1)?.toFixed(1)} %.`,
  );
}

async function build(candidate: Candidate): Promise<number> {
  await client.query('begin');
  await client.query(sqlOf(candidate, { concurrently: false }));
  const { rows } = await client.query<{ bytes: string }>(
    'select pg_relation_size(indexrelid) as bytes from pg_index order by indexrelid::int8 desc limit 1',
  );
  await client.query('rollback');
  return Number(rows[0]?.bytes);
}

async function readRelations(): Promise<Relation[]> {
  const tables = [...new Set([...candidates.map(({ table }) => table), 'customer', 'supplier'])];
  const session = await openSession(server.url('postgres'));
  try {
    return await session.read<Relation>(relationsSql, [tables.map(() => 'public'), tables]);
  } finally {
    await session.close();
  }
}

/** What extended statistics know, by the columns' names. */
async function readCombinations() {
  const { rows } = await client.query<{ table: string; columns: string[]; distinct: Record<string, number> }>(
    `select tablename as "table", attnames::text[] as columns, n_distinct::text::json as distinct from pg_stats_ext where n_distinct is not null`,
  );
  return ({ table }: Relation, columns: readonly string[]) => {
    const told = rows.find(
      (row) =>
        row.table === table &&
        row.columns.length === columns.length &&
        row.columns.every((column) => columns.includes(column)),
    );
    return told && Object.values(told.distinct)[0];
  };
}

function kilobytes(bytes: number): string {
  return Math.round(bytes / 1024).toLocaleString('en');
}
