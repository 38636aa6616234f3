/**
 * The pages of a BRIN index right after CREATE INDEX: for each 128 pages of the table the least and the greatest value.
 *
 * Source: src/backend/access/brin (README), src/include/access/brin_page.h and brin_tuple.h.
 */
import { align, pageBytes } from './btree-size.ts';

/** https://www.postgresql.org/docs/current/sql-createindex.html#INDEX-RELOPTION-PAGES-PER-RANGE */
const pagesPerRange = 128;

/** A page of the map from ranges to their summaries has places of six bytes, a header (24) and flags (8). */
const rangesPerMapPage = Math.floor((pageBytes - 24 - 8) / 6);

/** Before the values: the range's number, flags, and what of it are nulls. */
const headerBytes = 8;

/** The bytes of a new BRIN index over a table of so many bytes, with keys of these widths. */
export function brinBytes(tableBytes: number, keyBytes: readonly number[]): number {
  const ranges = Math.ceil(tableBytes / pageBytes / pagesPerRange);
  const summary = align(headerBytes + keyBytes.reduce((sum, bytes) => sum + 2 * bytes, 0)) + 4;
  const perPage = Math.max(1, Math.floor((pageBytes - 24 - 8) / summary));
  const maps = Math.max(1, Math.ceil(ranges / rangesPerMapPage));
  return (1 + maps + Math.max(1, Math.ceil(ranges / perPage))) * pageBytes;
}
