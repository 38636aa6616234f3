import type { EvictionPolicyName } from '../../../../../lib/cache/eviction.ts';
import type { Duration, ProcessStatistics } from '../../../../../lib/cache/index.ts';
import type { FleetStatistics } from '../../../../../lib/cache/level.ts';

/** A cache that a worker is to open, in the place of the one it has. */
export interface Opening {
  adapter: 'redis' | 'postgres';
  url: string;
  /** The namespace in Redis, the schema in PostgreSQL. */
  space: string;
  policy?: EvictionPolicyName;
  l1Entries?: number;
  maxLag?: Duration;
  softLimit?: Duration;
  hardLimit?: Duration;
  cooldown?: Duration;
  logSize?: number;
  maxChanges?: number;
  fresh?: Duration;
  stale?: Duration;
  lease?: Duration;
  retryAfter?: Duration;
  /** Off where a test counts loads or commands. */
  earlyRefresh?: number;
  /** How many connections a pool of PostgreSQL may have. */
  connections?: number;
}

/** Which items an invalidation is for. */
export interface Change {
  items?: readonly string[];
  tags?: readonly string[];
}

/** A step of an invocation. */
export type Step = { get: string } | { change: Change } | { pauseMs: number };

/** What the parent asks a worker to do. */
export type Order =
  | { do: 'open'; opening: Opening }
  | { do: 'get'; items: readonly string[]; together?: boolean }
  | { do: 'invocation'; steps: readonly Step[]; remainingMs?: number }
  | { do: 'change'; change: Change }
  | { do: 'set'; item: string; version: number }
  | { do: 'stats' }
  | { do: 'fleetStats'; since: number }
  | { do: 'calls' }
  | { do: 'connection' }
  | { do: 'close' };

/** What a get returned, by the clock and by the order of things in its process. */
export interface Got {
  item: string;
  /** Undefined where it rejected. */
  version?: number;
  error?: string;
  /** When the invocation began that it belongs to: without one, the get itself. */
  began: number;
  /** How many changes had been settled in the process when it began. */
  settledBefore: number;
}

/** How a change of the source ended in the process that told the cache of it. */
export interface Settled {
  /** Undefined where it was acknowledged. */
  error?: string;
  at: number;
  /** Its number among those that were settled in the process. */
  settled: number;
}

/** What an invocation has done. */
export interface Invoked {
  gets: Got[];
  changes: Settled[];
}

/** Calls of the store by the name of their method. */
export type Calls = Record<string, number>;

/** What each order answers. */
export interface Answers {
  open: undefined;
  get: Got[];
  invocation: Invoked;
  change: Settled;
  set: Settled;
  stats: ProcessStatistics;
  fleetStats: FleetStatistics;
  calls: Calls;
  connection: number;
  close: undefined;
}

/** What the parent sends: an order, or what a load brings. */
export type Downwards =
  | { id: number; order: Order }
  | { loaded: number; version: number }
  | { loaded: number; failure: string };

/** What a worker sends: an answer, or what a loader asks, or something that must not happen. */
export type Upwards =
  | { ready: true }
  | { id: number; answer: unknown }
  | { id: number; failure: string }
  | { load: number; item: string }
  | { aborted: number; item: string }
  | { unhandled: string };

/** The tags of an item: all that are called alike but for their last letter share one. */
export function tagsOf(item: string): string[] {
  return [`group ${item.slice(0, -1)}`, 'all'];
}
