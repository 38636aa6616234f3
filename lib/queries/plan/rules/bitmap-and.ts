import * as z from 'zod';
import { plural } from '../../../advice/format.ts';
import { conditionColumns } from '../advice/conditions.ts';
import { suggestIndex } from '../advice/suggest-index.ts';
import { totalRows } from '../measures.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { shareOfTree } from './share.ts';
import { does, nameOf, tableOf } from './words.ts';

/**
 * `plans/bitmap-and`: two indexes are read for the rows that are in both; one index on both columns leads there at once.
 * https://www.postgresql.org/docs/current/indexes-bitmap-scans.html
 */
export const bitmapAnd = defineNodeRule({
  id: 'plans/bitmap-and',
  title: 'Two indexes instead of one on both columns',
  why: 'Each of the indexes gives far more rows than are wanted, and all of them must be found and compared first.',
  severity: 'info',
  options: z.strictObject({
    /** Index entries that are read in a call. */
    minEntries: z.number().int().min(1).default(10_000),
    /** How many times the rows that are in all of them. */
    minRatio: z.number().min(1).default(10),
    /** Of the statement's time, or cost, with the index scans. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node, ancestors } = place;
    const [heap] = ancestors;
    if (node.type !== 'BitmapAnd' || heap?.type !== 'Bitmap Heap Scan') return undefined;
    if (!node.children.every(({ type }) => type === 'Bitmap Index Scan')) return undefined;
    const entries = node.children.reduce((sum, child) => sum + totalRows(child), 0);
    const rows = totalRows(heap);
    if (entries < options.minEntries || entries < rows * options.minRatio) return undefined;
    const table = context.tableOf(heap);
    const tests = node.children.flatMap(({ conditions }) => conditionColumns(conditions.index, heap.relation?.alias));
    const suggestion = table && suggestIndex(table, tests);
    if (suggestion?.kind !== 'create' || suggestion.keys.length < 2) return undefined;
    const indexes = node.children.map(({ index }) => index ?? 'an index').join(' and ');
    return {
      table: tableOf(heap, table),
      share: shareOfTree(place, context.plan),
      weight: entries,
      title: `${indexes} are read together for ${plural(rows, 'row')} of ${nameOf(table)}`,
      detail: `${plural(entries, 'index entry', 'index entries')} ${does(node, 'were read', 'be read')} to find them. One index on ${suggestion.keys.join(', ')} would give them at once.`,
      evidence: { indexEntries: entries, rows, indexes },
      action: suggestion.action,
    };
  },
});
