import * as z from 'zod';
import { count, plural } from '../../../advice/format.ts';
import { conditionColumns } from '../advice/conditions.ts';
import { scanAdvice } from '../advice/scan-advice.ts';
import { rowsRead, totalRows } from '../measures.ts';
import type { PlanNode } from '../tree.ts';
import type { PlanContext } from './context.ts';
import { defineNodeRule, minSharePercent, type Sighting } from './define.ts';
import { shareOfTree } from './share.ts';
import { does, nameOf, tableOf } from './words.ts';

/**
 * `plans/nested-loop-many`: the inner side of a nested loop is a whole table that is read again and again, or the loop runs far
 * more often than the planner thought when it chose it. A join with no condition at all is `plans/cartesian-product`'s.
 */
export const nestedLoopMany = defineNodeRule({
  id: 'plans/nested-loop-many',
  title: 'Nested loop with very many rounds',
  why: 'A nested loop is right for few rounds with an index on the inner side. With many, or with a table that is read in each, its time grows with the product of both sides.',
  severity: 'warning',
  options: z.strictObject({
    /** Rows that all rounds read together in an inner sequential scan. */
    minRowsRead: z.number().int().min(1).default(1_000_000),
    /** Rounds from which a loop is long that was expected to be short. */
    minRounds: z.number().int().min(1).default(10_000),
    /** How many times the rounds that the planner expected. */
    minSurprise: z.number().min(1).default(10),
    /** Of the statement's time, or cost, with all below the loop. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const outer = place.node.children.find(({ relationship }) => relationship === 'Outer');
    const inner = place.node.children.find(({ relationship }) => relationship === 'Inner');
    if (place.node.type !== 'Nested Loop' || !outer || !inner) return undefined;
    const scan = inner.type === 'Materialize' ? inner.children[0] : inner;
    const rounds = inner.actual ? inner.actual.loops : outer.estimate.rows;
    const share = shareOfTree(place, context.plan);
    const found =
      (scan?.type === 'Seq Scan' && rereading(place.node, scan, inner, rounds, context, options.minRowsRead)) ||
      surprise(outer, inner, options);
    return found ? { share, weight: rounds, ...found } : undefined;
  },
});

type Words = Omit<Sighting, 'weight' | 'share'>;

/** Kept in memory or not, each row of the inner table is looked at in each round. */
function rereading(
  join: PlanNode,
  scan: PlanNode,
  inner: PlanNode,
  rounds: number,
  context: PlanContext,
  minRowsRead: number,
): Words | undefined {
  const { joinFilter } = join.conditions;
  if (joinFilter === undefined && scan.conditions.filter === undefined) return undefined;
  const once = inner === scan ? (context.relationOf(scan)?.rows ?? undefined) : inner.estimate.rows;
  const measured = inner === scan ? rowsRead(scan) : inner.actual && totalRows(inner);
  const rows = inner.actual ? measured : once === undefined ? undefined : once * rounds;
  if (rows === undefined || rounds < 2 || rows < minRowsRead) return undefined;
  const known = context.tableOf(scan);
  const table = tableOf(scan, known);
  const tests = [joinFilter, scan.conditions.filter].flatMap((text) => conditionColumns(text, scan.relation?.alias));
  const { note, action } = scanAdvice(known, tests, context.input.settings);
  return {
    table,
    title: `A nested loop reads ${nameOf(table)} ${count(rounds)} times`,
    detail: `For each of ${plural(rounds, 'outer row')} it ${does(join, 'looked', 'look')} through ${nameOf(table)}: ${plural(rows, 'row')} in all.${note}`,
    evidence: { rounds, innerRowsRead: rows },
    action,
  };
}

/** Rounds that nobody expected: a hash join would have been chosen. Only a plan that was run tells. */
function surprise(
  outer: PlanNode,
  inner: PlanNode,
  { minRounds, minSurprise }: { minRounds: number; minSurprise: number },
): Words | undefined {
  // What is kept in memory is not run again, and a Memoize looks up most rounds.
  if (!outer.actual || !inner.actual || inner.type === 'Materialize' || inner.type === 'Memoize') return undefined;
  const rounds = inner.actual.loops;
  const expected = outer.estimate.rows * outer.actual.loops;
  if (rounds < minRounds || rounds < expected * minSurprise) return undefined;
  return {
    title: `A nested loop makes ${count(rounds)} rounds where ${count(expected)} were expected`,
    detail: `The planner chose a nested loop for ${plural(expected, 'outer row')}; there were ${count(rounds)}.`,
    evidence: { rounds, expectedRounds: expected },
    action: {
      kind: 'code',
      caution:
        'The cause is the estimate: find the node where it goes wrong (plans/row-misestimate names it), and mend its statistics. To see what the other plan takes: SET enable_nestloop = off in one session, and EXPLAIN ANALYZE.',
    },
  };
}
