import type { CacheOptions } from '../cache.ts';
import { Deadline, Deadlines } from '../deadlines.ts';
import { DistinctKeys } from '../distinct.ts';
import { milliseconds } from '../duration.ts';
import type { Entry } from '../entry.ts';
import { CacheError } from '../errors.ts';
import type { FleetStatistics, Kept, Lent, Pull, Search, SharedLevel } from '../level.ts';
import { wholeNumber } from '../options.ts';
import { summarize } from '../statistics.ts';
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
} from '../store.ts';
import { type Batch, Batcher } from './batch.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import { decode, encode } from './codec.ts';
import { statisticsOf } from './counts.ts';
import { SharedLog } from './log.ts';
import { DeltaReporter } from './reporter.ts';

/** What the second level is told of the options of its cache. */
export type SharedOptions = Pick<
  CacheOptions,
  'maxLag' | 'softLimit' | 'hardLimit' | 'breaker' | 'compressAbove' | 'flushEvery'
>;

/** A store that a cache can be given as its second level. */
export interface ShareableStore extends Store {
  /** Called once by the cache. */
  open(core: Lent, options: SharedOptions): SharedLevel;
}

/**
 * Makes a second level of a store: the way to use an adapter of your own.
 *
 * @example createCache({ l2: shareable(myStore) })
 */
export function shareable<Adapter extends Store>(store: Adapter): Adapter & ShareableStore {
  return Object.assign(store, { open: (core: Lent, options: SharedOptions) => new Level(store, core, options) });
}

/** What a read found: the entry, and how far the log reached when it was looked for. */
interface Found {
  position: Position;
  entry: StoredEntry | undefined;
}

/** So many keys go in one command: enough to make round trips cheap, few enough not to hold a server up. */
const maxBatch = 200;

/** Between two questions to somebody who holds a lease: at first, and at most, in milliseconds. */
const leasePollMs = { first: 10, most: 100 };

/** What is to be kept for longer is kept for ten years. */
const maxTtlMs = 315_360_000_000;

/** Counters are kept by the hour. */
const spanMs = 3_600_000;

/** For a day, and the hour that is under way. */
const keepCountsMs = 25 * spanMs;

/** How long an answer is waited for. */
class Limit extends Deadline {
  readonly expire: () => void;

  constructor(expire: () => void) {
    super();
    this.expire = expire;
  }
}

/** The second level as one process sees it: in batches, within limits, and no further behind than `maxLag`. */
class Level implements SharedLevel {
  readonly log = new SharedLog();
  readonly #store: Store;
  readonly #core: Lent;
  readonly #breaker: Breaker;
  readonly #maxLagMs: number;
  readonly #compressAbove: number;
  readonly #soft: Deadlines;
  readonly #hard: Deadlines;
  readonly #reads: Batcher<string, ReadReply>;
  readonly #writes: Batcher<NewEntry, void>;
  readonly #reporter: DeltaReporter | undefined;
  /** What was invalidated here, and could not be told yet. */
  #untold: Labels | undefined;
  /** When the invocation under way began; undefined outside of one. */
  #invocationAt: number | undefined;
  /** When the conversation began that last brought the log up to date. */
  #confirmedAt = Number.NEGATIVE_INFINITY;
  /** The keys that were looked for in the hour under way, and when it began. */
  #keys = new DistinctKeys();
  #toldRanks = new DistinctKeys().ranks;
  #span = spanOf(Date.now());
  pullDueAt = Number.NEGATIVE_INFINITY;

