import * as z from 'zod';
import { plural } from '../../../advice/format.ts';
import { suggestIndex } from '../advice/suggest-index.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { filteredInOrder, sortedFirst } from './limit-readings.ts';
import { columnsOf, nameOf, tableOf } from './words.ts';

/**
 * `plans/limit-not-pushed`: a LIMIT wants few rows, and very many are read for it: all are sorted first, or an index that has the
 * order is read until a filter has let enough of them through. An index on what the filter compares for equality and then the
 * order gives the rows at once. Told only where such an index is missing.
 * https://www.postgresql.org/docs/current/indexes-ordering.html
 */
export const limitNotPushed = defineNodeRule({
  id: 'plans/limit-not-pushed',
  title: 'Many rows read for a LIMIT',
  why: 'Only an index in the order of the ORDER BY, behind the columns of the filter, lets PostgreSQL stop at the LIMIT. Without it each call reads all candidates.',
  severity: 'warning',
  options: z.strictObject({
    /** Rows that are read for the LIMIT. */
    minRows: z.number().int().min(1).default(10_000),
    /** How many times the rows that the LIMIT lets through. */
    minRatio: z.number().min(1).default(100),
    /** Of the statement's time, or cost, with all below the LIMIT. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const found = sortedFirst(place, context) ?? filteredInOrder(place, context);
    if (!found) return undefined;
    const { scan, read, wanted, tests, order, how, share } = found;
    const table = context.tableOf(scan);
    if (!table || read < options.minRows || read < wanted * options.minRatio) return undefined;
    const suggestion = suggestIndex(table, tests, order);
    if (suggestion.kind !== 'create') return undefined;
    return {
      table: tableOf(scan, table),
      weight: read,
      share,
      title: `A LIMIT reads ${plural(read, 'row')} of ${nameOf(table)} for ${plural(wanted, 'row')}`,
      detail: `${how} An index on ${suggestion.keys.join(', ')} would give the rows in order.`,
      evidence: {
        rowsRead: read,
        rowsWanted: wanted,
        orderedBy: order.map(({ operand }) => operand.column).join(', '),
        filterColumns: columnsOf(tests),
      },
      action: suggestion.action,
    };
  },
});
