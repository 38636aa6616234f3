/**
 * Tells whether two statements make the same index: one that a recommendation writes, and the definition of one that exists, as
 * pg_get_indexdef prints it. The name counts for nothing; nor does what PostgreSQL adds when it prints, such as casts.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CATALOG
 */
import { type IndexElem, type IndexStmt, type Node, parseSync } from 'libpg-query';
import { as, type Content, isDeeperThan, lastName, names } from '../queries/syntax/node.ts';

/** What a statement makes: of which table, and what two of them must have in common. */
export interface MadeIndex {
  schema: string | undefined;
  table: string;
  unique: boolean;
  method: string;
  /** The keys with their order, in their order. */
  keys: readonly string[];
  /** The columns that are stored beside the keys. */
  included: readonly string[];
  /** The keys that are bare columns, and what is included. */
  columns: readonly string[];
  /** Its condition; null for an index of all rows. */
  predicate: string | null;
  /** Equal for the same index of a table, whatever its name. */
  key: string;
}

/** A deeper condition is not compared. */
const maxLevels = 200;

/**
 * The index that the first CREATE INDEX of a text makes; undefined where it has none. The parser must have been loaded
 * (`loadParser`).
 */
export function madeIndex(sql: string): MadeIndex | undefined {
  return madeBy(statementsIn(sql).flatMap((stmt) => as('IndexStmt', stmt) ?? [])[0]);
}

/** The index that a text makes, which does nothing else; undefined for any other. */
export function onlyIndex(sql: string): MadeIndex | undefined {
  const statements = statementsIn(sql);
  return statements.length === 1 ? madeBy(as('IndexStmt', statements[0])) : undefined;
}

function madeBy(statement: IndexStmt | undefined): MadeIndex | undefined {
  const table = statement?.relation?.relname;
  if (!statement || table === undefined || isDeeperThan(statement, maxLevels)) return undefined;
  const { relation, accessMethod, indexParams, indexIncludingParams, whereClause, unique } = statement;
  const elements = elementsIn(indexParams);
  const included = elementsIn(indexIncludingParams)
    .flatMap(({ name }) => name ?? [])
    .toSorted();
  const made = {
    unique: unique === true,
    method: accessMethod ?? 'btree',
    keys: elements.map((element) => JSON.stringify(elementOf(element))),
    included,
    predicate: whereClause ? JSON.stringify(plain(whereClause)) : null,
  };
  const columns = [...elements.flatMap(({ name }) => name ?? []), ...included];
  return { schema: relation?.schemaname, table, columns, ...made, key: JSON.stringify(made) };
}

/**
 * Whether an index does what another one would: of the same table and rows, with its keys first and in the same order, and all that it
 * holds. Uniqueness is no matter of doing the same.
 */
export function serves(index: MadeIndex, other: MadeIndex): boolean {
  return (
    index.table === other.table &&
    (index.schema === other.schema || index.schema === undefined || other.schema === undefined) &&
    !other.unique &&
    index.method === other.method &&
    (index.method === 'btree' || index.keys.length === other.keys.length) &&
    other.keys.every((key, i) => key === index.keys[i]) &&
    other.included.every((column) => index.columns.includes(column)) &&
    (index.predicate === null || index.predicate === other.predicate)
  );
}

function statementsIn(sql: string): (Node | undefined)[] {
  try {
    return (parseSync(sql).stmts ?? []).map(({ stmt }) => stmt);
  } catch {
    // Advice in words, or a definition that this version of the parser does not know.
    return [];
  }
}

function elementsIn(nodes: readonly Node[] | undefined): IndexElem[] {
  return (nodes ?? []).flatMap((node) => as('IndexElem', node) ?? []);
}

/** Defaults are written out: only what differs is printed. */
function elementOf({ name, expr, collation, opclass, ordering, nulls_ordering }: IndexElem): unknown[] {
  const descending = ordering === 'SORTBY_DESC';
  const nullsFirst = nulls_ordering === 'SORTBY_NULLS_FIRST' || (descending && nulls_ordering !== 'SORTBY_NULLS_LAST');
  // A column in parentheses is a column.
  const column = name ?? lastName(as('ColumnRef', expr)?.fields);
  return [column || plain(expr), lastName(collation) || null, lastName(opclass) || null, descending, nullsFirst];
}

/** A tree without places and casts, in the one form in which PostgreSQL prints what has several. Its depth is bounded. */
function plain(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.map(plain);
  if (typeof tree !== 'object' || tree === null) return tree;
  const node = tree as Node;
  const cast = as('TypeCast', node);
  if (cast) return plain(cast.arg);
  const constant = as('A_Const', node);
  if (constant) return { constant: textOf(constant) };
  const expression = as('A_Expr', node);
  if (expression) {
    const { kind, name, lexpr, rexpr } = expression;
    return { kind: isAnyOf(kind) ? 'list' : kind, operator: names(name), left: plain(lexpr), right: rightOf(rexpr) };
  }
  return Object.fromEntries(
    Object.entries(tree)
      .filter(([field]) => field !== 'location' && field !== 'funcformat')
      .map(([field, value]) => [field, plain(value)]),
  );
}

/** `x IN (…)` is printed as `x = ANY (ARRAY[…])`, and NOT IN as `<> ALL`. */
function isAnyOf(kind: string | undefined): boolean {
  return kind === 'AEXPR_IN' || kind === 'AEXPR_OP_ANY' || kind === 'AEXPR_OP_ALL';
}

function rightOf(node: Node | undefined): unknown {
  const inside = as('TypeCast', node)?.arg ?? node;
  const items = as('List', inside)?.items ?? as('A_ArrayExpr', inside)?.elements;
  return items ? items.map(plain) : plain(node);
}

/** `5` and `'5'::bigint` are the same. */
function textOf({ sval, ival, fval, boolval, bsval, isnull }: Content<'A_Const'>): string | null {
  if (isnull) return null;
  if (ival) return String(ival.ival ?? 0);
  if (boolval) return String(boolval.boolval === true);
  return sval?.sval ?? fval?.fval ?? bsval?.bsval ?? '';
}
