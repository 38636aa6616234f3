import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { indexName } from '../../../../../lib/queries/plan/advice/index-name.ts';
import { createDatabase, settled, type TestDatabase } from '../../../database.ts';
import { type Circumstances, type Judged, judge, type Mode } from './judge.ts';

let database: TestDatabase;

/** Orders of 2,000 customers with five items each; names that must be quoted; a partitioned log. */
const schema = [
  `create table customers (id int primary key, email varchar(80) not null, city text, zip int, "Group" int)`,
  `insert into customers select i, 'User' || i || '@example.com', 'city ' || i % 500, i % 500, i % 50 from generate_series(1, 20000) i`,
  `create index customers_email on customers (email)`,
  `create table orders (
     id int primary key, customer_id int not null references customers, status varchar(20) not null,
     created_at timestamp not null, amount numeric(10, 2) not null, note text, shipped_at timestamp)`,
  `insert into orders select i, 1 + (i * 7919) % 20000, 'status ' || i % 5, timestamp '2026-01-01' + i * interval '1 minute',
     (i * 31) % 10000, repeat('x', 40), case when i % 500 <> 0 then timestamp '2026-01-02' end from generate_series(1, 200000) i`,
  `create table items (order_id int not null references orders, sku int not null, quantity int not null)`,
  `insert into items select 1 + (i * 3) % 200000, i % 1000, i % 10 from generate_series(1, 300000) i`,
  `create table events (id bigint, day date not null, kind int not null) partition by range (day)`,
  ...Array.from({ length: 12 }, (_, month) => [
    `create table events_${month + 1} partition of events for values from (date '2025-01-01' + interval '${month} months') to (date '2025-01-01' + interval '${month + 1} months')`,
    `insert into events select i, date '2025-01-01' + interval '${month} months', i % 1000 + ${month * 1000} from generate_series(1, 5000) i`,
  ]).flat(),
];

beforeAll(async () => {
  database = await createDatabase();
  await database.run(...schema, 'vacuum (analyze)');
});

afterAll(() => database?.drop());

const judged = (mode: Mode, sql: string, circumstances?: Circumstances): Promise<Judged> =>
  judge(database.url, mode, sql, circumstances);

/** Applies the action of a finding, judges anew, and takes it back. */
async function applied(before: Judged, rule: string, again: () => Promise<Judged>): Promise<Judged> {
  const { action } = before.of(rule) ?? {};
  expect(action).toMatchObject({ sql: expect.any(String), undoSql: expect.any(String), caution: expect.any(String) });
  const definitions = await indexes();
  await database.run(...(action?.sql ?? '').split(/(?<=;) /), 'analyze orders');
  const after = await again();
  await database.run(action?.undoSql ?? '');
  expect(await indexes()).toEqual(definitions);
  return after;
}

async function indexes(): Promise<unknown[]> {
  const [result] = await database.run(`select indexdef from pg_indexes where schemaname = 'public' order by 1`);
  return result?.rows ?? [];
}

