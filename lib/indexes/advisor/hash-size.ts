/**
 * The pages of a hash index right after CREATE INDEX. It stores a code of four bytes for each row, so that the width of the key
 * does not matter; equal keys share a bucket and are not merged.
 *
 * Source: src/backend/access/hash (README; hashpage.c `_hash_init`, `_hash_init_metabuffer`; hashutil.c `_hash_spareindex`).
 */
import { pageBytes } from './btree-size.ts';

/** An entry with its pointer: a header of 8, the code aligned to 8, and 4. */
const entryBytes = 20;

/** A bucket is planned for this many rows: fillfactor 75. */
const plannedRows = Math.floor((pageBytes * 0.75) / entryBytes);

/** So many fit a page, its header (24) and its links (16) taken off. */
const rowsPerPage = Math.floor((pageBytes - 40) / entryBytes);

/** A bitmap page accounts for so many overflow pages: 4,096 bytes of bits. */
const pagesPerBitmap = 32_768;

/** Up to 2^9 buckets they double; from there on each doubling has four steps. */
const doublingOnly = 9;

/**
 * The bytes of a new hash index over rows that have so many different keys.
 *
 * @param common the rows of each key that is commoner than the others
 */
export function hashBytes(rows: number, distinct: number, common: readonly number[] = []): number {
  const buckets = bucketsFor(rows);
  const long = common.filter((each) => each >= rowsPerPage);
  const longRows = long.reduce((sum, each) => sum + each, 0);
  const overflow =
    overflowPages(Math.max(0, rows - longRows), Math.max(1, distinct - long.length), buckets) + longRows / rowsPerPage;
  const bitmaps = 1 + Math.floor(overflow / pagesPerBitmap);
  return Math.ceil(1 + bitmaps + buckets + overflow) * pageBytes;
}

/** As many as are made at once. */
function bucketsFor(rows: number): number {
  const wanted = Math.floor(rows / plannedRows);
  if (rows / plannedRows <= 2) return 2;
  const doubling = Math.ceil(Math.log2(wanted));
  if (doubling <= doublingOnly) return 2 ** doubling;
  const step = 2 ** (doubling - 1) / 4;
  return Math.ceil(wanted / step) * step;
}

/**
 * Pages beside the buckets' own. Between two doublings some buckets are split already, and those that are not hold twice as much.
 */
function overflowPages(rows: number, distinct: number, buckets: number): number {
  const whole = 2 ** Math.ceil(Math.log2(buckets));
  const split = 2 * buckets - whole;
  const unsplit = buckets - split;
  const of = (share: number) => overflowOf(rows * share, distinct * share, rows / distinct);
  return split * of(1 / whole) + unsplit * of(2 / whole);
}

/** The expected overflow pages of a bucket: keys fall into it by chance, each with all its rows. */
function overflowOf(rows: number, keys: number, rowsPerKey: number): number {
  let pages = 0;
  // By the tail of a sum: one page more with each page's worth of rows that it exceeds.
  for (let page = 1; page < 10_000; page++) {
    const chance = exceeds(keys, (page * rowsPerPage) / rowsPerKey);
    // Far beyond what is expected nothing more comes.
    if (chance < 1e-4 && page * rowsPerPage > rows) break;
    pages += chance;
  }
  return pages;
}

/** The chance that more than `least` keys fall where `mean` are expected: Poisson, by its normal approximation. */
function exceeds(mean: number, least: number): number {
  if (mean <= 0) return 0;
  if (mean < 20) return poissonAbove(mean, Math.floor(least));
  const deviations = (least + 0.5 - mean) / Math.sqrt(mean);
  return 1 / (1 + Math.exp(1.5976 * deviations + 0.070566 * deviations ** 3));
}

function poissonAbove(mean: number, most: number): number {
  let share = Math.exp(-mean);
  let below = share;
  for (let count = 1; count <= most && count < 1_000; count++) {
    share *= mean / count;
    below += share;
  }
  return Math.max(0, 1 - below);
}
