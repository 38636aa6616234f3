/**
 * The columns of pg_stat_statements by what they mean; the first name that the installed view has
 * is read. They changed with the extension, not with the server: 1.8 is PostgreSQL 13's, 1.11 is 17's.
 * https://www.postgresql.org/docs/current/pgstatstatements.html
 */
import { escapeIdentifier } from 'pg';

const columns = {
  calls: ['calls'],
  totalMs: ['total_exec_time'],
  minMs: ['min_exec_time'],
  maxMs: ['max_exec_time'],
  stddevMs: ['stddev_exec_time'],
  plans: ['plans'],
  planMs: ['total_plan_time'],
  rows: ['rows'],
  sharedBlocksHit: ['shared_blks_hit'],
  sharedBlocksRead: ['shared_blks_read'],
  sharedBlocksDirtied: ['shared_blks_dirtied'],
  tempBlocksRead: ['temp_blks_read'],
  tempBlocksWritten: ['temp_blks_written'],
  readMs: ['shared_blk_read_time', 'blk_read_time'],
  writeMs: ['shared_blk_write_time', 'blk_write_time'],
  walBytes: ['wal_bytes'],
  jitMs: ['jit_generation_time + jit_inlining_time + jit_optimization_time + jit_emission_time'],
} as const;

/** A counter of a statement. */
export type Counter = keyof typeof columns;

/** A row of the view: one statement of one user, at top level or inside a function. */
export type StatementRow = Record<Counter, number> & {
  queryId: string;
  query: string;
  /** The role's oid. */
  role: string;
  since: string | null;
};

/** The oldest pg_stat_statements that has the columns: the one of PostgreSQL 13. */
export const oldestExtension = { major: 1, minor: 8 };

/** The columns that the installed view has. */
export const viewColumnsSql = `
select a.attname as name
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where c.relname = 'pg_stat_statements' and n.nspname = $1 and a.attnum > 0`;

/** Reads this database's statements. Those that the role may not see have no `queryid`. */
export function statementsSql(extensionSchema: string, present: ReadonlySet<string>): string {
  const counters = Object.entries(columns).map(([name, candidates]) => {
    const terms = candidates.map((sum) => sum.split(' + ')).find((sum) => sum.every((column) => present.has(column)));
    return `${terms?.map((column) => `s.${column}`).join(' + ') ?? '0'} as "${name}"`;
  });
  return `
select s.queryid::text as "queryId", s.query, s.userid::text as role,
  ${present.has('stats_since') ? 's.stats_since' : 'null::timestamptz'} as since,
  ${counters.join(', ')}
from ${escapeIdentifier(extensionSchema)}.pg_stat_statements s
where s.dbid = (select oid from pg_database where datname = current_database()) and s.calls > 0`;
}

/** The reset and the evictions, from pg_stat_statements 1.9 (PostgreSQL 14) on. */
export function informationSql(extensionSchema: string): string {
  return `select dealloc as evictions, stats_reset as "resetAt" from ${escapeIdentifier(extensionSchema)}.pg_stat_statements_info`;
}
