/** What share of a table's rows a condition keeps, as the planner estimates it: it knows the common values, which StreamGate does not. */
import pg from 'pg';
import type { Session } from '../../postgres/session.ts';
import type { Relation } from '../../queries/catalog.ts';
import { readJsonPlan } from '../../queries/plan/json.ts';
import { nodesOf } from '../../queries/plan/tree.ts';
import { attempt } from './attempt.ts';
import type { Predicate } from './candidate.ts';
import type { ColumnUse } from './candidates.ts';
import { rowsOf } from './distinct.ts';

/** So many conditions are asked for: more are not one workload's. */
const maxConditions = 300;

/**
 * Uses with the fractions of their predicates. A predicate that PostgreSQL does not take, or that nobody asked for, is left out.
 *
 * @throws StreamGateError when the database cannot be asked
 */
export async function withFractions(
  session: Session,
  uses: readonly ColumnUse[],
  relations: readonly Relation[],
): Promise<ColumnUse[]> {
  const keyOf = ({ schema, table }: ColumnUse, { sql }: Predicate) => JSON.stringify([schema, table, sql]);
  const wanted = new Map(
    uses.flatMap((use) => use.predicates.map((predicate) => [keyOf(use, predicate), { use, predicate }] as const)),
  );
  const fractions = new Map<string, number>();
  await session.transaction(async (read) => {
    for (const [key, { use, predicate }] of [...wanted].slice(0, maxConditions)) {
      const relation = relations.find(({ schema, table }) => schema === use.schema && table === use.table);
      const rows = relation ? rowsOf(relation) : 0;
      if (rows === 0) continue;
      const table = `${pg.escapeIdentifier(use.schema)}.${pg.escapeIdentifier(use.table)}`;
      const found = await attempt(read, () =>
        read<Record<string, unknown>>(`explain (format json) select from ${table} where ${predicate.sql}`),
      );
      if (found) fractions.set(key, Math.min(1, rowsExpected(found[0]?.['QUERY PLAN']) / rows));
    }
  });
  return uses.map((use) => ({
    ...use,
    predicates: use.predicates.flatMap((predicate) => {
      const fraction = fractions.get(keyOf(use, predicate));
      return fraction === undefined ? [] : [{ ...predicate, fraction }];
    }),
  }));
}

/** The rows of the scans together, of which a partitioned table has several; a Gather above them would count them twice. */
function rowsExpected(plan: unknown): number {
  const nodes = [...nodesOf(readJsonPlan(plan))].map(({ node }) => node);
  const gathered = nodes.find(({ type }) => type.startsWith('Gather'));
  if (gathered) return gathered.estimate.rows;
  const scans = nodes.filter(({ relation }) => relation !== undefined);
  return scans.reduce((sum, { estimate }) => sum + estimate.rows, 0);
}
