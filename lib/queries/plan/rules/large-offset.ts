import * as z from 'zod';
import { plural } from '../../../advice/format.ts';
import { totalRows } from '../measures.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { shareOfTree } from './share.ts';

/**
 * `plans/large-offset`: an OFFSET throws away many rows that were found for it. Only a plan that was run tells: the planner takes
 * a tenth for an OFFSET that it does not know. https://www.postgresql.org/docs/current/queries-limit.html
 */
export const largeOffset = defineNodeRule({
  id: 'plans/large-offset',
  title: 'Rows skipped by an OFFSET',
  why: 'All rows before the page that is wanted are found, joined and sorted, and then thrown away: each page takes longer than the one before.',
  severity: 'warning',
  options: z.strictObject({
    /** Rows that are thrown away. */
    minSkipped: z.number().int().min(1).default(10_000),
    /** Of the statement's time, with all below the OFFSET. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node } = place;
    const [below] = node.children;
    if (node.type !== 'Limit' || !node.actual || !below) return undefined;
    const kept = totalRows(node);
    const skipped = totalRows(below) - kept;
    if (skipped < options.minSkipped) return undefined;
    return {
      share: shareOfTree(place, context.plan),
      weight: skipped,
      title: `An OFFSET throws away ${plural(skipped, 'row')} for ${plural(kept, 'row')}`,
      detail: `${plural(skipped + kept, 'row')} were found, and ${plural(kept, 'row')} returned.`,
      evidence: { rowsSkipped: skipped, rowsReturned: kept },
      action: {
        kind: 'code',
        caution:
          'Remember the last row of the page, and ask for what comes after it: WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT 50, with an index on both columns. Pages can then be turned, but no longer jumped to.',
      },
    };
  },
});
