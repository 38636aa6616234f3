import * as z from 'zod';
import type { Action } from '../../advice/finding.ts';
import { plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { IndexSnapshot } from '../../indexes/snapshot.ts';
import type { Table } from '../snapshot.ts';
import { rowsOf, subjectOf } from '../subject.ts';

/**
 * `tables/stale-statistics`: a table of which much has changed since ANALYZE looked at it, or that it never looked at: its own row
 * count in pg_class says so, which no reset of counters takes away (from PostgreSQL 14 on). Autovacuum analyzes no partitioned
 * table, only its partitions: joins and GROUP BY over the whole need statistics of the whole.
 * https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-STATISTICS
 */
export const staleStatistics = defineRule({
  id: 'tables/stale-statistics',
  title: 'Statistics of a table out of date',
  why: 'The planner knows a table only from its last ANALYZE: it chooses scans and joins for rows that are no longer there.',
  severity: 'warning',
  options: z.strictObject({
    /** Rows changed since the last ANALYZE, of those that there are; autovacuum's bound is 10. */
    minChangedPercent: z.number().positive().default(25),
    /** Smaller tables are planned well enough. */
    minRows: z.number().int().min(1).default(1_000),
  }),
  check(snapshot: IndexSnapshot, options): Draft[] {
    return snapshot.tables.flatMap((table) => {
      const found = stale(table, snapshot.server.versionNumber, options);
      return found ? [{ subject: subjectOf(snapshot, table), ...found, action: analyze(table) }] : [];
    });
  },
});

function stale(
  table: Table,
  versionNumber: number,
  { minChangedPercent, minRows }: { minChangedPercent: number; minRows: number },
): Omit<Draft, 'subject'> | undefined {
  const { liveRows, changedSinceAnalyze, analyzedAt, sql, kind } = table;
  // An unlogged table is empty on a standby, whatever the counters say.
  if (rowsOf(table) < minRows || table.sizeBytes === 0) return undefined;
  if (versionNumber >= 140_000 && table.rows === null) {
    return {
      severity: kind === 'partitioned table' ? 'info' : 'warning',
      title: `${sql} was never analyzed`,
      detail: `It has ${plural(liveRows, 'row')}, and the planner has no statistics of it${kind === 'partitioned table' ? ' as a whole: autovacuum analyzes its partitions only' : ''}.`,
      evidence: { liveRows },
    };
  }
  if (kind === 'partitioned table') return undefined;
  const changed = (100 * changedSinceAnalyze) / rowsOf(table);
  if (changed < minChangedPercent) return undefined;
  return {
    title: `${Math.round(changed)} % of ${sql} changed since it was last analyzed`,
    detail: `${plural(changedSinceAnalyze, 'row')} of ${plural(rowsOf(table), 'row')} changed${analyzedAt === null ? '' : ` since ${analyzedAt.slice(0, 10)}`}.`,
    evidence: { liveRows, changedSinceAnalyze, ...(analyzedAt === null ? {} : { analyzedAt }) },
  };
}

function analyze({ sql }: Table): Action {
  return {
    kind: 'sql',
    sql: `ANALYZE ${sql};`,
    caution:
      'Reads a sample of the table under a lock that stops neither reads nor writes. Plans may change. Where it happens again, lower autovacuum_analyze_scale_factor of the table.',
  };
}
