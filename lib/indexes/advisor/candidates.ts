/**
 * Proposes candidates for what statements ask of their tables.
 *
 * - use: what one statement does with the columns of one table.
 * - proposal: a candidate, and the statements that it may help. Whether it does, only the planner can tell.
 *
 * The order of keys: equality first, the most telling column at the front, then one range or the order that is wanted
 * (https://www.postgresql.org/docs/current/indexes-multicolumn.html).
 */
import type { Relation, TableIndex } from '../../queries/catalog.ts';
import { unorderedTypes } from '../../queries/plan/advice/suggest-index.ts';
import {
  beginsWith,
  type Candidate,
  candidateOn,
  columnKey,
  definitionOf,
  expressionKey,
  type IndexKey,
  type Predicate,
  storedColumns,
} from './candidate.ts';
import { columnOf, rowsOf } from './distinct.ts';
import type { Proposal } from './matrix.ts';
import { meanOf, storageOf } from './storage.ts';

/** What an expression is compared to, or used for. */
export interface ExpressionUse {
  /** As SQL, without the parentheses around it. Immutable, or no index can hold it. */
  sql: string;
  /** The columns that it reads, the one first that its values resemble. */
  columns: readonly string[];
  role: 'equality' | 'range' | 'order';
}

/** What one statement does with the columns of one table. A table that is named twice has two uses. */
export interface ColumnUse {
  queryId: string;
  schema: string;
  table: string;
  /** Compared for equality with a value or a parameter; also `IN` and `= ANY`. */
  equality: readonly string[];
  /** Compared by order with a value, or for a prefix. */
  range: readonly string[];
  /** Compared for equality with a column of another table. */
  join: readonly string[];
  /** What the rows are ordered by, if it is columns of this table alone. */
  order: readonly { column: string; descending: boolean; nullsFirst: boolean }[];
  group: readonly string[];
  /** Every column that the statement reads of the table; null: the whole row. */
  projected: readonly string[] | null;
  /** Conditions of the statement that hold whatever its parameters are: what a partial index may leave out. */
  predicates: readonly Predicate[];
  expressions: readonly ExpressionUse[];
}

/** Tables with fewer rows are read as a whole as fast: PgHero's bound, too. */
const minRows = 500;

/** A fourth key seldom pays for its space. */
const maxKeys = 3;

/** A column that is wider on average may hold values that no b-tree takes: an entry must fit a third of a page. */
const maxKeyBytes = 500;

/** What a covering index may store beside its keys: more is a second table. */
const maxIncluded = 6;
const maxIncludedBytes = 120;

/** An index alone answers only for pages that VACUUM found to be visible to all. */
const minVisible = 0.5;

/** A partial index must leave out most rows. */
const maxPartialFraction = 0.2;

/** From this width on a hash of the key, 4 bytes, is smaller than the key by enough to matter. */
const minHashBytes = 24;

/** From this correlation on the summary of 128 pages tells something; and a table must have many such. */
const minBrinCorrelation = 0.95;
const minBrinBytes = 16 * 1024 ** 2;

/** So many pairs of the columns of one use are proposed, for the planner to choose from. */
const maxPairs = 30;

/** Proposes candidates for uses; a use of a relation that is not among the relations gets none. */
export function candidatesFor(uses: readonly ColumnUse[], relations: readonly Relation[]): Proposal[] {
  const found = new Map<string, { candidate: Candidate; isLikely: boolean }>();
  for (const use of uses) {
    const relation = relations.find(({ schema, table }) => schema === use.schema && table === use.table);
    if (!relation || !canBeIndexed(relation)) continue;
    for (const { candidate, isLikely } of proposedFor(use, relation)) {
      if (relation.indexes.some((index) => isCoveredBy(candidate, index))) continue;
      const definition = definitionOf(candidate);
      found.set(definition, { candidate, isLikely: isLikely || found.get(definition)?.isLikely === true });
    }
  }
  return [...found.values()].map(({ candidate, isLikely }) => ({
    candidate,
    isLikely,
    queryIds: [...new Set(uses.filter((use) => mayHelp(candidate, use)).map(({ queryId }) => queryId))],
  }));
}

/**
 * The candidate with one column more behind its keys: each column that the uses compare, join, order or group by and that it does
 * not store yet.
 */
export function extensionsOf(
  candidate: Candidate,
  uses: readonly ColumnUse[],
  relations: readonly Relation[],
): Candidate[] {
  const relation = relations.find(({ schema, table }) => schema === candidate.schema && table === candidate.table);
  if (!relation || candidate.method !== 'btree' || candidate.keys.length >= maxKeys) return [];
  const stored = new Set(storedColumns(candidate));
  const columns = uses.filter((use) => mayHelp(candidate, use)).flatMap(rolesOf);
  return [...new Set(columns)]
    .filter((column) => !stored.has(column) && isOrdered(relation, column))
    .map((column) => ({ ...candidate, keys: [...candidate.keys, columnKey(column)] }))
    .filter((wider) => !relation.indexes.some((index) => isCoveredBy(wider, index)));
}

