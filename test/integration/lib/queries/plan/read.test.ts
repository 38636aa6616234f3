import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readJsonPlan } from '../../../../../lib/queries/plan/json.ts';
import { shapeOf } from '../../../../../lib/queries/plan/shape.ts';
import { readTextPlan } from '../../../../../lib/queries/plan/text.ts';
import { nodesOf, Plan } from '../../../../../lib/queries/plan/tree.ts';
import { createDatabase, type TestDatabase } from '../../../database.ts';

/** A statement that makes PostgreSQL use a node which others do not. */
interface Provocation {
  name: string;
  sql: string;
  /** For its transaction. */
  settings?: string[];
  /** The first version of PostgreSQL that knows it. */
  from?: number;
  /** It changes another session's view of the tables: EXPLAIN only. */
  isNotRun?: boolean;
}

const tables = [
  `create table customers (id int primary key, name text not null, region text)`,
  `create table orders (id int primary key, customer_id int not null references customers on delete cascade, total numeric not null, status text, note text, at timestamptz not null)`,
  `create index orders_customer on orders (customer_id)`,
  `create index orders_status on orders (status)`,
  `create index orders_at on orders (at)`,
  `create table events (id int not null, at date not null, kind text) partition by range (at)`,
  `create table events_1 partition of events for values from ('2026-01-01') to ('2026-02-01')`,
  `create table events_2 partition of events for values from ('2026-02-01') to ('2026-03-01')`,
  `create table events_3 partition of events for values from ('2026-03-01') to ('2026-04-01')`,
  `create index events_at on events (at)`,
  `create schema "Sales ""A"""`,
  `create table "Sales ""A"""."Big Table" ("a'b" int, "C d" text)`,
  `insert into "Sales ""A"""."Big Table" select i, 'x' || i from generate_series(1, 100) i`,
  `create index "Big, index" on "Sales ""A"""."Big Table" ("a'b")`,
  `insert into customers select i, 'name ' || i, case when i % 3 = 0 then null else 'r' || i % 5 end from generate_series(1, 500) i`,
  `insert into orders select i, 1 + i % 500, i % 1000, 's' || i % 10, case when i % 7 = 0 then repeat('x', 50) end, timestamptz '2026-01-01 00:00Z' + i * interval '1 minute' from generate_series(1, 20000) i`,
  `insert into events select i, date '2026-01-01' + i % 90, 'k' || i % 4 from generate_series(1, 9000) i`,
  `create function noisy() returns trigger language plpgsql as $$ begin return new; end $$`,
  `create trigger noisy before update on customers for each row execute function noisy()`,
  `create function rows_of(n int) returns setof int language plpgsql as $$ begin return query select generate_series(1, n); end $$`,
  `vacuum (analyze) customers`,
  `vacuum (analyze) orders`,
  `analyze events`,
  `analyze "Sales ""A"""."Big Table"`,
];

const parallel = [
  'max_parallel_workers_per_gather = 2',
  'parallel_setup_cost = 0',
  'parallel_tuple_cost = 0',
  'min_parallel_table_scan_size = 0',
  'min_parallel_index_scan_size = 0',
];

