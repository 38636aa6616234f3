/** What was counted of the rows that statements answer, where the planner can only guess. */
import type { Relation } from '../../queries/catalog.ts';
import { tablesOf } from '../../queries/collect.ts';
import type { Plan } from '../../queries/plan/tree.ts';
import type { ColumnUse } from './candidates.ts';
import { rowsOf } from './distinct.ts';
import { isMeant } from './meant.ts';
import type { WorkloadStatement } from './workload.ts';

/** Who wants more than this share of a table's rows is served as well by reading all of it. */
const mostOfTable = 0.5;

/**
 * Uses without the conditions of statements that answer most rows of the one table that they read. Of `a > $1` the planner expects a
 * third of the rows (DEFAULT_INEQ_SEL), of `a = $1` as many as a value has on average; where nearly all come each time, an
 * index looks good to it that would help nobody. https://www.postgresql.org/docs/current/row-estimation-examples.html
 */
export function withoutWide(
  uses: readonly ColumnUse[],
  statements: readonly WorkloadStatement[],
  plans: ReadonlyMap<string, Plan>,
  relations: readonly Relation[],
): ColumnUse[] {
  const wide = new Set(
    statements.filter((each) => answersMost(each, plans.get(each.queryId), relations)).map(({ queryId }) => queryId),
  );
  return uses.map((use) =>
    wide.has(use.queryId) ? { ...use, equality: [], range: [], predicates: [], expressions: [] } : use,
  );
}

function answersMost(
  { rows, calls }: WorkloadStatement,
  plan: Plan | undefined,
  relations: readonly Relation[],
): boolean {
  if (rows === null || calls === 0 || !plan) return false;
  const [scanned, ...others] = tablesOf([{ plan }]);
  if (!scanned || others.length > 0) return false;
  const relation = relations.find((each) => isMeant(each, scanned));
  return relation !== undefined && rowsOf(relation) > 0 && rows / calls > mostOfTable * rowsOf(relation);
}
