import pg from 'pg';
import type { Action } from '../../../advice/finding.ts';
import { bytes } from '../../../advice/format.ts';
import type { Relation } from '../../catalog.ts';
import { statisticsName } from './index-name.ts';
import { qualified } from './suggest-index.ts';

/** Eight columns are what PostgreSQL takes; more than these few seldom belong together. */
const maxColumns = 4;

/**
 * Advises statistics over columns that are tested together: PostgreSQL takes them for independent otherwise.
 * Undefined with fewer than two columns of the table, or more than four.
 *
 * https://www.postgresql.org/docs/current/planner-stats.html#PLANNER-STATS-EXTENDED
 */
export function suggestStatistics(relation: Relation, columns: readonly string[]): Action | undefined {
  const known = [...new Set(columns)].filter((name) => relation.columns.some((column) => column.name === name)).sort();
  if (known.length < 2 || known.length > maxColumns || relation.kind === 'view') return undefined;
  const name = statisticsName(relation.table, known);
  const table = qualified(relation.schema, relation.table);
  return {
    kind: 'sql',
    sql: `CREATE STATISTICS ${qualified(relation.schema, name)} (ndistinct, dependencies, mcv) ON ${known.map(pg.escapeIdentifier).join(', ')} FROM ${table}; ANALYZE ${table};`,
    undoSql: `DROP STATISTICS IF EXISTS ${qualified(relation.schema, name)};`,
    caution: `Takes no disk space worth mentioning; ANALYZE reads a sample of the table${sizeOf(relation)} and stops neither reads nor writes. It helps conditions on the table's own columns, not joins.`,
  };
}

/** Advises to gather the statistics of a table anew. */
export function analyze(relation: Relation): Action {
  return {
    kind: 'sql',
    sql: `ANALYZE ${qualified(relation.schema, relation.table)};`,
    caution: `Reads a sample of the table${sizeOf(relation)}, and stops neither reads nor writes. Plans of every statement on the table may change. If it is needed again soon, autovacuum does not keep up: lower autovacuum_analyze_scale_factor for the table.`,
  };
}

/** Nothing where it is not known: of a table that was never analyzed, or a partitioned one. */
function sizeOf({ sizeBytes }: Relation): string {
  return sizeBytes > 0 ? ` (${bytes(sizeBytes)})` : '';
}
