/** The two ways in which many rows are read for a LIMIT. */
import { count } from '../../../advice/format.ts';
import type { TableIndex } from '../../catalog.ts';
import { type OrderKey, orderKeys, type Test } from '../advice/conditions.ts';
import type { PlanNode } from '../tree.ts';
import type { PlanContext } from './context.ts';
import type { Place } from './define.ts';
import { limitAbove, limitRows, measuredSieve, parallelDivisor, rowsOf, scanTests } from './figures.ts';
import { shareOfTree } from './share.ts';
import { does } from './words.ts';

/** What is read for a LIMIT, and what an index would have to hold to read less. */
export interface Reading {
  scan: PlanNode;
  /** Rows that are read, and those that the LIMIT lets through. */
  read: number;
  wanted: number;
  /** Those that an index can answer before the order. */
  tests: Test[];
  order: readonly OrderKey[];
  /** A sentence. */
  how: string;
  share: number;
}

/** Nodes between a LIMIT and its sort that change no order and, without a filter, drop no row. */
const passing = new Set(['Gather Merge', 'Result', 'Subquery Scan', 'LockRows']);
const scans = new Set(['Seq Scan', 'Index Scan', 'Bitmap Heap Scan']);

function isPassing({ type, conditions }: PlanNode): boolean {
  return passing.has(type) && conditions.filter === undefined;
}

/** A LIMIT over a sort of one table's rows. */
export function sortedFirst(place: Place, context: PlanContext): Reading | undefined {
  const { node, ancestors } = place;
  if (node.type !== 'Limit') return undefined;
  const path = [node];
  for (let at = node.children[0]; at; at = isPassing(at) ? at.children[0] : undefined) path.unshift(at);
  const [sort] = path;
  const [scan] = sort?.children ?? [];
  const order = orderKeys(sort?.sortKey ?? []);
  if (sort?.type !== 'Sort' || !scan || !scans.has(scan.type) || !order) return undefined;
  const tests = scanTests(scan);
  const below = { node: scan, ancestors: [...path, ...ancestors] };
  const read = scan.actual ? rowsOf(below) : scan.estimate.rows * parallelDivisor(below);
  // Behind a filter that an index on the order does not hold, most of the table would be read in that order.
  const rows = context.relationOf(scan)?.rows;
  const [first] = order;
  const isHeld = ({ kind, operands: [operand] }: Test) =>
    kind === 'equality' || (kind === 'range' && operand?.column === first?.operand.column);
  if (!tests.every(isHeld) && !(rows && read >= rows / 10)) return undefined;
  return {
    scan,
    read,
    wanted: limitRows({ limit: node, isRoot: ancestors.length === 0 }, context),
    tests: tests.filter(({ kind }) => kind === 'equality' || kind === 'null' || kind === 'not null'),
    order,
    how: `It ${does(node, 'sorted', 'sort')} all candidates first.`,
    share: shareOfTree(place, context.plan),
  };
}

/** A scan of an index for its order, with a filter, below a LIMIT. */
export function filteredInOrder(place: Place, context: PlanContext): Reading | undefined {
  const { node } = place;
  const above = limitAbove(place);
  const isOrdered = node.type === 'Index Scan' || node.type === 'Index Only Scan';
  if (!isOrdered || !above || !node.conditions.filter || node.conditions.index) return undefined;
  const relation = context.relationOf(node);
  const index = relation?.indexes.find(({ name }) => name === node.index);
  const wanted = limitRows(above, context);
  const kept = relation?.rows ? node.estimate.rows / relation.rows : 1;
  const read = node.actual ? measuredSieve(node)?.read : wanted / Math.max(kept, 1e-9);
  if (!relation || !index || read === undefined) return undefined;
  const most = Math.min(read, node.actual ? read : (relation.rows ?? read));
  return {
    scan: node,
    read: most,
    wanted,
    tests: scanTests(node).filter(({ kind }) => kind === 'equality'),
    order: orderOf(index),
    how: `It ${does(node, 'read', 'read')} ${count(most)} entries of ${index.name} in order, until its filter ${does(node, 'had let', 'have let')} enough of them through.`,
    share: shareOfTree(place, context.plan),
  };
}

function orderOf({ columns, descending }: TableIndex): OrderKey[] {
  return columns.flatMap((column, i) => {
    const down = descending[i] ?? false;
    const operand = column === null ? undefined : { alias: null, column, cast: null, call: null };
    return operand ? [{ operand, descending: down, nullsFirst: down }] : [];
  });
}
