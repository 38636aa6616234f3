import * as z from 'zod';
import { count, plural } from '../../../advice/format.ts';
import { rowsRead, totalRows } from '../measures.ts';
import type { PlanNode } from '../tree.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { arePartitions } from './figures.ts';
import { shareOfTree } from './share.ts';
import { nameOf, tableOf } from './words.ts';

/**
 * `plans/partition-pruning`: many partitions were searched, and almost none had a row. Only a plan that was run tells: the plan for
 * unknown parameters names all partitions also where the execution leaves them out.
 * https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITION-PRUNING
 */
export const partitionPruning = defineNodeRule({
  id: 'plans/partition-pruning',
  title: 'Partitions searched in vain',
  why: 'A condition on the partition key leads to the partition that has the rows. Without it every partition is planned, locked and searched, and each new one makes the statement slower.',
  severity: 'warning',
  options: z.strictObject({
    /** Partitions that were searched. */
    minPartitions: z.number().int().min(2).default(10),
    /** Of them, those that had no row. */
    minEmptyPercent: z.number().min(0).max(100).default(80),
    /** Of the statement's time, with all below the Append. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node } = place;
    if (node.type !== 'Append' && node.type !== 'Merge Append') return undefined;
    const members = node.children.map(scanIn).filter((scan) => scan !== undefined);
    const [first] = members;
    if (!first || members.length < node.children.length || !arePartitions(members)) return undefined;
    const searched = members.filter(({ actual }) => actual && actual.loops > 0);
    const empty = searched.filter((scan) => totalRows(scan) === 0);
    if (searched.length < options.minPartitions || empty.length * 100 < searched.length * options.minEmptyPercent) {
      return undefined;
    }
    const known = context.tableOf(first);
    const name = known ? nameOf(known) : `the table behind ${nameOf(tableOf(first, undefined))}`;
    return {
      table: known && tableOf(first, known),
      share: shareOfTree(place, context.plan),
      weight: empty.length,
      title: `${count(empty.length)} of ${plural(searched.length, 'partition')} of ${name} were searched in vain`,
      detail: `${plural(searched.length - empty.length, 'partition')} had rows. In those without, ${plural(
        empty.reduce((rows, scan) => rows + (rowsRead(scan) ?? 0), 0),
        'row',
      )} were read.${node.subplansRemoved ? ` ${plural(node.subplansRemoved, 'partition')} were left out.` : ''}`,
      evidence: { partitionsSearched: searched.length, partitionsEmpty: empty.length },
      action: {
        kind: 'code',
        caution:
          'Add a condition on the partition key to the statement, as it is: not inside a function or a cast, and compared with a value, not with a column of another table. If the statement cannot know the key, the table may be partitioned by the wrong one.',
      },
    };
  },
});

const scans = new Set(['Seq Scan', 'Index Scan', 'Index Only Scan', 'Bitmap Heap Scan']);

function scanIn(node: PlanNode): PlanNode | undefined {
  const [only] = node.children;
  const bare = !scans.has(node.type) && node.children.length === 1 && only ? only : node;
  return scans.has(bare.type) ? bare : undefined;
}
