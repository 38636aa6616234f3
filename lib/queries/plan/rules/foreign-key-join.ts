import * as z from 'zod';
import { plural } from '../../../advice/format.ts';
import type { Relation } from '../../catalog.ts';
import { conditionColumns, type Test } from '../advice/conditions.ts';
import { suggestIndex } from '../advice/suggest-index.ts';
import { totalRows } from '../measures.ts';
import type { PlanNode } from '../tree.ts';
import type { PlanContext } from './context.ts';
import { defineNodeRule, minSharePercent, type Place, type Sighting } from './define.ts';
import { isSelective, parallelDivisor, sieveOf } from './figures.ts';
import { estimatedLoops, shareOf } from './share.ts';
import { does, nameOf, percent, tableOf } from './words.ts';

interface Options {
  minRows: number;
  maxMatchedPercent: number;
}

/**
 * `plans/foreign-key-join`: a join reads a whole big table for the few rows that refer to the other side, because the column of
 * the foreign key has no index. A primary key has one by itself; what refers to it has not.
 * https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK
 */
export const foreignKeyJoin = defineNodeRule({
  id: 'plans/foreign-key-join',
  title: 'Join over a foreign key without an index',
  why: 'Without an index on the referring column a join must read all of its table, however few rows are wanted; so must each delete of a row that is referred to.',
  severity: 'warning',
  options: z.strictObject({
    /** Smaller tables are read as a whole as fast. */
    minRows: z.number().int().min(1).default(10_000),
    /** Of the table's rows, those that the other side refers to. With more, reading all is right. */
    maxMatchedPercent: z.number().min(0).max(100).default(5),
    /** Of the statement's time, or cost: the scan of the table. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node } = place;
    const tests = conditionColumns(node.conditions.hash ?? node.conditions.merge);
    if (tests.length === 0 || node.children.length !== 2) return undefined;
    for (const [at, child] of node.children.entries()) {
      const other = node.children[1 - at];
      const scan = other && scanPlace(child, place);
      const found = scan && wholeScan(scan, other, tests, context, options);
      if (found) return { ...found, share: shareOf(scan, context.plan) };
    }
    return undefined;
  },
});

/** Nodes between a join and the scan of one of its sides. */
const passing = new Set(['Hash', 'Sort', 'Materialize', 'Gather', 'Gather Merge']);

function scanPlace(side: PlanNode, { node, ancestors }: Place): Place | undefined {
  const path = [node, ...ancestors];
  let at: PlanNode | undefined = side;
  while (at && passing.has(at.type)) {
    path.unshift(at);
    at = at.children[0];
  }
  return at?.type === 'Seq Scan' ? { node: at, ancestors: path } : undefined;
}

function wholeScan(
  scan: Place,
  other: PlanNode,
  tests: readonly Test[],
  context: PlanContext,
  { minRows, maxMatchedPercent }: Options,
): Sighting | undefined {
  const { node } = scan;
  const table = context.tableOf(node);
  const sieve = sieveOf(scan, context);
  const key = table && tests.map((test) => columnOf(test, node)).find((column) => refers(table, column));
  // A scan that keeps few rows is told by `plans/selective-seq-scan`.
  if (!table || key === undefined || !sieve || sieve.read < minRows || isSelective(sieve, 5)) return undefined;
  const source = other.type === 'Hash' ? (other.children[0] ?? other) : other;
  const otherRows = source.actual
    ? totalRows(source)
    : source.estimate.rows * parallelDivisor({ node: source, ancestors: scan.ancestors }) * estimatedLoops(scan);
  const distinct = table.columns.find(({ name }) => name === key)?.statistics?.distinct;
  const matched = distinct ? otherRows * Math.max(1, (table.rows ?? sieve.read) / distinct) : undefined;
  if (matched === undefined || matched * 100 > sieve.read * maxMatchedPercent) return undefined;
  const operand = { alias: null, column: key, cast: null, call: null };
  const test: Test = { kind: 'equality', operands: [operand], columns: [], parameters: [], against: null };
  const suggestion = suggestIndex(table, [test]);
  if (suggestion.kind !== 'create') return undefined;
  return {
    table: tableOf(node, table),
    weight: sieve.read,
    title: `A join reads all of ${nameOf(table)} because ${key} has no index`,
    detail: `It ${does(node, 'read', 'read')} ${plural(sieve.read, 'row')} to find those that refer to ${plural(otherRows, 'row')} of the other side: about ${plural(matched, 'row')}, ${percent(matched / sieve.read)}.`,
    evidence: { rowsRead: sieve.read, otherSideRows: otherRows, matchedRows: matched, column: key },
    action: suggestion.action,
  };
}

/** The column of the scanned table in a join condition, on whichever side it stands. */
function columnOf({ kind, operands: [operand], against }: Test, scan: PlanNode): string | undefined {
  if (kind !== 'equality') return undefined;
  return [operand, against].find((side) => side && side.alias === scan.relation?.alias)?.column;
}

function refers({ references }: Relation, column: string | undefined): boolean {
  return column !== undefined && references.some(({ columns }) => columns.includes(column));
}
