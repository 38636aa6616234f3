import * as z from 'zod';
import { bytes, plural } from '../../../advice/format.ts';
import { raiseWorkMem } from '../advice/memory.ts';
import type { PlanNode } from '../tree.ts';
import { defineNodeRule, minSharePercent } from './define.ts';

/** What a row takes in a sort besides its values: a SortTuple and the header of a MinimalTuple (tuplesort.c, htup_details.h). */
const rowBytes = 24 + 16;

/** Before that, each row took the next power of two in memory, up to twice its size. */
const packedFrom = 150_000;

/** `plans/sort-spill`: a sort did not fit in work_mem and went over the disk. Only a plan that was run can tell. */
export const sortSpill = defineNodeRule({
  id: 'plans/sort-spill',
  title: 'Sort on disk',
  why: 'Rows that do not fit in work_mem are written to temporary files and read again, which takes longer than the sort itself and competes with all other reads and writes.',
  severity: 'warning',
  options: z.strictObject({
    /** Smaller files stay in the memory of the operating system. */
    minDiskKilobytes: z.number().min(0).default(1_024),
    /** Of the statement's time. */
    minSharePercent,
  }),
  inspect({ node }, { input }, options) {
    const onDisk = (node.sorts ?? []).filter(({ space }) => space === 'Disk');
    const kilobytes = onDisk.reduce((sum, sort) => sum + sort.kilobytes, 0);
    if (!node.actual || onDisk.length === 0 || kilobytes < options.minDiskKilobytes) return undefined;
    const workMem = input.settings?.workMemKilobytes;
    const largest = Math.max(...onDisk.map((sort) => sort.kilobytes));
    const needed = neededKilobytes(node, largest * (input.server.versionNumber < packedFrom ? 2 : 1));
    const processes = onDisk.length > 1 ? ` of ${onDisk.length} processes together` : '';
    return {
      weight: kilobytes,
      title: `A sort of ${plural(node.actual.rows, 'row')} writes ${bytes(kilobytes * 1024)} to disk`,
      detail: `The sort${processes} wrote ${bytes(kilobytes * 1024)} to temporary files (${onDisk[0]?.method})${workMem === undefined ? '' : `; work_mem is ${bytes(workMem * 1024)}`}. In memory it would take about ${bytes(needed * 1024)}: rows are smaller on disk.`,
      evidence: {
        diskKilobytes: kilobytes,
        rows: node.actual.rows,
        neededKilobytes: needed,
        ...(workMem === undefined ? {} : { workMemKilobytes: workMem }),
      },
      action: raiseWorkMem(needed, workMem) ?? {
        kind: 'code',
        caution: `About ${bytes(needed * 1024)} for one sort is too much to ask for. Sort fewer rows: filter or aggregate first, take only the columns that are wanted, or let an index give the order.`,
      },
    };
  },
});

/** `rows` is what one process sorted on average. */
function neededKilobytes({ actual }: PlanNode, valuesKilobytes: number): number {
  return Math.ceil(valuesKilobytes + ((actual?.rows ?? 0) * rowBytes) / 1024);
}
