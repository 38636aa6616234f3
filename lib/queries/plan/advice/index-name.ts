import { createHash } from 'node:crypto';
import pg from 'pg';

/** PostgreSQL's NAMEDATALEN less the zero at the end: longer names are cut. */
const maxBytes = 63;

/**
 * The name that PostgreSQL itself would choose for an index: table, columns and `idx`, the longer of table and columns shortened
 * until it fits, a number behind it where the name is taken (`ChooseIndexName` and `makeObjectName` in
 * src/backend/commands/indexcmds.c). Only the names in `taken` are known here.
 *
 * @param variant what is put behind it, to tell it from others on the same columns
 *
 * @example
 * indexName('orders', ['customer_id', 'created_at'], []) // orders_customer_id_created_at_idx
 */
export function indexName(table: string, columns: readonly string[], taken: readonly string[], variant = ''): string {
  const used = new Set(taken);
  for (let number = 0; ; number++) {
    const name = fitted(table, columns.join('_'), `idx${number || ''}${variant}`);
    if (!used.has(name)) return name;
  }
}

/** IF NOT EXISTS takes what is left of a build that failed for the index: https://www.postgresql.org/docs/current/sql-createindex.html */
export const failedBuild =
  'Run each statement by itself. If the build fails, drop the invalid index that it leaves before the next try: as it has the same name, it would be taken for the index.';

/** An index that is there, as far as names go. */
export interface NamedIndex {
  name: string;
  valid: boolean;
  unique: boolean;
}

/**
 * The names that an index to be made must not have. What is left of a build that failed serves nobody, and gives its name back: the
 * advice is the same as before, and takes it away first. A unique one may still keep rows from being written, and stays.
 */
export function takenNames(indexes: readonly NamedIndex[]): string[] {
  return indexes.filter((index) => !isLeftover(index)).map(({ name }) => name);
}

function isLeftover({ valid, unique }: NamedIndex): boolean {
  return !valid && !unique;
}

/**
 * The statement, and a new line, that takes away what a build that failed has left of an index; empty where it has left nothing. IF NOT
 * EXISTS would take it for the index. It is by itself: CONCURRENTLY cannot run in a transaction.
 */
export function withoutLeftover(schema: string, name: string, indexes: readonly NamedIndex[]): string {
  return indexes.some((index) => index.name === name && isLeftover(index))
    ? `DROP INDEX CONCURRENTLY IF EXISTS ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)};\n`
    : '';
}

/** An index that is to be named. */
export interface NewDefinition {
  table: string;
  /** `btree` when left out. */
  method?: string;
  keys: readonly NewKey[];
  /** Columns stored by INCLUDE. */
  included?: readonly string[];
  /** As SQL. */
  predicate?: string | null;
}

/** One of `column` and `expression`, the latter as SQL without parentheses around it. */
export interface NewKey {
  column?: string | null;
  expression?: string | null;
  descending?: boolean;
  nullsFirst?: boolean;
  operatorClass?: string | null;
}

/**
 * The name of an index by its definition: whichever rules propose the same index, they call it the same, so that it is built once.
 * A b-tree of columns in their usual order has the name that PostgreSQL itself would choose; behind that of any other stand six digits
 * of a hash, so that two on the same columns have two names.
 *
 * @param taken names of indexes that exist already
 *
 * @example
 * definedName({ table: 'people', keys: [{ expression: 'lower("email")' }] }) // people_lower_idx_4f1b9c
 */
export function definedName(definition: NewDefinition, taken: readonly string[] = []): string {
  const { table, keys, included = [] } = definition;
  return indexName(table, [...keys.map(wordOf), ...included], taken, variantOf(definition));
}

/** As FigureIndexColname in src/backend/parser/parse_target.c: a column's name, or a function's. */
function wordOf({ column, expression }: NewKey): string {
  return column ?? /^\w+(?=\()/.exec(expression ?? '')?.[0] ?? 'expr';
}

function variantOf({ method = 'btree', keys, included = [], predicate = null }: NewDefinition): string {
  const parts = keys.map(({ column, expression, descending = false, nullsFirst = descending, operatorClass }) => [
    column ?? null,
    expression ?? null,
    descending,
    nullsFirst,
    operatorClass ?? null,
  ]);
  const isUsual = parts.every((rest) => rest.slice(1).every((part) => !part));
  if (method === 'btree' && isUsual && included.length === 0 && predicate === null) return '';
  const text = JSON.stringify([method, parts, included.toSorted(), predicate]);
  return `_${createHash('sha256').update(text).digest('hex').slice(0, 6)}`;
}

/** The name that PostgreSQL itself would choose for extended statistics, as {@link indexName} is made. */
export function statisticsName(table: string, columns: readonly string[]): string {
  return fitted(table, columns.join('_'), 'stat');
}

function fitted(table: string, columns: string, label: string): string {
  const room = maxBytes - Buffer.byteLength(label) - 2;
  let tableBytes = Buffer.byteLength(table);
  let columnBytes = Buffer.byteLength(columns);
  while (tableBytes + columnBytes > room) {
    if (tableBytes > columnBytes) tableBytes--;
    else columnBytes--;
  }
  return `${clipped(table, tableBytes)}_${clipped(columns, columnBytes)}_${label}`;
}

/** At most so many bytes, and no half of a character. */
function clipped(text: string, most: number): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(text).subarray(0, most), { stream: true });
}
