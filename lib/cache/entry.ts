import type { Kept } from './level.ts';
import { isNegative } from './plan.ts';
import type { Position } from './store.ts';

/** A value in the first level, with all that decides whether and how it is served. Times are in milliseconds since 1970. */
export class Entry<Value = unknown> {
  readonly value: Value;
  #promise: Promise<Value> | undefined;
  /** The whole key, as other processes know it. */
  readonly key: string;
  readonly tags: readonly string[];
  /** It is served as it is until then. */
  readonly freshUntil: number;
  /** It is served, and refreshed, until then. */
  readonly staleUntil: number;
  /** A hit at or after this time sets off a refresh: `freshUntil`, or a little before it. */
  readonly refreshAt: number;
  /** When its value was asked for, be it of the loader or of the second level; without a second level when it came. */
  readonly obtainedAt: number;
  /** How long its value took to load, in milliseconds. */
  readonly loadMs: number;
  /** The position in the log up to which it is known to be valid. */
  position: Position;

  constructor(kept: Kept, key: string, refreshAt: number, obtainedAt: number) {
    this.value = kept.value as Value;
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
