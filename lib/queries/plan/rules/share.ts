/** How much of a plan's time or cost a part of it takes. */
import { selfTimes } from '../measures.ts';
import { nodesOf, type Plan, type PlanNode } from '../tree.ts';
import type { Place } from './define.ts';

/** The share of a node alone, 0 to 1: of the time where it was measured, else of the estimated cost. */
export function shareOf(place: Place, plan: Plan): number {
  const measured = timesOf(plan).get(place.node);
  if (measured !== undefined) return bounded(measured / wholeMs(plan));
  return bounded((selfCost(place.node) * estimatedLoops(place)) / plan.root.estimate.totalCost);
}

/** The share of a node with everything below it, 0 to 1. */
export function shareOfTree(place: Place, plan: Plan): number {
  const times = timesOf(plan);
  if (times.has(place.node)) {
    const below = [...nodesOf({ root: place.node })].map(({ node }) => times.get(node) ?? 0);
    return bounded(below.reduce((sum, ms) => sum + ms, 0) / wholeMs(plan));
  }
  return bounded((place.node.estimate.totalCost * estimatedLoops(place)) / plan.root.estimate.totalCost);
}

/** Each rule asks again for the plan in hand. */
const known = new WeakMap<Plan, ReadonlyMap<PlanNode, number>>();

function timesOf(plan: Plan): ReadonlyMap<PlanNode, number> {
  const times = known.get(plan) ?? selfTimes(plan);
  known.set(plan, times);
  return times;
}

function wholeMs({ executionMs, root }: Plan): number {
  return executionMs ?? root.actual?.totalMs ?? 0;
}

/** What cannot be known is not small. */
function bounded(share: number): number {
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 1;
}

/** A node's cost without its children's. Below a nested loop the inner side's counts once for each outer row. */
function selfCost(node: PlanNode): number {
  const below = node.children
    .filter(({ relationship }) => relationship !== 'InitPlan' && relationship !== 'SubPlan')
    .reduce((cost, child) => cost + child.estimate.totalCost * timesBelow(node, child), 0);
  return Math.max(0, node.estimate.totalCost - below);
}

/** How often the planner expects a node to be run. */
export function estimatedLoops({ node, ancestors }: Place): number {
  let loops = 1;
  let child = node;
  for (const parent of ancestors) {
    if (child.relationship === 'InitPlan') break;
    loops *= timesBelow(parent, child);
    // What it keeps is not read again.
    if (parent.type === 'Materialize' || parent.type === 'Memoize') break;
    child = parent;
  }
  return loops;
}

function timesBelow(parent: PlanNode, child: PlanNode): number {
  if (child.relationship === 'SubPlan') return subplanRuns(parent);
  if (parent.type !== 'Nested Loop' || child.relationship !== 'Inner') return 1;
  return Math.max(1, parent.children.find(({ relationship }) => relationship === 'Outer')?.estimate.rows ?? 1);
}

/**
 * How often the planner expects the SubPlans of a node to be run: it charges the node for every run (cost_subplan in
 * src/backend/optimizer/path/costsize.c; for EXISTS, ANY and ALL only a part of each). 1 for a hashed one.
 */
export function subplanRuns({ children, estimate }: PlanNode): number {
  const costOf = (isCounted: (child: PlanNode) => boolean) =>
    children.filter(isCounted).reduce((cost, child) => cost + child.estimate.totalCost, 0);
  const others = costOf(({ relationship }) => relationship !== 'SubPlan' && relationship !== 'InitPlan');
  const runs = (estimate.totalCost - others) / costOf(({ relationship }) => relationship === 'SubPlan');
  return Number.isFinite(runs) ? Math.max(1, runs) : 1;
}
