import * as z from 'zod';
import { count, plural } from '../../../advice/format.ts';
import { qualified } from '../advice/suggest-index.ts';
import { rowsRead, totalRows } from '../measures.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { rowsOf } from './figures.ts';
import { does, nameOf, percent, tableOf } from './words.ts';

/**
 * `plans/heap-fetches`: an index-only scan looks rows up in the table after all, because VACUUM has not marked their pages as
 * visible to everybody. https://www.postgresql.org/docs/current/indexes-index-only-scans.html
 */
export const heapFetches = defineNodeRule({
  id: 'plans/heap-fetches',
  title: 'Index-only scan that visits the table',
  why: 'The index holds all that is asked for, but each row of a page that VACUUM has not been to is looked up in the table as well, often with a random read.',
  severity: 'warning',
  options: z.strictObject({
    /** Visits to the table in a call. */
    minFetches: z.number().int().min(1).default(1_000),
    /** Of the rows that the index gave. */
    minFetchedPercent: z.number().min(0).max(100).default(25),
    /** Of the statement's time, or cost. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node } = place;
    if (node.type !== 'Index Only Scan') return undefined;
    const known = context.tableOf(node);
    const visible = context.relationOf(node)?.allVisibleFraction;
    const rows = node.actual ? (rowsRead(node) ?? totalRows(node)) : rowsOf(place);
    const fetches = node.actual ? node.heapFetches : visible === undefined ? undefined : rows * (1 - visible);
    if (fetches === undefined || fetches < options.minFetches) return undefined;
    if (fetches * 100 < rows * options.minFetchedPercent) return undefined;
    const table = tableOf(node, known);
    return {
      table,
      weight: fetches,
      title: `An index-only scan looks up ${percent(Math.min(1, fetches / rows))} of its rows in ${nameOf(table)}`,
      detail: `The scan of ${node.index ?? 'an index'} ${does(node, 'visited', 'visit')} the table ${count(fetches)} times for ${plural(rows, 'row')}.${known ? ` ${percent(known.allVisibleFraction)} of the table's pages are all-visible; it was last vacuumed ${known.vacuumedAt?.slice(0, 10) ?? 'never, as far as is known'}.` : ''}`,
      evidence: {
        heapFetches: fetches,
        rows,
        ...(node.index === undefined ? {} : { indexUsed: node.index }),
        ...(known ? { allVisiblePercent: known.allVisibleFraction * 100 } : {}),
      },
      action: known && {
        kind: 'sql',
        sql: `VACUUM ${qualified(known.schema, known.table)};`,
        caution:
          'Stops neither reads nor writes, but reads every page that was changed, and cannot run inside a transaction. It marks no page that an open transaction may still see otherwise: end the long ones first. If the pages do not stay visible, let autovacuum come earlier: autovacuum_vacuum_scale_factor, and autovacuum_vacuum_insert_scale_factor for tables that only grow.',
      },
    };
  },
});
