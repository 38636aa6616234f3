import * as z from 'zod';
import { bytes, plural } from '../../../advice/format.ts';
import { raiseWorkMem } from '../advice/memory.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { nameOf, percent, tableOf } from './words.ts';

/** What a page takes in a bitmap: a PagetableEntry and two pointers of its hash table (tbm_calculate_entries in tidbitmap.c). */
const entryBytes = 64;

/** `plans/lossy-bitmap`: the bitmap did not fit in work_mem, and remembers pages where it should remember rows. */
export const lossyBitmap = defineNodeRule({
  id: 'plans/lossy-bitmap',
  title: 'Bitmap too large for work_mem',
  why: 'Of a page that the bitmap remembers as a whole, every row is read and its condition checked again.',
  severity: 'warning',
  options: z.strictObject({
    /** Pages that are remembered as a whole. */
    minLossyBlocks: z.number().int().min(1).default(100),
    /** Of all pages of the bitmap. */
    minLossyPercent: z.number().min(0).max(100).default(10),
    /** Of the statement's time. */
    minSharePercent,
  }),
  inspect({ node }, context, options) {
    const { exact, lossy } = node.heapBlocks ?? { exact: 0, lossy: 0 };
    if (lossy < options.minLossyBlocks || lossy * 100 < (exact + lossy) * options.minLossyPercent) return undefined;
    const rechecked = (node.removed.recheck ?? 0) * (node.actual?.loops ?? 1);
    const workMem = context.input.settings?.workMemKilobytes;
    const needed = Math.ceil(((exact + lossy) * entryBytes) / 1024);
    const table = tableOf(node, context.tableOf(node));
    return {
      table,
      weight: lossy,
      title: `The bitmap of ${nameOf(table)} remembers ${percent(lossy / (exact + lossy))} of its pages as a whole`,
      detail: `${plural(lossy, 'page')} of ${plural(exact + lossy, 'page')} had to be read row by row; ${plural(rechecked, 'row')} did not fit the condition. An exact bitmap takes about ${bytes(needed * 1024)}${workMem === undefined ? '' : `; work_mem is ${bytes(workMem * 1024)}`}.`,
      evidence: {
        lossyBlocks: lossy,
        exactBlocks: exact,
        rowsRemovedByRecheck: rechecked,
        neededKilobytes: needed,
        ...(workMem === undefined ? {} : { workMemKilobytes: workMem }),
      },
      action: raiseWorkMem(Math.max(needed, 2 * (workMem ?? 0)), workMem),
    };
  },
});
