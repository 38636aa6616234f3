import * as z from 'zod';
import { count, milliseconds } from '../../../advice/format.ts';
import { conditionColumns } from '../advice/conditions.ts';
import { suggestIndex } from '../advice/suggest-index.ts';
import { nodesOf, type PlanNode } from '../tree.ts';
import type { PlanContext } from './context.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { shareOfTree, subplanRuns } from './share.ts';
import { does } from './words.ts';

/**
 * `plans/correlated-subplan`: a subquery is run once for each row. One that does not depend on the row is hashed or run once, and
 * no fault. How often the planner expects it to be run is read from what it charges for it.
 */
export const correlatedSubplan = defineNodeRule({
  id: 'plans/correlated-subplan',
  title: 'Subquery run for each row',
  why: 'A subquery that refers to the row outside is a nested loop that PostgreSQL cannot turn into another join: its time grows with the rows outside.',
  severity: 'warning',
  options: z.strictObject({
    /** Runs in a call of the statement, where each reads a whole table. */
    minRuns: z.number().int().min(1).default(1_000),
    /** Runs in a call, where an index answers each: that is quick, and may be the best way. */
    minIndexedRuns: z.number().int().min(1).default(10_000),
    /** Of the statement's time, or cost, with all below the subquery. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node, ancestors } = place;
    const [parent] = ancestors;
    if (node.relationship !== 'SubPlan' || !parent || isHashed(parent, node)) return undefined;
    const runs = node.actual ? node.actual.loops : subplanRuns(parent);
    const tables = [...nodesOf({ root: node })].map((below) => below.node).filter(({ type }) => type === 'Seq Scan');
    if (runs < (tables.length > 0 ? options.minRuns : options.minIndexedRuns)) return undefined;
    const share = shareOfTree(place, context.plan);
    const ms = node.actual?.totalMs;
    return {
      share,
      weight: runs,
      title: `A subquery ${does(node, 'was', 'be')} run ${count(runs)} times`,
      detail: `${node.subplan ?? 'A subquery'} ${does(node, 'ran', 'run')} once for each row${typeof ms === 'number' ? `, ${milliseconds(ms)} each time` : ''}.`,
      evidence: { runs, ...(typeof ms === 'number' ? { msPerRun: ms } : {}) },
      action: missingIndex(tables, context) ?? {
        kind: 'code',
        caution:
          'Write it as a join: a scalar subquery as a LEFT JOIN to the grouped table, the newest row of each as a LATERAL join with an index on its order, NOT IN as NOT EXISTS. Look that rows without a partner stay in the result.',
      },
    };
  },
});

/** Told in the condition that uses it, where it is one. */
function isHashed(parent: PlanNode, { subplan }: PlanNode): boolean {
  const hashed = `hashed ${subplan})`;
  return Object.values(parent.conditions).some((condition) => condition?.includes(hashed));
}

/** Where each run reads a whole table, an index is the smaller change. */
function missingIndex(scans: readonly PlanNode[], context: PlanContext) {
  for (const scan of scans) {
    const table = context.tableOf(scan);
    const suggestion = table && suggestIndex(table, conditionColumns(scan.conditions.filter, scan.relation?.alias));
    if (suggestion?.kind === 'create') return suggestion.action;
  }
  return undefined;
}
