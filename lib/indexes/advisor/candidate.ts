/**
 * An index that does not exist: what the advisor weighs.
 *
 * - candidate: the definition of such an index. Plain data, JSON-safe.
 * - definition: its one string; two candidates with the same definition are the same index.
 * - covers: one index serves every scan that the other serves.
 */
import pg from 'pg';
import { definedName } from '../../queries/plan/advice/index-name.ts';

/** What a key is made of, and how it is ordered. One of `column` and `expression` is null. */
export interface IndexKey {
  column: string | null;
  /** As SQL, without the parentheses around it. */
  expression: string | null;
  /** The columns that it is computed from: of a column itself. The statistics of the first stand for those of an expression. */
  reads: readonly string[];
  descending: boolean;
  nullsFirst: boolean;
  /** Null: the default one of the type. */
  operatorClass: string | null;
}

/** The condition of a partial index. Its text is the caller's: it must hold no value that nobody may see. */
export interface Predicate {
  sql: string;
  /** The columns that it reads. */
  columns: readonly string[];
  /** The share of the table's rows that it keeps, 0 to 1. */
  fraction: number;
}

/** The access methods that candidates have. HypoPG can pretend each of them. */
export const methods = ['btree', 'hash', 'brin'] as const;

/** An index that does not exist. */
export interface Candidate {
  schema: string;
  table: string;
  method: (typeof methods)[number];
  keys: readonly IndexKey[];
  /** Columns stored by INCLUDE. */
  included: readonly string[];
  predicate: Predicate | null;
}

/** A key on a column, upwards and with nulls last unless told otherwise. */
export function columnKey(
  column: string,
  { descending = false, nullsFirst = descending, operatorClass = null }: Partial<IndexKey> = {},
): IndexKey {
  return { column, expression: null, reads: [column], descending, nullsFirst, operatorClass };
}

/** A key on an expression over columns, the one first that its statistics resemble. */
export function expressionKey(
  expression: string,
  reads: readonly string[],
  { descending = false, nullsFirst = descending, operatorClass = null }: Partial<IndexKey> = {},
): IndexKey {
  return { column: null, expression, reads, descending, nullsFirst, operatorClass };
}

/**
 * A b-tree over columns, or whatever else `rest` makes of it.
 *
 * @example
 * candidateOn('public', 'orders', ['customer_id', 'created_at'], { included: ['total'] })
 */
export function candidateOn(
  schema: string,
  table: string,
  keys: readonly (string | IndexKey)[],
  rest: Partial<Pick<Candidate, 'method' | 'included' | 'predicate'>> = {},
): Candidate {
  return {
    schema,
    table,
    method: 'btree',
    keys: keys.map((key) => (typeof key === 'string' ? columnKey(key) : key)),
    included: [],
    predicate: null,
    ...rest,
  };
}

/** The condition that a column is not null, as SQL. */
export function notNull(column: string): string {
  return `${pg.escapeIdentifier(column)} IS NOT NULL`;
}

/** Equal for candidates that are the same index, whatever the order in which their columns are included. */
export function definitionOf(candidate: Candidate): string {
  const known = definitions.get(candidate);
  if (known !== undefined) return known;
  const { schema, table, method, keys, included, predicate } = candidate;
  const parts = [schema, table, method, keys.map(partsOf), included.toSorted(), predicate?.sql ?? null];
  const definition = JSON.stringify(parts);
  definitions.set(candidate, definition);
  return definition;
}

/** A search asks for the same ones again and again, and nobody changes a candidate. */
const definitions = new WeakMap<Candidate, string>();

function partsOf({ column, expression, descending, nullsFirst, operatorClass }: IndexKey): unknown[] {
  return [column, expression, descending, nullsFirst, operatorClass];
}

/** The columns that are stored in an index as they are, so that a scan of the index alone can return them. */
export function storedColumns({ keys, included }: Candidate): string[] {
  return [...new Set([...keys.flatMap(({ column }) => column ?? []), ...included])];
}

/** Every column that an index depends on: an update of one of them cannot be a heap-only one. */
export function columnsOf({ keys, included, predicate }: Candidate): string[] {
  return [...new Set([...keys.flatMap(({ reads }) => reads), ...included, ...(predicate?.columns ?? [])])];
}

