/**
 * Suggests an index for what a plan asks of a table: the columns that are compared for equality, the one with the most values
 * first, then one range column or the columns of the order. It is a suggestion from statistics: whether PostgreSQL takes it, only
 * EXPLAIN can tell, and the action says so.
 *
 * The order of keys: https://www.postgresql.org/docs/current/indexes-multicolumn.html
 */
import pg from 'pg';
import type { Action } from '../../../advice/finding.ts';
import { bytes, plural } from '../../../advice/format.ts';
import type { Column, Relation, TableIndex } from '../../catalog.ts';
import { conditionColumns, type Operand, type OrderKey, operandOf, type Test } from './conditions.ts';
import { definedName, failedBuild, takenNames, withoutLeftover } from './index-name.ts';

/** A suggestion, or why there is none. */
export type IndexSuggestion =
  /** `keys` and `predicate` as they stand in the SQL. */
  | { kind: 'create'; name: string; keys: string[]; predicate: string | null; action: Action }
  /** An index that answers it is there already. */
  | { kind: 'exists'; index: string }
  /** `small`: reading the whole table is as fast. `no test`: nothing that a b-tree could answer. `no table`: not to be indexed. */
  | { kind: 'none'; reason: 'small' | 'no test' | 'no table' };

/** Tables with fewer rows are read as a whole as fast: PgHero's bound is 500 rows. */
const minRows = 1_000;

/** A fourth key seldom pays for its space; PostgreSQL would take 32. */
const maxKeys = 3;

/** As few rows as this are quickly filtered: more keys gain nothing. PgHero stops there, too. */
const fewRows = 50;

/** An index entry must fit a third of a page, about 2,700 bytes: a column this wide may hold values that do not. */
const maxAverageBytes = 500;

/** Types with an `=` but no b-tree order, or one that is not their `=`. */
export const unorderedTypes: ReadonlySet<string> = new Set([
  'box',
  'circle',
  'json',
  'jsonb',
  'line',
  'lseg',
  'path',
  'point',
  'polygon',
  'xml',
  'xid',
  'cid',
]);

/** Immutable functions of one text, often called on both sides of a comparison. */
const indexedCalls = new Set(['lower', 'upper']);

/**
 * Suggests an index on a table.
 *
 * @param tests what {@link import('./conditions.ts').conditionColumns} read from the conditions on the table
 * @param order the keys that the rows are wanted in
 *
 * @example
 * suggestIndex(orders, conditionColumns('((customer_id = $1) AND (created_at > $2))'))
 * // { kind: 'create', keys: ['"customer_id"', '"created_at"'], action: { sql: 'CREATE INDEX CONCURRENTLY …', … } }
 */
export function suggestIndex(
  relation: Relation,
  tests: readonly Test[],
  order: readonly OrderKey[] = [],
): IndexSuggestion {
  if (relation.kind === 'view' || relation.kind === 'foreign table') return { kind: 'none', reason: 'no table' };
  if (rowsOf(relation) < minRows) return { kind: 'none', reason: 'small' };
  const equal = equalityKeys(relation, tests);
  const tail = order.length > 0 ? orderTail(relation, order, equal) : rangeKeys(relation, tests, equal);
  if (tail === undefined) return { kind: 'none', reason: 'no test' };
  const predicate = predicateOf(relation, tests, equal.length + tail.length === 0);
  const keys = equal.length + tail.length === 0 && predicate ? { equal: [predicate.key], tail } : { equal, tail };
  if (keys.equal.length + keys.tail.length === 0) return { kind: 'none', reason: 'no test' };
  const existing = relation.indexes.find((index) => answers(index, keys, predicate));
  return existing ? { kind: 'exists', index: existing.name } : creation(relation, keys, predicate);
}

/** A key of the index to be. */
interface Key {
  column: Column;
  call: string | null;
  descending: boolean;
  nullsFirst: boolean;
}

interface Keys {
  /** In any order they would do. */
  equal: Key[];
  /** Only in this order. */
  tail: Key[];
}

/** The table's rows; before the first ANALYZE only those that were counted are known. */
function rowsOf({ rows, liveRows }: Relation): number {
  return rows ?? liveRows;
}

/** Most distinct values first, until they leave so few rows that another key gains nothing. */
function equalityKeys(relation: Relation, tests: readonly Test[]): Key[] {
  const keys = distinctKeys(
    tests
      .filter(({ kind }) => kind === 'equality')
      .flatMap(({ operands }) => operands.map((operand) => keyOf(relation, operand))),
  ).sort(
    (a, b) =>
      distinctOf(b.column) - distinctOf(a.column) ||
      // The same suggestion however the conditions are ordered.
      relation.columns.indexOf(a.column) - relation.columns.indexOf(b.column),
  );
  const telling = keys.filter(({ column }) => column.statistics === null || column.statistics.distinct > 1);
  return telling.filter((_, i) => i === 0 || rowsLeft(relation, telling.slice(0, i)) > fewRows).slice(0, maxKeys);
}

