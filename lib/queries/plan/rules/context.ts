/** What a rule over plans may ask besides the node in front of it. */
import type { Column, Relation } from '../../catalog.ts';
import type { QueryInput, Statement, StatementPlan } from '../../snapshot.ts';
import { type NamedTable, readText } from '../../text.ts';
import type { Plan, PlanNode } from '../tree.ts';
import { parentAlias } from './figures.ts';

/** A plan with what is known of its statement and its tables. */
export interface PlanContext {
  input: QueryInput;
  explained: StatementPlan;
  plan: Plan;
  /** Absent for a plan whose statement was not collected. */
  statement: Statement | undefined;
  /** What a node scans, a partition as itself; undefined where it is unknown or its name means several tables. */
  relationOf(node: PlanNode): Relation | undefined;
  /** What a change would be made to: for a partition its partitioned table, where that is known. */
  tableOf(node: PlanNode): Relation | undefined;
}

/** Every plan of an input, with its context. */
export function* contextsOf(input: QueryInput): Generator<PlanContext> {
  const statements = new Map(input.statements.map((statement) => [statement.queryId, statement]));
  const byName = Map.groupBy(input.relations, ({ table }) => table);
  for (const explained of input.plans) {
    const { plan } = explained;
    if (plan === null) continue;
    const statement = statements.get(explained.queryId);
    const relationOf = (node: PlanNode) => relationNamed(node, byName, statement);
    const tableOf = (node: PlanNode) => {
      const relation = relationOf(node);
      return relation && (parentOf(node, relation, byName, statement) ?? relation);
    };
    yield { input, explained, plan, statement, relationOf, tableOf };
  }
}

/** EXPLAIN tells the schema only when asked to: without it the name must be that of one table, or the statement must say which. */
function relationNamed(
  { relation }: PlanNode,
  byName: ReadonlyMap<string, readonly Relation[]>,
  statement: Statement | undefined,
): Relation | undefined {
  const namesakes = relation ? (byName.get(relation.name) ?? []) : [];
  if (relation?.schema !== undefined) return namesakes.find(({ schema }) => schema === relation.schema);
  if (namesakes.length <= 1) return namesakes[0];
  const said = tablesNamed(statement).filter(({ name }) => name === relation?.name);
  return said.length === 1 ? namesakes.find(({ schema }) => schema === said[0]?.schema) : undefined;
}

/** A partition is scanned under the alias of its parent with a number behind it, and has the same columns. */
function parentOf(
  node: PlanNode,
  relation: Relation,
  byName: ReadonlyMap<string, readonly Relation[]>,
  statement: Statement | undefined,
): Relation | undefined {
  const alias = parentAlias(node);
  const said = tablesNamed(statement);
  if (alias === undefined || relation.kind !== 'table' || said.some(({ name }) => name === relation.table))
    return undefined;
  const named = [{ schema: undefined, name: alias }, ...said];
  const parents = named
    .flatMap(({ schema, name }) =>
      (byName.get(name) ?? []).filter((found) => (schema ?? found.schema) === found.schema),
    )
    .filter(({ kind, columns }) => kind === 'partitioned table' && sameColumns(columns, relation.columns));
  const different = new Set(parents);
  return different.size === 1 ? parents[0] : undefined;
}

function sameColumns(a: readonly Column[], b: readonly Column[]): boolean {
  const names = new Set(a.map(({ name }) => name));
  return names.size === b.length && b.every(({ name }) => names.has(name));
}

function tablesNamed(statement: Statement | undefined): readonly NamedTable[] {
  return statement ? readText(statement.query).tables : [];
}