function canBeIndexed(relation: Relation): boolean {
  return relation.kind !== 'view' && relation.kind !== 'foreign table' && rowsOf(relation) >= minRows;
}

/** Whether the first key is something that the use looks for, or the index alone has all that it reads. */
function mayHelp(candidate: Candidate, use: ColumnUse): boolean {
  if (candidate.schema !== use.schema || candidate.table !== use.table) return false;
  const { predicate, keys } = candidate;
  if (predicate !== null && !use.predicates.some(({ sql }) => sql === predicate.sql)) return false;
  const [first] = keys;
  const expressions = use.expressions.map(({ sql }) => sql);
  const begins = first?.column ? rolesOf(use).includes(first.column) : expressions.includes(first?.expression ?? '');
  return begins || predicate !== null || isIn(use.projected, storedColumns(candidate));
}

function isIn(projected: readonly string[] | null, stored: readonly string[]): boolean {
  return projected !== null && projected.length > 0 && new Set(projected).isSubsetOf(new Set(stored));
}

/** The columns by which rows are found, put in order or together. */
function rolesOf({ equality, range, join, order, group }: ColumnUse): string[] {
  return [...equality, ...range, ...join, ...order.map(({ column }) => column), ...group];
}

interface Proposed {
  candidate: Candidate;
  isLikely: boolean;
}

function proposedFor(use: ColumnUse, relation: Relation): Proposed[] {
  const lists = keyLists(use, relation);
  const plain = lists.map((keys) => btree(use, keys));
  const likely = [
    ...plain,
    ...coveringFor(use, relation, lists),
    ...partialFor(use, relation, lists),
    ...hashesFor(use, relation),
    ...brinsFor(use, relation),
  ];
  return [
    ...likely.map((candidate) => ({ candidate, isLikely: true })),
    ...pairsFor(use, relation).map((keys) => ({ candidate: btree(use, keys), isLikely: false })),
  ];
}

function btree({ schema, table }: ColumnUse, keys: readonly IndexKey[], rest: Partial<Candidate> = {}): Candidate {
  return candidateOn(schema, table, keys, rest);
}

/** The lists of keys that the roles of the columns suggest. */
function keyLists(use: ColumnUse, relation: Relation): IndexKey[][] {
  const ordered = (columns: readonly string[]) => columns.filter((column) => isOrdered(relation, column));
  const byExpression = (role: ExpressionUse['role']) =>
    use.expressions
      .filter((each) => each.role === role)
      .map(({ sql, columns }) => ({
        key: expressionKey(sql, columns),
        distinct: distinctOf(relation, columns[0] ?? ''),
      }));
  const byColumn = (columns: readonly string[]) =>
    ordered(columns).map((column) => ({ key: columnKey(column), distinct: distinctOf(relation, column) }));
  const telling = (keys: { key: IndexKey; distinct: number }[]) =>
    keys.toSorted((a, b) => b.distinct - a.distinct).map(({ key }) => key);
  const equality = telling([...byColumn(use.equality), ...byExpression('equality')]);
  const range = telling([...byColumn(use.range), ...byExpression('range')]);
  const order = orderKeys(use, relation, equality);
  const group = ordered(use.group).map((column) => columnKey(column));
  const joins = ordered(use.join).map((column) => columnKey(column));
  const tails = [[], ...range.map((key) => [key]), order, group].filter((tail, i) => i === 0 || tail.length > 0);
  const fronts = [
    equality,
    ...joins.flatMap((key) => [
      [key, ...equality],
      [...equality, key],
    ]),
  ];
  const composite = fronts.flatMap((front) => tails.map((tail) => [...front.slice(0, maxKeys), ...tail]));
  const single = [...equality, ...range, ...joins, ...order.slice(0, 1), ...group].map((key) => [key]);
  const pairsOfEquality = equality.length > 2 ? [equality.slice(0, 2)] : [];
  return distinctLists(
    [...single, ...pairsOfEquality, ...composite].map((keys) => withoutRepeats(keys).slice(0, maxKeys)),
  );
}

/** The order, without what is equal in all rows anyway; read backwards an index gives the opposite one. */
function orderKeys({ order, expressions }: ColumnUse, relation: Relation, equality: readonly IndexKey[]): IndexKey[] {
  const equal = new Set(equality.map(({ column }) => column));
  const keys = order
    .filter(({ column }) => !equal.has(column))
    .map(({ column, descending, nullsFirst }) => columnKey(column, { descending, nullsFirst }));
  const byExpression = expressions.filter(({ role }) => role === 'order');
  if (keys.some(({ column }) => !isOrdered(relation, column ?? ''))) return [];
  if (keys.length === 0) return byExpression.slice(0, 1).map(({ sql, columns }) => expressionKey(sql, columns));
  return keys[0]?.descending
    ? keys.map((key) => ({ ...key, descending: !key.descending, nullsFirst: !key.nullsFirst }))
    : keys;
}