const statements: Provocation[] = [
  { name: 'result', sql: 'select 1' },
  { name: 'one-time filter', sql: `select * from orders where current_user = 'nobody'` },
  { name: 'false', sql: `select * from orders where false` },
  { name: 'project set', sql: 'select generate_series(1, 3)' },
  { name: 'seq scan', sql: `select * from orders where note like '%''q, (x)%'` },
  {
    name: 'seq scan with a literal of several lines',
    sql: `select * from orders where note = E'it''s\n  two\\n "lines"' and status <> 'a'`,
  },
  { name: 'sample scan', sql: 'select * from orders tablesample system (10) repeatable (1)' },
  { name: 'index scan', sql: 'select * from orders where id = 7' },
  { name: 'index scan backward', sql: 'select * from orders order by id desc limit 5' },
  {
    name: 'index only scan',
    sql: 'select customer_id from orders where customer_id between 5 and 9',
    settings: ['enable_bitmapscan = off', 'enable_seqscan = off'],
  },
  {
    name: 'index scan with filter',
    sql: `select * from orders where customer_id = 3 and total > 500`,
    settings: ['enable_bitmapscan = off'],
  },
  {
    name: 'bitmap',
    sql: `select * from orders where customer_id = 3 and total > 500`,
    settings: ['enable_indexscan = off', 'enable_seqscan = off'],
  },
  {
    name: 'bitmap and',
    sql: `select * from orders where customer_id between 1 and 6 and at < '2026-01-01 03:00Z'`,
    settings: ['enable_indexscan = off', 'enable_seqscan = off'],
  },
  {
    name: 'bitmap or',
    sql: `select * from orders o where customer_id = 1 or status = 's3'`,
    settings: ['enable_indexscan = off', 'enable_seqscan = off'],
  },
  {
    name: 'lossy bitmap',
    sql: `select * from orders where status > 's1'`,
    settings: ['work_mem = 64', 'enable_indexscan = off', 'enable_seqscan = off'],
  },
  { name: 'tid scan', sql: `select * from orders where ctid = '(0,1)' or ctid = '(1,2)'` },
  { name: 'tid range scan', sql: `select * from orders where ctid < '(2,1)'` },
  {
    name: 'subquery scan',
    sql: `select * from (select customer_id, count(*) n from orders group by 1 order by 1 offset 3) s where n > 3`,
  },
  { name: 'function scan', sql: `select * from generate_series(1, 10) i where i > 3` },
  { name: 'function scan aliased like the function', sql: `select * from rows_of(10)` },
  { name: 'rows from', sql: `select * from rows from (generate_series(1, 3), rows_of(3)) f` },
  { name: 'json_table', sql: `select * from json_table(jsonb '[1,2]', '$[*]' columns (a int path '$')) j`, from: 17 },
  { name: 'values', sql: `select * from (values (1, 'a'), (2, 'b')) v(a, b) where a > 1` },
  {
    name: 'cte',
    sql: `with recent as materialized (select * from orders where id > 19000) select * from recent a join recent b using (id) where a.total > 5`,
  },
  {
    name: 'recursive',
    sql: `with recursive r(n) as (select 1 union all select n + 1 from r where n < 10) select * from r`,
  },
  { name: 'nested loop', sql: `select * from customers c join orders o on o.customer_id = c.id where c.id = 5` },
  {
    name: 'nested loop with join filter',
    sql: `select * from customers a, customers b where a.id < b.id and a.name <> b.name and b.id < 20`,
  },
  {
    name: 'nested loop left',
    sql: `select * from customers c left join orders o on o.customer_id = c.id and o.total > 990 where c.id < 5`,
    settings: ['enable_hashjoin = off', 'enable_mergejoin = off'],
  },
  {
    name: 'nested loop anti',
    sql: `select * from customers c where not exists (select from orders o where o.customer_id = c.id and o.total > c.id)`,
    settings: ['enable_hashjoin = off', 'enable_mergejoin = off'],
  },
  { name: 'hash join', sql: `select * from customers c join orders o on o.customer_id = c.id where o.total > c.id` },
  {
    name: 'hash left join',
    sql: `select * from orders o left join customers c on c.id = o.customer_id where c.region is null`,
  },
  {
    name: 'semi join',
    sql: `select * from orders o where exists (select from events e where e.id = o.id and e.kind = 'k1')`,
  },
  {
    name: 'nested loop semi join',
    sql: `select * from customers c where exists (select from orders o where o.customer_id = c.id and o.total > c.id)`,
    settings: ['enable_hashjoin = off', 'enable_mergejoin = off'],
  },
  {
    name: 'hash anti join',
    sql: `select * from orders o where not exists (select from customers c where o.customer_id = c.id)`,
  },
  {
    name: 'hash right anti join',
    sql: `select * from customers c where not exists (select from orders o where o.customer_id = c.id)`,
  },
  { name: 'hash right join', sql: `select * from customers c left join orders o on o.customer_id = c.id` },
  { name: 'hash full join', sql: `select * from customers c full join orders o on o.customer_id = c.id` },
  {
    name: 'hash join in batches',
    sql: `select count(*) from orders a join orders b on a.total = b.total and a.note = b.note and a.id < 200`,
    settings: ['work_mem = 64', 'enable_mergejoin = off', 'enable_nestloop = off'],
  },
  {
    name: 'merge join',
    sql: `select * from orders a join orders b on a.total = b.id`,
    settings: ['enable_hashjoin = off', 'enable_nestloop = off'],
  },
  {
    name: 'merge left join',
    sql: `select * from customers c left join orders o on o.customer_id = c.id`,
    settings: ['enable_hashjoin = off', 'enable_nestloop = off', 'enable_indexscan = off'],
  },
  {
    name: 'memoize',
    sql: `select * from orders o left join customers c on c.id = o.customer_id where o.id < 3000`,
    settings: ['enable_hashjoin = off', 'enable_mergejoin = off'],
  },
  {
    name: 'materialize',
    sql: `select * from customers a, customers b where a.name > b.name`,
    settings: ['enable_hashjoin = off'],
  },
  {
    name: 'sort',
    sql: `select * from orders order by total desc nulls last, note collate "C", coalesce(status, 'a, b')`,
  },
  { name: 'sort on disk', sql: `select * from orders order by note, total`, settings: ['work_mem = 64'] },
  { name: 'top-n sort', sql: `select * from orders order by total limit 3` },
  {
    name: 'incremental sort',
    sql: `select * from orders order by customer_id, total`,
    settings: ['enable_seqscan = off', 'enable_bitmapscan = off', 'enable_sort = off'],
  },
  {
    name: 'incremental sort limit',
    sql: `select * from (select * from orders order by customer_id limit 300) o order by customer_id, total desc`,
  },
  { name: 'group', sql: `select customer_id from orders group by customer_id`, settings: ['enable_hashagg = off'] },
  { name: 'aggregate', sql: `select count(*), sum(total) from orders` },
  {
    name: 'group aggregate',
    sql: `select customer_id, count(*) from orders group by customer_id having count(*) > 100`,
    settings: ['enable_hashagg = off'],
  },
  {
    name: 'hash aggregate',
    sql: `select customer_id, date_trunc('day', at), count(*) from orders group by 1, 2 having count(*) > 1`,
  },
  {
    name: 'hash aggregate on disk',
    sql: `select id, note, count(*) from orders group by 1, 2`,
    settings: ['work_mem = 64', 'enable_sort = off', 'enable_indexscan = off', 'enable_incremental_sort = off'],
  },
  { name: 'mixed aggregate', sql: `select customer_id, status, count(*) from orders group by cube (1, 2)` },
  {
    name: 'grouping sets',
    sql: `select customer_id, status, count(*) from orders group by grouping sets ((1, 2), (1), (2), ())`,
    settings: ['enable_hashagg = off'],
  },
  { name: 'window', sql: `select *, row_number() over (partition by customer_id order by at) from orders` },
  {
    name: 'window with run condition',
    sql: `select * from (select *, row_number() over (order by at) n from orders) s where n <= 5`,
  },
  { name: 'unique', sql: `select distinct on (customer_id) * from orders order by customer_id, at` },
  { name: 'intersect', sql: `select customer_id from orders intersect select id from customers` },
  {
    name: 'except all',
    sql: `select customer_id from orders except all select id from customers`,
    settings: ['enable_hashagg = off'],
  },
  { name: 'union', sql: `select name from customers union select note from orders` },
  { name: 'union all', sql: `select id from customers union all select id from orders order by 1 limit 10` },
  { name: 'lock rows', sql: `select * from orders where id < 5 for update` },
  {
    name: 'init plan',
    sql: `select * from orders where total = (select max(total) from orders) and id > (select min(id) from customers)`,
  },
  {
    name: 'sub plan',
    sql: `select *, (select count(*) from orders o where o.customer_id = c.id) from customers c where id < 5`,
  },
  {
    name: 'hashed sub plan',
    sql: `select * from orders where customer_id not in (select id from customers where region = 'r1')`,
  },
  {
    name: 'sub plan below a join',
    sql: `select * from customers c join orders o on o.customer_id = c.id and o.total > (select avg(total) from orders i where i.customer_id = c.id) where c.region = (select min(region) from customers)`,
  },
  {
    name: 'never executed',
    sql: `select * from customers c join orders o on o.customer_id = c.id where c.name = 'none'`,
    settings: ['enable_hashjoin = off', 'enable_mergejoin = off'],
  },
  { name: 'append', sql: `select * from events where kind = 'k1'` },
  { name: 'merge append', sql: `select * from events order by at limit 10` },
  { name: 'pruned', sql: `select * from events where at = date '2026-02-03'` },
  { name: 'pruned at start', sql: `select * from events where at > (current_date - 100000)` },
  { name: 'pruned at run time', sql: `select * from events where at = (select date '2026-02-03' + 1)` },
  { name: 'partly pruned at start', sql: `select * from events where at < '2026-02-10'::text::date` },
  {
    name: 'quoted names',
    sql: `select "C d" from "Sales ""A"""."Big Table" "T 1" where "a'b" = 3 order by "C d", "a'b" + 1`,
    settings: ['enable_seqscan = off'],
  },
  { name: 'disabled', sql: `select count(*) from events_1 where kind = 'a'`, settings: ['enable_seqscan = off'] },
  { name: 'parallel scan', sql: `select * from orders where total > 5`, settings: parallel },
  { name: 'parallel aggregate', sql: `select customer_id, count(*) from orders group by 1`, settings: parallel },
  { name: 'parallel sort', sql: `select * from orders order by total`, settings: parallel },
  {
    name: 'parallel hash join',
    sql: `select count(*) from orders a join orders b on a.total = b.id where a.total > 3`,
    settings: [...parallel, 'enable_mergejoin = off', 'enable_nestloop = off'],
  },
  {
    name: 'parallel memoize',
    sql: `select count(c.name) from orders o left join customers c on c.id = o.customer_id`,
    settings: [...parallel, 'enable_hashjoin = off', 'enable_mergejoin = off'],
  },
  {
    name: 'parallel bitmap',
    sql: `select count(*) from orders where customer_id < 100`,
    settings: [...parallel, 'enable_seqscan = off', 'enable_indexscan = off', 'enable_indexonlyscan = off'],
  },
  { name: 'parallel append', sql: `select count(*) from events`, settings: parallel },
  {
    name: 'parallel incremental sort',
    sql: `select * from orders order by customer_id, total limit 500`,
    settings: [...parallel, 'enable_seqscan = off', 'enable_bitmapscan = off', 'enable_sort=off'],
  },
  { name: 'insert', sql: `insert into customers select i, 'n' from generate_series(1000, 1010) i` },
  { name: 'insert values', sql: `insert into customers values (1001, 'a'), (1002, 'b') returning id` },
  {
    name: 'on conflict',
    sql: `insert into customers as t values (1, 'a', null), (1002, 'b', null) on conflict (id) do update set name = excluded.name where t.name <> 'c'`,
  },
  {
    name: 'update',
    sql: `update orders o set total = total + 1 from customers c where c.id = o.customer_id and c.id = 5`,
    settings: ['enable_bitmapscan = off'],
  },
  { name: 'update with trigger', sql: `update customers set name = name || '!' where id < 10` },
  {
    name: 'update of several columns',
    sql: `update customers c set (name, region) = (select max(status), min(status) from orders o where o.customer_id = c.id) where id < 4`,
  },
  { name: 'update of partitions', sql: `update events set kind = 'z' where id < 10` },
  { name: 'delete', sql: `delete from customers where id = 5` },
  { name: 'delete of partitions', sql: `delete from events e using customers c where e.id = c.id and c.id < 5` },
  {
    name: 'merge',
    sql: `merge into customers c using (values (1, 'a'), (2000, 'b')) v (id, name) on c.id = v.id when matched then update set name = v.name when not matched then insert values (v.id, v.name)`,
    from: 15,
  },
  { name: 'writing cte', sql: `with gone as (delete from orders where id < 10 returning *) select count(*) from gone` },
  { name: 'temporary table', sql: `create temporary table copy as select * from orders where id < 100` },
  {
    name: 'settings',
    sql: `select * from orders`,
    settings: ['search_path = public, "$user"', `random_page_cost = 1.1`, 'work_mem = 8192'],
  },
  { name: 'foreign', sql: `select * from there.orders o where total > 100 and note ~ 'x'` },
  {
    name: 'foreign join',
    sql: `select * from there.orders o join there.customers c on c.id = o.customer_id where c.id = 3`,
  },
  { name: 'foreign update', sql: `update there.customers set name = name || 'x' where id = 3`, isNotRun: true },
  { name: 'foreign insert', sql: `insert into there.customers values (5000, 'x', 'y')`, isNotRun: true },
  {
    name: 'foreign partition',
    sql: `select count(*) from (select * from there.orders union all select * from there.orders) s`,
    settings: ['enable_hashagg = on'],
  },
  { name: 'jit', sql: `select sum(total) from orders`, settings: ['jit = on', 'jit_above_cost = 0'] },
];

