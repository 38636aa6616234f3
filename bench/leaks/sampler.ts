/** Takes the samples of a process, as the monitor does. */
import { readdirSync } from 'node:fs';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Sample } from '../../lib/resources/sample.ts';

v8.setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const none = () => ({ count: 0, totalMs: 0, longestMs: 0 });
let collections = { minor: none(), major: none(), incremental: none(), weak: none() };
const kinds: Record<number, keyof typeof collections> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak',
};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const detail = (entry as unknown as { detail: { kind: number; flags: number } }).detail;
    if (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) continue;
    const of = collections[kinds[detail.kind] ?? 'minor'];
    of.count++;
    of.totalMs += entry.duration;
    of.longestMs = Math.max(of.longestMs, entry.duration);
  }
}).observe({ entryTypes: ['gc'] });

/** A sample at the end of an invocation. */
export function sampleAt(invocation: number, isFloor: boolean, invocations: number): Sample {
  const before = process.memoryUsage();
  const spaces = Object.fromEntries(v8.getHeapSpaceStatistics().map((space) => [space.space_name, space.space_used_size]));
  const taken: Sample = {
    invocation,
    at: new Date(0).toISOString(),
    heapUsedBytes: before.heapUsed,
    heapTotalBytes: before.heapTotal,
    heapLimitBytes: v8.getHeapStatistics().heap_size_limit,
    externalBytes: before.external,
    arrayBufferBytes: before.arrayBuffers,
    rssBytes: before.rss,
    spaces,
    floor: isFloor ? floor() : null,
    cpuMs: 0,
    wallMs: 0,
    invocations,
    eventLoop: { utilization: 0, meanDelayMs: 0, p99DelayMs: 0, longestDelayMs: 0 },
    collections,
    resources: tally(process.getActiveResourcesInfo()),
    leftRunning: {},
    descriptors: readdirSync('/proc/self/fd').length,
  };
  collections = { minor: none(), major: none(), incremental: none(), weak: none() };
  return taken;
}

function floor(): NonNullable<Sample['floor']> {
  const began = performance.now();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return { heapBytes: heapUsed, externalBytes: external, collectMs: performance.now() - began };
}

function tally(types: readonly string[]): Record<string, number> {
  return Object.fromEntries(Map.groupBy(types, (type) => type).entries().map(([type, { length }]) => [type, length]));
}
