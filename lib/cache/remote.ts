import { type Batch, Batcher } from './batch.ts';
import type { Breaker, BreakerState } from './breaker.ts';
import { Deadlines } from './deadlines.ts';
import { CacheError } from './errors.ts';
import type { InvalidationLog } from './log.ts';
import type { Memory } from './memory.ts';
import type { Statistics } from './statistics.ts';
import type {
  Counts,
  Exchange,
  Labels,
  LeaseReply,
  NewEntry,
  Position,
  ReadReply,
  Store,
  StoredEntry,
} from './store.ts';

/** How long the second level may take, and how far behind it this process may be. In milliseconds. */
export interface RemoteLimits {
  /** A read in front of a loader or of a stale value. */
  softMs: number;
  /** Everything else. */
  hardMs: number;
  maxLagMs: number;
}

/** What a read found: the entry, and how far the log reached when it was looked for. */
export interface Found {
  position: Position;
  entry: StoredEntry | undefined;
}

/** So many keys go in one command: enough to make round trips cheap, few enough not to hold a server up. */
const maxBatch = 200;

/** The second level as this process sees it: in batches, within limits, and no further behind than `maxLag`. */
export class Remote {
  readonly #store: Store;
  readonly #breaker: Breaker;
  readonly #limits: RemoteLimits;
  readonly #log: InvalidationLog;
  readonly #memory: Memory;
  readonly #statistics: Statistics;
  readonly #soft: Deadlines;
  readonly #hard: Deadlines;
  readonly #reads: Batcher<string, ReadReply>;
  readonly #writes: Batcher<NewEntry, void>;
  /** What was invalidated here, and could not be told yet. */
  #untold: Labels | undefined;
  /** When the invocation under way began; undefined outside of one. */
  #invocationAt: number | undefined;
  /** When the conversation began that last brought the log up to date. */
  #confirmedAt = Number.NEGATIVE_INFINITY;
  /** Until then what is in the first level may be served with no question asked. */
  pullDueAt = Number.NEGATIVE_INFINITY;

  constructor(
    store: Store,
    breaker: Breaker,
    limits: RemoteLimits,
    log: InvalidationLog,
    memory: Memory,
    statistics: Statistics,
  ) {
    this.#store = store;
    this.#breaker = breaker;
    this.#limits = limits;
    this.#log = log;
    this.#memory = memory;
    this.#statistics = statistics;
    this.#soft = new Deadlines(limits.softMs);
    this.#hard = new Deadlines(limits.hardMs);
    this.#reads = new Batcher((keys) => this.#send(keys), maxBatch);
    this.#writes = new Batcher((entries) => this.#keep(entries), maxBatch);
  }

  /** How the breaker stands. */
  get breaker(): BreakerState {
    return this.#breaker.state(Date.now());
  }

  /** Is told when an invocation begins, and with undefined that none is under way any more. */
  invocation(startedAt: number | undefined): void {
    this.#invocationAt = startedAt;
    this.#schedulePull();
  }

  /** Whether what was obtained at a time needs no confirmation: it is no older than the promise allows. */
  isTrusted(obtainedAt: number, now: number): boolean {
    return now < this.pullDueAt || obtainedAt >= (this.#invocationAt ?? now) - this.#limits.maxLagMs;
  }

  /** Asks for a key, within the soft limit. Undefined when the second level is not asked anything at the moment. */
  read(key: string): Promise<Found> | undefined {
    const batch = this.#joinReads();
    if (!batch) {
      this.#statistics.counters.l2NotAsked++;
      return undefined;
    }
    const at = batch.items.push(key) - 1;
    return batch.reply.then(({ position, entries }) => ({ position, entry: entries[at] }));
  }

  /** Asks for a key with all the time there is: for when there is no other way to a value. */
  async readLate(key: string): Promise<Found> {
    const { position, entries } = await this.#limited(this.#converse([key], Date.now()));
    return { position, entry: entries[0] };
  }

  /** Brings the log up to date, if the second level answers in time. Never rejects. */
  async pull(): Promise<void> {
    await this.#joinReads()?.reply.catch(() => {});
  }

  /** Keeps an entry, if it can be done. Never rejects. */
  async write(entry: NewEntry): Promise<void> {
    const batch = this.#writes.join();
    batch.items.push(entry);
    await batch.reply;
  }

  /**
   * Invalidates keys and tags for everybody. When it cannot be told, they stay blocked in this process until it has been.
   *
   * @throws CacheError `level-unreachable`
   */
  async invalidate(labels: Labels, replacement?: Omit<NewEntry, 'position'>): Promise<Position> {
    const sentAt = Date.now();
    try {
      const exchange = await this.#limited(this.#store.invalidate(labels, this.#log.cursor, replacement));
      this.#learn(exchange, sentAt);
      return exchange.position;
    } catch (cause) {
      this.#log.block(labels);
      this.#untold = together(this.#untold, labels);
      throw new CacheError(
        'level-unreachable',
        `The second level (${this.#store.name}) was not told of an invalidation. It holds in this process, and is told to the others with the next command that gets through.`,
        { cause },
      );
    }
  }

  /** Asks for the right to load a key. @throws when the second level does not answer */
  lease(key: string, token: string, ttlMs: number): Promise<LeaseReply> {
    return this.#limited(this.#store.lease(key, token, ttlMs));
  }

  /** Gives that right back. Never rejects: a lease also ends by itself. */
  async release(key: string, token: string): Promise<void> {
    await this.#limited(this.#store.release(key, token)).catch(() => {});
  }

  /** Adds counters to those of all processes. @throws CacheError `level-unreachable` */
  async count(startedAt: number, counts: Counts, keepMs: number): Promise<void> {
    if (this.breaker === 'open') throw new CacheError('level-unreachable', 'The breaker is open.');
    await this.#limited(this.#store.count(startedAt, counts, keepMs));
  }

  #joinReads(): Batch<string, ReadReply> | undefined {
    // A batch that is open was admitted; so is whoever joins it.
    return this.#reads.open || this.#breaker.admits(Date.now()) ? this.#reads.join() : undefined;
  }

