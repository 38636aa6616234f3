import * as z from 'zod';
import { plural } from '../../../advice/format.ts';
import { conditionColumns } from '../advice/conditions.ts';
import { hiddenIndex, scanAdvice } from '../advice/scan-advice.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { isSelective, tableScan } from './figures.ts';
import { columnsOf, does, nameOf, percent, tableOf } from './words.ts';

/**
 * `plans/selective-seq-scan`: a big table is read from end to end for a few of its rows. Where an index is there but the
 * condition hides it, `plans/expression-hides-index` tells instead.
 */
export const selectiveSeqScan = defineNodeRule({
  id: 'plans/selective-seq-scan',
  title: 'Sequential scan for a few rows',
  why: 'Every call reads the whole table to throw almost all of it away; an index would lead to the rows that are wanted, and the time would no longer grow with the table.',
  severity: 'warning',
  options: z.strictObject({
    /** Tables with fewer rows are read as a whole as fast. */
    minRows: z.number().int().min(1).default(10_000),
    /** With more rows kept, the planner may well be right. */
    maxKeptPercent: z.number().min(0).max(100).default(5),
    /** Of the statement's time, or cost. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node } = place;
    const scan = tableScan(place, context);
    if (!scan || !isSelective(scan, options.maxKeptPercent)) return undefined;
    if (Math.min(scan.read, scan.rows) < options.minRows) return undefined;
    const tests = conditionColumns(node.conditions.filter, node.relation?.alias);
    const known = context.tableOf(node);
    if (known && hiddenIndex(known, tests)) return undefined;
    const { note, action } = scanAdvice(known, tests, context.input.settings);
    const table = tableOf(node, known);
    return {
      table,
      weight: scan.read,
      share: scan.share,
      title: `A sequential scan of ${nameOf(table)} keeps ${percent(scan.kept / scan.read)} of what it reads`,
      detail: `It ${does(node, 'read', 'read')} ${plural(scan.read, 'row')} to keep ${plural(scan.kept, 'row')}.${note}`,
      evidence: { rowsRead: scan.read, rowsKept: scan.kept, columns: columnsOf(tests) },
      action,
    };
  },
});
