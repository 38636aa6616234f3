import * as z from 'zod';
import { bytes, count, plural } from '../../../advice/format.ts';
import type { PlannerSettings } from '../../catalog.ts';
import { raiseWorkMem } from '../advice/memory.ts';
import type { PlanNode } from '../tree.ts';
import type { PlanContext } from './context.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { parallelDivisor } from './figures.ts';
import { shareOf } from './share.ts';

/** What a row takes in a hash table besides its values: HJTUPLE_OVERHEAD, the header of a MinimalTuple and a bucket (nodeHash.c). */
const rowBytes = 16 + 16 + 16;

/** What a group takes besides its values, with one aggregate (hash_agg_entry_size in nodeAgg.c). */
const groupBytes = 120;

/**
 * `plans/hash-spill`: a hash table did not fit in work_mem × hash_mem_multiplier, and was worked off in batches over the disk.
 * Without ANALYZE it is told where the table is expected not to fit and the statement does write temporary files.
 * https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-HASH-MEM-MULTIPLIER
 */
export const hashSpill = defineNodeRule({
  id: 'plans/hash-spill',
  title: 'Hash table on disk',
  why: 'Both sides of the join, or the groups of the aggregate, are written to temporary files and read again, batch by batch.',
  severity: 'warning',
  options: z.strictObject({
    /** From so many batches on; one is what fits in memory. */
    minBatches: z.number().int().min(2).default(2),
    /** Of the statement's time, or cost. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node, ancestors } = place;
    const { settings } = context.input;
    const spill = node.actual ? measuredSpill(node) : expectedSpill(node, parallelDivisor(place), context);
    if (!spill || spill.batches < options.minBatches) return undefined;
    const multiplier = settings?.hashMemMultiplier ?? 1;
    // The time of a join's batches is the join's.
    const parent = node.type === 'Hash' ? ancestors[0] : undefined;
    const above = parent ? shareOf({ node: parent, ancestors: ancestors.slice(1) }, context.plan) : 0;
    const what = node.type === 'Hash' ? 'The hash table of a join' : 'A hashed aggregate';
    return {
      share: Math.min(1, shareOf(place, context.plan) + above),
      weight: spill.neededKilobytes,
      title: `${what} ${node.actual ? 'goes' : 'is expected to go'} over the disk in ${count(spill.batches)} batches`,
      detail: `It needs about ${bytes(spill.neededKilobytes * 1024)}${settings ? `; work_mem × hash_mem_multiplier allows ${bytes(allowedKilobytes(settings) * 1024)}` : ''}.${spill.planned === undefined ? '' : ` It was planned for ${plural(spill.planned, 'batch', 'batches')}: more rows came than were expected.`}${node.actual ? '' : ' The statement does write temporary files.'}`,
      evidence: {
        batches: spill.batches,
        ...(spill.planned === undefined ? {} : { plannedBatches: spill.planned }),
        neededKilobytes: spill.neededKilobytes,
        ...(settings ? { allowedKilobytes: allowedKilobytes(settings) } : {}),
      },
      action: raiseWorkMem(Math.ceil(spill.neededKilobytes / multiplier), settings?.workMemKilobytes) ?? {
        kind: 'code',
        caution:
          'More memory than may be asked for. Hash fewer rows: filter before the join, or take only the columns that are wanted.',
      },
    };
  },
});

interface Spill {
  batches: number;
  /** Where the planner expected fewer. */
  planned?: number | undefined;
  neededKilobytes: number;
}

function measuredSpill({ actual, estimate, hash, hashAggregate, parallelAware, removed }: PlanNode): Spill | undefined {
  const kilobytes = (rows: number, overhead: number) => (rows * (estimate.width + overhead)) / 1024;
  // The planner goes by its estimates: memory that holds all rows is of no use while it expects more.
  const rows = Math.max(actual?.rows ?? 0, estimate.rows);
  if (hash && hash.batches > 1) {
    // The processes of a parallel hash put their memory together.
    const processes = parallelAware ? Math.max(1, actual?.loops ?? 1) : 1;
    const used = (hash.memoryKilobytes * hash.batches) / processes;
    const planned = hash.originalBatches < hash.batches ? hash.originalBatches : undefined;
    return { batches: hash.batches, planned, neededKilobytes: Math.max(used, kilobytes(rows, rowBytes)) };
  }
  if (!hashAggregate || hashAggregate.diskKilobytes === 0) return undefined;
  const { batches, memoryKilobytes, diskKilobytes } = hashAggregate;
  const groups = kilobytes(rows + (removed.filter ?? 0), groupBytes);
  return { batches: Math.max(2, batches), neededKilobytes: Math.max(memoryKilobytes + diskKilobytes, groups) };
}

function expectedSpill({ type, estimate }: PlanNode, processes: number, context: PlanContext): Spill | undefined {
  const { statement, input } = context;
  if (type !== 'Hash' || !input.settings || !statement || statement.tempBlocksWritten === 0) return undefined;
  const neededKilobytes = (estimate.rows * processes * (estimate.width + rowBytes)) / 1024;
  const batches = 2 ** Math.ceil(Math.log2(neededKilobytes / allowedKilobytes(input.settings)));
  return batches > 1 ? { batches, neededKilobytes } : undefined;
}

function allowedKilobytes({ workMemKilobytes, hashMemMultiplier }: PlannerSettings): number {
  return workMemKilobytes * hashMemMultiplier;
}
