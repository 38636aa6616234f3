/** The workloads whose statements are measured before and after the advice is followed. */
import type pg from 'pg';
import { ensureDemo } from '../../local/demo/load.ts';
import { chooser } from '../../local/demo/statement.ts';
import { statements as demoStatements } from '../../local/demo/statements.ts';
import type { EmbeddedPostgres } from '../../local/postgres.ts';
import { withClient } from './client.ts';
import { fillTpch } from './tpch/generate.ts';
import { queries as tpchQueries } from './tpch/queries.ts';
import { schema as tpchSchema } from './tpch/schema.ts';

/** A statement that is measured, with the values of each of its runs. */
export interface Measured {
  name: string;
  sql: string;
  /** @param run counts from 0 */
  values(run: number): unknown[];
  /** What a developer makes of it who is told of a finding. */
  rewritten?: Rewritten;
}

/** A statement that was changed as a rule says. */
export interface Rewritten {
  rule: string;
  sql: string;
  /** @param values the original's */
  values(values: unknown[], client: pg.Client): Promise<unknown[]>;
  /** What must be equal in both answers: where rows are equal by what they are ordered by, either may come. */
  compared(row: unknown[]): unknown;
}

/** A database and what is asked of it. */
export interface Workload {
  name: string;
  /** What it is, in a sentence. */
  about: string;
  /** Makes the database, and returns its URL. */
  load(server: EmbeddedPostgres): Promise<string>;
  statements: readonly Measured[];
}

/** The 22 statements of TPC-H over the specification's tables with their primary and foreign keys, and no other index. */
export function tpch(scale: number): Workload {
  return {
    name: 'TPC-H-like',
    about: `The eight tables of TPC-H at scale ${scale}, with primary keys and nothing else; its 22 statements, with the values of the specification.`,
    async load(server) {
      await withClient(server.url('postgres'), (admin) => admin.query('create database tpch'));
      const url = server.url('tpch');
      await withClient(url, async (client) => {
        for (const sql of ['create extension pg_stat_statements', ...tpchSchema, ...fillTpch(scale)])
          await client.query(sql);
      });
      return url;
    },
    statements: tpchQueries.map(({ name, sql }) => ({ name, sql, values: () => [] })),
  };
}

/** The streaming service of `npm start`, its reading and writing statements, with the faults that are planted in it. */
export function demo(viewEvents: number): Workload {
  return {
    name: 'the demo',
    about: `The streaming service of \`npm start\` with ${viewEvents.toLocaleString('en')} events; every statement of its mix but utility ones.`,
    load: async (server) => (await ensureDemo(server, () => {}, { viewEvents })).url,
    statements: demoStatements
      .filter(({ sql }) => !/^\s*(refresh|analyze)/i.test(sql))
      .map(({ name, sql, values }) => ({
        name,
        sql,
        // The same values before and after, and others in each run.
        values: (run) => values?.(chooser(numbers(run))) ?? [],
        ...(demoRewritten[name] && { rewritten: demoRewritten[name] }),
      })),
  };
}

/** By the statement's name. */
const demoRewritten: Record<string, Rewritten> = {
  'page of the event feed': {
    rule: 'queries/offset-paging',
    sql: `select * from view_events where (occurred_at, id) < ($2, $3) order by occurred_at desc, id desc limit $1`,
    // The page before ended in this row: whoever turns pages has it.
    async values([limit, offset], client) {
      const { rows } = await client.query({
        text: 'select occurred_at::text, id from view_events order by occurred_at desc, id desc limit 1 offset $1',
        values: [Number(offset) - 1],
        rowMode: 'array',
      });
      return [limit, ...(rows[0] ?? [])];
    },
    compared: (row) => row,
  },
  'audience of a week': {
    rule: 'queries/function-on-column',
    sql: `select content_id, count(distinct viewer_id) as viewers from view_events
      where occurred_at >= to_date($2, $1) and occurred_at < to_date($2, $1) + 7
      group by content_id order by viewers desc limit $3`,
    values: async (values) => values,
    compared: ([, viewers]) => viewers,
  },
};

/** Random numbers from 0 to below 1 that are the same in every run: a linear congruential generator (Numerical Recipes). */
function numbers(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 12_345) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