describe.each(['run', 'generic'] as const)('with a plan that is %s', (mode) => {
  /** The value where the statement is run, else a parameter. */
  const value = (literal: string, parameter = '$1') => (mode === 'run' ? literal : parameter);
  const explained = (sql: string, circumstances?: Circumstances) => judged(mode, sql, circumstances);

  /** The suggested index is made and used, the finding is gone, and the index is dropped again. */
  const suggests = async (rule: string, sql: string, index: string, circumstances?: Circumstances) => {
    const before = await explained(sql, circumstances);
    expect(before.of(rule)?.action?.sql).toBe(index);
    const after = await applied(before, rule, () => explained(sql, circumstances));
    const [, name] = /EXISTS "(\w+)"/.exec(index) ?? [];
    expect(after.nodes.join()).toContain(name);
    expect(after.of(rule)).toBeUndefined();
    return { before, after };
  };

  test('an index for a selective sequential scan', async () => {
    const { before, after } = await suggests(
      'plans/selective-seq-scan',
      `select * from orders where customer_id = ${value('42')}`,
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "orders_customer_id_idx" ON "public"."orders" ("customer_id");',
    );
    expect(before.of('plans/selective-seq-scan')).toMatchObject({
      subject: { schema: 'public', table: 'orders', queryId: '1' },
      evidence: { rowsRead: 200_000, columns: 'customer_id', figures: mode === 'run' ? 'measured' : 'estimated' },
    });
    expect(after.findings).toEqual([]);
  });

  test('an index for a condition on a column that is null in few rows', async () => {
    await suggests(
      'plans/selective-seq-scan',
      'select * from orders where shipped_at is null',
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "orders_shipped_at_idx_c38784" ON "public"."orders" ("shipped_at") WHERE "shipped_at" IS NULL;',
    );
  });

  test('an index on the expression that hides one', async () => {
    await suggests(
      'plans/expression-hides-index',
      `select * from customers where lower(email) = ${value("'user7@example.com'")}`,
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "customers_lower_idx_ffdc4b" ON "public"."customers" (lower("email"));',
    );
  });

  test('a cast that hides an index', async () => {
    const before = await explained(`select * from orders where id = ${value('77.0', '$1::numeric')}`);
    expect(before.of('plans/expression-hides-index')).toMatchObject({
      evidence: { hiddenIndex: 'orders_pkey', expression: 'id::numeric' },
      action: { kind: 'code' },
    });
    expect(before.of('plans/selective-seq-scan')).toBeUndefined();
  });

  test('a count that reads everything, often', async () => {
    const often = { calls: 7_200, rows: 7_200, since: new Date(Date.parse('2026-03-01T10:00:00Z')).toISOString() };
    const before = await explained('select count(note) from orders', { statement: often });
    expect(before.of('plans/seq-scan-large-table')).toMatchObject({
      evidence: { callsPerHour: 3_600, rowsRead: 200_000 },
    });
    const seldom = { ...often, calls: 2, rows: 2 };
    expect((await explained('select count(note) from orders', { statement: seldom })).findings).toEqual([]);
  });

  test('an index with the column that a filter throws rows away by', async () => {
    await database.run('create index by_status on orders (status)');
    await suggests(
      'plans/rows-removed',
      `select * from orders where status = ${value("'status 3'")} and amount = ${value('31', '$2')}`,
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "orders_amount_idx" ON "public"."orders" ("amount");',
      { settings: { enable_seqscan: 'off' } },
    );
    await database.run('drop index by_status');
  });

  test('an index in the order of a LIMIT', async () => {
    await suggests(
      'plans/limit-not-pushed',
      `select * from orders where status = ${value("'status 3'")} order by created_at desc limit 10`,
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "orders_status_created_at_idx" ON "public"."orders" ("status", "created_at");',
    );
  });

  test('an index with what is filtered in front of the order of a LIMIT', async () => {
    await database.run('create index by_time on orders (created_at)');
    const { before } = await suggests(
      'plans/limit-not-pushed',
      `select * from orders where customer_id = ${value('42')} order by created_at limit 10`,
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "orders_customer_id_created_at_idx" ON "public"."orders" ("customer_id", "created_at");',
      { settings: { enable_seqscan: 'off', enable_sort: 'off' } },
    );
    expect(before.nodes).toContain('Index Scan by_time');
    await database.run('drop index by_time');
  });

  test('an index for the table that a subquery reads for each row', async () => {
    const index = 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "customers_zip_idx" ON "public"."customers" ("zip");';
    const sql = `select o.id, (select count(*) from customers c where c.zip = o.customer_id) from orders o where o.id between ${value('1')} and ${value('1001', '$2')}`;
    const { before } = await suggests('plans/correlated-subplan', sql, index);
    expect(before.of('plans/correlated-subplan')?.evidence.runs).toBeCloseTo(1_001, -1);
  });

  test('an index for the inner table of a nested loop', async () => {
    await suggests(
      'plans/nested-loop-many',
      `select * from orders o join customers c on c.zip = o.customer_id where o.id <= ${value('100')}`,
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "customers_zip_idx" ON "public"."customers" ("zip");',
      { settings: { enable_hashjoin: 'off', enable_mergejoin: 'off', enable_material: 'off' } },
    );
  });

  test('an index for a foreign key that a join needs', async () => {
    await suggests(
      'plans/foreign-key-join',
      `select * from customers c join orders o on o.customer_id = c.id where c.zip = ${value('7')}`,
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "orders_customer_id_idx" ON "public"."orders" ("customer_id");',
    );
  });

  test('one index for two that are read together', async () => {
    await database.run(
      'create table pairs (a int, b int, note text)',
      `insert into pairs select i % 20, i / 20 % 20, repeat('x', 200) from generate_series(1, 200000) i`,
      'create index by_a on pairs (a)',
      'create index by_b on pairs (b)',
      'vacuum (analyze) pairs',
    );
    const { before } = await suggests(
      'plans/bitmap-and',
      `select * from pairs where a = ${value('7')} and b = ${value('3', '$2')}`,
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "pairs_a_b_idx" ON "public"."pairs" ("a", "b");',
    );
    expect(before.nodes).toContain('BitmapAnd');
    await database.run('drop table pairs');
  });

  test('an index on a partitioned table, told once', async () => {
    const sql = `select * from events where id = ${value('77')}`;
    const before = await explained(sql);
    expect(before.of('plans/selective-seq-scan')).toMatchObject({
      subject: { schema: 'public', table: 'events' },
      evidence: { rowsRead: 60_000 },
      action: { sql: 'CREATE INDEX IF NOT EXISTS "events_id_idx" ON "public"."events" ("id");' },
    });
    const after = await applied(before, 'plans/selective-seq-scan', () => explained(sql));
    expect(after.of('plans/selective-seq-scan')).toBeUndefined();
  });

  test('a WITH query that a filter should get into', async () => {
    const of = (word: string) =>
      explained(`with recent as ${word} (select * from orders) select * from recent where id = ${value('7')}`);
    expect((await of('materialized')).of('plans/cte-fence')).toMatchObject({
      evidence: { rowsRead: 200_000, cte: 'recent' },
      action: { caution: expect.stringContaining('AS NOT MATERIALIZED') },
    });
    expect((await of('not materialized')).findings).toEqual([]);
  });

  test('a join without a condition', async () => {
    const sql = (condition: string) =>
      `select count(*) from customers a, customers b where a.zip = ${value('7')} and b."Group" = ${value('3', '$2')} ${condition}`;
    expect((await explained(sql(''))).of('plans/cartesian-product')).toBeUndefined();
    const without = `select count(*) from customers a, orders b where a.zip < ${value('3')} and b.id < ${value('2000', '$2')}`;
    expect((await explained(without)).of('plans/cartesian-product')).toMatchObject({
      evidence: { outer: expect.any(String), inner: expect.any(String) },
      action: { kind: 'code' },
    });
    expect((await explained(`${without} and a.id = b.customer_id`)).of('plans/cartesian-product')).toBeUndefined();
  });

  test('an OR over two tables', async () => {
    const sql = `select count(*) from orders o join customers c on c.zip = o.customer_id or c.id = o.customer_id where o.id < ${value('100')}`;
    expect((await explained(sql)).of('plans/or-across-tables')).toMatchObject({
      evidence: { columns: expect.stringContaining('customer_id') },
    });
  });

  test('an index-only scan of pages that VACUUM has not been to', async () => {
    await database.run(
      // VACUUM trusts only what is on disk, and the server may leave that for later.
      'set synchronous_commit = on',
      'create table seen (a int)',
      'insert into seen select generate_series(1, 50000)',
      'create index seen_a on seen (a)',
      'analyze seen',
    );
    const sql = `select count(*) from seen where a < ${value('20000')}`;
    const scan = () => explained(sql, { settings: { enable_seqscan: 'off', enable_bitmapscan: 'off' } });
    const before = await scan();
    expect(before.of('plans/heap-fetches')).toMatchObject({ evidence: { allVisiblePercent: 0 } });
    await database.run(before.of('plans/heap-fetches')?.action?.sql ?? '');
    expect((await scan()).of('plans/heap-fetches')).toBeUndefined();
    await database.run('drop table seen');
  });

  test('a method that is switched off and used all the same', async () => {
    const sql = 'select * from orders where amount > 3';
    const found = (await explained(sql, { settings: { enable_seqscan: 'off' } })).of('plans/disabled-node');
    expect(found).toMatchObject({ evidence: { nodes: 'Seq Scan', settings: 'enable_seqscan' } });
    expect((await explained(sql)).of('plans/disabled-node')).toBeUndefined();
  });

  test('a table without statistics, and one that has changed', async () => {
    await database.run('create table fresh (a int primary key)', 'insert into fresh select generate_series(1, 5000)');
    const counted = (condition: string) =>
      settled(database, `select 1 from pg_stat_user_tables where relname = 'fresh' and ${condition}`);
    const sql = `select * from fresh where a = ${value('3')}`;
    await counted('n_live_tup = 5000');
    const before = await explained(sql);
    expect(before.of('plans/stale-statistics')).toMatchObject({
      title: 'public.fresh was never analyzed',
      subject: { schema: 'public', table: 'fresh' },
      action: { sql: 'ANALYZE "public"."fresh";' },
    });
    await database.run(before.of('plans/stale-statistics')?.action?.sql ?? '');
    await counted('last_analyze is not null');
    expect((await explained(sql)).of('plans/stale-statistics')).toBeUndefined();
    await database.run('insert into fresh select generate_series(5001, 8000)');
    await counted('n_live_tup = 8000');
    expect((await explained(sql)).of('plans/stale-statistics')).toMatchObject({
      evidence: { liveRows: 8_000, changedSinceAnalyze: 3_000 },
    });
    await database.run('drop table fresh');
  });
});

