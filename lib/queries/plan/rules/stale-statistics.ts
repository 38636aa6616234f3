import * as z from 'zod';
import type { Finding } from '../../../advice/finding.ts';
import { plural } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { Relation } from '../../catalog.ts';
import type { QueryInput } from '../../snapshot.ts';
import { analyze } from '../advice/statistics.ts';
import { nodesOf } from '../tree.ts';
import { contextsOf } from './context.ts';
import { nameOf, percent } from './words.ts';

/**
 * `plans/stale-statistics`: plans were made from statistics that are old, or from none. One finding for a table, however many
 * statements use it. Of a table without statistics it must be sure: the role may merely not be allowed to see them.
 * https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-STATISTICS
 */
export const staleStatistics = defineRule({
  id: 'plans/stale-statistics',
  title: 'Statistics out of date',
  why: 'The planner knows a table only from its last ANALYZE: it chooses scans and joins for rows that are no longer there.',
  severity: 'warning',
  options: z.strictObject({
    /** Rows that were changed since the last ANALYZE, of those that there are; autovacuum's bound is 10. */
    minChangedPercent: z.number().positive().default(25),
    /** Smaller tables are planned well enough. */
    minRows: z.number().int().min(1).default(1_000),
  }),
  check(input: QueryInput, options): Draft[] {
    return [...tablesOf(input)].flatMap(([table, queries]) => {
      const found = stale(table, options);
      if (!found) return [];
      const { schema, table: name } = table;
      return [
        {
          subject: { database: input.server.database, schema, table: name },
          ...found,
          detail: `${found.detail} It is in the plans of ${plural(queries.size, 'statement')}.`,
          evidence: { ...found.evidence, statements: queries.size },
          action: analyze(table),
        },
      ];
    });
  },
});

/** The tables of all plans, each with the statements that use it. */
function tablesOf(input: QueryInput): Map<Relation, Set<string>> {
  const tables = new Map<Relation, Set<string>>();
  for (const { plan, explained, relationOf } of contextsOf(input)) {
    for (const { node } of nodesOf(plan)) {
      const relation = relationOf(node);
      if (relation?.kind === 'table' || relation?.kind === 'materialized view') {
        tables.set(relation, (tables.get(relation) ?? new Set()).add(explained.queryId));
      }
    }
  }
  return tables;
}

function stale(
  table: Relation,
  { minChangedPercent, minRows }: { minChangedPercent: number; minRows: number },
): { title: string; detail: string; evidence: Finding['evidence'] } | undefined {
  const { liveRows, changedSinceAnalyze, analyzedAt, rows, columns } = table;
  const name = nameOf(table);
  if (liveRows < minRows) return undefined;
  // Before PostgreSQL 14 it had no rows.
  if (!rows && analyzedAt === null && columns.every(({ statistics }) => statistics === null)) {
    return {
      title: `${name} was never analyzed`,
      detail: `It has ${plural(liveRows, 'row')}, and the planner has no statistics of it.`,
      evidence: { liveRows },
    };
  }
  const changed = changedSinceAnalyze / liveRows;
  if (changed * 100 < minChangedPercent) return undefined;
  return {
    title: `${percent(changed)} of ${name} changed since it was last analyzed`,
    detail: `${plural(changedSinceAnalyze, 'row')} of ${plural(liveRows, 'row')} changed${analyzedAt === null ? '' : ` since ${analyzedAt.slice(0, 10)}`}.`,
    evidence: { liveRows, changedSinceAnalyze, ...(analyzedAt === null ? {} : { analyzedAt }) },
  };
}
