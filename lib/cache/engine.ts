import { decode, encode } from './codec.ts';
import { Deadlines } from './deadlines.ts';
import { Entry } from './entry.ts';
import { CacheError } from './errors.ts';
import type { Invocations } from './invocations.ts';
import { checkKey } from './key.ts';
import { startLoad } from './load.ts';
import type { InvalidationLog } from './log.ts';
import type { Memory } from './memory.ts';
import type { LoadContext, Plan } from './plan.ts';
import type { Found, Remote } from './remote.ts';
import type { Statistics } from './statistics.ts';
import type { Position, StoredEntry } from './store.ts';

/** A way to a value that several may wait for. */
interface Flight {
  entry: Promise<Entry>;
  /** What the log had been told when it set out: see {@link InvalidationLog.generation}. */
  generation: number;
  /** How many wait for it. */
  waiting: number;
  /** Whether it came as far as the loader. */
  isLoading: boolean;
}

/** A failed load, remembered so that not everybody tries again at once. */
interface Failure {
  error: unknown;
  until: number;
}

/** The entries of one definition, and what is under way for them. All by the key within the definition. */
export class Shelf {
  readonly entries = new Map<string, Entry>();
  readonly flights = new Map<string, Flight>();
  readonly failures = new Map<string, Failure>();
}

/** What is asked for: where it belongs, and how to come by it. */
export interface Wanted {
  readonly shelf: Shelf;
  readonly plan: Plan;
  /** The key within the definition. */
  readonly id: string;
  /** The whole key, unchecked. */
  key(): string;
  load(context: LoadContext): unknown;
  tagsOf(value: unknown): readonly string[];
  freshMs(value: unknown): number;
}

/** The place of a promise that is about to be made. */
const none = new Promise<Entry>(() => {});

/** So many failures are remembered for a definition. */
const maxFailures = 1_000;

/** Between two questions to somebody who holds a lease: at first, and at most, in milliseconds. */
const leasePollMs = { first: 10, most: 100 };

/**
 * The way of a value through the levels: memory, second level, loader.
 *
 * 1. When the log was not asked lately, it is asked before anything is served from memory.
 * 2. A value in memory that is valid and fresh is served; one that is stale is served and refreshed.
 * 3. Otherwise one flight sets out for all who want the key: to the second level, then to the loader.
 * 4. A value that was loaded is kept in memory and, behind the caller's back, in the second level, unless
 *    an invalidation has overtaken it.
 */
export class Engine {
  readonly #memory: Memory;
  readonly #log: InvalidationLog;
  readonly #remote: Remote | undefined;
  readonly #invocations: Invocations;
  readonly #statistics: Statistics;
  readonly #compressAbove: number;
  readonly #onWork: () => void;
  #isClosed = false;
  readonly #deadlines = new Map<number, Deadlines>();

  constructor(parts: {
    memory: Memory;
    log: InvalidationLog;
    remote: Remote | undefined;
    invocations: Invocations;
    statistics: Statistics;
    compressAbove: number;
    /** Called now and then, when there is more to do than a hit in memory. */
    onWork: () => void;
  }) {
    this.#memory = parts.memory;
    this.#log = parts.log;
    this.#remote = parts.remote;
    this.#invocations = parts.invocations;
    this.#statistics = parts.statistics;
    this.#compressAbove = parts.compressAbove;
    this.#onWork = parts.onWork;
  }

  /** Ends it: from now on nothing is served or loaded. */
  close(): void {
    this.#isClosed = true;
  }

