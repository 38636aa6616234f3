import { getHeapStatistics } from 'node:v8';
import type { Collections } from '../sample.ts';
import { CollectionCost } from './cost.ts';
import { type ForcedCollection, forceCollection } from './force.ts';
import { addDuration, noDurations } from './tally.ts';

/** Why no collection is forced. */
export type CollectionRefusal = 'not-possible' | 'running' | 'too-soon' | 'too-little-time';

/** What came of the wish to force a collection. */
export type CollectionOutcome = { kind: 'collected'; collection: ForcedCollection } | RefusedCollection;

/** A collection that was not forced. */
export interface RefusedCollection {
  kind: 'refused';
  reason: CollectionRefusal;
  /** When it is worth asking again, in milliseconds; null when waiting does not help. */
  retryAfterMs: number | null;
}

/** What the decision rests on. Times in milliseconds, those of the clock by any clock that does not jump. */
export interface CollectionCircumstances {
  /** Whether this Node.js can do it, as far as is known. */
  isPossible: boolean;
  isRunning: boolean;
  now: number;
  /** When the last one ended. */
  lastEndedAt: number | undefined;
  minIntervalMs: number;
  expectedMs: number;
  /** What the invocation has left. */
  remainingMs: number;
  /** At most this share of it may be spent. */
  timeShare: number;
}

/** Whether a collection may be forced now: undefined, or why not. */
export function refusalOf(at: CollectionCircumstances): RefusedCollection | undefined {
  if (!at.isPossible) return refused('not-possible', null);
  if (at.isRunning) return refused('running', Math.ceil(at.expectedMs));
  const restMs = at.lastEndedAt === undefined ? 0 : at.lastEndedAt + at.minIntervalMs - at.now;
  if (restMs > 0) return refused('too-soon', Math.ceil(restMs));
  // What is no number of milliseconds is no time.
  if (!(at.expectedMs <= at.timeShare * at.remainingMs)) return refused('too-little-time', null);
  return undefined;
}

function refused(reason: CollectionRefusal, retryAfterMs: number | null): RefusedCollection {
  return { kind: 'refused', reason, retryAfterMs };
}

/** How often and how long collections were forced, and what they freed. */
export interface ForcedCollectionStatistics extends Collections {
  /** How often, by the reason. */
  refused: Partial<Record<CollectionRefusal, number>>;
  /** What was given back, in bytes. Memory that others use meanwhile counts against it. */
  freedHeapBytes: number;
  freedExternalBytes: number;
  last: ForcedCollection | null;
}

/** How a {@link CollectionGuard} decides. */
export interface CollectionGuardOptions {
  /** Between the end of a collection and the next one. Default: 60,000. */
  minIntervalMs?: number;
  /** The share of the remaining time that a collection may be expected to take. Default: 0.1. */
  timeShare?: number;
  /** What the function is given; null outside of Lambda. */
  memoryLimitBytes?: number | null;
  /** A clock in milliseconds that does not jump. */
  now?: () => number;
  /** How much of the heap is in use. */
  heapUsedBytes?: () => number;
  /** Collects; undefined where that is not possible. */
  collect?: () => ForcedCollection | undefined;
}

/**
 * Forces a collection, or says why it does not: it stops the thread for as long as it takes, so that nobody may ask for one
 * again and again, and none may outlast its invocation.
 *
 * @example
 * const guard = new CollectionGuard();
 * const outcome = guard.collect(context.getRemainingTimeInMillis());
 */
export class CollectionGuard {
  readonly #options: Required<Omit<CollectionGuardOptions, 'memoryLimitBytes'>>;
  readonly #cost: CollectionCost;
  #isPossible = true;
  #isRunning = false;
  #lastEndedAt: number | undefined;
  /** What it has done so far. */
  readonly statistics: ForcedCollectionStatistics = {
    ...noDurations(),
    refused: {},
    freedHeapBytes: 0,
    freedExternalBytes: 0,
    last: null,
  };

  constructor({ memoryLimitBytes = null, ...options }: CollectionGuardOptions = {}) {
    this.#options = {
      minIntervalMs: 60_000,
      timeShare: 0.1,
      now: () => performance.now(),
      heapUsedBytes: () => getHeapStatistics().used_heap_size,
      collect: forceCollection,
      ...options,
    };
    this.#cost = new CollectionCost(memoryLimitBytes);
  }

  /** Why a collection would be refused now; undefined if it would not. */
  refusal(remainingMs: number): RefusedCollection | undefined {
    return refusalOf({
      ...this.#options,
      isPossible: this.#isPossible,
      isRunning: this.#isRunning,
      now: this.#options.now(),
      lastEndedAt: this.#lastEndedAt,
      expectedMs: this.#cost.estimateMs(this.#options.heapUsedBytes()),
      remainingMs,
    });
  }

  /** Collects unless that is refused. @param remainingMs what the invocation has left, in milliseconds */
  collect(remainingMs: number = Number.POSITIVE_INFINITY): CollectionOutcome {
    const refusal = this.refusal(remainingMs);
    if (refusal) return this.#refuse(refusal);
    this.#isRunning = true;
    try {
      const collection = this.#options.collect();
      if (!collection) {
        this.#isPossible = false;
        return this.#refuse(refused('not-possible', null));
      }
      this.#note(collection);
      return { kind: 'collected', collection };
    } finally {
      this.#isRunning = false;
      this.#lastEndedAt = this.#options.now();
    }
  }

  #refuse(refusal: RefusedCollection): RefusedCollection {
    const { refused } = this.statistics;
    refused[refusal.reason] = (refused[refusal.reason] ?? 0) + 1;
    return refusal;
  }

  #note(collection: ForcedCollection): void {
    const { statistics } = this;
    this.#cost.learn(collection.heapBeforeBytes, collection.durationMs);
    addDuration(statistics, collection.durationMs);
    statistics.freedHeapBytes += collection.heapBeforeBytes - collection.heapAfterBytes;
    statistics.freedExternalBytes += collection.externalBeforeBytes - collection.externalAfterBytes;
    statistics.last = collection;
  }
}
