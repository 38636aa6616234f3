import type { Entry } from './entry.ts';
import type { Invocations } from './invocations.ts';
import type { InvalidationLog } from './log.ts';
import type { Memory } from './memory.ts';
import type { BreakerState } from './shared/breaker.ts';
import type { CacheStatistics, Statistics } from './statistics.ts';
import type { Labels, Position, StoreSize } from './store.ts';

/** The statistics of all processes that share a second level. */
export type FleetStatistics = CacheStatistics & { l2: StoreSize };

/** What a cache lends to its second level. */
export interface Lent {
  readonly memory: Memory;
  readonly statistics: Statistics;
  readonly invocations: Invocations;
}

/** What all parts of a cache share. */
export interface Core extends Lent {
  readonly log: InvalidationLog;
}

/** What the second level kept of a value. Times are in milliseconds since 1970. */
export interface Kept {
  value: unknown;
  tags: readonly string[];
  freshUntil: number;
  staleUntil: number;
  /** How long it took to load, in milliseconds. */
  loadMs: number;
  /** The position in the log up to which it is known to be valid. */
  position: Position;
}

/** The search for a key that is not in memory, or is to be refreshed. */
export interface Search {
  readonly key: string;
  /** For how long one process at a time may load the key, in milliseconds; 0: all may. */
  readonly leaseMs: number;
  /** Whether it was too slow a moment ago: then it is not waited for again. */
  readonly isLate: boolean;
  /** What is being refreshed: only something newer will do. */
  readonly current: Entry | undefined;
  /** An older value, for the loader to know. */
  readonly previous: Entry | undefined;
  /** Takes what was found; undefined when it is too old, or was invalidated meanwhile. */
  accept(kept: Kept, askedAt: number): Entry | undefined;
  /** Calls the loader. @param position what the log was known to end at before */
  load(position: Position, previous: Entry | undefined, leaseToken?: string): Promise<Entry>;
}

/** What became of an attempt to bring the log up to date: `late` is after the soft limit. */
export type Pull = 'answered' | 'failed' | 'late';

/** The second level, as a cache uses it. Made by `shareable` (shared/level.ts) from a store. */
export interface SharedLevel extends Reporter {
  /** What this process knows of the log. */
  readonly log: InvalidationLog;
  /** Until then what is in memory may be served with no question asked. */
  readonly pullDueAt: number;
  readonly breaker: BreakerState;
  /** Brings the log up to date. Never rejects. */
  pull(): Promise<Pull>;
  /** Whether what was obtained at a time needs no confirmation: it is no older than the promise allows. */
  isTrusted(obtainedAt: number, now: number): boolean;
  /** Finds a value, by the loader where the second level has none. */
  find(search: Search): Promise<Entry>;
  /**
   * Keeps a value that was loaded. Never rejects.
   *
   * @param isReplacement whether there was an older one: that one goes even where this one may not be kept
   */
  keep(entry: Entry, isReplacement: boolean, leaseToken?: string): Promise<void>;
  /**
   * Invalidates keys and tags for everybody, and puts an entry in the place of one of them.
   *
   * @throws CacheError `level-unreachable`
   */
  invalidate(labels: Labels, replacement?: Entry): Promise<void>;
  /** Is told when an invocation begins, and with undefined that none is under way any more. */
  invocation(startedAt: number | undefined): void;
  /** The statistics of all processes, of the hours since a time. */
  fleetStats(since: number): Promise<FleetStatistics>;
}

/** Somebody who hands the counters on. */
export interface Reporter {
  /** When it is time again, in milliseconds since 1970. */
  readonly dueAt: number;
  /** Hands on what is new. Never rejects. */
  flush(): Promise<void>;
}
