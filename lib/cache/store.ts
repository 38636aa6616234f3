/**
 * The port to the second level: what a cache needs of a store that many processes share.
 *
 * Beside the entries a store keeps a short **log of invalidations**: for each key and each tag that was
 * invalidated lately the **position** at which that happened last. Positions are numbers that only
 * grow. An entry carries the position that was read before its value was loaded, and is valid
 * as long as neither its key nor one of its tags stands in the log at a later one: a load that raced with an
 * invalidation can therefore never bring the old value back.
 *
 * The log is bounded. Its **floor** is the highest position that it has forgotten; what is older
 * than the floor cannot be judged any more, and counts as invalid. A store that lost its data starts at a
 * position, and with a floor, that is higher than any it has had before: it takes its clock, in microseconds.
 *
 * An entry whose position is after the end of the log is none of this log's, and is not valid either.
 */

/** A place in the log of invalidations. */
export type Position = number;

/** An entry as a store keeps it. The bytes are the cache's business (see codec.ts). */
export interface StoredEntry {
  bytes: Uint8Array;
  tags: readonly string[];
  /** Read from the log before the value was loaded. */
  position: Position;
}

/** An entry on its way into a store. */
export interface NewEntry extends StoredEntry {
  key: string;
  /** For so long it may be kept, in milliseconds from now. */
  ttlMs: number;
  /** The lease under which it was loaded, which ends when it is written. */
  leaseToken?: string | undefined;
}

/** What a key, a tag, or several of them mean together. */
export interface Labels {
  keys: readonly string[];
  tags: readonly string[];
}

/** A part of the log: every key and tag that was invalidated, each with the position of the last time. */
export interface Changes {
  keys: ReadonlyArray<readonly [key: string, position: Position]>;
  tags: ReadonlyArray<readonly [tag: string, position: Position]>;
}

/** What every conversation with a store brings back besides its answer. */
export interface Exchange {
  /** Where the log ends now. */
  position: Position;
  /** What was invalidated since the position that was given; `lost` when the log no longer knows, or it is too much. */
  changes: Changes | 'lost';
}

/** What a read brings back: one place for each key, in their order, undefined where there is no valid entry. */
export interface ReadReply extends Exchange {
  entries: ReadonlyArray<StoredEntry | undefined>;
}

/** What asking for a lease brings back: the valid entry of the key as of the same moment, if there is one. */
export interface LeaseReply {
  granted: boolean;
  /** Where the log ended at that moment. */
  position: Position;
  entry: StoredEntry | undefined;
}

/** Counters of a span of time, added up over all processes. */
export interface Counts {
  /** Each is the sum of what was added. */
  sums: Readonly<Record<string, number>>;
  /** Each is the largest value that was given. */
  maxima: Readonly<Record<string, number>>;
}

/** How full a store is. */
export interface StoreSize {
  entries: number;
  maxEntries: number;
}

/**
 * A shared store. Every method is one round trip, may be called at any time and by many processes at once, and
 * rejects when the store cannot do it; none waits by itself for longer than its client does.
 * Keys and tags are well-formed strings of 1 to 1,024 bytes in UTF-8, of any characters.
 *
 * An adapter is right when it passes the suite in contract.ts.
 */
export interface Store {
  /** What it is, for statistics: `redis`, `postgres`. */
  readonly name: string;

  /**
   * Reads entries, marks those it finds as used (now, or before it next writes), and tells what was invalidated since a position. With no keys
   * it only asks the log.
   *
   * @param since the position up to which the caller knows the log; undefined when it knows nothing, and
   *   then the answer's `changes` are `lost`
   */
  read(keys: readonly string[], since: Position | undefined): Promise<ReadReply>;

  /**
   * Keeps entries, except those that are not valid (any more). When there are more than `maxEntries` then, the
   * least recently used go; entries that have expired go before any other. Ends the leases named.
   *
   * @returns for each entry whether it was kept
   */
  write(entries: readonly NewEntry[]): Promise<boolean[]>;

  /**
   * Enters keys and tags in the log, all at one new position, and removes the entries of the keys.
   * With `replacement`, whose key is one of the keys, that entry is kept in the same step, at the new position.
   */
  invalidate(labels: Labels, since: Position | undefined, replacement?: Omit<NewEntry, 'position'>): Promise<Exchange>;

  /**
   * Asks for the right to load a key, for a time: granted to one at a time. Asking again with the same token while
   * holding it renews it.
   */
  lease(key: string, token: string, ttlMs: number): Promise<LeaseReply>;

  /** Gives a lease back before its time. No effect when somebody else holds it. */
  release(key: string, token: string): Promise<void>;

  /**
   * Adds counters to those of a span of time.
   *
   * @param startedAt when the span began, in milliseconds since 1970
   * @param keepMs for how long from now they are wanted
   */
  count(startedAt: number, counts: Counts, keepMs: number): Promise<void>;

  /** The counters of all spans that began at or after a time, put together. */
  counts(from: number): Promise<Counts>;

  /** How many entries are kept, and may be. */
  size(): Promise<StoreSize>;
}