  /** The entry of a key, from the nearest level that has it. @throws what the loader throws, when there is no other way */
  get(wanted: Wanted): Promise<Entry> {
    if (this.#isClosed) return Promise.reject(new CacheError('closed', 'The cache is closed. Make a new one.'));
    this.#onWork();
    const remote = this.#remote;
    if (remote && wanted.shelf.entries.has(wanted.id) && Date.now() >= remote.pullDueAt) {
      return remote.pull().then(() => this.#getConfirmed(wanted));
    }
    return this.#getConfirmed(wanted);
  }

  #getConfirmed(wanted: Wanted): Promise<Entry> {
    const now = Date.now();
    const { counters } = this.#statistics;
    const entry = this.#inMemory(wanted, now);
    if (entry && (!this.#remote || this.#remote.isTrusted(entry.obtainedAt, now))) {
      this.#memory.hit(entry);
      if (now < entry.freshUntil) {
        counters[entry.isNegative ? 'l1Negative' : 'l1Fresh']++;
        if (now >= entry.refreshAt) this.#refresh(wanted, entry, 'refreshesEarly');
      } else {
        counters.l1Stale++;
        this.#refresh(wanted, entry, 'refreshesStale');
      }
      return Promise.resolve(entry);
    }
    counters.l1Misses++;
    return this.#fly(wanted, entry);
  }

  /** The entry in memory, if it may still be served at all. */
  #inMemory({ shelf, id }: Wanted, now: number): Entry | undefined {
    const entry = shelf.entries.get(id);
    if (!entry) return undefined;
    if (now >= entry.staleUntil) {
      this.#memory.remove(entry, 'expired');
    } else if (!this.#log.isValid(entry.key, entry.tags, entry.position)) {
      this.#memory.remove(entry, 'invalidated');
    } else {
      // What the log knows has been looked at: the next hit need not look again.
      entry.position = Math.max(entry.position, this.#log.cursor ?? 0);
      return entry;
    }
    return undefined;
  }

  /** Joins who is on the way to a key already, or sets out. */
  #fly(wanted: Wanted, fallback: Entry | undefined): Promise<Entry> {
    const { flights, failures } = wanted.shelf;
    const flight = flights.get(wanted.id);
    if (flight) {
      this.#statistics.counters.joined++;
      flight.waiting++;
      if (flight.generation === this.#log.generation) return flight.entry;
      // Something was invalidated since it set out. If it was this, its value is not for who has come after.
      return flight.entry.then((entry) =>
        this.#log.isValid(entry.key, entry.tags, entry.position) ? entry : this.#fly(wanted, undefined),
      );
    }
    const failure = failures.get(wanted.id);
    if (failure && Date.now() < failure.until) {
      this.#statistics.counters.rememberedErrors++;
      if (!fallback) return Promise.reject(failure.error);
      this.#statistics.counters.servedOnError++;
      return Promise.resolve(fallback);
    }
    return this.#setOut(wanted, fallback, undefined).entry;
  }

  /** Refreshes an entry behind the caller's back, unless somebody does already, or it has just failed. */
  #refresh(wanted: Wanted, current: Entry, why: 'refreshesEarly' | 'refreshesStale'): void {
    const { flights, failures } = wanted.shelf;
    if (flights.has(wanted.id) || Date.now() < (failures.get(wanted.id)?.until ?? 0)) return;
    this.#statistics.counters[why]++;
    const { entry } = this.#setOut(wanted, undefined, current);
    this.#invocations.own(entry.catch(() => {}));
  }

  /**
   * @param fallback what to serve when the load fails
   * @param current what is being refreshed: only something newer will do
   */
  #setOut(wanted: Wanted, fallback: Entry | undefined, current: Entry | undefined): Flight {
    const { flights } = wanted.shelf;
    const flight: Flight = {
      entry: none,
      generation: this.#log.generation,
      waiting: current ? 0 : 1,
      isLoading: false,
    };
    flights.set(wanted.id, flight);
    flight.entry = this.#way(wanted, flight, fallback, current);
    const land = () => {
      flights.delete(wanted.id);
      if (flight.isLoading) this.#statistics.counters.waits += flight.waiting;
    };
    flight.entry.then((entry) => {
      land();
      // What the second level had was stale: that it was served is no reason not to refresh it.
      if (!current && Date.now() >= entry.freshUntil) this.#refresh(wanted, entry, 'refreshesStale');
    }, land);
    return flight;
  }

  /** Second level, then loader. */
  #way(wanted: Wanted, flight: Flight, fallback: Entry | undefined, current: Entry | undefined): Promise<Entry> {
    let key: string;
    try {
      key = checkKey(wanted.key());
    } catch (error) {
      return Promise.reject(error);
    }
    this.#statistics.keys.add(key);
    if (this.#remote) return this.#wayThroughRemote(this.#remote, wanted, flight, key, fallback, current);
    return this.#load(wanted, flight, key, this.#log.cursor ?? 0, fallback ?? current, undefined);
  }

