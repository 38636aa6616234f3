/**
 * What the statements of a benchmark do with their columns, read from their text by the names of the columns: tables of one
 * statement are taken to be one scope. Enough for the sets here; StreamGate itself reads scopes.
 */
import { type Node, parseSync } from 'libpg-query';
import type { ColumnUse } from '../../lib/indexes/advisor/candidates.ts';
import type { Relation } from '../../lib/queries/catalog.ts';
import { as, lastName, names, nodesIn } from '../../lib/queries/syntax/node.ts';

/** A column of a table of the statement. */
interface Found {
  relation: Relation;
  column: string;
}

type Draft = {
  [Role in 'equality' | 'range' | 'join' | 'group' | 'projected']: Set<string>;
} & { order: ColumnUse['order'][number][] };

const comparisons = new Set(['<', '<=', '>', '>=', 'BETWEEN', '~~', '^@']);

/** The uses of a statement, one a table. The parser must have been loaded. */
export function usesOf(queryId: string, sql: string, relations: readonly Relation[]): ColumnUse[] {
  const tree = parseSync(sql);
  const tables = tablesIn(tree, relations);
  const drafts = new Map<Relation, Draft>();
  const draftOf = (relation: Relation) => {
    const draft = drafts.get(relation) ?? {
      equality: new Set(),
      range: new Set(),
      join: new Set(),
      group: new Set(),
      projected: new Set(),
      order: [],
    };
    drafts.set(relation, draft);
    return draft;
  };
  const find = (node: Node | undefined) => columnIn(node, tables);
  const add = (role: Exclude<keyof Draft, 'order'>, found: Found | undefined) => {
    if (found) draftOf(found.relation)[role].add(found.column);
  };
  for (const node of nodesIn(tree)) {
    add('projected', as('ColumnRef', node) && find(node));
    const comparison = as('A_Expr', node);
    const operator = lastName(comparison?.name);
    const sides = [find(comparison?.lexpr), find(comparison?.rexpr)];
    if (operator === '=' || operator === 'IN') {
      const role = sides[0] && sides[1] ? 'join' : 'equality';
      for (const side of sides) add(role, side);
    }
    if (comparisons.has(operator) && !(sides[0] && sides[1])) for (const side of sides) add('range', side);
    const select = as('SelectStmt', node);
    for (const item of select?.groupClause ?? []) add('group', find(item));
    for (const item of select?.sortClause ?? []) {
      const sort = as('SortBy', item);
      const found = find(sort?.node);
      const descending = sort?.sortby_dir === 'SORTBY_DESC';
      if (found) draftOf(found.relation).order.push({ column: found.column, descending, nullsFirst: descending });
    }
  }
  const isWhole = [...nodesIn(tree)].some((node) => as('A_Star', node));
  return [...drafts].map(([{ schema, table }, draft]) => ({
    queryId,
    schema,
    table,
    equality: [...draft.equality],
    range: [...draft.range],
    join: [...draft.join],
    group: [...draft.group],
    order: draft.order,
    projected: isWhole ? null : [...draft.projected],
    predicates: [],
    expressions: [],
  }));
}

/** The tables of the statement by the names that it gives them. */
function tablesIn(tree: object, relations: readonly Relation[]): Map<string, Relation> {
  return new Map(
    [...nodesIn(tree)].flatMap((node) => {
      const range = as('RangeVar', node);
      const relation = relations.find(({ table }) => table === range?.relname);
      return relation ? [[range?.alias?.aliasname ?? relation.table, relation] as const] : [];
    }),
  );
}

function columnIn(node: Node | undefined, tables: ReadonlyMap<string, Relation>): Found | undefined {
  const path = names(as('ColumnRef', node)?.fields);
  const column = path.at(-1);
  const qualifier = path.at(-2);
  if (column === undefined) return undefined;
  const candidates = qualifier === undefined ? [...tables.values()] : [tables.get(qualifier)];
  const relation = candidates.find((each) => each?.columns.some(({ name }) => name === column));
  return relation && { relation, column };
}
