import { Deadlines } from './deadlines.ts';
import { Entry } from './entry.ts';
import { CacheError } from './errors.ts';
import { checkKey } from './key.ts';
import type { Core, Kept, Pull, SharedLevel } from './level.ts';
import { Load, type Loader } from './load.ts';
import { type Place, type Places, placeIn } from './place.ts';
import type { Plan } from './plan.ts';
import type { Position } from './store.ts';

/** A way to a value that several may wait for. */
export interface Flight {
  readonly wanted: Wanted;
  readonly place: Place;
  entry: Promise<Entry>;
  /** What the log had been told when it set out: see {@link InvalidationLog.generation}. */
  readonly generation: number;
  /** When the second level was asked, in milliseconds since 1970. */
  startedAt: number;
  /** How many wait for it. */
  waiting: number;
  /** Whether it came as far as the loader. */
  isLoading: boolean;
  /** What to serve when the load fails. */
  readonly fallback: Entry | undefined;
  /** What is being refreshed: only something newer will do. */
  readonly current: Entry | undefined;
}

/** A failed load, remembered so that not everybody tries again at once. */
interface Failure {
  error: unknown;
  until: number;
}

/** What is known of the keys of one definition, by the key within it. */
export class Shelf {
  readonly places: Places = new Map();
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
  put(wanted: Wanted, entry: Entry): void;
  /** Ends it: from now on nothing is served or loaded. */
  close(): void;
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
    const place = placeOf(wanted);
    if (!shared || !place || Date.now() < shared.pullDueAt) return getConfirmed(wanted, place, 'answered');
    return shared.pull().then((pulled) => getConfirmed(wanted, placeOf(wanted), pulled));
  }

  /** @param pulled `answered` also where there was no need to ask: the log is known up to where the promise wants it */
  function getConfirmed(wanted: Wanted, place: Place | undefined, pulled: Pull): Promise<Entry> {
    if (!place?.entry) return miss(wanted, undefined, pulled);
    const now = Date.now();
    const entry = inMemory(place, place.entry, now);
    if (!entry || !(pulled === 'answered' || isTrusted(entry.obtainedAt, now))) return miss(wanted, entry, pulled);
    memory.hit(place);
    counters.l1[entry.kind(now)]++;
    if (now >= entry.refreshAt) refresh(wanted, entry, now < entry.freshUntil ? 'early' : 'stale');
    return Promise.resolve(entry);
  }

  function miss(wanted: Wanted, fallback: Entry | undefined, pulled: Pull): Promise<Entry> {
    counters.l1.misses++;
    return fly(wanted, fallback, pulled);
  }

  function placeOf({ shelf, id }: Wanted): Place | undefined {
    return shelf.places.get(id);
  }

  function isTrusted(obtainedAt: number, now: number): boolean {
    return !shared || shared.isTrusted(obtainedAt, now);
  }

  /** An entry in memory, if it may still be served at all. */
  function inMemory(place: Place, entry: Entry, now: number): Entry | undefined {
    if (now < entry.staleUntil && isValid(entry)) {
      // What the log knows has been looked at: the next hit need not look again.
      entry.position = Math.max(entry.position, log.cursor);
      return entry;
    }
    memory.remove(place, now < entry.staleUntil ? 'invalidated' : 'expired');
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
  function fly(wanted: Wanted, fallback: Entry | undefined, pulled: Pull, isAgain = false): Promise<Entry> {
    const flight = placeOf(wanted)?.flight;
    if (flight) return join(wanted, flight, fallback, pulled, isAgain);
    const failure = failureOf(wanted);
    if (!failure) return setOut(wanted, isAgain ? 0 : 1, pulled === 'late', fallback);
    counters.loads.rememberedErrors++;
    return serveOnError(failure.error, fallback);
  }

  /** What made a load fail so lately that nobody tries again. */
  function failureOf({ shelf: { failures }, id }: Wanted): Failure | undefined {
    const failure = failures.size > 0 ? failures.get(id) : undefined;
    return failure && Date.now() < failure.until ? failure : undefined;
  }

  /** Waits for who is on the way, and sets out anew where that one cannot bring what is asked for now. */
  function join(
    wanted: Wanted,
    flight: Flight,
    fallback: Entry | undefined,
    pulled: Pull,
    isAgain: boolean,
  ): Promise<Entry> {
    if (!isAgain) {
      counters.loads.joined++;
      flight.waiting++;
    }
    const now = Date.now();
    const isRecent = pulled === 'answered' || isTrusted(flight.startedAt, now);
    if (isRecent && flight.generation === log.generation && !flight.current && !fallback) return flight.entry;
    return flight.entry.then(
      (entry) => {
        const isGood = isValid(entry) && (flight.isLoading || Date.now() < entry.staleUntil);
        if (isGood && (isRecent || isTrusted(entry.obtainedAt, now))) return entry;
        return fly(wanted, fallback, pulled, true);
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
  function refresh(wanted: Wanted, current: Entry, why: 'early' | 'stale'): void {
    if (placeOf(wanted)?.flight || failureOf(wanted)) return;
    counters.refreshes[why]++;
    invocations.own(setOut(wanted, 0, false, undefined, current));
  }

  /**
   * Second level, then loader.
   *
   * @param waiting how many wait for it at first
   * @param isLate whether the second level was too slow a moment ago
   */
  function setOut(
    wanted: Wanted,
    waiting: number,
    isLate: boolean,
    fallback: Entry | undefined,
    current?: Entry,
  ): Promise<Entry> {
    try {
      checkKey(wanted.key);
    } catch (error) {
      return Promise.reject(error);
    }
    const place = placeIn(wanted.shelf.places, wanted.id);
    const { generation } = log;
    const flight = {
      wanted,
      place,
      entry: none,
      generation,
      startedAt: 0,
      waiting,
      isLoading: false,
      fallback,
      current,
    };
    place.flight = flight;
    statistics.keys.add(wanted.key);
    flight.entry = shared ? find(shared, flight, isLate) : load(flight, log.cursor, fallback ?? current);
    return flight.entry;
  }

  async function find(shared: SharedLevel, flight: Flight, isLate: boolean): Promise<Entry> {
    const { wanted, place, fallback, current } = flight;
    flight.startedAt = Date.now();
    let entry: Entry;
    try {
      entry = await shared.find({
        key: wanted.key,
        leaseMs: wanted.plan.leaseMs,
        isLate,
        current,
        previous: fallback ?? current,
        accept: (kept, askedAt) => accept(wanted, place, kept, askedAt),
        load: (position, previous, leaseToken) => load(flight, position, previous, Date.now(), leaseToken),
      });
    } catch (error) {
      return serveOnError(error, fallback);
    } finally {
      land(flight);
    }
    // What the second level had was stale: that it was served is no reason not to refresh it.
    if (!current && !flight.isLoading && Date.now() >= entry.freshUntil) refresh(wanted, entry, 'stale');
    return entry;
  }

  function land({ place, isLoading, waiting }: Flight): void {
    place.flight = undefined;
    place.tidy();
    if (isLoading) counters.waits += waiting;
  }

  /**
   * Calls the loader and keeps what it brings.
   *
   * @param askedAt when that is. Without a second level nobody asks for it, and no load overtakes another
   */
  async function load(
    flight: Flight,
    position: Position,
    previous: Entry | undefined,
    askedAt?: number,
    leaseToken?: string,
  ): Promise<Entry> {
    const { wanted, place } = flight;
    const { key, plan, shelf, id } = wanted;
    const call = new Load(key, previous?.value, deadlinesAfter(plan.loadTimeoutMs));
    flight.isLoading = true;
    invocations.watch(call);
    try {
      const value = await call.call(wanted);
      const loadMs = call.end();
      const now = Date.now();
      const entry = entryOf(wanted, value, now, loadMs, askedAt ?? now, position);
      counters.loads.ok++;
      if (shelf.failures.size > 0) shelf.failures.delete(id);
      keep(place, entry, now, 'obtainedAt');
      if (shared) invocations.own(shared.keep(entry, previous !== undefined, leaseToken));
      return entry;
    } catch (error) {
      failed(wanted, error);
      throw error;
    } finally {
      timers.loads.record(call.end());
      invocations.unwatch(call);
      if (!shared) land(flight);
    }
  }

  /** Counts a load that failed, and remembers it. */
  function failed({ shelf: { failures }, plan, id }: Wanted, error: unknown): void {
    const code = error instanceof CacheError && error.code;
    // That an invocation ended says nothing of the next load.
    if (code === 'invocation-over') return;
    counters.loads.failed++;
    if (code === 'load-timeout') counters.loads.timedOut++;
    failures.set(id, { error, until: Date.now() + plan.retryAfterMs });
    if (failures.size > maxFailures) failures.delete(failures.keys().next().value as string);
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
    const { plan, key, raw } = wanted;
    const freshMs = plan.freshMs(value, raw);
    if (freshMs > 0 && plan.jitter === 0) counters.unjitteredWrites++;
    const freshUntil = now + freshMs * (1 - plan.jitter * Math.random());
    const staleUntil = freshMs > 0 ? freshUntil + plan.staleMs(value) : freshUntil;
    const kept = { value, tags: plan.tagsOf(value, raw), freshUntil, staleUntil, loadMs, position };
    return new Entry(kept, key, freshUntil - earlierBy(loadMs, plan.earlyRefresh, freshUntil - now), obtainedAt);
  }

  /** An entry of what the second level holds. */
  function accept({ plan, key }: Wanted, place: Place, kept: Kept, askedAt: number): Entry | undefined {
    const { freshUntil, loadMs } = kept;
    const now = Date.now();
    if (now >= kept.staleUntil) return undefined;
    // Each process draws its own time, so that one of them is the first to refresh.
    const refreshAt = freshUntil - earlierBy(loadMs, plan.earlyRefresh, freshUntil - now);
    const entry = new Entry(kept, key, refreshAt, askedAt);
    return keep(place, entry, now, 'freshUntil') ? entry : undefined;
  }

  /** @param by what says which of two entries is newer: of two that were loaded, jitter decides how long they are fresh */
  function keep(place: Place, entry: Entry, now: number, by: 'obtainedAt' | 'freshUntil'): boolean {
    if (!isValid(entry)) return false;
    const other = place.entry;
    const isOvertaken = other && other[by] > entry[by] && other.position >= entry.position;
    if (isClosed || isOvertaken) return true;
    if (entry.staleUntil > now) memory.add(place, entry, now);
    // What may not be kept still makes old what was.
    else memory.remove(place, 'expired');
    return true;
  }

  return {
    get,
    make(wanted, value) {
      const now = Date.now();
      return entryOf(wanted, value, now, 0, now, log.cursor);
    },
    put({ shelf, id }, entry) {
      shelf.failures.delete(id);
      const place = placeIn(shelf.places, id);
      keep(place, entry, Date.now(), 'obtainedAt');
      place.tidy();
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
