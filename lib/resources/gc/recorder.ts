import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import type { Sample } from '../sample.ts';
import { addDuration, noDurations } from './tally.ts';

/** Collections by their kind. */
export type CollectionsByKind = Sample['collections'];

/** What perf_hooks tells of a collection: https://nodejs.org/api/perf_hooks.html#garbage-collection-gc-details */
interface CollectionEntry extends PerformanceEntry {
  readonly detail: { readonly kind: number };
}

/** The kinds by V8's number: `GCType` in https://github.com/v8/v8/blob/main/include/v8-callbacks.h */
const kinds: Readonly<Record<number, keyof CollectionsByKind>> = {
  1: 'minor',
  2: 'minor',
  4: 'major',
  8: 'incremental',
  16: 'weak',
};

function noneOfAnyKind(): CollectionsByKind {
  return { minor: noDurations(), major: noDurations(), incremental: noDurations(), weak: noDurations() };
}

/**
 * Counts the garbage collections of this thread, each exactly once. Node.js tells of one a turn of the event loop after it, so
 * what an invocation collects in its last moments counts to the next sample.
 *
 * `v8.GCProfiler` would tell at once, but takes 10 µs an invocation to start and stop, keeps 9 kB a collection until then, goes on for as long as the object lives
 * (https://github.com/nodejs/node/blob/v24.x/src/node_v8.cc), and in a loop that makes nothing but garbage there are thousands
 * a second.
 */
export class CollectionRecorder {
  #news = noneOfAnyKind();
  readonly #totals = noneOfAnyKind();
  /** When this library collected by itself, by performance.now(). */
  #own: { startedAt: number; endedAt: number }[] = [];
  readonly #observer: PerformanceObserver;

  constructor() {
    this.#observer = new PerformanceObserver((list) => this.#add(list.getEntries()));
    this.#observer.observe({ type: 'gc' });
  }

  /** All collections since this was made. */
  get totals(): CollectionsByKind {
    return structuredClone(this.#totals);
  }

  /** The collections since the last call. */
  take(): CollectionsByKind {
    this.#add(this.#observer.takeRecords());
    const news = this.#news;
    this.#news = noneOfAnyKind();
    return news;
  }

  /** Leaves out what was collected between two times by performance.now(): it was not the program that made it necessary. */
  leaveOut(startedAt: number, endedAt: number): void {
    this.#own.push({ startedAt, endedAt });
  }

  /** Counts no more. */
  close(): void {
    this.#observer.disconnect();
  }

  #add(entries: readonly PerformanceEntry[]): void {
    for (const { startTime, duration, detail } of entries as readonly CollectionEntry[]) {
      const kind = kinds[detail.kind];
      if (kind === undefined || this.#isOwn(startTime)) continue;
      addDuration(this.#news[kind], duration);
      addDuration(this.#totals[kind], duration);
    }
  }

  /** Entries come in the order of their time, so that what lies before one is no longer needed. */
  #isOwn(at: number): boolean {
    this.#own = this.#own.filter(({ endedAt }) => endedAt >= at);
    return this.#own.some(({ startedAt }) => startedAt <= at);
  }
}
