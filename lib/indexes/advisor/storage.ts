/**
 * How PostgreSQL stores the values of a column inside an index entry: how long they are, aligned to what, and whether equal values
 * may share one entry.
 *
 * Types: https://www.postgresql.org/docs/current/catalog-pg-type.html (typlen, typalign). Values of up to 126 bytes whose type
 * has no fixed length carry a header of one byte and are not aligned (src/include/varatt.h).
 */
import type { Column } from '../../queries/catalog.ts';

/** How long values are, in bytes, and how common that is; the shares add up to 1. */
export type Lengths = readonly (readonly [bytes: number, share: number])[];

/** How values that are not null are stored. */
export interface Storage {
  /** Their headers included. */
  lengths: Lengths;
  /** What the place of a value is a multiple of. */
  alignment: 1 | 2 | 4 | 8;
  /** Whether entries of equal values may be merged into one with a list of rows. */
  deduplicates: boolean;
}

/** Bytes and alignment of the types that have a fixed length and a b-tree order. */
const fixed: Record<string, [bytes: number, alignment: Storage['alignment']]> = {
  '"char"': [1, 1],
  bigint: [8, 8],
  boolean: [1, 1],
  date: [4, 4],
  'double precision': [8, 8],
  integer: [4, 4],
  interval: [16, 8],
  macaddr: [6, 4],
  macaddr8: [8, 4],
  money: [8, 8],
  name: [64, 1],
  oid: [4, 4],
  pg_lsn: [8, 8],
  real: [4, 4],
  smallint: [2, 2],
  'time with time zone': [12, 8],
  'time without time zone': [8, 8],
  'timestamp with time zone': [8, 8],
  'timestamp without time zone': [8, 8],
  uuid: [16, 1],
  xid8: [8, 8],
};

/** Types of PostgreSQL's own, and one well known, that have no fixed length. */
const lengthy = new Set([
  'bit',
  'bit varying',
  'bytea',
  'character',
  'character varying',
  'cidr',
  'citext',
  'inet',
  'numeric',
  'text',
]);

/**
 * Types whose equal values may look different, and containers, are never merged
 * (https://www.postgresql.org/docs/current/btree.html#BTREE-DEDUPLICATION).
 */
const neverMerged = /^(numeric|real|double precision|interval|jsonb|tsvector|tsquery|\w*range|record)$|\[\]$/;

/** Where nothing is known of a value without a fixed length, the planner takes it to be so long (get_typavgwidth). */
const unknownBytes = 32;

/** How the values of a column are stored in an index. */
export function storageOf({ type, statistics }: Pick<Column, 'type' | 'statistics'>): Storage {
  const plain = type.replace(/ ?\([^)]*\)/, '');
  const deduplicates = !neverMerged.test(plain);
  const known = Object.hasOwn(fixed, plain) ? fixed[plain] : undefined;
  if (known) return { lengths: [[known[0], 1]], alignment: known[1], deduplicates };
  const bytes = Math.max(1, statistics?.averageBytes ?? unknownBytes);
  // A type that somebody made and whose values all have four bytes is an enumeration.
  if (bytes === 4 && deduplicates && !lengthy.has(plain)) return { lengths: [[4, 1]], alignment: 4, deduplicates };
  return { lengths: lengthsOf(plain, bytes), alignment: bytes > 126 ? 4 : 1, deduplicates };
}

/** The mean in bytes of how long values are. */
export function meanOf(lengths: Lengths): number {
  return lengths.reduce((sum, [bytes, share]) => sum + bytes * share, 0);
}

/** ANALYZE cuts the mean to a whole number: the true one is half a byte more, unless all values are of one length. */
function lengthsOf(type: string, mean: number): Lengths {
  // Filled up with blanks: but for letters of several bytes all values are of one length.
  if (type === 'character') return [[mean, 1]];
  if (type === 'numeric') return oddLengths(mean + 0.5);
  // Nobody knows how much the others differ: spread evenly over what alignment can make of it.
  return Array.from({ length: 8 }, (_, i) => [Math.max(1, mean - 3 + i), 1 / 8] as const);
}

/** A header of three bytes and two for each four decimal places: the mean lies between two lengths. */
function oddLengths(mean: number): Lengths {
  const shorter = Math.max(3, 2 * Math.floor((mean - 1) / 2) + 1);
  const longerShare = Math.min(1, Math.max(0, (mean - shorter) / 2));
  return [
    [shorter, 1 - longerShare],
    [shorter + 2, longerShare],
  ];
}
