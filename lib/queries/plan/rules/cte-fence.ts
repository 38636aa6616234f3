import * as z from 'zod';
import { plural } from '../../../advice/format.ts';
import { rowsRead, totalRows } from '../measures.ts';
import { nodesOf, type Plan, type PlanNode } from '../tree.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { shareOfTree } from './share.ts';
import { does, percent } from './words.ts';

/**
 * `plans/cte-fence`: a WITH query is worked out as a whole and kept, and then a filter takes few of its rows, which it could have
 * been given. A recursive one, and one that changes rows, must be worked out as a whole.
 * https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-CTE-MATERIALIZATION
 */
export const cteFence = defineNodeRule({
  id: 'plans/cte-fence',
  title: 'Filter outside a materialized WITH',
  why: 'A WITH query that is MATERIALIZED, or used more than once, is a fence: no condition from outside gets in, and no index inside can be used for it.',
  severity: 'warning',
  options: z.strictObject({
    /** Rows that the WITH query gives. */
    minRows: z.number().int().min(1).default(10_000),
    /** With more rows kept, little would be saved. */
    maxKeptPercent: z.number().min(0).max(100).default(10),
    /** Of the statement's time, or cost, with all inside the WITH query. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node } = place;
    if (node.type !== 'CTE Scan' || node.conditions.filter === undefined) return undefined;
    const source = sourceOf(node, context.plan);
    if (!source || source.node.type === 'Recursive Union' || source.node.type === 'ModifyTable') return undefined;
    const read = node.actual ? rowsRead(node) : source.node.estimate.rows;
    const kept = node.actual ? totalRows(node) : node.estimate.rows;
    if (read === undefined || read < options.minRows || kept * 100 > read * options.maxKeptPercent) return undefined;
    return {
      share: shareOfTree(source, context.plan),
      weight: read,
      title: `A filter keeps ${percent(kept / read)} of the WITH query ${node.cteName}`,
      detail: `${node.cteName} ${does(node, 'gave', 'give')} ${plural(read, 'row')}, of which the filter outside ${does(node, 'kept', 'keep')} ${plural(kept, 'row')}.`,
      evidence: { rowsRead: read, rowsKept: kept, cte: node.cteName ?? '' },
      action: {
        kind: 'code',
        caution: `Write WITH ${node.cteName} AS NOT MATERIALIZED (…), so that PostgreSQL moves the condition inside, or move it by hand. Used several times, the WITH query is then worked out as often: compare both with EXPLAIN ANALYZE. A volatile function in it keeps it a fence.`,
      },
    };
  },
});

function sourceOf({ cteName }: PlanNode, plan: Plan) {
  return nodesOf(plan).find(({ node }) => node.subplan === `CTE ${cteName}`);
}