/**
 * Whether the first index serves every scan that the second serves: it begins with its keys, in the same order or in the exactly
 * opposite one (a b-tree is read both ways), stores its columns, and has the rows that it has. Each index covers itself.
 */
export function covers(wide: Candidate, narrow: Candidate): boolean {
  if (wide.schema !== narrow.schema || wide.table !== narrow.table || wide.method !== narrow.method) return false;
  if (wide.predicate !== null && wide.predicate.sql !== narrow.predicate?.sql) return false;
  if (wide.method !== 'btree') return definitionOf({ ...wide, predicate: narrow.predicate }) === definitionOf(narrow);
  return beginsWith(wide.keys, narrow.keys) && new Set(storedColumns(narrow)).isSubsetOf(new Set(storedColumns(wide)));
}

/** Whether keys begin with others: all in the same direction, or all in the opposite one. */
export function beginsWith(keys: readonly IndexKey[], prefix: readonly IndexKey[]): boolean {
  const head = keys.slice(0, prefix.length);
  const same = (flip: boolean) =>
    head.every((key, i) => {
      const other = prefix[i] as IndexKey;
      return (
        key.column === other.column &&
        key.expression === other.expression &&
        key.operatorClass === other.operatorClass &&
        key.descending === (other.descending !== flip) &&
        key.nullsFirst === (other.nullsFirst !== flip)
      );
    });
  return head.length === prefix.length && (same(false) || same(true));
}

/** How an index is to be made. */
export interface SqlOptions {
  /** That of {@link nameOf} when left out. */
  name?: string;
  /** Without stopping writes. A partitioned table knows no such way. Default true. */
  concurrently?: boolean;
  /** Whether an index of that name is taken for this one. Default false. */
  ifNotExists?: boolean;
}

/**
 * A name by the definition, at most 63 bytes: rules that propose the same index give it the same.
 *
 * @param taken names of indexes that exist in the schema already
 */
export function nameOf({ predicate, ...candidate }: Candidate, taken: readonly string[] = []): string {
  return definedName({ ...candidate, predicate: predicate?.sql ?? null }, taken);
}

/**
 * The statement that makes the index, without a semicolon. Every name is quoted.
 * https://www.postgresql.org/docs/current/sql-createindex.html
 *
 * @example
 * sqlOf(candidateOn('public', 'orders', ['customer_id']))
 * // CREATE INDEX CONCURRENTLY "orders_customer_id_idx" ON "public"."orders" ("customer_id")
 */
export function sqlOf(
  candidate: Candidate,
  { name = nameOf(candidate), concurrently = true, ifNotExists = false }: SqlOptions = {},
): string {
  const { schema, table, method, keys, included, predicate } = candidate;
  const list = (names: readonly string[]) => names.map((name) => pg.escapeIdentifier(name)).join(', ');
  return [
    `CREATE INDEX${concurrently ? ' CONCURRENTLY' : ''}${ifNotExists ? ' IF NOT EXISTS' : ''} ${list([name])}`,
    ` ON ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`,
    method === 'btree' ? '' : ` USING ${method}`,
    ` (${keys.map((key) => keySql(key, method)).join(', ')})`,
    included.length === 0 ? '' : ` INCLUDE (${list(included)})`,
    predicate === null ? '' : ` WHERE (${predicate.sql})`,
  ].join('');
}

/** The statement that takes the index away again, without a semicolon. */
export function undoSqlOf(
  candidate: Candidate,
  { name = nameOf(candidate), concurrently = true }: SqlOptions = {},
): string {
  const index = `${pg.escapeIdentifier(candidate.schema)}.${pg.escapeIdentifier(name)}`;
  return `DROP INDEX${concurrently ? ' CONCURRENTLY' : ''} IF EXISTS ${index}`;
}

function keySql(
  { column, expression, descending, nullsFirst, operatorClass }: IndexKey,
  method: Candidate['method'],
): string {
  const what = column === null ? `(${expression})` : pg.escapeIdentifier(column);
  const operators = operatorClass === null ? '' : ` ${pg.escapeIdentifier(operatorClass)}`;
  // Only a b-tree has an order. By default nulls come last upwards and first downwards.
  const direction = method === 'btree' && descending ? ' DESC' : '';
  const nulls = method === 'btree' && nullsFirst !== descending ? ` NULLS ${nullsFirst ? 'FIRST' : 'LAST'}` : '';
  return `${what}${operators}${direction}${nulls}`;
}
