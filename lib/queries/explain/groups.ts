/**
 * Gives expressions that must be the same the same parameters again.
 *
 * Of `SELECT to_char(c, 'YYYY') … GROUP BY to_char(c, 'YYYY')` PostgreSQL replaces only the first constant, or both by different
 * parameters, and readText replaces what is left. But `SELECT to_char(c, $1) … GROUP BY to_char(c, $2)` is refused: nobody
 * knows that $1 is $2. So it is for ORDER BY below DISTINCT, and for DISTINCT ON.
 */
import type { A_ArrayExpr, A_Expr, Node, SelectStmt } from 'libpg-query';
import { as, kindOf, lastName, nodesIn } from '../syntax/node.ts';
import type { Edit } from './edits.ts';
import type { Source } from './source.ts';

/** A parameter, a constant or a list of them, at the byte where it begins. */
interface Leaf {
  place: number;
  /** Of a parameter; 0 of a constant. */
  number: number;
  /** Of a list the byte where it ends. */
  end?: number;
}

/** An expression: what it is apart from its leaves, and those. */
interface Form {
  kind: string;
  skeleton: string;
  leaves: Leaf[];
}

/** The changes that make expressions the same, leaf by leaf; none where all is well. */
export function shareParameters({ text, tokens, statement }: Source): Edit[] {
  const shared = new Map<number, Leaf>();
  for (const node of nodesIn(statement)) {
    const select = as('SelectStmt', node);
    if (select) share(select, shared);
  }
  if (shared.size === 0) return [];
  const bytes = Buffer.from(text);
  const starts = new Map(tokens.map(({ start }, i) => [start, i]));
  return [...shared].flatMap(([place, { place: from, number, end }]) => {
    const at = starts.get(place);
    const token = at === undefined ? undefined : tokens[at];
    if (at === undefined || !token) return [];
    if (end !== undefined) {
      const close = tokens.slice(at).find(({ depth }) => depth < token.depth);
      return close ? [{ start: place, end: close.start, text: bytes.toString('utf8', from, end) }] : [];
    }
    // Of `-$1` the minus is where it begins.
    const last = token.text === '-' ? tokens[at + 1] : token;
    return [{ start: place, end: last?.end ?? token.end, text: `$${number}` }];
  });
}

function share(select: SelectStmt, shared: Map<number, Leaf>): void {
  const targets = (select.targetList ?? []).flatMap((item) => as('ResTarget', item)?.val ?? []);
  const sorts = (select.sortClause ?? []).flatMap((item) => as('SortBy', item)?.node ?? []);
  const groups = groupedBy(select.groupClause ?? [])
    .map(formOf)
    .filter(hasLeaves);
  const distinct = (select.distinctClause ?? []).map(formOf).filter(hasLeaves);
  if (groups.length > 0) {
    pair(groups, targets.map(formOf), shared);
    const clauses = [targets, [select.havingClause], sorts, select.windowClause ?? []];
    for (const clause of clauses) follow(groups, clause, shared);
  }
  pair(sorts.map(formOf).filter(hasLeaves), targets.map(formOf), shared);
  if (distinct.length > 0) pair(distinct, [...targets, ...sorts].map(formOf), shared);
}

/** The expressions of a GROUP BY, those in its ROLLUPs, CUBEs, GROUPING SETS and rows among them. */
function groupedBy(items: readonly Node[]): Node[] {
  return items.flatMap((item) => {
    const inside = as('GroupingSet', item)?.content ?? as('RowExpr', item)?.args;
    return inside ? groupedBy(inside) : [item];
  });
}

/** Pairs expressions with others that differ in their leaves only, each of which is taken once. */
function pair(expressions: readonly Form[], others: readonly Form[], shared: Map<number, Leaf>): void {
  const left = [...others];
  for (const form of expressions) {
    const same = left.findIndex(({ skeleton }) => skeleton === form.skeleton);
    const [other] = same < 0 ? [] : left.splice(same, 1);
    if (other) unite(form, other, shared);
  }
}