  /** Sends a batch, and gives up after the soft limit. */
  #send(keys: string[]): Promise<ReadReply> {
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const done = this.#soft.set(() => {
        this.#statistics.counters.l2TimeOuts++;
        this.#failed();
        reject(new CacheError('level-unreachable', `The second level took more than ${this.#limits.softMs} ms.`));
      });
      this.#converse(keys, Date.now()).then(
        (reply) => {
          const isInTime = done();
          this.#statistics.timers.l2.record(performance.now() - started);
          // An answer that comes too late is no sign of health.
          if (isInTime) this.#breaker.succeeded();
          resolve(reply);
        },
        (cause) => {
          if (!done()) return;
          this.#statistics.counters.l2Errors++;
          this.#failed();
          reject(new CacheError('level-unreachable', 'The second level could not be read.', { cause }));
        },
      );
    });
  }

  async #converse(keys: string[], sentAt: number): Promise<ReadReply> {
    if (this.#untold) await this.#tell(this.#untold);
    const reply = await this.#store.read(keys, this.#log.cursor);
    this.#learn(reply, sentAt);
    return reply;
  }

  /** Tells what could not be told when it happened. */
  async #tell(labels: Labels): Promise<void> {
    const sentAt = Date.now();
    const exchange = await this.#store.invalidate(labels, this.#log.cursor);
    if (this.#untold === labels) this.#untold = undefined;
    this.#log.unblock(labels, exchange.position);
    this.#learn(exchange, sentAt);
  }

  async #keep(entries: NewEntry[]): Promise<void> {
    const { counters } = this.#statistics;
    try {
      if (!this.#breaker.admits(Date.now())) throw new CacheError('level-unreachable', 'The breaker is open.');
      const kept = await this.#limited(this.#store.write(entries));
      for (const isKept of kept) counters[isKept ? 'l2Writes' : 'l2WritesOutdated']++;
      this.#breaker.succeeded();
    } catch {
      counters.l2WritesFailed += entries.length;
      this.#failed();
    }
  }

  #learn({ position, changes }: Exchange, sentAt: number): void {
    if (changes === 'lost') {
      this.#memory.clear('invalidated');
      this.#log.forget(position);
    } else {
      this.#log.advance(position, changes);
    }
    this.#confirmedAt = Math.max(this.#confirmedAt, sentAt);
    this.#schedulePull();
  }

  #schedulePull(): void {
    const { maxLagMs } = this.#limits;
    if (this.#invocationAt === undefined) this.pullDueAt = this.#confirmedAt + maxLagMs;
    else if (this.#confirmedAt >= this.#invocationAt - maxLagMs) this.pullDueAt = Number.POSITIVE_INFINITY;
    else this.pullDueAt = Number.NEGATIVE_INFINITY;
  }

  #failed(): void {
    const now = Date.now();
    const before = this.#breaker.state(now);
    this.#breaker.failed(now);
    if (before !== 'open' && this.#breaker.state(now) === 'open') this.#statistics.counters.l2BreakerOpened++;
  }

  #limited<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const done = this.#hard.set(() =>
        reject(new CacheError('level-unreachable', `The second level took more than ${this.#limits.hardMs} ms.`)),
      );
      answer.then(resolve, reject).finally(done);
    });
  }
}

function together(one: Labels | undefined, other: Labels): Labels {
  if (!one) return other;
  return {
    keys: [...new Set([...one.keys, ...other.keys])],
    tags: [...new Set([...one.tags, ...other.tags])],
  };
}
