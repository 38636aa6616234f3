import { Breaker } from './breaker.ts';
import type { Cdn } from './cdn.ts';
import { encode } from './codec.ts';
import { Definition, type DefinitionOptions, type Surroundings, wantedAdHoc } from './definition.ts';
import { type Duration, milliseconds } from './duration.ts';
import type { EmfOptions } from './emf.ts';
import { Engine, Shelf, type Wanted } from './engine.ts';
import { CacheError } from './errors.ts';
import { type EvictionPolicyName, evictionPolicies } from './eviction.ts';
import { cdnTag } from './http.ts';
import { type InvocationContext, Invocations, type Scope } from './invocations.ts';
import { checkKey, checkTags } from './key.ts';
import { InvalidationLog } from './log.ts';
import { type EvictionCause, Memory } from './memory.ts';
import { checkOptions, wholeNumber } from './options.ts';
import { type LoadContext, type Plan, type Policy, planOf, policyOptions } from './plan.ts';
import { Remote } from './remote.ts';
import { Reporter, spanOf } from './reporter.ts';
import { type CacheStatistics, type ProcessStatistics, Statistics, summarize } from './statistics.ts';
import type { Labels, Store, StoreSize } from './store.ts';

/** What a cache is made of, and how patient it is. */
export interface CacheOptions {
  /** The memory of this process. */
  l1?:
    | {
        /** Default: 1,000. 0: nothing is kept in memory. */
        maxEntries?: number | undefined;
        /** Of estimated size. Default: no bound but that on entries. */
        maxBytes?: number | undefined;
        /** `lru` (default), or `sieve`, which hits more often unless keys come in long scans. */
        policy?: EvictionPolicyName | undefined;
      }
    | undefined;
  /** What all processes share: `redisStore(client)` or `postgresStore(pool)`. */
  l2?: Store | undefined;
  /** The HTTP cache in front: `cloudFront({ distributionId })`. */
  l3?: Cdn | undefined;
  /** How long after it was made an invalidation may go unnoticed elsewhere. Default: one second. 0: every invocation asks. */
  maxLag?: Duration | undefined;
  /** How long a read of the second level may take before the loader is called. Default: 50 ms. */
  softLimit?: Duration | undefined;
  /** How long anything else may take there. Default: 250 ms. */
  hardLimit?: Duration | undefined;
  /** When the second level is left alone for a while. Default: after 3 failures in a row, for a second at first. */
  breaker?: { failures?: number | undefined; cooldown?: Duration | undefined } | undefined;
  /** Values of more bytes are compressed in the second level. Default: 2,048. false: none. */
  compressAbove?: number | false | undefined;
  statistics?:
    | {
        /** How often counters are added to those of the other processes, in the second level. Default: every 10 seconds. false: never. */
        flushEvery?: Duration | false | undefined;
        /** Also writes them to the log, for CloudWatch to make metrics of. Default: no. */
        emf?: EmfOptions | undefined;
      }
    | undefined;
}

/** The statistics of all processes that share a second level. */
export interface FleetStatistics extends CacheStatistics {
  l2: CacheStatistics['l2'] & StoreSize;
}

const evictionCounters = {
  capacity: 'l1EvictedCapacity',
  bytes: 'l1EvictedBytes',
  expired: 'l1EvictedExpired',
  invalidated: 'l1EvictedInvalidated',
} as const satisfies Record<Exclude<EvictionCause, 'replaced'>, string>;

/**
 * Makes a cache of up to three levels.
 *
 * @example
 * const cache = createCache({ l2: redisStore(client) });
 * const products = cache.define('product', { load: (id: string) => db.product(id), fresh: '1m', stale: '1d' });
 *
 * @throws CacheError `option-invalid`, naming the option
 */
export function createCache(options: CacheOptions = {}): Cache {
  return new Cache(options);
}

