import * as z from 'zod';
import { bytes, count, plural } from '../../../advice/format.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { callsPerHour, isSelective, rowsPerCall, tableScan } from './figures.ts';
import { does, nameOf, tableOf } from './words.ts';

const joins = new Set(['Nested Loop', 'Hash Join', 'Merge Join']);

/**
 * `plans/seq-scan-large-table`: a statement that is called often reads a whole big table for an answer of a few rows, such as a
 * count. No index helps against that: the answer must be kept. A scan that keeps few rows is `plans/selective-seq-scan`'s.
 */
export const seqScanLargeTable = defineNodeRule({
  id: 'plans/seq-scan-large-table',
  title: 'Big table read as a whole, often',
  why: 'The time of each call grows with the table, and the pages that it reads push those of other statements out of memory.',
  severity: 'warning',
  options: z.strictObject({
    /** Smaller tables are read quickly. */
    minRows: z.number().int().min(1).default(100_000),
    /** From so many calls an hour on the statement runs often. */
    minCallsPerHour: z.number().positive().default(60),
    /** Statements that return more rows may need the table. */
    maxRowsPerCall: z.number().min(0).default(100),
    /** Of the statement's time, or cost. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node, ancestors } = place;
    const calls = callsPerHour(context);
    const rows = rowsPerCall(context);
    if (calls === undefined || rows === undefined) return undefined;
    if (calls < options.minCallsPerHour || rows > options.maxRowsPerCall) return undefined;
    const scan = tableScan(place, context);
    if (!scan || scan.read < options.minRows || isSelective(scan, 5)) return undefined;
    if (ancestors.some(({ type }) => joins.has(type) || type === 'ModifyTable')) return undefined;
    const known = context.tableOf(node);
    const table = tableOf(node, known);
    return {
      table,
      weight: scan.read,
      share: scan.share,
      title: `All of ${nameOf(table)} is read ${count(calls)} times an hour for ${plural(rows, 'row')}`,
      detail: `Each call ${does(node, 'read', 'read')} ${plural(scan.read, 'row')}${known ? ` (the table has ${bytes(known.sizeBytes)})` : ''} and returned ${plural(rows, 'row')}.`,
      evidence: {
        rowsRead: scan.read,
        rowsPerCall: rows,
        callsPerHour: calls,
        ...(known ? { tableBytes: known.sizeBytes } : {}),
      },
      action: {
        kind: 'code',
        caution:
          'Keep the answer instead of finding it anew: cache it, keep a counter that the writers change, or refresh a materialized view on a schedule. Where an estimate will do, pg_class.reltuples has the number of rows.',
      },
    };
  },
});