/** The rows that have one value in each of the columns, were they independent. */
function rowsLeft(relation: Relation, keys: readonly Key[]): number {
  return keys.reduce((rows, { column }) => rows / Math.max(1, distinctOf(column)), rowsOf(relation));
}

/** One range: behind it the order of keys is lost. The columns of a row comparison count as one. */
function rangeKeys(relation: Relation, tests: readonly Test[], equal: readonly Key[]): Key[] {
  if (equal.length === maxKeys || rowsLeft(relation, equal) <= fewRows) return [];
  const ranges = tests
    .filter(({ kind }) => kind === 'range')
    .map(({ operands }) => operands.map((operand) => keyOf(relation, operand)))
    .filter((keys) => keys.every((key) => key !== undefined))
    .map((keys) => distinctKeys(keys).filter((key) => !equal.some((other) => sameKey(key, other))));
  const [most = []] = ranges.toSorted(([a], [b]) => (b ? distinctOf(b.column) : 0) - (a ? distinctOf(a.column) : 0));
  return most.slice(0, maxKeys - equal.length);
}

/** An order cannot be had in part; what is equal in all rows is no part of it. Read backwards an index gives the opposite one. */
function orderTail(relation: Relation, order: readonly OrderKey[], equal: readonly Key[]): Key[] | undefined {
  const all = order.map(({ operand, descending, nullsFirst }) => {
    const key = keyOf(relation, operand);
    return key && { ...key, descending, nullsFirst };
  });
  if (!all.every((key) => key !== undefined)) return undefined;
  const keys = all.filter((key) => !equal.some((other) => sameKey(key, other)));
  if (keys.length > maxKeys) return undefined;
  return keys[0]?.descending
    ? keys.map((key) => ({ ...key, descending: !key.descending, nullsFirst: !key.nullsFirst }))
    : keys;
}

function distinctOf({ statistics }: Column): number {
  return statistics?.distinct ?? 0;
}

function distinctKeys(keys: readonly (Key | undefined)[]): Key[] {
  const known = keys.filter((key) => key !== undefined);
  return known.filter((key, i) => known.findIndex((other) => sameKey(key, other)) === i);
}

function sameKey(a: Key, b: Key): boolean {
  return a.column.name === b.column.name && a.call === b.call;
}

/** The key for an operand; undefined where it is not sure that an index on it would be used. */
function keyOf(relation: Relation, { column: name, cast, call }: Operand): Key | undefined {
  const column = relation.columns.find((candidate) => candidate.name === name);
  const fits =
    column &&
    !unorderedTypes.has(column.type) &&
    (column.statistics?.averageBytes ?? 0) <= maxAverageBytes &&
    isSameInside(column.type, cast) &&
    (call === null || (indexedCalls.has(call) && isText(column.type)));
  return fits ? { column, call, descending: false, nullsFirst: false } : undefined;
}

/** PostgreSQL shows a cast also where it changes nothing: a varchar is compared as the text that it is. */
export function isSameInside(type: string, cast: string | null): boolean {
  return (
    cast === null || (cast === 'text' && type.startsWith('character varying')) || (cast === 'inet' && type === 'cidr')
  );
}

function isText(type: string): boolean {
  return type === 'text' || type.startsWith('character varying');
}

/** A condition that no parameter decides can be the index's own, where it keeps few rows. */
interface Predicate {
  kind: 'null' | 'not null';
  key: Key;
}

function predicateOf(relation: Relation, tests: readonly Test[], alone: boolean): Predicate | undefined {
  return tests
    .flatMap(({ kind, operands: [operand] }) => {
      const key = operand?.call === null ? keyOf(relation, operand) : undefined;
      const nulls = key?.column.statistics?.nullFraction;
      if (!key || nulls === undefined || (kind !== 'null' && kind !== 'not null')) return [];
      return [{ kind, key, kept: kind === 'null' ? nulls : 1 - nulls }];
    })
    .filter(({ kept }) => kept <= (alone ? fewAlone : fewBesides))
    .toSorted((a, b) => a.kept - b.kept)
    .at(0);
}

/** The share of rows from which a partial index is not worth being another index. */
const fewBesides = 0.2;
const fewAlone = 0.05;