/** A cache of up to three levels. Made by {@link createCache}. */
export class Cache {
  readonly #statistics = new Statistics();
  readonly #memory: Memory;
  readonly #log: InvalidationLog;
  readonly #remote: Remote | undefined;
  readonly #store: Store | undefined;
  readonly #cdn: Cdn | undefined;
  readonly #engine: Engine;
  readonly #invocations: Invocations;
  readonly #around: Surroundings;
  readonly #definitions = new Map<string, Shelf>();
  readonly #adHoc = new Shelf();
  readonly #adHocPlans = new WeakMap<object, Plan<string, unknown>>();
  readonly #reporter: Reporter;
  readonly #maxEntries: number;
  readonly #compressAbove: number;

  constructor(options: CacheOptions) {
    const { l1 = {}, l2, l3, breaker = {}, statistics = {} } = options;
    checkOptions(
      options,
      ['l1', 'l2', 'l3', 'maxLag', 'softLimit', 'hardLimit', 'breaker', 'compressAbove', 'statistics'],
      'A cache',
    );
    checkOptions(l1, ['maxEntries', 'maxBytes', 'policy'], 'l1');
    checkOptions(breaker, ['failures', 'cooldown'], 'breaker');
    checkOptions(statistics, ['flushEvery', 'emf'], 'statistics');
    checkOptions(statistics.emf ?? {}, ['namespace', 'dimensions'], 'statistics.emf');
    const { policy = 'lru' } = l1;
    if (!evictionPolicies.includes(policy)) {
      throw new CacheError(
        'option-invalid',
        `l1.policy: there is no "${policy}". There are: ${evictionPolicies.join(', ')}.`,
      );
    }
    const { flushEvery = '10s' } = statistics;
    this.#maxEntries = wholeNumber(l1.maxEntries ?? 1_000, 0, 'l1.maxEntries');
    this.#compressAbove =
      options.compressAbove === false
        ? Number.POSITIVE_INFINITY
        : wholeNumber(options.compressAbove ?? 2_048, 0, 'compressAbove');
    const { counters } = this.#statistics;
    this.#memory = new Memory(
      {
        maxEntries: this.#maxEntries,
        maxBytes: l1.maxBytes === undefined ? Number.POSITIVE_INFINITY : wholeNumber(l1.maxBytes, 1, 'l1.maxBytes'),
        policy,
      },
      (cause) => {
        if (cause !== 'replaced') counters[evictionCounters[cause]]++;
      },
    );
    this.#log = new InvalidationLog(l2 === undefined);
    this.#store = l2;
    this.#cdn = l3;
    this.#remote =
      l2 &&
      new Remote(
        l2,
        new Breaker({
          failures: wholeNumber(breaker.failures ?? 3, 1, 'breaker.failures'),
          cooldownMs: milliseconds(breaker.cooldown ?? '1s', 'breaker.cooldown'),
        }),
        {
          softMs: milliseconds(options.softLimit ?? '50ms', 'softLimit'),
          hardMs: milliseconds(options.hardLimit ?? '250ms', 'hardLimit'),
          maxLagMs: milliseconds(options.maxLag ?? '1s', 'maxLag'),
        },
        this.#log,
        this.#memory,
        this.#statistics,
      );
    this.#invocations = new Invocations(
      (startedAt) => this.#remote?.invocation(startedAt),
      (loads) => {
        counters.refreshesDropped += loads;
      },
    );
    this.#reporter = new Reporter(this.#statistics, this.#remote, {
      everyMs: flushEvery === false ? Number.POSITIVE_INFINITY : milliseconds(flushEvery, 'statistics.flushEvery'),
      emf: statistics.emf,
    });
    this.#engine = new Engine({
      memory: this.#memory,
      log: this.#log,
      remote: this.#remote,
      invocations: this.#invocations,
      statistics: this.#statistics,
      compressAbove: this.#compressAbove,
      onWork: () => {
        // Within an invocation its end is the time for it.
        if (!this.#invocations.isOpen && this.#reporter.isDue(Date.now()))
          this.#invocations.own(this.#reporter.flush());
      },
    });
    this.#around = {
      engine: this.#engine,
      memory: this.#memory,
      log: this.#log,
      statistics: this.#statistics,
      gate: this.#remote ?? { pullDueAt: Number.POSITIVE_INFINITY },
      replace: (key, wanted, value) => this.#replace(key, wanted, value),
    };
  }

  /**
   * Defines values of a kind: how they are loaded, and how long they are kept.
   *
   * @param name what their keys begin with, as in `product:42`; each name is defined once
   * @throws CacheError `option-invalid`
   */
  define<Id, Value>(name: string, options: DefinitionOptions<Id, Value>): Definition<Id, Value> {
    if (!/^[^:]+$/.test(name)) {
      throw new CacheError('option-invalid', `"${name}" cannot be the name of a definition: it must be without ":".`);
    }
    if (this.#definitions.has(name)) {
      throw new CacheError('option-invalid', `"${name}" is defined already. Define it once, and use it everywhere.`);
    }
    const shelf = new Shelf();
    const definition = new Definition(name, options, shelf, this.#around);
    this.#definitions.set(name, shelf);
    return definition;
  }

  /**
   * The value of a key, loaded where it is not cached. For a key that is asked for in one place only; elsewhere
   * {@link define} is both shorter and faster.
   *
   * @throws what the loader throws, when no older value may be served; CacheError
   */
  async getOrSet<Value>(
    key: string,
    load: (context: LoadContext<Value>) => Value | Promise<Value>,
    policy: Policy<string, Value> = {},
  ): Promise<Value> {
    if (this.#definitions.has(nameIn(key))) {
      throw new CacheError(
        'key-invalid',
        `"${key}" belongs to the definition "${nameIn(key)}". Ask that one, or use a key that begins otherwise.`,
      );
    }
    let plan = this.#adHocPlans.get(policy) as Plan<string, Value> | undefined;
    if (!plan) {
      checkOptions(policy, policyOptions, `The policy of "${key}"`);
      plan = planOf(key, policy);
      this.#adHocPlans.set(policy, plan as Plan<string, unknown>);
    }
    const options = { load: (_: string, context: LoadContext<Value>) => load(context) };
    const entry = await this.#engine.get(wantedAdHoc(key, options, plan, this.#adHoc));
    return entry.value as Value;
  }

  /**
   * Invalidates keys and tags, at every level and for everybody. When it resolves, no get in this process returns what was
   * invalidated, and none in an invocation that begins `maxLag` later does in another.
   *
   * @throws CacheError `level-unreachable` when a level was not reached: the others have been told all the same, and the
   *   second level is told with the next command that gets through
   */
  async invalidate({ keys = [], tags = [], ...others }: Partial<Labels>): Promise<void> {
    checkOptions(others, ['keys', 'tags'], 'An invalidation');
    for (const key of keys) checkKey(key);
    for (const tag of tags) checkTags([tag]);
    if (keys.length + tags.length > 0) await this.#invalidate({ keys, tags });
  }

  /**
   * Begins an invocation. At its end the refreshes and writes that it started are waited for, as long as it has time.
   * With middy, use `cacheScope` instead.
   *
   * @example await using scope = cache.scope(context);
   */
  scope(context?: InvocationContext): Scope {
    return this.#invocations.begin(context, async () => {
      if (this.#reporter.isDue(Date.now())) await this.#reporter.flush();
    });
  }

  /** The response header in which the third level looks for tags; undefined without one. */
  get tagHeader(): string | undefined {
    return this.#cdn?.tagHeader;
  }

  /** The statistics of this process since it started. */
  stats(): ProcessStatistics {
    const { l1, l2, ...others } = summarize(this.#statistics.total());
    const { size, bytes, isWeighed } = this.#memory;
    return {
      ...others,
      l1: { ...l1, entries: size, maxEntries: this.#maxEntries, bytes: isWeighed ? bytes : null },
      l2: { ...l2, breaker: this.#remote?.breaker ?? null },
    };
  }

  /**
   * The statistics of all processes that share the second level, from their counters by the hour.
   *
   * @param since milliseconds since 1970; the hour that it lies in counts as a whole. At most a day is kept.
   * @throws CacheError `option-invalid` when there is no second level; what the second level throws
   */
  async fleetStats(since: number): Promise<FleetStatistics> {
    const store = this.#store;
    if (!store)
      throw new CacheError('option-invalid', 'Without a second level there is no fleet. Give the cache an `l2`.');
    await this.#reporter.flush();
    const [counts, size] = await Promise.all([store.counts(spanOf(since)), store.size()]);
    const { l2, ...others } = summarize(counts);
    return { ...others, l2: { ...l2, ...size } };
  }

  /** Ends all work under way, adds the counters to the others', and forgets what is in memory. Clients stay open: they are the caller's. */
  async close(): Promise<void> {
    this.#engine.close();
    await this.#invocations.settle();
    await this.#reporter.flush();
    this.#memory.clear('replaced');
  }

  /** Second level, then memory, then CDN: what is asked further out must not be answered from further in with what is old. */
  async #invalidate(labels: Labels, replacement?: { wanted: Wanted; value: unknown }): Promise<void> {
    this.#statistics.counters.invalidations++;
    const failures: unknown[] = [];
    if (this.#remote) {
      await this.#invalidateRemote(this.#remote, labels, replacement).catch((error) => failures.push(error));
    } else {
      this.#log.append(labels);
      if (replacement) {
        const { wanted, value } = replacement;
        this.#engine.keep(wanted, this.#engine.make(wanted, value, this.#log.cursor ?? 0));
      }
    }
    if (!replacement) for (const key of labels.keys) this.#forget(key);
    if (this.#cdn) await this.#purge(this.#cdn, labels).catch((error) => failures.push(error));
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) {
      const message = failures.map((failure) => (failure as Error).message).join(' ');
      throw new CacheError('level-unreachable', message, { cause: new AggregateError(failures) });
    }
  }

  async #invalidateRemote(
    remote: Remote,
    labels: Labels,
    replacement: { wanted: Wanted; value: unknown } | undefined,
  ): Promise<void> {
    if (!replacement) {
      await remote.invalidate(labels);
      return;
    }
    const entry = this.#engine.make(replacement.wanted, replacement.value, 0);
    const { key, tags } = entry;
    const ttlMs = Math.ceil(entry.staleUntil - Date.now());
    const bytes = encode(entry, this.#compressAbove);
    entry.position = await remote.invalidate(labels, ttlMs > 0 ? { key, tags, bytes, ttlMs } : undefined);
    this.#engine.keep(replacement.wanted, entry);
  }

  async #replace(key: string, wanted: Wanted | undefined, value: unknown): Promise<void> {
    await this.#invalidate({ keys: [checkKey(key)], tags: [] }, wanted && { wanted, value });
  }

  async #purge(cdn: Cdn, { keys, tags }: Labels): Promise<void> {
    const { counters } = this.#statistics;
    try {
      await cdn.purge([...keys, ...tags].map(cdnTag));
      counters.l3Purges++;
    } catch (error) {
      counters.l3PurgesFailed++;
      throw error;
    }
  }

  /** Lets an entry go at once, whose key the log has: it would go at the next look. */
  #forget(key: string): void {
    for (const [shelf, id] of [
      [this.#adHoc, key],
      [this.#definitions.get(nameIn(key)), key.slice(nameIn(key).length + 1)],
    ] as const) {
      const entry = shelf?.entries.get(id);
      if (entry) this.#memory.remove(entry, 'invalidated');
    }
  }
}

function nameIn(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf(':')));
}
