/** What an audit of the queries costs on a database with very many statements and tables. */
import { runAudit } from '../../lib/audit.ts';
import { openHistory } from '../../lib/postgres/history.ts';
import { statementMark } from '../../lib/postgres/session.ts';
import type { EmbeddedPostgres } from '../../local/postgres.ts';
import { digits, limitGoal, type Section, sampleOf } from '../cache/measure.ts';
import { withClient } from './workloads.ts';

const relations = 10_000;
const statements = 5_000;

/** The first one parses every text; the others find most of them known. */
const audits = 6;

/** As the audit is scheduled, in milliseconds. */
const everyMs = 300_000;

/** Audits such a database a few times, in a process of its own so that its memory can be told. */
export async function collector(server: EmbeddedPostgres): Promise<Section> {
  await withClient(server.url('postgres'), async (admin) => {
    await admin.query('create database crowded');
    await admin.query('create database crowded_history');
  });
  const url = server.url('crowded');
  await withClient(url, fill);
  const history = openHistory(server.url('crowded_history'));
  const took: number[] = [];
  const databaseMs: number[] = [];
  try {
    await history.migrate();
    for (let audit = 0; audit < audits; audit++) {
      const before = await ownMs(url);
      const started = performance.now();
      await runAudit('queries', { name: 'crowded', url }, new Date(Date.now() - (audits - audit) * everyMs), history);
      took.push(performance.now() - started);
      databaseMs.push((await ownMs(url)) - before);
    }
  } finally {
    await history.close();
  }
  const [first = Number.NaN, ...others] = took;
  const peak = process.resourceUsage().maxRSS / 1024;
  const share = (100 * sampleOf(databaseMs).median) / everyMs;
  return {
    title: 'An audit of many statements',
    method: `${statements.toLocaleString('en')} statements in pg_stat_statements, of a database with ${relations.toLocaleString('en')} tables and as many indexes, audited ${audits} times in one process, the result kept in a history. The share of the database's time is of one processor, for an audit every five minutes.`,
    head: ['', 'measured'],
    rows: [
      ['first audit', `${digits(first)} ms`],
      ['those after it, median', `${digits(sampleOf(others).median)} ms`],
      ['statements run on the database, median', `${digits(sampleOf(databaseMs).median)} ms`],
      ['share of its time', `${digits(share)} %`],
      ['largest memory of the process', `${digits(peak)} MB`],
    ],
    goals: [
      limitGoal('first audit under 3 s', 3_000, first, ' ms'),
      limitGoal('under 200 MB', 200, peak, ' MB'),
      limitGoal("under 1 % of the database's time", 1, share, ' %'),
    ],
  };
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
    const table = 1 + (n % relations);
    await client.query(
      `select x.id, x.a as a_${n}, count(*) from t_${table} x join t_1 y on y.id = x.a where x.b = 'b ${n}' and y.c > now() - interval '1 day' group by x.id, x.a order by x.id limit 10`,
    );
  }
}

/** The time that marked statements have taken. */
async function ownMs(url: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query(
      'select coalesce(sum(total_exec_time + total_plan_time), 0) as ms from pg_stat_statements where position($1 in query) > 0',
      [statementMark],
    );
    return Number(rows[0].ms);
  });
}
