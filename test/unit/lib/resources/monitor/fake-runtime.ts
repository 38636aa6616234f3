import type { ForcedCollection } from '../../../../../lib/resources/gc/force.ts';
import { CollectionGuard } from '../../../../../lib/resources/gc/guard.ts';
import type { CollectionsByKind } from '../../../../../lib/resources/gc/recorder.ts';
import { Monitor, type MonitorParts } from '../../../../../lib/resources/monitor/core.ts';
import type { Runtime } from '../../../../../lib/resources/monitor/runtime.ts';
import { environment } from '../leak-series.ts';

/** A process whose clocks and figures a test sets. */
export class FakeRuntime implements Runtime {
  ms = 0;
  cpu = 0;
  active = 0;
  idle = 0;
  heapUsedBytes = 1_000;
  open: Record<string, number> = {};
  files: number | null = 20;
  warnings = 0;
  /** How often the resources were counted. */
  counted = 0;

  now = () => this.ms;
  cpuMs = () => this.cpu;
  loop = () => ({ active: this.active, idle: this.idle });
  resources = () => {
    this.counted++;
    return { ...this.open };
  };
  descriptors = () => this.files;
  listenerWarnings = () => this.warnings;
  memory = () => ({
    heapUsedBytes: this.heapUsedBytes,
    heapTotalBytes: 2_000,
    heapLimitBytes: 10_000,
    externalBytes: 300,
    arrayBufferBytes: 200,
    rssBytes: 5_000,
    spaces: { old_space: 700 },
  });

  /** Time goes by, in which the process works. */
  work(ms: number): void {
    this.wait(ms, 0);
    this.cpu += ms;
    this.active += ms;
    this.idle -= ms;
  }

  /** Time goes by, in which the loop waits, or most of it. */
  wait(ms: number, activeMs = 0): void {
    this.ms += ms;
    this.active += activeMs;
    this.idle += ms - activeMs;
  }

  /** The process is frozen between two invocations: only the clock goes on. */
  freeze(ms: number): void {
    this.ms += ms;
    this.idle += ms;
  }
}

const none = () => ({ count: 0, totalMs: 0, longestMs: 0 });
const noCollections = (): CollectionsByKind => ({ minor: none(), major: none(), incremental: none(), weak: none() });

/** A monitor in a process that a test plays, and what it did. */
export function monitorIn(runtime: FakeRuntime, parts: Partial<MonitorParts> = {}) {
  const collected: ForcedCollection[] = [];
  const leftOut: [number, number][] = [];
  const guard = new CollectionGuard({
    minIntervalMs: 0,
    now: runtime.now,
    heapUsedBytes: () => runtime.heapUsedBytes,
    collect: () => {
      runtime.work(5);
      const collection = {
        heapBeforeBytes: runtime.heapUsedBytes,
        heapAfterBytes: 600,
        externalBeforeBytes: 300,
        externalAfterBytes: 250,
        durationMs: 5,
      };
      collected.push(collection);
      return collection;
    },
  });
  const monitor = new Monitor({
    environment: environment(),
    runtime,
    delay: { begin: () => {}, end: () => {}, take: () => ({ meanDelayMs: 0, p99DelayMs: 0, longestDelayMs: 0 }) },
    collections: {
      take: noCollections,
      leaveOut: (from, to) => leftOut.push([from, to]),
      totals: noCollections(),
      close: () => {},
    },
    guard,
    isSequential: false,
    ...parts,
    settings: { sampleEvery: 1, floorEvery: Number.POSITIVE_INFINITY, ring: 100, sink: undefined, ...parts.settings },
  });
  const samples = () => monitor.series().samples;
  const invoke = (work: () => void = () => {}, remainingMs = 30_000) => {
    const invocation = monitor.begin({ getRemainingTimeInMillis: () => remainingMs });
    work();
    monitor.end(invocation);
  };
  return { monitor, guard, collected, leftOut, samples, invoke };
}
