import type { ColumnStatistics, Table } from '../tables/snapshot.ts';
import type { Index, WasteEstimate } from './snapshot.ts';

/** An entry's header (8) and the pointer to it (4); a page's header (24) and its links to its neighbours (16). */
const headerBytes = 8;
const pointerBytes = 4;
const pageOverheadBytes = 40;

/** Inner pages are filled by so much, whatever the index is told: BTREE_NONLEAF_FILLFACTOR in src/include/access/nbtree.h. */
const innerFill = 0.7;

/** Statistics say nothing about a table of which more than this was changed since. */
const mostChanged = 0.2;

/**
 * How much of a b-tree is probably waste, from its size and what ANALYZE knows of its columns: an estimate for servers where
 * pgstatindex may not be called. It refuses whatever it could not be right about: an index that merges equal keys (any that is
 * not unique, has no INCLUDE and does not forbid it: its size depends on how the values repeat), expressions, predicates, nulls in
 * a unique index, and columns or tables without fresh statistics.
 *
 * @param columnOf what is known of a column of its table
 */
export function estimateWaste(
  index: Index,
  table: Table | undefined,
  columnOf: (column: string) => ColumnStatistics | undefined,
  blockBytes: number,
): WasteEstimate | null {
  if (!table?.rows || table.changedSinceAnalyze > mostChanged * table.rows) return null;
  if (index.method !== 'btree' || index.partitioned || !index.valid || !index.ready || index.predicate !== null) {
    return null;
  }
  if (mergesEqualKeys(index)) return null;
  const names = [...index.elements.map(({ column }) => column), ...index.included];
  const columns = names.map((name) => (name === null ? undefined : columnOf(name)));
  let end = headerBytes;
  for (const column of columns) {
    if (!column || column.nullFraction > 0) return null;
    end = Math.ceil(end / alignmentOf(column)) * alignmentOf(column) + column.averageBytes;
  }
  const entry = Math.ceil(end / 8) * 8 + pointerBytes;
  const room = blockBytes - pageOverheadBytes;
  const perLeaf = (room - blockBytes * (1 - index.fillfactor / 100)) / entry;
  let pages = Math.ceil(table.rows / perLeaf);
  let needed = 1 + pages;
  for (const perPage = Math.max(2, (room * innerFill) / entry); pages > 1; needed += pages) {
    pages = Math.ceil(pages / perPage);
  }
  const wasted = Math.max(0, 1 - (needed * blockBytes) / index.sizeBytes);
  return { wastedPercent: Math.round(wasted * 1000) / 10, wastedBytes: Math.round(wasted * index.sizeBytes) };
}

/** https://www.postgresql.org/docs/current/btree.html#BTREE-DEDUPLICATION */
function mergesEqualKeys({ unique, included, options }: Index): boolean {
  return (
    !unique && included.length === 0 && !options.some((option) => /^deduplicate_items=(off|false|0|no)$/.test(option))
  );
}

/** Of a fixed width that is a power of two; other widths belong to texts, whose short headers need none. */
function alignmentOf({ averageBytes }: ColumnStatistics): number {
  return [2, 4, 8].includes(averageBytes) ? averageBytes : 1;
}
