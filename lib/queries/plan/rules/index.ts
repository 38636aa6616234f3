import type { AnyRule } from '../../../advice/configuration.ts';
import { bitmapAnd } from './bitmap-and.ts';
import { cartesianProduct } from './cartesian-product.ts';
import { changed } from './changed.ts';
import { correlatedSubplan } from './correlated-subplan.ts';
import { cteFence } from './cte-fence.ts';
import { disabledNode } from './disabled-node.ts';
import { expressionHidesIndex } from './expression-hides-index.ts';
import { foreignKeyJoin } from './foreign-key-join.ts';
import { functionScanEstimate } from './function-scan-estimate.ts';
import { hashSpill } from './hash-spill.ts';
import { heapFetches } from './heap-fetches.ts';
import { jitCost } from './jit-cost.ts';
import { largeOffset } from './large-offset.ts';
import { largeSort } from './large-sort.ts';
import { limitNotPushed } from './limit-not-pushed.ts';
import { lossyBitmap } from './lossy-bitmap.ts';
import { memoizeEvictions } from './memoize-evictions.ts';
import { nestedLoopMany } from './nested-loop-many.ts';
import { orAcrossTables } from './or-across-tables.ts';
import { parameterSensitive } from './parameter-sensitive.ts';
import { partitionPruning } from './partition-pruning.ts';
import { rowMisestimate } from './row-misestimate.ts';
import { rowsRemoved } from './rows-removed.ts';
import { selectiveSeqScan } from './selective-seq-scan.ts';
import { seqScanLargeTable } from './seq-scan-large-table.ts';
import { sortSpill } from './sort-spill.ts';
import { staleStatistics } from './stale-statistics.ts';
import { triggerTime } from './trigger-time.ts';
import { workersNotLaunched } from './workers-not-launched.ts';

/**
 * Every rule over the plans of a database's statements. They read conditions with PostgreSQL's parser: call `loadParser` first.
 * Without it they see no columns, and suggest no index.
 */
export const planRules: readonly AnyRule[] = [
  bitmapAnd,
  cartesianProduct,
  changed,
  correlatedSubplan,
  cteFence,
  disabledNode,
  expressionHidesIndex,
  foreignKeyJoin,
  functionScanEstimate,
  hashSpill,
  heapFetches,
  jitCost,
  largeOffset,
  largeSort,
  limitNotPushed,
  lossyBitmap,
  memoizeEvictions,
  nestedLoopMany,
  orAcrossTables,
  parameterSensitive,
  partitionPruning,
  rowMisestimate,
  rowsRemoved,
  selectiveSeqScan,
  seqScanLargeTable,
  sortSpill,
  staleStatistics,
  triggerTime,
  workersNotLaunched,
];