  constructor(store: Store, core: Lent, options: SharedOptions) {
    const { breaker = {}, compressAbove = 2_048, flushEvery = '10s' } = options;
    this.#store = store;
    this.#core = core;
    this.#breaker = new Breaker({
      failures: wholeNumber(breaker.failures ?? 3, 1, 'breaker.failures'),
      cooldownMs: milliseconds(breaker.cooldown ?? '1s', 'breaker.cooldown'),
    });
    this.#maxLagMs = milliseconds(options.maxLag ?? '1s', 'maxLag');
    this.#soft = new Deadlines(milliseconds(options.softLimit ?? '50ms', 'softLimit'));
    this.#hard = new Deadlines(milliseconds(options.hardLimit ?? '250ms', 'hardLimit'));
    this.#compressAbove =
      compressAbove === false ? Number.POSITIVE_INFINITY : wholeNumber(compressAbove, 0, 'compressAbove');
    this.#reads = new Batcher((keys) => this.#send(keys), maxBatch);
    this.#writes = new Batcher((entries) => this.#write(entries), maxBatch);
    if (flushEvery !== false) {
      const everyMs = milliseconds(flushEvery, 'flushEvery');
      this.#reporter = new DeltaReporter(core.statistics, everyMs, (news) => this.#report(news));
    }
  }

  get breaker(): BreakerState {
    return this.#breaker.state(Date.now());
  }

  invocation(startedAt: number | undefined): void {
    this.#invocationAt = startedAt;
    this.#schedulePull();
  }

  isTrusted(obtainedAt: number, now: number): boolean {
    return now < this.pullDueAt || obtainedAt >= (this.#invocationAt ?? now) - this.#maxLagMs;
  }

  async pull(): Promise<Pull> {
    try {
      const batch = this.#joinReads();
      return (await batch?.reply) ? 'answered' : 'failed';
    } catch (error) {
      return error instanceof CacheError && error.code === 'level-late' ? 'late' : 'failed';
    }
  }

  async find(search: Search): Promise<Entry> {
    const { key, current, previous, isLate } = search;
    this.#keys.add(key);
    const askedAt = Date.now();
    // What failed to answer is as good as an answer that knows nothing.
    const found = isLate ? undefined : await this.#read(key)?.catch(() => undefined);
    const stored = found && this.#accept(search, found, askedAt);
    if (found) this.#count(stored);
    if (stored && isNewer(stored, current) && (!current || Date.now() < stored.freshUntil)) return stored;
    const lease = found && search.leaseMs > 0 ? await this.#awaitLease(search) : undefined;
    if (lease && 'entry' in lease) return lease.entry;
    const position = lease?.position ?? found?.position ?? this.log.cursor;
    try {
      return await search.load(position, stored ?? previous, lease?.token);
    } catch (error) {
      if (lease) this.#release(key, lease.token);
      // What came too late before may still be better than an error.
      const late = found || previous ? stored : await this.#rescue(search);
      if (!late) throw error;
      this.#core.statistics.counters.loads.servedOnError++;
      return late;
    }
  }

  async keep(entry: Entry, isReplacement: boolean, leaseToken?: string): Promise<void> {
    const written = this.#encode(entry, isReplacement ? 1 : 0);
    if (written) {
      const batch = this.#writes.join();
      batch.items.push({ ...written, position: entry.position, leaseToken });
      await batch.reply;
    } else if (leaseToken) {
      this.#release(entry.key, leaseToken);
    }
  }

  async invalidate(labels: Labels, replacement?: Entry): Promise<void> {
    const { log } = this;
    // What cannot be written must not be an invalidation either.
    const written = replacement && this.#encode(replacement, 0, true);
    const all = together(this.#untold, labels);
    try {
      const { position } = await this.#limited(() => this.#tell(all, written));
      if (replacement) replacement.position = position;
    } catch (cause) {
      log.block(labels);
      this.#untold = together(this.#untold, labels);
      throw new CacheError(
        'level-unreachable',
        `The second level (${this.#store.name}) could not be told of an invalidation. It holds in this process, and is told to the others with the next command that gets through.`,
        { cause },
      );
    }
  }

  get dueAt(): number {
    return this.#reporter?.dueAt ?? Number.POSITIVE_INFINITY;
  }

  async flush(): Promise<void> {
    await this.#reporter?.flush();
  }

  async fleetStats(since: number): Promise<FleetStatistics> {
    await this.flush();
    const [counts, size] = await Promise.all([this.#store.counts(spanOf(since)), this.#store.size()]);
    const summary = summarize(statisticsOf(counts));
    return { ...summary, l2: { ...summary.l2, ...size } };
  }

  async #report({ sums }: Counts): Promise<void> {
    if (this.breaker === 'open') throw unreachable('The breaker is open.');
    const ranks = this.#keys.ranks.slice();
    const grown = [...ranks.entries()].filter(([register, rank]) => rank > (this.#toldRanks[register] as number));
    const maxima = Object.fromEntries(grown.map(([register, rank]) => [`keys.${register}`, rank]));
    await this.#limited(() => this.#told().then(() => this.#store.count(this.#span, { sums, maxima }, keepCountsMs)));
    this.#toldRanks = ranks;
    const span = spanOf(Date.now());
    if (span === this.#span) return;
    // What was counted until now belongs to the hour that is over, give or take the time between two reports.
    this.#span = span;
    this.#keys = new DistinctKeys();
    this.#toldRanks = this.#keys.ranks.slice();
  }

  /** A value from the second level after all, when it was too slow before and the load has failed. */
  async #rescue(search: Search): Promise<Entry | undefined> {
    const askedAt = Date.now();
    const reply = await this.#limited(() => this.#converse([search.key], askedAt)).catch(() => undefined);
    return reply && this.#accept(search, { position: reply.position, entry: reply.entries[0] }, askedAt);
  }

  /** Waits until this process may load the key, or somebody else has done so; undefined when it has waited for long enough. */
  async #awaitLease(search: Search): Promise<{ entry: Entry } | { token: string; position: Position } | undefined> {
    const { key, leaseMs, current } = search;
    const token = `${process.pid}.${Math.random()}`;
    const until = Date.now() + leaseMs;
    for (let pause = leasePollMs.first; ; pause = Math.min(2 * pause, leasePollMs.most)) {
      const askedAt = Date.now();
      const reply: LeaseReply | undefined = await this.#limited(() => this.#store.lease(key, token, leaseMs)).catch(
        () => undefined,
      );
      if (!reply) return undefined;
      const entry = this.#accept(search, reply, askedAt);
      if (entry && isNewer(entry, current) && Date.now() < entry.freshUntil) {
        if (reply.granted) this.#release(key, token);
        return { entry };
      }
      if (reply.granted) return { token, position: reply.position };
      // A refresh is somebody else's work then; what is waited for is a value.
      if (current) return { entry: current };
      if (Date.now() + pause >= until) return undefined;
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }

  /** Gives a lease back, behind the caller's back: it also ends by itself. */
  #release(key: string, token: string): void {
    this.#core.invocations.own(this.#limited(() => this.#store.release(key, token)));
  }

  #accept(search: Search, { position, entry }: Found, askedAt: number): Entry | undefined {
    const kept = entry && decode(entry.bytes);
    // The store has judged it by all that it knew then.
    return kept && search.accept({ ...kept, tags: entry.tags, position } satisfies Kept, askedAt);
  }

  #count(entry: Entry | undefined): void {
    const { counters } = this.#core.statistics;
    counters.l2[entry ? entry.kind(Date.now()) : 'misses']++;
  }

  /**
   * What is to be written; undefined when there is no point in it, or no way.
   *
   * @param leastMs for how long it is kept at least; 0: what may not be kept is not written
   */
  #encode(entry: Entry, leastMs: number, isAsked = false): Omit<NewEntry, 'position'> | undefined {
    const { key, tags, staleUntil } = entry;
    const ttlMs = Math.min(Math.max(Math.ceil(staleUntil - Date.now()), leastMs), maxTtlMs);
    if (ttlMs <= 0) return undefined;
    try {
      return { key, tags, ttlMs, bytes: encode(entry, this.#compressAbove) };
    } catch (error) {
      if (isAsked) throw error;
      // It cannot be shared, but it can be served.
      this.#core.statistics.counters.l2.writesFailed++;
      return undefined;
    }
  }

  /** Asks for a key, within the soft limit. Undefined when the second level is not asked anything at the moment. */
  #read(key: string): Promise<Found> | undefined {
    const batch = this.#joinReads();
    if (!batch) {
      this.#core.statistics.counters.l2.notAsked++;
      return undefined;
    }
    const at = batch.items.push(key) - 1;
    return batch.reply.then(({ position, entries }) => ({ position, entry: entries[at] }));
  }

  #joinReads(): Batch<string, ReadReply> | undefined {
    // A batch that is open was admitted; so is whoever joins it.
    return this.#reads.open || this.#breaker.admits(Date.now()) ? this.#reads.join() : undefined;
  }

  /** Sends a batch, and gives up after the soft limit. */
  #send(keys: string[]): Promise<ReadReply> {
    const { counters, timers } = this.#core.statistics;
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const limit = new Limit(() => {
        counters.l2.timeOuts++;
        this.#failed();
        reject(new CacheError('level-late', `The second level took more than ${this.#soft.ms} ms.`));
      });
      this.#soft.set(limit, started);
      this.#converse(keys, Date.now()).then(
        (reply) => {
          timers.l2.record(performance.now() - started);
          // An answer that comes too late is no sign of health.
          if (this.#soft.meet(limit)) this.#breaker.succeeded();
          resolve(reply);
        },
        (cause) => {
          if (!this.#soft.meet(limit)) return;
          counters.l2.errors++;
          this.#failed();
          reject(unreachable('The second level could not be read.', cause));
        },
      );
    });
  }

  async #converse(keys: string[], sentAt: number): Promise<ReadReply> {
    await this.#told();
    const reply = await this.#store.read(keys, this.log.cursor || undefined);
    this.#learn(reply, sentAt);
    return reply;
  }

  /** Tells what could not be told when it happened, before anything else is said. */
  async #told(): Promise<void> {
    if (this.#untold) await this.#tell(this.#untold);
  }

  /** Tells of an invalidation, and with it of those that could not be told when they happened. */
  async #tell(labels: Labels, replacement?: Omit<NewEntry, 'position'>): Promise<Exchange> {
    const { log } = this;
    const untold = this.#untold;
    const sentAt = Date.now();
    const exchange = await this.#store.invalidate(labels, log.cursor || undefined, replacement);
    this.#learn(exchange, sentAt);
    // What was added meanwhile stays blocked, and is told the next time.
    if (untold && this.#untold === untold) {
      this.#untold = undefined;
      log.unblock(untold, exchange.position);
    }
    return exchange;
  }

  /** Writes tell the breaker nothing: they may fail where reads do not, and get through where reads are too slow. */
  async #write(entries: NewEntry[]): Promise<void> {
    const { counters } = this.#core.statistics;
    try {
      if (this.breaker !== 'closed') throw unreachable('The breaker is open.');
      const kept = await this.#limited(() => this.#told().then(() => this.#store.write(entries)));
      for (const isKept of kept) counters.l2[isKept ? 'writes' : 'writesOutdated']++;
    } catch {
      counters.l2.writesFailed += entries.length;
    }
  }

  #learn({ position, changes }: Exchange, sentAt: number): void {
    const { log } = this;
    const { memory } = this.#core;
    if (changes === 'lost') {
      // Two questions may both be the first: what the one has brought is no older than what the other knows.
      if (position > log.cursor) memory.clear('invalidated');
      log.forget(position);
    } else {
      log.learn(position, changes);
    }
    this.#confirmedAt = Math.max(this.#confirmedAt, sentAt);
    this.#schedulePull();
  }

  #schedulePull(): void {
    const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;
    const isEnough = this.#invocationAt !== undefined && this.#confirmedAt >= this.#invocationAt - this.#maxLagMs;
    if (this.#invocationAt === undefined) this.pullDueAt = this.#confirmedAt + this.#maxLagMs;
    else this.pullDueAt = isEnough ? POSITIVE_INFINITY : NEGATIVE_INFINITY;
  }

  #failed(): void {
    const now = Date.now();
    const before = this.#breaker.state(now);
    this.#breaker.failed(now);
    if (before !== 'open' && this.#breaker.state(now) === 'open') {
      this.#core.statistics.counters.l2.breakerOpened++;
    }
  }

  #limited<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const limit = new Limit(() => reject(unreachable(`The second level took more than ${this.#hard.ms} ms.`)));
      this.#hard.set(limit);
      // What the store throws at once is an answer, too.
      Promise.resolve()
        .then(ask)
        .then(resolve, reject)
        .finally(() => this.#hard.meet(limit));
    });
  }
}

function isNewer(entry: Entry, current: Entry | undefined): boolean {
  return !current || entry.freshUntil > current.freshUntil;
}

/** When the hour began in which a time lies. In milliseconds since 1970. */
function spanOf(time: number): number {
  return time - (time % spanMs);
}

function unreachable(message: string, cause?: unknown): CacheError {
  return new CacheError('level-unreachable', message, { cause });
}

function together(one: Labels | undefined, other: Labels): Labels {
  if (!one) return other;
  return {
    keys: [...new Set([...one.keys, ...other.keys])],
    tags: [...new Set([...one.tags, ...other.tags])],
  };
}
