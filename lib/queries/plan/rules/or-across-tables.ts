import * as z from 'zod';
import { plural } from '../../../advice/format.ts';
import { conditionColumns } from '../advice/conditions.ts';
import { totalRows } from '../measures.ts';
import type { PlanNode } from '../tree.ts';
import { defineNodeRule, minSharePercent, type Place } from './define.ts';
import { estimatedLoops, shareOfTree } from './share.ts';
import { columnsOf, does } from './words.ts';

const joins = new Set(['Nested Loop', 'Hash Join', 'Merge Join']);

/** `plans/or-across-tables`: an OR over columns of several tables can only be tested once they are joined, and by no index. */
export const orAcrossTables = defineNodeRule({
  id: 'plans/or-across-tables',
  title: 'OR over columns of several tables',
  why: 'Neither side can be reduced before the join: all pairs are made first, and then most of them are thrown away.',
  severity: 'warning',
  options: z.strictObject({
    /** Pairs of rows that are tested in a call. */
    minPairs: z.number().int().min(1).default(100_000),
    /** With more of them kept, the OR is no great loss. */
    maxKeptPercent: z.number().min(0).max(100).default(10),
    /** Of the statement's time, or cost, with all below the join. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node } = place;
    const condition = node.conditions.joinFilter ?? node.conditions.filter;
    if (!joins.has(node.type) || condition === undefined) return undefined;
    const pairs = pairsOf(place);
    const kept = node.actual ? totalRows(node) : node.estimate.rows * estimatedLoops(place);
    if (pairs === undefined || pairs < options.minPairs || kept * 100 > pairs * options.maxKeptPercent)
      return undefined;
    const across = conditionColumns(condition).filter(
      ({ kind, columns }) => kind === 'or' && new Set(columns.map(({ alias }) => alias)).size > 1,
    );
    if (across.length === 0) return undefined;
    return {
      share: shareOfTree(place, context.plan),
      weight: pairs,
      title: `An OR over ${columnsOf(across)} is tested on ${plural(pairs, 'pair')} of rows`,
      detail: `The ${node.type} ${does(node, 'kept', 'keep')} ${plural(kept, 'row')} of them.`,
      evidence: { pairs, rowsKept: kept, columns: columnsOf(across) },
      action: {
        kind: 'code',
        caution:
          'Write one SELECT for each side of the OR, each with its own join, and put them together with UNION, which drops the rows that both find. Each can then use an index of its table.',
      },
    };
  },
});

/** What the condition was tested on: what it kept and threw away, or what the planner expects to come together. */
function pairsOf(place: Place): number | undefined {
  const { node } = place;
  const removed = node.removed.joinFilter ?? node.removed.filter;
  if (node.actual) return removed === undefined ? undefined : (node.actual.rows + removed) * node.actual.loops;
  const [outer, inner] = node.children as [PlanNode?, PlanNode?];
  if (node.type !== 'Nested Loop' || !outer || !inner) return undefined;
  return outer.estimate.rows * inner.estimate.rows * estimatedLoops(place);
}
