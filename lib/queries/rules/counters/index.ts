import type { AnyRule } from '../../../advice/configuration.ts';
import { blocked } from './blocked.ts';
import { blocksPerRow } from './blocks-per-row.ts';
import { evictions } from './evictions.ts';
import { highShare } from './high-share.ts';
import { idleInTransaction } from './idle-in-transaction.ts';
import { jitTime } from './jit-time.ts';
import { longTransaction } from './long-transaction.ts';
import { lowCacheHit } from './low-cache-hit.ts';
import { manyRowsPerCall } from './many-rows-per-call.ts';
import { nPlusOne } from './n-plus-one.ts';
import { planningTime } from './planning-time.ts';
import { regressed } from './regressed.ts';
import { tempFiles } from './temp-files.ts';
import { unstableTime } from './unstable-time.ts';
import { walHeavy } from './wal-heavy.ts';

/** The rules over the counters of statements, over their history, and over the transactions that are open. */
export const counterRules: readonly AnyRule[] = [
  regressed,
  highShare,
  nPlusOne,
  blocksPerRow,
  manyRowsPerCall,
  lowCacheHit,
  tempFiles,
  planningTime,
  jitTime,
  unstableTime,
  walHeavy,
  longTransaction,
  idleInTransaction,
  blocked,
  evictions,
];