let database: TestDatabase;
let client: pg.Client;
let version: number;

beforeAll(async () => {
  database = await createDatabase({ extensions: false });
  const { host, port, username, password } = new URL(database.url);
  await database.run(
    ...tables,
    'create extension postgres_fdw',
    `create server loop foreign data wrapper postgres_fdw options (host '127.0.0.1', port '${port}', dbname '${database.name}')`,
    `create user mapping for current_user server loop options (user '${username}', password '${decodeURIComponent(password)}')`,
    'create schema there',
    'import foreign schema public limit to (orders, customers) from server loop into there',
  );
  expect(host).toContain('127.0.0.1');
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query("select current_setting('server_version_num')::int / 10000 as version");
  version = rows[0].version;
});

afterAll(async () => {
  await client?.end();
  await database?.drop();
});

/** Runs EXPLAIN in a transaction that is rolled back. */
async function explain({ sql, settings = [] }: Provocation, options: string): Promise<unknown[]> {
  await client.query('begin');
  try {
    for (const setting of settings) await client.query(`set local ${setting}`);
    const { rows } = await client.query(`explain (${options}) ${sql}`);
    return rows.map((row) => row['QUERY PLAN']);
  } finally {
    await client.query('rollback');
  }
}

async function bothFormats(statement: Provocation, options: string): Promise<{ json: Plan; text: Plan }> {
  const [json] = await explain(statement, `${options}, format json`);
  const text = await explain(statement, `${options}, format text`);
  return { json: readJsonPlan(json), text: readTextPlan(text.join('\n')) };
}

