import { nodesOf, type Plan, type PlanNode } from '../queries/plan/tree.ts';
import type { Index } from './snapshot.ts';

/** A statement and the plan that PostgreSQL makes for it. */
export interface PlannedStatement {
  queryId: string;
  plan: Plan | null;
}

/** Tells every index which statements use it, by their plans. A plan names an index without its schema: several may be meant, then. */
export function withStatements(indexes: readonly Index[], statements: readonly PlannedStatement[]): Index[] {
  const users = usersOf(statements);
  return indexes.map((index) => ({ ...index, usedBy: idsOf(index, users.get(index.index) ?? []) }));
}

interface Use {
  queryId: string;
  schema: string | undefined;
  table: string | undefined;
}

function usersOf(statements: readonly PlannedStatement[]): Map<string, Use[]> {
  const users = new Map<string, Use[]>();
  for (const { queryId, plan } of statements) {
    if (!plan) continue;
    for (const { node, ancestors } of nodesOf(plan)) {
      if (node.index === undefined) continue;
      const relation = relationOf(node, ancestors);
      const use = { queryId, schema: relation?.schema, table: relation?.name };
      users.set(node.index, [...(users.get(node.index) ?? []), use]);
    }
  }
  return users;
}

/** A Bitmap Index Scan has no table of its own: the Bitmap Heap Scan above it has. */
function relationOf(node: PlanNode, ancestors: readonly PlanNode[]): PlanNode['relation'] {
  return node.relation ?? ancestors.find(({ type }) => type === 'Bitmap Heap Scan')?.relation;
}

function idsOf(index: Index, uses: readonly Use[]): string[] {
  const mine = uses.filter(
    ({ schema, table }) =>
      (schema === undefined || schema === index.schema) && (table === undefined || table === index.table),
  );
  return [...new Set(mine.map(({ queryId }) => queryId))].sort();
}
