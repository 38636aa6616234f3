import type { Position } from './store.ts';

/** A value in the first level, with all that decides whether and how it is served. Times are in milliseconds since 1970. */
export class Entry<Value = unknown> {
  /** Made once: a hit hands out this very promise. */
  readonly promise: Promise<Value>;
  readonly value: Value;
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
  /** When its value was asked for, or found in the second level. */
  readonly obtainedAt: number;
  /** How long its value took to load, in milliseconds. */
  readonly loadMs: number;
  /** The level that it was found in. */
  readonly from: 'l2' | 'load';
  /** Its estimated size, in bytes; 0 where no limit needs to know. */
  bytes = 0;
  /** The position in the log up to which it is known to be valid. */
  position: Position;

  // The list of the first level: see memory.ts.
  previous: Entry | undefined = undefined;
  next: Entry | undefined = undefined;
  /** The entries among which it is kept; undefined when it is not (any more). */
  home: Map<string, Entry> | undefined = undefined;
  /** The mark of the policy `sieve`. */
  visited = false;

  constructor(facts: EntryFacts<Value>) {
    this.value = facts.value;
    this.promise = Promise.resolve(facts.value);
    this.id = facts.id;
    this.key = facts.key;
    this.tags = facts.tags;
    this.freshUntil = facts.freshUntil;
    this.staleUntil = facts.staleUntil;
    this.refreshAt = facts.refreshAt;
    this.obtainedAt = facts.obtainedAt;
    this.loadMs = facts.loadMs;
    this.from = facts.from;
    this.position = facts.position;
  }

  /** Whether it says that there is nothing: null or undefined. */
  get isNegative(): boolean {
    return this.value === null || this.value === undefined;
  }
}

/** What an entry is made of. */
export type EntryFacts<Value> = Pick<
  Entry<Value>,
  | 'value'
  | 'id'
  | 'key'
  | 'tags'
  | 'freshUntil'
  | 'staleUntil'
  | 'refreshAt'
  | 'obtainedAt'
  | 'loadMs'
  | 'from'
  | 'position'
>;
