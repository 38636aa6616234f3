import * as z from 'zod';
import { bytes, plural } from '../../../advice/format.ts';
import { orderKeys } from '../advice/conditions.ts';
import { raiseWorkMem } from '../advice/memory.ts';
import { suggestIndex } from '../advice/suggest-index.ts';
import type { PlanNode } from '../tree.ts';
import type { PlanContext } from './context.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { scanTests } from './figures.ts';
import { nameOf, tableOf } from './words.ts';

/** What a row takes in a sort besides its values (see sort-spill.ts). */
const rowBytes = 24 + 16;

/**
 * `plans/large-sort`: the planner expects a sort that does not fit in work_mem. Told of plans that were not run only: of others
 * `plans/sort-spill` knows. A statement that never wrote a temporary file has none such, and a sort below a LIMIT keeps few rows.
 */
export const largeSort = defineNodeRule({
  id: 'plans/large-sort',
  title: 'Sort larger than work_mem',
  why: 'A sort that does not fit in work_mem is written to temporary files and read again. An index that gives the order, or more memory, saves that.',
  severity: 'warning',
  options: z.strictObject({
    /** The expected size against work_mem, from which on the sort is large: estimates are coarse. */
    minRatio: z.number().positive().default(1.5),
    /** Of the statement's cost. */
    minSharePercent,
  }),
  inspect({ node, ancestors }, context, options) {
    const { input, statement } = context;
    const workMem = input.settings?.workMemKilobytes;
    if (node.type !== 'Sort' || node.actual || workMem === undefined || ancestors[0]?.type === 'Limit')
      return undefined;
    if (statement && statement.calls > 0 && statement.tempBlocksWritten === 0) return undefined;
    const needed = Math.ceil((node.estimate.rows * (node.estimate.width + rowBytes)) / 1024);
    if (needed < workMem * options.minRatio) return undefined;
    const index = orderIndex(node, context);
    return {
      table: index?.table,
      severity: statement ? 'warning' : 'info',
      weight: needed,
      title: `A sort of ${plural(node.estimate.rows, 'row')} needs about ${bytes(needed * 1024)}`,
      detail: `work_mem is ${bytes(workMem * 1024)}.${statement ? ' The statement does write temporary files.' : ''}${index ? ` An index on ${nameOf(index.table)} could give the order.` : ''}`,
      evidence: {
        expectedRows: node.estimate.rows,
        neededKilobytes: needed,
        workMemKilobytes: workMem,
        ...(statement && statement.calls > 0
          ? { tempBlocksPerCall: statement.tempBlocksWritten / statement.calls }
          : {}),
      },
      action: index?.action ?? raiseWorkMem(needed, workMem),
    };
  },
});

/** Behind values for its first columns an index gives the order for nothing; in the order of a whole table PostgreSQL seldom reads. */
function orderIndex(sort: PlanNode, context: PlanContext) {
  const [scan] = sort.children;
  const table = scan && sort.children.length === 1 ? context.tableOf(scan) : undefined;
  const order = orderKeys(sort.sortKey ?? []);
  if (!scan || !table || !order) return undefined;
  const tests = scanTests(scan);
  if (!tests.some(({ kind }) => kind === 'equality')) return undefined;
  const suggestion = suggestIndex(table, tests, order);
  return suggestion.kind === 'create' ? { table: tableOf(scan, table), action: suggestion.action } : undefined;
}
