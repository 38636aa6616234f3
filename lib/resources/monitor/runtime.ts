import { readdirSync } from 'node:fs';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import type { Sample } from '../sample.ts';
import { listenerWarnings } from './warnings.ts';

/** The memory of a sample. */
export type Memory = Pick<
  Sample,
  'heapUsedBytes' | 'heapTotalBytes' | 'heapLimitBytes' | 'externalBytes' | 'arrayBufferBytes' | 'rssBytes' | 'spaces'
>;

/** What a monitor asks Node.js and the system. Tests have another one. */
export interface Runtime {
  /** Milliseconds, by a clock that does not jump. */
  now(): number;
  /** Processor time so far, in milliseconds. */
  cpuMs(): number;
  /** For how long the event loop was idle and active so far, in milliseconds. */
  loop(): { idle: number; active: number };
  memory(): Memory;
  /** Active resources by type. */
  resources(): Record<string, number>;
  /** Open file descriptors of the process; null where the system does not tell. */
  descriptors(): number | null;
  /** How often Node.js warned of too many listeners so far. */
  listenerWarnings(): number;
}

/** In a worker thread, that of the thread: the process has others. */
const cpuUsage =
  !isMainThread && typeof process.threadCpuUsage === 'function' ? process.threadCpuUsage : process.cpuUsage;

/** This process, or this thread of it. */
export const runtime: Runtime = {
  now: () => performance.now(),
  cpuMs: () => {
    const { user, system } = cpuUsage.call(process);
    return (user + system) / 1_000;
  },
  loop: () => performance.eventLoopUtilization(),
  memory: () => {
    const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
    return {
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      heapLimitBytes: getHeapStatistics().heap_size_limit,
      externalBytes: external,
      arrayBufferBytes: arrayBuffers,
      rssBytes: rss,
      spaces: Object.fromEntries(
        getHeapSpaceStatistics().map(({ space_name, space_used_size }) => [space_name, space_used_size]),
      ),
    };
  },
  resources: () => countResources(process.getActiveResourcesInfo()),
  descriptors: () => {
    try {
      // One of them is that of the directory itself.
      return readdirSync('/proc/self/fd').length - 1;
    } catch {
      return null;
    }
  },
  listenerWarnings,
};

/** How often each type occurs. Immediates are left out: each is over within a turn, and perf_hooks sets some of its own. */
function countResources(types: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const type of types) {
    if (type !== 'Immediate') counts[type] = (counts[type] ?? 0) + 1;
  }
  return counts;
}
