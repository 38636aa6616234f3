import * as z from 'zod';
import { count, plural } from '../../../advice/format.ts';
import { conditionColumns, type Test } from '../advice/conditions.ts';
import { totalRows } from '../measures.ts';
import { nodesOf, type PlanNode } from '../tree.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { estimatedLoops, shareOfTree } from './share.ts';

/**
 * `plans/cartesian-product`: two tables are joined with no condition at all, so that each row of one meets each of the other. Told
 * only where nothing inside depends on the outer side, and no value is the same on both.
 */
export const cartesianProduct = defineNodeRule({
  id: 'plans/cartesian-product',
  title: 'Join without a condition',
  why: 'Each row of one side is put together with each of the other. Mostly a condition was forgotten, and a DISTINCT or GROUP BY hides it.',
  severity: 'warning',
  options: z.strictObject({
    /** Pairs of rows. */
    minPairs: z.number().int().min(1).default(100_000),
    /** With fewer rows on one side it may well be meant: a row of settings, a list of months. */
    minSideRows: z.number().int().min(1).default(10),
    /** Of the statement's time, or cost, with all below the join. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node } = place;
    const outer = node.children.find(({ relationship }) => relationship === 'Outer');
    const inner = node.children.find(({ relationship }) => relationship === 'Inner');
    const isJoin = node.type === 'Nested Loop' && !['Semi', 'Anti'].includes(node.joinType ?? '');
    if (!isJoin || !outer || !inner || node.conditions.joinFilter !== undefined) return undefined;
    const left = outer.actual ? totalRows(outer) : outer.estimate.rows * estimatedLoops(place);
    const right = inner.actual ? inner.actual.rows : inner.estimate.rows;
    const pairs = left * right;
    if (pairs < options.minPairs || Math.min(left, right) < options.minSideRows) return undefined;
    if (!isProduct(outer, inner)) return undefined;
    return {
      share: shareOfTree(place, context.plan),
      weight: pairs,
      title: `A join without a condition makes ${count(pairs)} pairs of rows`,
      detail: `${plural(left, 'row')} of ${tablesIn(outer)} meet ${plural(right, 'row')} of ${tablesIn(inner)}, each with each.`,
      evidence: { pairs, outerRows: left, innerRows: right, outer: tablesIn(outer), inner: tablesIn(inner) },
      action: {
        kind: 'code',
        caution: `Look for the condition that should tie ${tablesIn(outer)} to ${tablesIn(inner)}. If none is missing, write CROSS JOIN, and take as few rows of each side as will do.`,
      },
    };
  },
});

/** Nodes that give rows of their own accord. Others, such as a function, may depend on the outer side without showing it. */
const scans = new Set(['Seq Scan', 'Index Scan', 'Index Only Scan', 'Bitmap Heap Scan', 'Bitmap Index Scan']);

function isProduct(outer: PlanNode, inner: PlanNode): boolean {
  const [left, right] = [testsIn(outer), testsIn(inner)];
  if (!left || !right) return false;
  const outside = new Set(aliasesIn(outer));
  if (right.some(({ columns }) => columns.some(({ alias }) => alias !== null && outside.has(alias)))) return false;
  // a.x = b.x AND a.x = $1 becomes a.x = $1 and b.x = $1: the join is there all the same.
  const equal = (tests: Test[]) => tests.filter(({ kind }) => kind === 'equality');
  return !equal(left).some((a) => equal(right).some((b) => isTied(a, b)));
}

function isTied(a: Test, b: Test): boolean {
  const columns = new Set(a.columns.map(({ column }) => column));
  return (
    a.parameters.some((number) => b.parameters.includes(number)) || b.columns.some(({ column }) => columns.has(column))
  );
}

/** Every test below a node; undefined where one cannot be read, or a node may depend on what it does not show. */
function testsIn(root: PlanNode): Test[] | undefined {
  const nodes = [...nodesOf({ root })].map(({ node }) => node);
  if (nodes.some(({ children, type }) => children.length === 0 && !scans.has(type))) return undefined;
  const tests = nodes.flatMap(({ conditions }) => Object.values(conditions).flatMap((text) => conditionColumns(text)));
  return tests.every(({ columns }) => columns.length > 0) ? tests : undefined;
}

function aliasesIn(root: PlanNode): string[] {
  return [...nodesOf({ root })].flatMap(({ node }) => node.relation?.alias ?? []);
}

function tablesIn(root: PlanNode): string {
  return [...new Set([...nodesOf({ root })].flatMap(({ node }) => node.relation?.name ?? []))].join(' and ');
}