/** Leaves out what the text format does not tell, and what differs from run to run. */
function comparable(plan: Plan): Plan {
  const { planningMs: _, executionMs: __, triggers, ...rest } = structuredClone(plan);
  for (const { node } of nodesOf(rest)) {
    delete node.innerUnique;
    delete node.buffers;
    // A function that is called like its alias cannot be told from one without a name.
    if (node.functionName === undefined || node.functionName === node.alias) delete node.functionName;
    if (node.actual) node.actual = { ...node.actual, startupMs: null, totalMs: null };
    for (const memory of [node.hash, node.hashAggregate, node.memoize]) if (memory) memory.memoryKilobytes = 0;
    for (const sort of node.sorts ?? []) sort.kilobytes = 0;
  }
  return triggers ? { ...rest, triggers: triggers.map((trigger) => ({ ...trigger, totalMs: 0 })) } : rest;
}

describe('JSON and text of the same plan are read alike', () => {
  test.each(statements)('$name', async (statement) => {
    if (version < (statement.from ?? 0)) return;
    for (const options of ['costs', 'verbose', 'verbose, settings, buffers']) {
      const { json, text } = await bothFormats(statement, options);
      expect(comparable(text)).toEqual(comparable(json));
      expect(shapeOf(text)).toBe(shapeOf(json));
      expect(Plan.parse(json)).toEqual(json);
    }
  });

  test.each(statements.filter(({ isNotRun }) => !isNotRun))('$name, when it is run', async (statement) => {
    if (version < (statement.from ?? 0)) return;
    const newest = version >= 17 ? ['analyze, serialize text, memory'] : [];
    for (const options of ['analyze', 'analyze, verbose, buffers, wal, settings', 'analyze, timing off', ...newest]) {
      const { json, text } = await bothFormats(statement, options);
      expect(shapeOf(text)).toBe(shapeOf(json));
      expect(Plan.parse(text)).toEqual(text);
      // Workers take from the leader what they get hold of: no two runs are alike.
      if (!statement.name.startsWith('parallel')) expect(comparable(text)).toEqual(comparable(json));
    }
  });
});