  async #wayThroughRemote(
    remote: Remote,
    wanted: Wanted,
    flight: Flight,
    key: string,
    fallback: Entry | undefined,
    current: Entry | undefined,
  ): Promise<Entry> {
    const askedAt = Date.now();
    // What failed to answer is as good as an answer that knows nothing.
    const found = await remote.read(key)?.catch(() => undefined);
    let position = found?.position ?? this.#log.cursor ?? 0;
    const stored = found && this.#accept(wanted, key, found, askedAt);
    if (found) this.#countL2(stored, Date.now());
    if (stored && isNewer(stored, current)) {
      if (!current || Date.now() < stored.freshUntil) return stored;
    }
    let token: string | undefined;
    if (wanted.plan.leaseMs > 0 && found) {
      const lease = await this.#awaitLease(remote, wanted, key, current);
      if (lease instanceof Entry) return lease;
      token = lease?.token;
      position = lease?.position ?? position;
    }
    try {
      return await this.#load(wanted, flight, key, position, current ?? stored, token);
    } catch (error) {
      if (token) this.#invocations.own(remote.release(key, token));
      const last = fallback ?? (await this.#rescue(remote, wanted, key, found !== undefined || current !== undefined));
      if (!last) throw error;
      this.#statistics.counters.servedOnError++;
      return last;
    }
  }

  /** A value from the second level after all, when it was too slow before and the load has failed. */
  async #rescue(remote: Remote, wanted: Wanted, key: string, isHopeless: boolean): Promise<Entry | undefined> {
    if (isHopeless || remote.breaker === 'open') return undefined;
    const askedAt = Date.now();
    const found = await remote.readLate(key).catch(() => undefined);
    return found && this.#accept(wanted, key, found, askedAt);
  }

  /** Waits until this process may load the key, or somebody else has done so; undefined when it has waited for long enough. */
  async #awaitLease(
    remote: Remote,
    wanted: Wanted,
    key: string,
    current: Entry | undefined,
  ): Promise<Entry | { token: string; position: Position } | undefined> {
    const { leaseMs } = wanted.plan;
    const token = `${process.pid}.${Math.random().toString(36).slice(2)}`;
    const until = Date.now() + leaseMs;
    for (let pause = leasePollMs.first; ; pause = Math.min(2 * pause, leasePollMs.most)) {
      const askedAt = Date.now();
      const reply = await remote.lease(key, token, leaseMs).catch(() => undefined);
      if (!reply) return undefined;
      const entry = this.#accept(wanted, key, reply, askedAt);
      const isEnough = entry && isNewer(entry, current) && Date.now() < entry.freshUntil;
      if (isEnough && reply.granted) this.#invocations.own(remote.release(key, token));
      if (isEnough) return entry;
      if (reply.granted) return { token, position: reply.position };
      // A refresh is somebody else's work then; what is waited for is a value.
      if (current) return current;
      if (Date.now() + pause >= until) return undefined;
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }

  /** Calls the loader and keeps what it brings. */
  #load(
    wanted: Wanted,
    flight: Flight,
    key: string,
    position: Position,
    previous: Entry | undefined,
    leaseToken: string | undefined,
  ): Promise<Entry> {
    const { plan, shelf, id } = wanted;
    const { counters, timers } = this.#statistics;
    flight.isLoading = true;
    const startedAt = Date.now();
    const started = performance.now();
    const load = startLoad(wanted, key, previous?.value, this.#deadlinesAfter(plan.loadTimeoutMs));
    const stopWatching = this.#invocations.watch(load);
    return load.value.then(
      (value) => {
        stopWatching();
        const loadMs = performance.now() - started;
        timers.load.record(loadMs);
        counters.loads++;
        if (shelf.failures.size > 0) shelf.failures.delete(id);
        const entry = this.#entryOf(wanted, key, { value, loadMs, startedAt, position });
        this.#keep(shelf, entry);
        if (this.#remote && entry.staleUntil > Date.now()) {
          this.#invocations.own(this.#writeBehind(this.#remote, entry, leaseToken));
        }
        return entry;
      },
      (error) => {
        stopWatching();
        timers.load.record(performance.now() - started);
        counters.loadsFailed++;
        if (error instanceof CacheError && error.code === 'load-timeout') counters.loadsTimedOut++;
        this.#rememberFailure(wanted, error);
        throw error;
      },
    );
  }

  #deadlinesAfter(ms: number): Deadlines {
    let deadlines = this.#deadlines.get(ms);
    if (!deadlines) {
      deadlines = new Deadlines(ms);
      this.#deadlines.set(ms, deadlines);
    }
    return deadlines;
  }

  async #writeBehind(remote: Remote, entry: Entry, leaseToken: string | undefined): Promise<void> {
    let bytes: Uint8Array;
    try {
      bytes = encode(entry, this.#compressAbove);
    } catch {
      // It cannot be shared, but it can be served.
      this.#statistics.counters.l2WritesFailed++;
      return;
    }
    const { key, tags, position } = entry;
    const ttlMs = Math.ceil(entry.staleUntil - Date.now());
    if (ttlMs > 0) await remote.write({ key, tags, position, bytes, ttlMs, leaseToken });
  }

  /** An entry of a value that comes from no loader. @throws CacheError `tag-invalid` */
  make(wanted: Wanted, value: unknown, position: Position): Entry {
    return this.#entryOf(wanted, wanted.key(), { value, loadMs: 0, startedAt: Date.now(), position });
  }

  /** Keeps an entry in memory, unless it is not valid (any more). */
  keep(wanted: Wanted, entry: Entry): void {
    this.#keep(wanted.shelf, entry);
  }

  /** An entry of a value that has just come. */
  #entryOf(
    wanted: Wanted,
    key: string,
    { value, loadMs, startedAt, position }: { value: unknown; loadMs: number; startedAt: number; position: Position },
  ): Entry {
    const { plan, id } = wanted;
    const full = wanted.freshMs(value);
    if (full > 0 && plan.jitter === 0) this.#statistics.counters.unjitteredWrites++;
    const freshUntil = Date.now() + full * (1 - plan.jitter * Math.random());
    return new Entry({
      value,
      id,
      key,
      tags: wanted.tagsOf(value),
      freshUntil,
      staleUntil: full > 0 ? freshUntil + plan.staleMs : freshUntil,
      refreshAt: freshUntil - earlierBy(loadMs, plan.earlyRefresh, full),
      obtainedAt: startedAt,
      loadMs,
      from: 'load',
      position,
    });
  }

  /** An entry of what the second level holds; undefined when it cannot be read, is too old, or was invalidated meanwhile. */
  #accept(wanted: Wanted, key: string, { position, entry }: Found, askedAt: number): Entry | undefined {
    const encoded = entry && decode(entry.bytes);
    if (!encoded || Date.now() >= encoded.staleUntil) return undefined;
    const { value, freshUntil, staleUntil, loadMs } = encoded;
    const { tags } = entry as StoredEntry;
    const accepted = new Entry({
      value,
      id: wanted.id,
      key,
      tags,
      freshUntil,
      staleUntil,
      // Each process draws its own time, so that one of them is the first to refresh.
      refreshAt: freshUntil - earlierBy(loadMs, wanted.plan.earlyRefresh, freshUntil - Date.now()),
      obtainedAt: askedAt,
      loadMs,
      from: 'l2',
      // The store has judged it by all that it knew then.
      position,
    });
    return this.#keep(wanted.shelf, accepted) ? accepted : undefined;
  }

  /** Keeps an entry in memory, unless it is not valid (any more). Says whether it is. */
  #keep(shelf: Shelf, entry: Entry): boolean {
    if (!this.#log.isValid(entry.key, entry.tags, entry.position)) return false;
    const now = Date.now();
    const newer = shelf.entries.get(entry.id);
    const isOvertaken = newer !== undefined && newer.freshUntil > entry.freshUntil && newer.position >= entry.position;
    if (entry.staleUntil > now && !isOvertaken) this.#memory.add(shelf.entries, entry, now);
    return true;
  }

  #countL2(entry: Entry | undefined, now: number): void {
    const { counters } = this.#statistics;
    if (!entry) counters.l2Misses++;
    else if (now >= entry.freshUntil) counters.l2Stale++;
    else counters[entry.isNegative ? 'l2Negative' : 'l2Fresh']++;
  }

  #rememberFailure({ shelf, plan, id }: Wanted, error: unknown): void {
    const { failures } = shelf;
    if (plan.retryAfterMs === 0) return;
    failures.delete(id);
    failures.set(id, { error, until: Date.now() + plan.retryAfterMs });
    if (failures.size > maxFailures) failures.delete(failures.keys().next().value as string);
  }
}

function isNewer(entry: Entry, current: Entry | undefined): boolean {
  return !current || entry.freshUntil > current.freshUntil;
}

/**
 * How long before its time an entry is refreshed: drawn at random, the longer the load the earlier. Of many processes, or
 * of many hits, one is then early, and the others never wait.
 *
 * XFetch: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015,
 * https://www.vldb.org/pvldb/vol8/p886-vattani.pdf. Drawn once for an entry, not at every hit, and never more than
 * half of its time.
 */
function earlierBy(loadMs: number, eagerness: number, freshMs: number): number {
  if (eagerness === 0) return 0;
  return Math.min(-loadMs * eagerness * Math.log(1 - Math.random()), freshMs / 2);
}
