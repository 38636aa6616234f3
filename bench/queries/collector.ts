/** What an audit of the queries costs on a database with very many statements and tables. */
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { bundling } from '../../infra/bundle.ts';
import type { EmbeddedPostgres } from '../../local/postgres.ts';
import { startChild } from '../cache/children.ts';
import { digits, limitGoal, type Section, sampleOf } from '../cache/measure.ts';
import { withClient } from './client.ts';
import type { Audited } from './collector-process.ts';

const relations = 10_000;
const statements = 5_000;

/** The first one parses every text; the others find most of them known. */
const audits = 6;

/** As the audit is scheduled, in milliseconds. */
const everyMs = 300_000;

/**
 * The bounds of V8's heap in the deployed function: half of its 1,024 MB, as V8 chooses (Heap::ConfigureHeap in V8's heap.cc), and the young
 * generation that infra/function.ts sets. On a larger machine V8 would let garbage lie.
 */
const heap = ['--max-old-space-size=512', '--max-semi-space-size=2'];

/** Audits such a database a few times, in a process of its own so that its memory can be told. */
export async function collector(server: EmbeddedPostgres): Promise<Section> {
  await withClient(server.url('postgres'), async (admin) => {
    await admin.query('create database crowded');
    await admin.query('create database crowded_history');
  });
  const url = server.url('crowded');
  await withClient(url, fill);
  const child = startChild(
    await bundled(),
    [url, server.url('crowded_history'), String(audits), String(everyMs)],
    heap,
  );
  const { took, databaseMs, atRestMegabytes, peakMegabytes } = await child.hear<Audited>();
  const [first = Number.NaN, ...others] = took;
  const [firstPeak = Number.NaN] = peakMegabytes;
  const share = (100 * sampleOf(databaseMs).median) / everyMs;
  return {
    title: 'An audit of many statements',
    method: `${statements.toLocaleString('en')} statements in pg_stat_statements, of a database with ${relations.toLocaleString('en')} tables and as many indexes, audited ${audits} times in one process whose heap is bounded as in the deployed function, the result kept in a history. The share of the database's time is of one processor, for an audit every five minutes.`,
    head: ['', 'measured'],
    rows: [
      ['first audit', `${digits(first)} ms`],
      ['those after it, median', `${digits(sampleOf(others).median)} ms`],
      ['statements run on the database, median', `${digits(sampleOf(databaseMs).median)} ms`],
      ['share of its time', `${digits(share)} %`],
      ['memory of the process before the first audit', `${digits(atRestMegabytes)} MB`],
      ['largest memory of the process, one audit', `${digits(firstPeak)} MB`],
      [`largest memory of the process, ${audits} audits`, `${digits(peakMegabytes.at(-1) ?? Number.NaN)} MB`],
    ],
    goals: [
      limitGoal('first audit under 3 s', 3_000, first, ' ms'),
      limitGoal('one audit under 200 MB', 200, firstPeak, ' MB'),
      limitGoal("under 1 % of the database's time", 1, share, ' %'),
    ],
  };
}

/** The script of the process, built as the functions are. */
async function bundled(): Promise<string> {
  const outfile = resolve(import.meta.dirname, '../../dist/bench/collector-process.mjs');
  await build({
    entryPoints: [resolve(import.meta.dirname, 'collector-process.ts')],
    outfile,
    ...bundling,
    // It reads its program from its own folder.
    external: [...bundling.external, 'libpg-query'],
  });
  return outfile;
}

async function fill(client: { query(sql: string): Promise<unknown> }): Promise<void> {
  await client.query('create extension pg_stat_statements');
  for (let first = 1; first <= relations; first += 500) {
    await client.query(`do $$ begin for n in ${first}..${first + 499} loop
      execute format('create table t_%s (id int primary key, a int, b text, c timestamptz)', n);
    end loop; end $$`);
  }
  await client.query('insert into t_1 select g, g, g::text, now() from generate_series(1, 10000) g');
  await client.query('analyze');
  await client.query('select pg_stat_statements_reset()');
  for (let n = 1; n <= statements; n++) {
    const table = 2 + (n % (relations - 1));
    await client.query(
      // By the tables' own names: from PostgreSQL 18 on, those behind an alias do not tell statements apart.
      `select t_${table}.id, t_${table}.a as a_${n}, count(*) from t_${table} join t_1 y on y.id = t_${table}.a where t_${table}.b = 'b ${n}' and y.c > now() - interval '1 day' group by t_${table}.id, t_${table}.a order by t_${table}.id limit 10`,
    );
  }
}
