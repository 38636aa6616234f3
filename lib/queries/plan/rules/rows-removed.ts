import * as z from 'zod';
import { plural } from '../../../advice/format.ts';
import type { Relation } from '../../catalog.ts';
import { conditionColumns, type Test } from '../advice/conditions.ts';
import { suggestIndex } from '../advice/suggest-index.ts';
import type { PlanContext } from './context.ts';
import { defineNodeRule, minSharePercent, type Place } from './define.ts';
import { limitAbove, measuredSieve, type Sieve } from './figures.ts';
import { estimatedLoops } from './share.ts';
import { columnsOf, does, nameOf, percent, tableOf } from './words.ts';

const scans = new Set(['Index Scan', 'Index Only Scan', 'Bitmap Heap Scan']);

/**
 * `plans/rows-removed`: an index finds many rows, and a filter throws most of them away, each after a visit to the table. What a
 * filter will throw away is told by ANALYZE only; without it, it is reckoned from the number of values of the indexed columns.
 */
export const rowsRemoved = defineNodeRule({
  id: 'plans/rows-removed',
  title: 'Index finds many rows, filter keeps few',
  why: 'Each row that is thrown away was looked up in the table first, often with a random read. A column of the filter in the index saves that.',
  severity: 'warning',
  options: z.strictObject({
    /** Rows thrown away in a call. */
    minRemoved: z.number().int().min(1).default(1_000),
    /** Of the rows that the index found. */
    minRemovedPercent: z.number().min(0).max(100).default(90),
    /** Of the statement's time, or cost. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node } = place;
    const found = node.conditions.index ?? node.conditions.recheck;
    if (!scans.has(node.type) || node.conditions.filter === undefined) return undefined;
    // A scan in the order of the LIMIT is `plans/limit-not-pushed`'s.
    if (found === undefined && limitAbove(place)) return undefined;
    const indexed = conditionColumns(found, node.relation?.alias);
    const sieve = node.actual ? measuredSieve(node) : expectedSieve(place, context, indexed);
    if (!sieve) return undefined;
    const removed = sieve.read - sieve.kept;
    if (removed < options.minRemoved || removed * 100 < sieve.read * options.minRemovedPercent) return undefined;
    const filtered = conditionColumns(node.conditions.filter, node.relation?.alias);
    const known = context.tableOf(node);
    const suggestion = known && suggestIndex(known, [...indexed, ...filtered]);
    const table = tableOf(node, known);
    return {
      table,
      weight: removed,
      title: `A filter throws away ${percent(removed / sieve.read)} of the rows that an index finds in ${nameOf(table)}`,
      detail: `${node.index ? `The scan of ${node.index}` : 'The bitmap scan'} ${does(node, 'found', 'find')} ${plural(sieve.read, 'row')}, of which the filter ${does(node, 'kept', 'keep')} ${plural(sieve.kept, 'row')}.`,
      evidence: {
        rowsFound: sieve.read,
        rowsKept: sieve.kept,
        filterColumns: columnsOf(filtered),
        ...(node.index === undefined ? {} : { indexUsed: node.index }),
      },
      action: suggestion?.kind === 'create' ? suggestion.action : undefined,
    };
  },
});

/** With values for all of its columns an index finds the rows that have them; other conditions tell no number. */
function expectedSieve(place: Place, context: PlanContext, indexed: readonly Test[]): Sieve | undefined {
  const { node } = place;
  const relation = context.relationOf(node);
  if (!relation || relation.rows === null || indexed.length === 0) return undefined;
  const distinct = indexed.map((test) => distinctOf(relation, test));
  if (!distinct.every((values) => values !== undefined)) return undefined;
  const loops = estimatedLoops(place);
  const read = distinct.reduce((rows, values) => rows / Math.max(1, values), relation.rows);
  return { read: read * loops, kept: Math.min(read, node.estimate.rows) * loops };
}

function distinctOf(relation: Relation, { kind, operands: [operand] }: Test): number | undefined {
  if (kind !== 'equality') return undefined;
  return relation.columns.find(({ name }) => name === operand?.column)?.statistics?.distinct;
}