/** The columns of a use two by two, in both orders: for the planner to choose from. */
function pairsFor(use: ColumnUse, relation: Relation): IndexKey[][] {
  const columns = [...new Set(rolesOf(use))].filter((column) => isOrdered(relation, column));
  return columns
    .flatMap((first) =>
      columns.filter((second) => second !== first).map((second) => [columnKey(first), columnKey(second)]),
    )
    .slice(0, maxPairs);
}

/** With all that the statement reads of the table, where that is little and a scan of the index alone would do. */
function coveringFor(use: ColumnUse, relation: Relation, lists: readonly IndexKey[][]): Candidate[] {
  if (use.projected === null || relation.allVisibleFraction < minVisible) return [];
  const { projected } = use;
  return lists.flatMap((keys) => {
    const held = new Set(keys.map(({ column }) => column));
    const included = projected.filter((column) => !held.has(column));
    const bytes = included.reduce((sum, column) => sum + bytesOf(relation, column), 0);
    const isLittle = included.length > 0 && included.length <= maxIncluded && bytes <= maxIncludedBytes;
    return isLittle && keys.every(({ column }) => column !== null) ? [btree(use, keys, { included })] : [];
  });
}

/** Over the rows alone that the statement can be interested in, where these are few. */
function partialFor(use: ColumnUse, relation: Relation, lists: readonly IndexKey[][]): Candidate[] {
  return use.predicates
    .filter(({ fraction }) => fraction <= maxPartialFraction)
    .flatMap((predicate) => {
      const others = lists.filter((keys) =>
        keys.every(({ reads }) => !reads.some((name) => predicate.columns.includes(name))),
      );
      const alone = predicate.columns.filter((column) => isOrdered(relation, column)).slice(0, 1);
      const keys = others.length > 0 ? others : alone.map((column) => [columnKey(column)]);
      return keys.map((list) => btree(use, list, { predicate }));
    });
}

function hashesFor(use: ColumnUse, relation: Relation): Candidate[] {
  return [...new Set([...use.equality, ...use.join])]
    .filter((column) => bytesOf(relation, column) >= minHashBytes && !unorderedTypes.has(typeOf(relation, column)))
    .map((column) => btree(use, [columnKey(column)], { method: 'hash' }));
}

function brinsFor(use: ColumnUse, relation: Relation): Candidate[] {
  if (relation.sizeBytes < minBrinBytes) return [];
  return [...new Set([...use.range, ...use.equality])]
    .filter((column) => {
      const correlation = columnOf(relation, column)?.statistics?.correlation ?? 0;
      return isOrdered(relation, column) && Math.abs(correlation) > minBrinCorrelation;
    })
    .map((column) => btree(use, [columnKey(column)], { method: 'brin' }));
}

function withoutRepeats(keys: readonly IndexKey[]): IndexKey[] {
  const nameOf = ({ column, expression }: IndexKey) => JSON.stringify([column, expression]);
  return keys.filter((key, i) => keys.findIndex((other) => nameOf(other) === nameOf(key)) === i);
}

function distinctLists(lists: readonly IndexKey[][]): IndexKey[][] {
  const byKeys = new Map(lists.map((keys) => [JSON.stringify(keys), keys]));
  return [...byKeys.values()].filter((keys) => keys.length > 0);
}

function distinctOf(relation: Relation, column: string): number {
  return columnOf(relation, column)?.statistics?.distinct ?? 0;
}

function typeOf(relation: Relation, column: string): string {
  return columnOf(relation, column)?.type ?? '';
}

function bytesOf(relation: Relation, name: string): number {
  const column = columnOf(relation, name);
  return column ? meanOf(storageOf(column).lengths) : Number.POSITIVE_INFINITY;
}

function isOrdered(relation: Relation, name: string): boolean {
  const column = columnOf(relation, name);
  return (
    column !== undefined && !unorderedTypes.has(column.type) && (column.statistics?.averageBytes ?? 0) <= maxKeyBytes
  );
}

/** Operator classes of PostgreSQL's own that are not the default of their type (pg_opclass.opcdefault). */
const notDefault = /_(pattern|image|bloom|multi)_ops$|_minmax_multi_ops$/;

/**
 * Whether an index that exists does all that a candidate would do. Where nulls come is not known of it: it is taken to have them
 * where they are by default.
 */
export function isCoveredBy(candidate: Candidate, index: TableIndex): boolean {
  if (!index.valid || index.method !== candidate.method) return false;
  if (index.predicate !== null && index.predicate !== candidate.predicate?.sql) return false;
  const keys = index.columns.map((column, i): IndexKey => {
    const operatorClass = index.operatorClasses[i] ?? '';
    return {
      ...columnKey(column ?? '', { descending: index.descending[i] ?? false }),
      column,
      expression: index.expressions[i] ?? null,
      operatorClass: notDefault.test(operatorClass) ? operatorClass : null,
    };
  });
  const stored = new Set([...keys.flatMap(({ column }) => column ?? []), ...index.included]);
  const isExact = index.method === 'btree' || keys.length === candidate.keys.length;
  return isExact && beginsWith(keys, candidate.keys) && new Set(storedColumns(candidate)).isSubsetOf(stored);
}