describe('with a plan that was run', () => {
  const run = (sql: string, settings: Record<string, string> = {}) => judged('run', sql, { settings });

  /** The memory that is advised is enough. */
  const enlarges = async (rule: string, sql: string, settings: Record<string, string> = {}) => {
    const before = await run(sql, { work_mem: '1MB', ...settings });
    expect(before.of(rule)?.action).toMatchObject({ kind: 'config', undoSql: 'RESET work_mem;' });
    const [, size = ''] = /^SET LOCAL work_mem = '(\w+)';$/.exec(before.of(rule)?.action?.sql ?? '') ?? [];
    const x = await run(sql, { ...settings, work_mem: size });
    expect(x.of(rule)).toBeUndefined();
    return before;
  };

  test('more memory for a sort on disk', async () => {
    const before = await enlarges('plans/sort-spill', 'select * from orders order by amount, note');
    expect(before.of('plans/sort-spill')?.evidence).toMatchObject({ rows: 200_000, workMemKilobytes: 1_024 });
  });

  test('more memory for a hash table on disk', async () => {
    await enlarges('plans/hash-spill', 'select * from items i join orders o on o.id = i.order_id', {
      enable_mergejoin: 'off',
      enable_nestloop: 'off',
      hash_mem_multiplier: '1',
    });
  });

  test('more memory for groups on disk', async () => {
    await enlarges('plans/hash-spill', 'select created_at, count(*) from orders group by created_at', {
      enable_sort: 'off',
      hash_mem_multiplier: '1',
    });
  });

  test('more memory for a bitmap', async () => {
    await database.run('create index by_amount on orders (amount)');
    const before = await run('select count(note) from orders where amount < 5000', {
      work_mem: '64kB',
      enable_seqscan: 'off',
      enable_indexscan: 'off',
    });
    expect(before.of('plans/lossy-bitmap')).toMatchObject({
      evidence: { lossyBlocks: expect.any(Number) },
      action: { kind: 'config' },
    });
    await database.run('drop index by_amount');
  });

  test('statistics over columns that depend on each other', async () => {
    await database.run(
      'create table places (city int, region int, note text)',
      `insert into places select i % 100, i % 100 / 5, 'x' from generate_series(1, 200000) i`,
      'analyze places',
    );
    const sql = 'select * from places where city = 7 and region = 1';
    const before = await run(sql);
    expect(before.of('plans/row-misestimate')).toMatchObject({
      evidence: { node: 'Seq Scan', rows: 2_000 },
      action: {
        sql: 'CREATE STATISTICS "public"."places_city_region_stat" (ndistinct, dependencies, mcv) ON "city", "region" FROM "public"."places"; ANALYZE "public"."places";',
        undoSql: 'DROP STATISTICS IF EXISTS "public"."places_city_region_stat";',
      },
    });
    const after = await applied(before, 'plans/row-misestimate', () => run(sql));
    expect(after.of('plans/row-misestimate')).toBeUndefined();
    const [left] = await database.run('select * from pg_statistic_ext');
    expect(left?.rows).toEqual([]);
    await database.run('drop table places');
  });

  test('missing workers', async () => {
    const settings = {
      max_parallel_workers: '0',
      max_parallel_workers_per_gather: '2',
      min_parallel_table_scan_size: '0',
      parallel_setup_cost: '0',
      parallel_tuple_cost: '0',
    };
    expect((await run('select count(note) from orders', settings)).of('plans/workers-not-launched')).toMatchObject({
      evidence: { workersPlanned: 2, workersLaunched: 0 },
    });
  });

  test('partitions that were searched in vain', async () => {
    const found = (await run('select * from events where kind = 11500')).of('plans/partition-pruning');
    expect(found).toMatchObject({
      subject: { table: 'events' },
      evidence: { partitionsSearched: 12, partitionsEmpty: 11 },
    });
    const pruned = await run(`select * from events where kind = 500 and day = date '2025-01-01'`);
    expect(pruned.of('plans/partition-pruning')).toBeUndefined();
  });

  test('the rows that an OFFSET throws away', async () => {
    const found = (await run('select * from orders order by id offset 50000 limit 10')).of('plans/large-offset');
    expect(found?.evidence).toMatchObject({ rowsSkipped: 50_000, rowsReturned: 10 });
    expect((await run('select * from orders order by id limit 10')).findings).toEqual([]);
  });

  test('the guess of a function', async () => {
    await database.run(`create function few() returns setof int language plpgsql as 'begin return next 7; end'`);
    const sql = 'select * from few() f join orders o on o.id = f';
    expect((await run(sql)).of('plans/function-scan-estimate')).toMatchObject({
      evidence: { function: 'few', expectedRows: 1_000, rows: 1 },
    });
    await database.run('alter function few() rows 1');
    expect((await run(sql)).of('plans/function-scan-estimate')).toBeUndefined();
    await database.run('drop function few()');
  });

  test('an index for the trigger of a foreign key', async () => {
    await database.run(
      'insert into customers select i, i::text from generate_series(20001, 20040) i',
      'analyze customers',
    );
    const sql = 'delete from customers where id > 20000';
    const before = await judged('run', sql, { tables: ['orders'] });
    expect(before.of('plans/trigger-time')).toMatchObject({
      evidence: { trigger: 'orders_customer_id_fkey', calls: 40 },
      action: {
        sql: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "orders_customer_id_idx" ON "public"."orders" ("customer_id");',
      },
    });
    const after = await applied(before, 'plans/trigger-time', () => run(sql));
    expect(after.of('plans/trigger-time')).toBeUndefined();
    await database.run('delete from customers where id > 20000');
  });

  test('a Memoize that forgets', async () => {
    // The planner is made to believe that a hundred answers are enough.
    await database.run('alter table items alter column order_id set (n_distinct = 100)', 'analyze items');
    const settings = { enable_hashjoin: 'off', enable_mergejoin: 'off', work_mem: '64kB', hash_mem_multiplier: '1' };
    const before = await run('select * from items i join orders o on o.id = i.order_id', settings);
    await database.run('alter table items alter column order_id reset (n_distinct)', 'analyze items');
    // Memoize came with PostgreSQL 14.
    if (!before.nodes.includes('Memoize')) return;
    expect(before.of('plans/memoize-evictions')).toMatchObject({ evidence: { misses: expect.any(Number) } });
  });
});

