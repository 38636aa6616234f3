import { Deadlines } from './deadlines.ts';
import { Entry } from './entry.ts';
import { CacheError } from './errors.ts';
import { checkKey } from './key.ts';
import type { Core, Kept, Pull, SharedLevel } from './level.ts';
import { Load, type Loader } from './load.ts';
import type { Plan } from './plan.ts';
import type { Position } from './store.ts';

/** A way to a value that several may wait for. */
interface Flight {
  entry: Promise<Entry>;
  /** What the log had been told when it set out: see {@link InvalidationLog.generation}. */
  generation: number;
  /** When it set out, in milliseconds since 1970. */
  startedAt: number;
  /** How many wait for it. */
  waiting: number;
  /** Whether it came as far as the loader. */
  isLoading: boolean;
  /** Whether it refreshes what is there, and may bring nothing else. */
  isRefresh: boolean;
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
export interface Wanted extends Loader {
  readonly shelf: Shelf;
  readonly plan: Plan;
  /** The key within the definition. */
  readonly id: string;
}

/** The way of a value through the levels. */
export interface Engine {
  /** The entry of a key, from the nearest level that has it. @throws what the loader throws, when there is no other way */
  get(wanted: Wanted): Promise<Entry>;
  /** An entry of a value that comes from no loader. @throws CacheError `tag-invalid` */
  make(wanted: Wanted, value: unknown): Entry;
  /** Keeps an entry that was made in memory, unless it is not valid (any more). */
  put(shelf: Shelf, entry: Entry): void;
  /** Ends it: from now on nothing is served or loaded. */
  close(): void;
}

/** How somebody sets out. */
interface Setting {
  /** What to serve when the load fails. */
  fallback?: Entry | undefined;
  /** What is being refreshed: only something newer will do. */
  current?: Entry | undefined;
  /** Whether the second level was too slow a moment ago. */
  isLate: boolean;
  /** How many wait for it at first. */
  waiting: number;
}

/** So many failures are remembered for a definition. */
const maxFailures = 1_000;

/** The place of a promise that is about to be made. */
const none = new Promise<Entry>(() => {});

/**
 * Memory, second level, loader:
 *
 * 1. When the log was not asked lately, it is asked before anything is served from memory.
 * 2. A value in memory that is valid and fresh is served; one that is stale is served and refreshed.
 * 3. Otherwise one flight sets out for all who want the key: to the second level, then to the loader.
 * 4. A value that was loaded is kept in memory and, behind the caller's back, in the second level, unless
 *    an invalidation has overtaken it.
 *
 * @param onWork called now and then, when there is more to do than a hit in memory
 */
export function createEngine(core: Core, shared: SharedLevel | undefined, onWork: (() => void) | undefined): Engine {
  const { memory, log, statistics, invocations } = core;
  const { counters, timers } = statistics;
  const deadlines = new Map<number, Deadlines>();
  let isClosed = false;

  function get(wanted: Wanted): Promise<Entry> {
    if (isClosed) return Promise.reject(new CacheError('closed', 'The cache is closed. Make a new one.'));
    onWork?.();
    if (!shared) return getConfirmed(wanted, 'answered');
    const { entries, flights } = wanted.shelf;
    const isKnown = entries.has(wanted.id) || flights.has(wanted.id);
    if (!isKnown || Date.now() < shared.pullDueAt) return getConfirmed(wanted, 'answered');
    return shared.pull().then((pulled) => getConfirmed(wanted, pulled));
  }

  /** @param pulled `answered` also where there was no need to ask: the log is known up to where the promise wants it */
  function getConfirmed(wanted: Wanted, pulled: Pull): Promise<Entry> {
    const now = Date.now();
    const entry = inMemory(wanted, now);
    if (!entry || !(pulled === 'answered' || isTrusted(entry.obtainedAt, now))) {
      counters.l1.misses++;
      return fly(wanted, entry, pulled, now);
    }
    memory.hit(entry);
    counters.l1[entry.kind(now)]++;
    if (now >= entry.refreshAt) refresh(wanted, entry, now, now < entry.freshUntil ? 'early' : 'stale');
    return Promise.resolve(entry);
  }

  function isTrusted(obtainedAt: number, now: number): boolean {
    return !shared || shared.isTrusted(obtainedAt, now);
  }

  /** The entry in memory, if it may still be served at all. */
  function inMemory({ shelf, id }: Wanted, now: number): Entry | undefined {
    const entry = shelf.entries.get(id);
    if (!entry) return undefined;
    if (now < entry.staleUntil && isValid(entry)) {
      // What the log knows has been looked at: the next hit need not look again.
      entry.position = Math.max(entry.position, log.cursor);
      return entry;
    }
    memory.remove(entry, now < entry.staleUntil ? 'invalidated' : 'expired');
    return undefined;
  }

  function isValid({ key, tags, position }: Entry): boolean {
    return log.isValid(key, tags, position);
  }

  /**
   * Joins who is on the way to a key already, or sets out.
   *
   * @param isAgain whether this is somebody who has been on the way before, and is counted
   */
  function fly(
    wanted: Wanted,
    fallback: Entry | undefined,
    pulled: Pull,
    now: number,
    isAgain = false,
  ): Promise<Entry> {
    const { flights, failures } = wanted.shelf;
    const flight = flights.get(wanted.id);
    if (flight) return join(wanted, flight, fallback, pulled, now, isAgain);
    const failure = failures.size > 0 ? failures.get(wanted.id) : undefined;
    if (!failure || now >= failure.until) {
      return setOut(wanted, now, { fallback, isLate: pulled === 'late', waiting: isAgain ? 0 : 1 });
    }
    counters.loads.rememberedErrors++;
    return serveOnError(failure.error, fallback);
  }

  /** Waits for who is on the way, and sets out anew where that one cannot bring what is asked for now. */
  function join(
    wanted: Wanted,
    flight: Flight,
    fallback: Entry | undefined,
    pulled: Pull,
    now: number,
    isAgain: boolean,
  ): Promise<Entry> {
    if (!isAgain) {
      counters.loads.joined++;
      flight.waiting++;
    }
    const isRecent = pulled === 'answered' || isTrusted(flight.startedAt, now);
    if (isRecent && flight.generation === log.generation && !flight.isRefresh && !fallback) return flight.entry;
    return flight.entry.then(
      (entry) => {
        const isGood = isValid(entry) && (flight.isLoading || Date.now() < entry.staleUntil);
        if (isGood && (isRecent || isTrusted(entry.obtainedAt, now))) return entry;
        return fly(wanted, fallback, pulled, Date.now(), true);
      },
      (error) => serveOnError(error, fallback),
    );
  }

  /** What is left when a load has failed: an older value, unless it is too old, or known to be invalid. */
  function serveOnError(error: unknown, fallback: Entry | undefined): Promise<Entry> {
    if (!fallback || Date.now() >= fallback.staleUntil || !isValid(fallback)) return Promise.reject(error);
    counters.loads.servedOnError++;
    return Promise.resolve(fallback);
  }

  /** Refreshes an entry behind the caller's back, unless somebody does already, or it has just failed. */
  function refresh(wanted: Wanted, current: Entry, now: number, why: 'early' | 'stale'): void {
    const { flights, failures } = wanted.shelf;
    if (flights.has(wanted.id) || now < (failures.get(wanted.id)?.until ?? 0)) return;
    counters.refreshes[why]++;
    invocations.own(setOut(wanted, now, { current, isLate: false, waiting: 0 }));
  }

  /** Second level, then loader. */
  function setOut(wanted: Wanted, now: number, { fallback, current, isLate, waiting }: Setting): Promise<Entry> {
    const { key, plan, shelf } = wanted;
    try {
      checkKey(key);
    } catch (error) {
      return Promise.reject(error);
    }
    const hash = statistics.keys.add(key);
    const flight: Flight = {
      entry: none,
      generation: log.generation,
      startedAt: now,
      waiting,
      isLoading: false,
      isRefresh: current !== undefined,
    };
    shelf.flights.set(wanted.id, flight);
    const previous = fallback ?? current;
    // Without a second level the load is all of the way, and lands by itself.
    if (!shared) {
      flight.entry = load(wanted, flight, now, log.cursor, previous);
      return flight.entry;
    }
    const found = shared.find({
      key,
      hash,
      leaseMs: plan.leaseMs,
      isLate,
      current,
      previous,
      accept: (kept, askedAt) => accept(wanted, kept, askedAt),
      load: (position, older, leaseToken) => load(wanted, flight, Date.now(), position, older, leaseToken),
    });
    flight.entry = found.then(
      (entry) => {
        land(wanted, flight);
        // What the second level had was stale: that it was served is no reason not to refresh it.
        const landedAt = Date.now();
        if (!current && !flight.isLoading && landedAt >= entry.freshUntil) refresh(wanted, entry, landedAt, 'stale');
        return entry;
      },
      (error) => {
        land(wanted, flight);
        return serveOnError(error, fallback);
      },
    );
    return flight.entry;
  }

  function land({ shelf, id }: Wanted, flight: Flight): void {
    shelf.flights.delete(id);
    if (flight.isLoading) counters.waits += flight.waiting;
  }

  /** Calls the loader and keeps what it brings. */
  function load(
    wanted: Wanted,
    flight: Flight,
    startedAt: number,
    position: Position,
    previous: Entry | undefined,
    leaseToken?: string,
  ): Promise<Entry> {
    const { plan, shelf, id, key } = wanted;
    const started = performance.now();
    const call = new Load(key, previous?.value);
    flight.isLoading = true;
    const stopWatching = invocations.watch(call);
    const end = () => {
      stopWatching();
      if (!shared) land(wanted, flight);
      const loadMs = performance.now() - started;
      timers.loads.record(loadMs);
      return loadMs;
    };
    return call
      .call(wanted, started, () => deadlinesAfter(plan.loadTimeoutMs))
      .then(
        (value) => {
          const loadMs = end();
          const now = Date.now();
          let entry: Entry;
          try {
            entry = entryOf(wanted, value, now, loadMs, startedAt, position);
          } catch (error) {
            return failed(wanted, error);
          }
          counters.loads.ok++;
          if (shelf.failures.size > 0) shelf.failures.delete(id);
          keep(shelf, entry, now, 'obtainedAt');
          if (shared) invocations.own(shared.keep(entry, previous !== undefined, leaseToken));
          return entry;
        },
        (error) => {
          end();
          return failed(wanted, error);
        },
      );
  }

  /** Counts a load that failed, and remembers it. @throws its error */
  function failed({ shelf, plan, id }: Wanted, error: unknown): never {
    const code = error instanceof CacheError && error.code;
    // That an invocation ended says nothing of the next load.
    if (code === 'invocation-over') throw error;
    counters.loads.failed++;
    if (code === 'load-timeout') counters.loads.timedOut++;
    shelf.failures.set(id, { error, until: Date.now() + plan.retryAfterMs });
    if (shelf.failures.size > maxFailures) shelf.failures.delete(shelf.failures.keys().next().value as string);
    throw error;
  }

  function deadlinesAfter(ms: number): Deadlines {
    const known = deadlines.get(ms);
    if (known) return known;
    const made = new Deadlines(ms);
    deadlines.set(ms, made);
    return made;
  }

  /** An entry of a value that has just come. */
  function entryOf(
    wanted: Wanted,
    value: unknown,
    now: number,
    loadMs: number,
    obtainedAt: number,
    position: Position,
  ): Entry {
    const { plan, id, key, raw } = wanted;
    const freshMs = plan.freshMs(value, raw);
    if (freshMs > 0 && plan.jitter === 0) counters.unjitteredWrites++;
    const freshUntil = now + freshMs * (1 - plan.jitter * Math.random());
    const staleUntil = freshMs > 0 ? freshUntil + plan.staleMs(value) : freshUntil;
    const kept = { value, tags: plan.tagsOf(value, raw), freshUntil, staleUntil, loadMs, position };
    return new Entry(kept, id, key, freshUntil - earlierBy(loadMs, plan.earlyRefresh, freshUntil - now), obtainedAt);
  }

  /** An entry of what the second level holds. */
  function accept({ shelf, plan, id, key }: Wanted, kept: Kept, askedAt: number): Entry | undefined {
    const { freshUntil, loadMs } = kept;
    const now = Date.now();
    if (now >= kept.staleUntil) return undefined;
    // Each process draws its own time, so that one of them is the first to refresh.
    const refreshAt = freshUntil - earlierBy(loadMs, plan.earlyRefresh, freshUntil - now);
    const entry = new Entry(kept, id, key, refreshAt, askedAt);
    return keep(shelf, entry, now, 'freshUntil') ? entry : undefined;
  }

  /** @param by what says which of two entries is newer: of two that were loaded, jitter decides how long they are fresh */
  function keep({ entries }: Shelf, entry: Entry, now: number, by: 'obtainedAt' | 'freshUntil'): boolean {
    if (!isValid(entry)) return false;
    const other = entries.get(entry.id);
    const isOvertaken = other && other[by] > entry[by] && other.position >= entry.position;
    if (isClosed || isOvertaken) return true;
    if (entry.staleUntil > now) memory.add(entries, entry, now, other);
    // What may not be kept still makes old what was.
    else if (other) memory.remove(other, 'expired');
    return true;
  }

  return {
    get,
    make(wanted, value) {
      const now = Date.now();
      return entryOf(wanted, value, now, 0, now, log.cursor);
    },
    put(shelf, entry) {
      shelf.failures.delete(entry.id);
      keep(shelf, entry, Date.now(), 'obtainedAt');
    },
    close() {
      isClosed = true;
    },
  };
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
  return eagerness && Math.min(-loadMs * eagerness * Math.log(1 - Math.random()), Math.max(0, freshMs / 2));
}