/** Pairs what is inside of other expressions with the group that it is: of several alike the second with the second. */
function follow(groups: readonly Form[], clause: readonly (Node | undefined)[], shared: Map<number, Leaf>): void {
  const alike = Map.groupBy(groups, ({ skeleton }) => skeleton);
  const kinds = new Set(groups.map(({ kind }) => kind));
  const met = new Map<string, number>();
  let found: Form | undefined;
  const isGroup = (node: Node) => {
    found = kinds.has(kindOf(node)) ? formOf(node) : undefined;
    return found !== undefined && alike.has(found.skeleton);
  };
  for (const node of nodesIn(clause, (inside) => !isGroup(inside))) {
    if (!isGroup(node) || !found) continue;
    const same = alike.get(found.skeleton) ?? [];
    const count = met.get(found.skeleton) ?? 0;
    met.set(found.skeleton, count + 1);
    const group = same[count] ?? same.at(-1);
    if (group) unite(group, found, shared);
  }
}

/** Lets two expressions have the same leaves: those that one of them has been given already, else the parameters of the second. */
function unite(first: Form, second: Form, shared: Map<number, Leaf>): void {
  for (const [i, leaf] of first.leaves.entries()) {
    const other = second.leaves[i];
    if (!other || other.place === leaf.place) continue;
    const chosen = shared.get(leaf.place) ?? shared.get(other.place) ?? [other, leaf].find(({ number }) => number > 0);
    if (!chosen) continue;
    for (const each of [leaf, other]) if (each.place !== chosen.place) shared.set(each.place, chosen);
  }
}

const hasLeaves = ({ leaves }: Form) => leaves.length > 0;

function formOf(node: Node): Form {
  // A number alone is a position, and a parameter alone is like any other.
  if (leafOf(node)) return { kind: '', skeleton: '', leaves: [] };
  const leaves: Leaf[] = [];
  const skeleton = JSON.stringify(node, (key, value: unknown) => {
    if (/^location$|_(?:start|end)$/.test(key)) return undefined;
    if (typeof value !== 'object' || value === null) return value;
    const leaf = leafOf(value as Node);
    const list = leaf ? undefined : listOf(key, value as A_Expr & A_ArrayExpr);
    if (leaf ?? list) leaves.push((leaf ?? list) as Leaf);
    if (list) return { ...value, rexpr: '?', elements: '?' };
    return leaf ? '?' : value;
  });
  return { kind: kindOf(node), skeleton, leaves };
}

function leafOf(node: Node | undefined): Leaf | undefined {
  const parameter = as('ParamRef', node);
  if (parameter) return { place: parameter.location ?? 0, number: parameter.number ?? 0 };
  const constant = as('A_Const', node);
  if (constant) return constant.isnull ? undefined : { place: constant.location ?? 0, number: 0 };
  const sign = as('A_Expr', node);
  // -1 is one constant, and was so before it became -$1.
  const isSigned = sign?.kind === 'AEXPR_OP' && !sign.lexpr && lastName(sign.name) === '-' && leafOf(sign.rexpr);
  return isSigned ? { place: sign.location ?? 0, number: 0 } : undefined;
}

/** A list of leaves is one leaf, for PostgreSQL 18 shows only the first of a list of constants. */
function listOf(
  key: string,
  { kind, rexpr, rexpr_list_end, elements, list_end }: A_Expr & A_ArrayExpr,
): Leaf | undefined {
  const items = key === 'A_Expr' && kind === 'AEXPR_IN' ? as('List', rexpr)?.items : elements;
  const leaves = (items ?? []).map(leafOf);
  const [first] = leaves;
  if (!first || leaves.includes(undefined)) return undefined;
  return { ...first, end: (key === 'A_Expr' ? rexpr_list_end : list_end) ?? 0 };
}
