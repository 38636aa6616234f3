/**
 * The pages of a b-tree right after CREATE INDEX, from the number and the width of its entries.
 *
 * It follows the build of PostgreSQL 13 and newer: entries are sorted, those of equal keys are merged into posting lists of six
 * bytes a row, and leaf pages are filled until a tenth of them is left. Constants and rules are from PostgreSQL's sources:
 * src/backend/access/nbtree/README ("Notes about deduplication", "Suffix truncation"), nbtsort.c (`_bt_buildadd`, `_bt_load`),
 * nbtdedup.c (`_bt_dedup_save_htid`), src/include/access/nbtree.h and itup.h.
 *
 * An index that has grown by inserts in random order is larger by up to a half: its pages were split.
 */

/** Bytes of a page; servers built with another size are hardly to be found. */
export const pageBytes = 8192;

/** What a page has for entries: without its header (24) and the links to its neighbours (16). */
const usableBytes = pageBytes - 24 - 16;

/** The pointer to an entry, at the beginning of the page. */
const linePointerBytes = 4;

/** A page is empty but for the pointer to its high key; `PageGetFreeSpace` leaves room for one more. */
const freeBytes = usableBytes - 2 * linePointerBytes;

/** A leaf is full when less than this is free: fillfactor 90. An inner page at fillfactor 70, whatever the index is told. */
const leafReserve = Math.floor(pageBytes * 0.1);
const innerReserve = Math.floor(pageBytes * 0.3);

/** The place of a row in its table. */
const rowPointerBytes = 6;

/** A posting list is at most so long in a build: a tenth of a page. Later merges allow more. */
const maxPostingBytes = align(Math.floor(pageBytes / 10) - 7) - linePointerBytes;

/** Rows that lie at one key, and how wide one entry of that key is. */
export interface KeyGroup {
  /** How many keys are alike. */
  keys: number;
  /** Rows of each; where `isMean`, as many rows as chance gives each of them, and at least one. */
  rows: number;
  isMean: boolean;
  /** An entry for one row, header and alignment included. */
  entryBytes: number;
}

/** What is stored, as much as its size depends on it. */
export interface BtreeContent {
  groups: readonly KeyGroup[];
  deduplicates: boolean;
  /** The mean of what an inner page stores to tell two leaves apart. */
  pivotBytes: number;
}

/** The next multiple of eight: MAXALIGN. */
export function align(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** The bytes of a new b-tree. Empty it has its meta page alone. */
export function btreeBytes({ groups, deduplicates, pivotBytes }: BtreeContent): number {
  const leaves = groups
    .filter(({ keys, rows }) => keys > 0 && rows > 0)
    .reduce((sum, group) => sum + (deduplicates ? mergedPages(group) : plainPages(group)), 0);
  let level = Math.ceil(leaves);
  let pages = 1 + level;
  for (const perPage = entriesPerPage(pivotBytes, innerReserve); level > 1; pages += level) {
    level = Math.ceil(level / perPage);
  }
  return pages * pageBytes;
}

/** Pages of entries that are not merged. */
function plainPages({ keys, rows, entryBytes }: KeyGroup): number {
  return (keys * rows) / entriesPerPage(entryBytes, leafReserve);
}

/**
 * How many entries of one width stay on a page. The one that makes it full begins the next page. Where the width is a mean (not
 * a multiple of eight) half an entry is lost instead of the exact rest.
 */
function entriesPerPage(bytes: number, reserve: number): number {
  const step = bytes + linePointerBytes;
  const room = freeBytes - reserve;
  const entries = bytes % 8 === 0 ? Math.ceil((room + 1) / step) - 1 : room / step - 0.5;
  return Math.max(2, entries);
}

/** So many pages are filled in the mind; the others are like them. */
const sampledPages = 40;

/** Pages of entries that are merged into posting lists: the filling of some pages is played through. */
function mergedPages(group: KeyGroup): number {
  const mostRows = Math.floor((Math.floor(maxPostingBytes / 8) * 8 - group.entryBytes) / rowPointerBytes);
  if (mostRows < 2 || group.rows <= 1) return plainPages(group);
  const rowsOfKey = group.isMean ? chance(group.rows) : () => group.rows;
  const page = { used: 0, last: 0, lastPosting: 0, entries: 0 };
  let full = 0;
  let keys = 0;
  for (; full < sampledPages && keys < group.keys; keys++) {
    for (let left = Math.round(rowsOfKey(keys)); left > 0; left -= mostRows) {
      const rows = Math.min(left, mostRows);
      const posting = rows === 1 ? 0 : rows * rowPointerBytes;
      const bytes = (posting === 0 ? group.entryBytes : align(group.entryBytes + posting)) + linePointerBytes;
      const free = freeBytes - page.used;
      // A tenth is left free, whereby the posting list of the last entry does not count: as a high key it loses it.
      const isFull = page.entries >= 2 && (free < bytes + linePointerBytes || free + page.lastPosting < leafReserve);
      if (isFull) {
        full++;
        page.used = page.last;
        page.entries = 1;
      }
      page.used += bytes;
      page.entries++;
      page.last = bytes;
      page.lastPosting = posting;
    }
  }
  const filled = full + page.used / (freeBytes - leafReserve);
  // Where next to nothing is merged, what was played through is less exact than the count, and merging never takes more.
  return Math.min((filled * group.keys) / Math.max(1, keys), plainPages(group));
}

/**
 * Rows of the keys when rows are dealt to them at random and every key has at least one: a Poisson distribution without its zero,
 * whose mean is given, at points that are spread evenly.
 */
function chance(mean: number): (key: number) => number {
  const rate = rateOf(mean);
  const golden = (Math.sqrt(5) - 1) / 2;
  if (rate > 50) return (key) => Math.max(1, rate + Math.sqrt(rate) * normal((key * golden + golden) % 1));
  const none = Math.exp(-rate);
  const upTo = [0];
  for (let rows = 1, share = none; (upTo.at(-1) ?? 1) < 1 - 1e-6 && rows < 200; rows++) {
    share *= rate / rows;
    upTo.push((upTo.at(-1) ?? 0) + share / (1 - none));
  }
  return (key) => {
    const at = firstAtLeast(upTo, (key * golden + golden) % 1);
    return at === 0 ? upTo.length : at;
  };
}

/** The place of the first of ascending numbers that is no smaller, found by halves; behind the last where all are smaller. */
function firstAtLeast(ascending: readonly number[], least: number): number {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ascending[middle] as number) < least) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The rate of a Poisson distribution that without its zero has this mean: by repeated insertion. */
function rateOf(mean: number): number {
  let rate = Math.max(1e-3, mean - 1);
  for (let step = 0; step < 60; step++) rate = Math.max(1e-3, mean * -Math.expm1(-rate));
  return rate;
}

/** The point of the normal distribution below which a share lies: Tukey's lambda, good to 1 % where it matters. */
function normal(share: number): number {
  return (share ** 0.135 - (1 - share) ** 0.135) / 0.1975;
}
