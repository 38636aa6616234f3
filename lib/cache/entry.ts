import type { Kept } from './level.ts';
import { isNegative } from './plan.ts';
import type { Position } from './store.ts';

/** A value in the first level, with all that decides whether and how it is served. Times are in milliseconds since 1970. */
export class Entry<Value = unknown> {
  readonly value: Value;
  #promise: Promise<Value> | undefined = undefined;
  /** Its key among the entries of its definition, and the whole key as other processes know it. */
  readonly id: string;
  readonly key: string;
  readonly tags: readonly string[];
  /** It is served as it is until then. */
  readonly freshUntil: number;
  /** It is served, and refreshed, until then. */
  readonly staleUntil: number;
  /** A hit at or after this time sets off a refresh: `freshUntil`, or a little before it. */
  readonly refreshAt: number;
  /** When its value was asked for, be it of the loader or of the second level. */
  readonly obtainedAt: number;
  /** How long its value took to load, in milliseconds. */
  readonly loadMs: number;
  /** The position in the log up to which it is known to be valid. */
  position: Position;
  /** Its estimated size, in bytes; 0 where no limit needs to know. */
  bytes = 0;

  // The list of the first level: see eviction.ts.
  previous: Entry | undefined = undefined;
  next: Entry | undefined = undefined;
  /** The entries among which it is kept; undefined when it is not (any more). */
  home: Map<string, Entry> | undefined = undefined;
  /** The mark of the policy `sieve`. */
  visited = false;

  constructor(kept: Kept, id: string, key: string, refreshAt: number, obtainedAt: number) {
    this.value = kept.value as Value;
    this.id = id;
    this.key = key;
    this.tags = kept.tags;
    this.freshUntil = kept.freshUntil;
    this.staleUntil = kept.staleUntil;
    this.refreshAt = refreshAt;
    this.obtainedAt = obtainedAt;
    this.loadMs = kept.loadMs;
    this.position = kept.position;
  }

  /** The value as a promise, made once: every hit hands out this very one. */
  get promise(): Promise<Value> {
    this.#promise ??= Promise.resolve(this.value);
    return this.#promise;
  }

  /** What kind of hit it is at a time. */
  kind(now: number): 'fresh' | 'stale' | 'negative' {
    if (now >= this.freshUntil) return 'stale';
    return isNegative(this.value) ? 'negative' : 'fresh';
  }
}