/** Whether an index begins with the keys, those for equality in any order. */
function answers(index: TableIndex, { equal, tail }: Keys, predicate: Predicate | undefined): boolean {
  if (!index.valid || index.method !== 'btree') return false;
  if (index.predicate !== null && !isPredicate(index.predicate, predicate)) return false;
  const held = index.columns.map((_, i) => operandAt(index, i));
  const isHeld = (i: number, key: Key) => held[i]?.column === key.column.name && (held[i]?.call ?? null) === key.call;
  // A unique index finds at most one row for values of all its columns.
  const onlyEqual = held.every((_, i) => equal.some((key) => isHeld(i, key)));
  if (index.unique && held.length > 0 && onlyEqual) return true;
  const flips = new Set(tail.map((key, i) => key.descending !== (index.descending[equal.length + i] ?? false)));
  return (
    held.length >= equal.length + tail.length &&
    equal.every((key) => held.some((_, i) => i < equal.length && isHeld(i, key))) &&
    tail.every((key, i) => isHeld(equal.length + i, key)) &&
    flips.size <= 1
  );
}

function operandAt({ columns, expressions }: TableIndex, i: number): Pick<Operand, 'column' | 'call'> | undefined {
  const column = columns[i];
  return column ? { column, call: null } : operandOf(expressions[i] ?? '');
}

function isPredicate(printed: string, predicate: Predicate | undefined): boolean {
  const [test, ...others] = conditionColumns(printed);
  return (
    others.length === 0 &&
    test?.kind === predicate?.kind &&
    test?.operands[0]?.column === predicate?.key.column.name &&
    test?.operands[0]?.call === null
  );
}

function creation(relation: Relation, { equal, tail }: Keys, predicate: Predicate | undefined): IndexSuggestion {
  const keys = [...equal, ...tail];
  const partitioned = relation.kind === 'partitioned table';
  const written = keys.map(keySql);
  const where = predicate
    ? `${pg.escapeIdentifier(predicate.key.column.name)} IS ${predicate.kind.toUpperCase()}`
    : null;
  const name = definedName(
    { table: relation.table, keys: keys.map(newKey), predicate: where },
    partitioned ? relation.indexes.map((index) => index.name) : takenNames(relation.indexes),
  );
  const concurrently = partitioned ? '' : ' CONCURRENTLY';
  return {
    kind: 'create',
    name,
    keys: written,
    predicate: where,
    action: {
      kind: 'sql',
      sql: `${withoutLeftover(relation.schema, name, relation.indexes)}CREATE INDEX${concurrently} IF NOT EXISTS ${pg.escapeIdentifier(name)} ON ${qualified(relation.schema, relation.table)} (${written.join(', ')})${where ? ` WHERE ${where}` : ''};`,
      undoSql: `DROP INDEX${concurrently} IF EXISTS ${qualified(relation.schema, name)};`,
      caution: [partitioned ? partitionedLocks : locksOf(relation), writesOf(relation), check].join(' '),
    },
  };
}

function newKey({ column, call, descending, nullsFirst }: Key) {
  const name = pg.escapeIdentifier(column.name);
  return call === null
    ? { column: column.name, descending, nullsFirst }
    : { expression: `${call}(${name})`, descending, nullsFirst };
}

function keySql({ column, call, descending, nullsFirst }: Key): string {
  const name = pg.escapeIdentifier(column.name);
  // By default nulls come last upwards and first downwards.
  const nulls = nullsFirst === descending ? '' : ` NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`;
  return `${call === null ? name : `${call}(${name})`}${descending ? ' DESC' : ''}${nulls}`;
}

/** A name with its schema, quoted. */
export function qualified(schema: string, name: string): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
}

/** https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY */
function locksOf({ sizeBytes }: Relation): string {
  return `Reads and writes go on while it is built. It reads the table (${bytes(sizeBytes)}) twice, waits for every transaction that is open, and cannot run inside a transaction. ${failedBuild}`;
}

/** https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE */
const partitionedLocks =
  'It stops writes to all partitions while it is built, because a partitioned table knows no CONCURRENTLY. Where writes must go on: create it ON ONLY the parent, create the same index CONCURRENTLY on each partition, and attach each with ALTER INDEX … ATTACH PARTITION.';

function writesOf({ inserts, updates, hotUpdates }: Relation): string {
  const writes = inserts + updates - hotUpdates;
  return `Each insert, and each update that moves a row or changes a key, will write to it as well${writes > 0 ? `: ${plural(writes, 'such write')} counted so far` : ''}.`;
}

const check = 'It is a suggestion from statistics: look with EXPLAIN whether the plan uses it, and undo it if not.';
