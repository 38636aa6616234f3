/** Rules over plans that a setting or a statistic decides about: each with a plan that it finds, and one that looks alike. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectQueries } from '../../../../../lib/queries/collect.ts';
import type { QuerySnapshot } from '../../../../../lib/queries/snapshot.ts';
import { createDatabase, rowsOf, type TestDatabase, withSession } from '../../../database.ts';
import { about, counted, findingsOf } from '../counters/judged.ts';
import { type Circumstances, judge, type Mode } from './judge.ts';

let database: TestDatabase;
let snapshot: QuerySnapshot;

const tasks = (status: string) => `select id, note from tasks where status = '${status}'`;
const kinds = (kind: string) => `select id from tasks where kind = '${kind}'`;
const queued = (queue: number) => `select note, id from tasks where queue = ${queue}`;

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create table orders (id int primary key, customer_id int not null, amount int not null, note text)',
    `insert into orders select g, 1 + (g * 7919) % 5000, (g * 31) % 10000, repeat('x', 200) from generate_series(1, 60000) g`,
    'create index by_amount on orders (amount)',
    'create table customers (id int primary key, zip int not null)',
    'insert into customers select g, g % 500 from generate_series(1, 5000) g',
    'create table items (order_id int not null)',
    'insert into items select 1 + (g * 3) % 60000 from generate_series(1, 60000) g',
    // Nearly all tasks are done; a queue is as good as another.
    'create table tasks (id int primary key, status text, kind text, queue int, note text)',
    `insert into tasks select g, case when g % 1000 = 0 then 'failed' else 'done' end,
      case when g % 1000 = 0 then 'rare' else 'usual' end, g % 1000, repeat('x', 100)
      from generate_series(1, 50000) g`,
    'create index on tasks (status)',
    'create index on tasks (queue)',
  );
  await database.run(
    'vacuum (analyze)',
    'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)',
  );
  await database.run(tasks('done'), tasks('failed'), queued(1), queued(2), kinds('rare'));
  snapshot = await withSession(database.url, collectQueries);
});

afterAll(() => database?.drop());

const found = async (rule: string, mode: Mode, sql: string, circumstances: Circumstances = {}) =>
  (await judge(database.url, mode, sql, circumstances)).of(rule);

test('plans/parameter-sensitive: a status that nearly all rows have, a queue like any other, and a kind without an index', () => {
  const said = (text: string) =>
    about(findingsOf(snapshot, 'plans/parameter-sensitive', { minCost: 100 }), counted(snapshot, text));
  expect(said(tasks('done'))).toMatchObject([{ severity: 'warning', evidence: { column: 'status' } }]);
  expect(said(queued(1))).toEqual([]);
  // All tasks are read for the rare kind as well.
  expect(said(kinds('rare'))).toEqual([]);
});

describe('plans/jit-cost', () => {
  const sql = 'select sum(amount + id) from orders where customer_id < 3';
  const settings = { jit: 'on', jit_inline_above_cost: '0', jit_optimize_above_cost: '0' };
  const compiled = (cost: string) =>
    found('plans/jit-cost', 'run', sql, { settings: { ...settings, jit_above_cost: cost } });

  test('finds what is compiled, and not what is too cheap for that', async ({ skip }) => {
    const [row] = await rowsOf<{ has: boolean }>(database, 'select pg_jit_available() as has');
    skip(!row?.has, 'This server cannot compile.');
    expect(await compiled('0')).toMatchObject({ evidence: { jitMs: expect.any(Number) } });
    expect(await compiled('1000000')).toBeUndefined();
  });
});

describe('plans/large-sort', () => {
  const sorted = (sql: string, circumstances: Circumstances = {}) =>
    found('plans/large-sort', 'generic', sql, {
      settings: { work_mem: '1MB' },
      statement: { calls: 9, tempBlocksWritten: 9_000 },
      ...circumstances,
    });
  const sql = 'select * from orders order by note, amount';

  test('finds a sort that does not fit', async () => {
    expect(await sorted(sql)).toMatchObject({ evidence: { workMemKilobytes: 1_024 } });
    expect(await sorted(sql, { statement: { calls: 0 } })).toBeDefined();
  });

  test.for<[string, string, Circumstances?]>([
    ['that keeps few rows', `${sql} limit 10`],
    [
      'that an index saves',
      'select * from orders order by id',
      { settings: { work_mem: '1MB', enable_seqscan: 'off' } },
    ],
    ['that fits', sql, { settings: { work_mem: '64MB' } }],
    ['of few rows', 'select * from orders where customer_id = $1 order by note'],
    ['of a statement that never wrote a file', sql, { statement: { calls: 9, tempBlocksWritten: 0 } }],
  ])('says nothing of one %s', async ([, text, circumstances]) => {
    expect(await sorted(text, circumstances)).toBeUndefined();
  });
});

test('plans/or-across-tables: an OR over both tables, and one over the columns of one', async () => {
  const joined = (condition: string) =>
    judge(database.url, 'run', `select count(*) from orders o left join customers c on ${condition} where o.id < 200`);
  const both = await joined('c.zip = o.customer_id or c.id = o.customer_id');
  expect(both.of('plans/or-across-tables')).toBeDefined();
  const one = await joined('o.amount = 7 or o.customer_id = 9');
  // It is tested on as many pairs.
  expect(one.nodes).toContain('Nested Loop');
  expect(one.of('plans/or-across-tables')).toBeUndefined();
});

test('plans/workers-not-launched: workers that are not to be had, and a plan without any', async () => {
  const settings = {
    max_parallel_workers_per_gather: '2',
    min_parallel_table_scan_size: '0',
    parallel_setup_cost: '0',
    parallel_tuple_cost: '0',
  };
  const counting = (sql: string, workers: string) =>
    found('plans/workers-not-launched', 'run', sql, { settings: { ...settings, max_parallel_workers: workers } });
  expect(await counting('select count(note) from orders', '0')).toBeDefined();
  expect(await counting('select note from orders where id = 5', '0')).toBeUndefined();
});

test('plans/lossy-bitmap: a bitmap in too little memory, and the same one in enough', async () => {
  const read = (memory: string) =>
    // Nearly all of the time goes into the rows, whatever else the machine does.
    found('plans/lossy-bitmap', 'run', `select count(*) from orders where amount < 5000 and md5(md5(note)) <> ''`, {
      settings: { work_mem: memory, enable_seqscan: 'off', enable_indexscan: 'off' },
    });
  expect(await read('64kB')).toBeDefined();
  expect(await read('16MB')).toBeUndefined();
});

test('plans/memoize-evictions: answers that are forgotten, and as many that are kept', async ({ skip }) => {
  skip(snapshot.server.versionNumber < 140_000, 'Memoize came with PostgreSQL 14.');
  // The planner is made to believe that a hundred answers are enough.
  await database.run('alter table items alter column order_id set (n_distinct = 100)', 'analyze items');
  const joined = async (memory: string) => {
    const settings = { enable_hashjoin: 'off', enable_mergejoin: 'off', work_mem: memory, hash_mem_multiplier: '1' };
    const judged = await judge(database.url, 'run', 'select * from items i join orders o on o.id = i.order_id', {
      settings,
    });
    expect(judged.nodes).toContain('Memoize');
    return judged.of('plans/memoize-evictions');
  };
  expect(await joined('64kB')).toBeDefined();
  expect(await joined('64MB')).toBeUndefined();
});