describe('a plan that was pasted', () => {
  test('is judged by its own figures, and no index is suggested', async () => {
    const { findings } = await judged('run', 'select * from orders where customer_id = 42', { pasted: true });
    expect(findings).toMatchObject([
      { rule: 'plans/selective-seq-scan', subject: { table: 'orders', queryId: '1' }, evidence: { rowsRead: 200_000 } },
    ]);
    expect(findings[0]?.action).toBeUndefined();
  });
});

describe('ordinary statements', () => {
  const statements = [
    'select * from orders where id = $1',
    'select * from customers where email = $1',
    'select * from customers where zip < $1 limit 5',
    'select * from orders o join customers c on c.id = o.customer_id where o.id = $1',
    'select * from orders order by id desc limit 20',
    'select * from orders where id > $1 order by id limit 20',
    'insert into customers (id, email) values ($1, $2)',
    'update orders set status = $2 where id = $1',
    'select city, count(*) from customers group by city order by 2 desc limit 10',
    'select * from orders where id in ($1, $2, $3)',
    'select exists (select 1 from orders where id = $1)',
    'select * from customers c where exists (select 1 from orders o where o.id = c.id) and c.id = $1',
    'select c.*, g.* from customers c cross join generate_series(1, 3) g where c.id = $1',
    'select max(id) from orders',
    'with one as (select * from orders where id = $1) select * from one union all select * from one',
  ];

  test.each(statements)('give no reason to say anything, planned: %s', async (sql) => {
    expect((await judged('generic', sql)).findings).toEqual([]);
  });

  test.each(statements)('give no reason to say anything, run: %s', async (sql) => {
    const values = sql.replaceAll(/\$\d+/g, (parameter) => `'3000${parameter.slice(1)}'`);
    expect((await judged('run', values)).findings).toEqual([]);
  });
});

test('a suggested index is named as PostgreSQL itself would name it', async () => {
  const cases: [table: string, columns: string[]][] = [
    ['orders', ['status', 'created_at']],
    ['t'.repeat(40), ['c'.repeat(40)]],
    ['t'.repeat(60), ['a', 'b']],
    ['ü'.repeat(30), ['é'.repeat(20), 'x'.repeat(11)]],
    ['Some Table', ['Some "Column']],
  ];
  await database.run('create schema naming');
  for (const [table, columns] of cases) {
    const name = `naming.${pg.escapeIdentifier(table)}`;
    const names = columns.map(pg.escapeIdentifier);
    await database.run(`create table ${name} (${names.map((column) => `${column} int`).join(', ')})`);
    const chosen: string[] = [];
    for (const _ of [1, 2]) {
      chosen.push(indexName(table, columns, chosen));
      await database.run(`create index on ${name} (${names.join(', ')})`);
    }
    const [made] = await database.run(
      `select indexname from pg_indexes where schemaname = 'naming' order by indexname`,
    );
    expect(made?.rows.map(({ indexname }) => indexname)).toEqual(chosen.toSorted());
    await database.run(`drop table ${name}`);
  }
  await database.run('drop schema naming');
});
