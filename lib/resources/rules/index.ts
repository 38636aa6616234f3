import type { AnyRule } from '../../advice/configuration.ts';
import { coldStarts } from './cpu/cold-starts.ts';
import { cpuOverTarget } from './cpu/over-target.ts';
import { loopBlocked } from './eventloop/blocked.ts';
import { gcPause } from './gc/long-pause.ts';
import { gcShare } from './gc/share.ts';
import { handleGrowth } from './memory/handle-growth.ts';
import { memoryLeak } from './memory/leak.ts';
import { leftRunning } from './memory/left-running.ts';
import { listenerGrowth } from './memory/listener-growth.ts';
import { nearLimit } from './memory/near-limit.ts';
import { overTarget } from './memory/over-target.ts';
import { oversized } from './memory/oversized.ts';
import { memoryRegressed } from './memory/regressed.ts';
import { undersized } from './memory/undersized.ts';

/** Every rule over functions. */
export const resourceRules: readonly AnyRule[] = [
  nearLimit,
  overTarget,
  memoryLeak,
  memoryRegressed,
  handleGrowth,
  leftRunning,
  listenerGrowth,
  oversized,
  undersized,
  cpuOverTarget,
  coldStarts,
  gcShare,
  gcPause,
  loopBlocked,
];

/** The rules that can judge a function by its metrics alone. The others are silent about it, and that means nothing. */
export const rulesOverMetrics: readonly string[] = [overTarget.id, cpuOverTarget.id, gcShare.id];
