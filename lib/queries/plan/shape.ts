import { createHash } from 'node:crypto';
import { nodesOf, type Plan, type PlanNode } from './tree.ts';

/** The hash of a node with all below it: with the names of relations and indexes, and without them. */
interface Shape {
  named: string;
  nameless: string;
}

/**
 * What a plan does, as 16 hexadecimal digits of a SHA-256: equal for plans with the same nodes, joins, relations, indexes, strategies and
 * subplans. Costs, rows, conditions, aliases, schemas, the numbers of parameters and subplans, and workers do not matter.
 *
 * The members of an Append count without names, and each kind once: partitions come and go, and which of them are
 * scanned depends on the values.
 */
export function shapeOf(plan: Plan): string {
  const shapes = new Map<PlanNode, Shape>();
  // Children before their parents.
  for (const { node } of [...nodesOf(plan)].reverse()) shapes.set(node, nodeShape(node, shapes));
  return shapes.get(plan.root)?.named.slice(0, 16) ?? '';
}

function nodeShape(node: PlanNode, shapes: ReadonlyMap<PlanNode, Shape>): Shape {
  const below = (as: keyof Shape) => node.children.map((child) => shapes.get(child)?.[as]);
  const isAppend = node.type === 'Append' || node.type === 'Merge Append';
  const folded = isAppend ? [...new Set(below('nameless'))].sort() : undefined;
  const kind = [
    node.type,
    node.provider,
    node.operation,
    node.joinType,
    node.strategy,
    node.partialMode,
    node.parallelAware,
    node.cteName,
    subplanKind(node),
  ];
  return {
    named: hash([...kind, node.relation?.name, node.index, folded ?? below('named')]),
    nameless: hash([...kind, folded ?? below('nameless')]),
  };
}

function subplanKind({ relationship, subplan }: PlanNode): string | undefined {
  if (relationship !== 'InitPlan' && relationship !== 'SubPlan') return undefined;
  return subplan?.startsWith('CTE ') ? subplan : relationship;
}

function hash(parts: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
