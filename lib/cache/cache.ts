import type { Cdn } from './cdn.ts';
import { Definition, type DefinitionOptions, type Surroundings } from './definition.ts';
import { type Duration, milliseconds } from './duration.ts';
import { createEngine, type Engine, Shelf, type Wanted } from './engine.ts';
import { CacheError } from './errors.ts';
import { type EvictionPolicyName, evictionPolicies } from './eviction.ts';
import { type InvocationContext, Invocations, type Scope } from './invocations.ts';
import { checkKey, checkTags } from './key.ts';
import type { FleetStatistics, Reporter, SharedLevel } from './level.ts';
import { InvalidationLog } from './log.ts';
import { Memory } from './memory.ts';
import { checkOptions, wholeNumber } from './options.ts';
import { type LoadContext, type Plan, type Policy, planOf } from './plan.ts';
import type { BreakerState } from './shared/breaker.ts';
import type { ShareableStore } from './shared/level.ts';
import { type CacheStatistics, Statistics, summarize } from './statistics.ts';
import type { Labels } from './store.ts';

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
  l2?: ShareableStore | undefined;
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
  /** How often counters are added to those of the other processes, in the second level. Default: every 10 seconds. false: never. */
  flushEvery?: Duration | false | undefined;
  /** Who else is told of the counters: `emf()` of `streamgate/cache/emf` makes metrics of them in CloudWatch. */
  reporters?: readonly ((statistics: Statistics) => Reporter)[] | undefined;
}

/** The statistics of one process. */
export type ProcessStatistics = CacheStatistics & {
  l1: {
    entries: number;
    maxEntries: number;
    /** Estimated; null where no limit needs to know. */
    bytes: number | null;
  };
  l2: { breaker: BreakerState | null };
};

const infinite = Number.POSITIVE_INFINITY;

const cacheOptions = [
  'l1',
  'l2',
  'l3',
  'maxLag',
  'softLimit',
  'hardLimit',
  'breaker',
  'compressAbove',
  'flushEvery',
  'reporters',
] as const satisfies (keyof CacheOptions)[];

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
  readonly #core: Surroundings['core'];
  readonly #shared: SharedLevel | undefined;
  readonly #cdn: Cdn | undefined;
  readonly #engine: Engine;
  readonly #around: Surroundings;
  readonly #reporters: readonly Reporter[];
  /** The names that are taken. */
  readonly #definitions = new Set<string>();
  readonly #adHoc = new Shelf();
  readonly #adHocPlans = new WeakMap<object, Plan>();

  constructor(options: CacheOptions) {
    const { l1 = {}, l2, l3, breaker = {}, reporters = [] } = options;
    checkOptions(options, cacheOptions, 'createCache');
    checkOptions(l1, ['maxEntries', 'maxBytes', 'policy'], 'l1');
    checkOptions(breaker, ['failures', 'cooldown'], 'breaker');
    for (const name of ['maxLag', 'softLimit', 'hardLimit'] as const) milliseconds(options[name] ?? 0, name);
    wholeNumber(breaker.failures ?? 1, 1, 'breaker.failures');
    const { policy = 'lru', maxEntries = 1_000, maxBytes } = l1;
    if (!evictionPolicies.includes(policy)) {
      throw new CacheError('option-invalid', `l1.policy: there is no "${policy}", but ${evictionPolicies.join(', ')}.`);
    }
    const statistics = new Statistics();
    const limits = {
      maxEntries: wholeNumber(maxEntries, 0, 'l1.maxEntries'),
      maxBytes: maxBytes === undefined ? infinite : wholeNumber(maxBytes, 1, 'l1.maxBytes'),
      policy,
    };
    const memory = new Memory(limits, (cause) => {
      statistics.counters.l1.evictions[cause]++;
    });
    const invocations = new Invocations();
    const shared = l2?.open({ memory, statistics, invocations }, options);
    const core = { memory, statistics, invocations, log: shared?.log ?? new InvalidationLog() };
    if (shared) invocations.onChange = (startedAt) => shared.invocation(startedAt);
    this.#core = core;
    this.#shared = shared;
    this.#cdn = l3;
    this.#reporters = [...(shared ? [shared] : []), ...reporters.map((open) => open(statistics))];
    const report = () => {
      // Within an invocation its end is the time for it.
      if (!invocations.isOpen) this.#report(Date.now());
    };
    this.#engine = createEngine(core, shared, this.#reporters.length > 0 ? report : undefined);
    this.#around = {
      core,
      engine: this.#engine,
      gate: shared ?? { pullDueAt: infinite },
      replace: (key, wanted, value) => this.#invalidate({ keys: [checkKey(key)], tags: [] }, wanted, value),
    };
  }

  /** The response header in which the third level looks for tags; undefined without one. */
  get tagHeader(): string | undefined {
    return this.#cdn?.tagHeader;
  }

  /**
   * Defines values of a kind: how they are loaded, and how long they are kept.
   *
   * @param name what their keys begin with, as in `product:42`; each name is defined once
   * @throws CacheError `option-invalid`
   */
  define<Id, Value>(name: string, options: DefinitionOptions<Id, Value>): Definition<Id, Value> {
    if (name === '' || name.includes(':') || this.#definitions.has(name)) {
      throw new CacheError('option-invalid', `"${name}" is empty, has a ":" in it, or is defined already.`);
    }
    const definition = new Definition(name, options, new Shelf(), this.#around);
    this.#definitions.add(name);
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
    policy: Policy<string, Value> = defaults,
  ): Promise<Value> {
    if (this.#definitions.has(nameIn(checkKey(key)))) {
      throw new CacheError('key-invalid', `"${key}" is a key of the definition "${nameIn(key)}": ask that for it.`);
    }
    let plan = this.#adHocPlans.get(policy);
    if (!plan) {
      plan = planOf(key, policy as Policy);
      this.#adHocPlans.set(policy, plan);
    }
    const entry = await this.#engine.get({
      shelf: this.#adHoc,
      plan,
      id: key,
      key,
      raw: key,
      load: (_, context) => load(context as LoadContext<Value>),
    });
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
    checkOptions(others, ['keys', 'tags'], 'invalidate');
    if (!Array.isArray(keys)) throw new CacheError('key-invalid', 'The keys to invalidate are not an array.');
    if (!Array.isArray(tags)) throw new CacheError('tag-invalid', 'The tags to invalidate are not an array.');
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
    const { invocations, statistics } = this.#core;
    return invocations.begin(
      context,
      () => this.#report(Date.now()),
      (loads) => {
        statistics.counters.refreshes.dropped += loads;
      },
    );
  }

  /** The statistics of this process since it started. */
  stats(): ProcessStatistics {
    const { memory, statistics } = this.#core;
    const { l1, l2, ...others } = summarize(statistics);
    const { size: entries, limits } = memory;
    const bytes = limits.maxBytes === infinite ? null : memory.bytes;
    return {
      ...others,
      l1: { ...l1, entries, maxEntries: limits.maxEntries, bytes },
      l2: { ...l2, breaker: this.#shared?.breaker ?? null },
    };
  }

  /**
   * The statistics of all processes that share the second level, from their counters by the hour.
   *
   * @param since milliseconds since 1970; the hour that it lies in counts as a whole. At most a day is kept.
   * @throws CacheError `option-invalid` when there is no second level; what the second level throws
   */
  async fleetStats(since: number): Promise<FleetStatistics> {
    if (!this.#shared) throw new CacheError('option-invalid', 'Without an `l2` there is no fleet.');
    return this.#shared.fleetStats(since);
  }

  /** Ends all work under way, adds the counters to the others', and forgets what is in memory. Clients stay open: they are the caller's. */
  async close(): Promise<void> {
    this.#engine.close();
    await this.#core.invocations.settle();
    this.#report(infinite);
    await this.#core.invocations.settle();
    this.#core.memory.clear();
  }

  /** Has the counters handed on that are due by a time. */
  #report(by: number): void {
    for (const reporter of this.#reporters) {
      if (reporter.dueAt <= by) this.#core.invocations.own(reporter.flush());
    }
  }

  /**
   * Second level, then memory, then CDN: what is asked further out must not be answered from further in with what is old.
   *
   * @param wanted what a value is to be put in the place of
   */
  async #invalidate(labels: Labels, wanted?: Wanted, value?: unknown): Promise<void> {
    const { log, statistics } = this.#core;
    const { counters } = statistics;
    const failures: Error[] = [];
    const replacement = wanted && this.#engine.make(wanted, value);
    counters.invalidations++;
    if (this.#shared) await this.#shared.invalidate(labels, replacement).catch((error) => failures.push(error));
    else {
      log.enter(labels, log.cursor + 1);
      log.advance(log.cursor + 1);
    }
    if (wanted && replacement && failures.length === 0) {
      if (!this.#shared) replacement.position = log.cursor;
      this.#engine.put(wanted, replacement);
    }
    if (this.#cdn) {
      try {
        await this.#cdn.purge([...labels.keys, ...labels.tags]);
        counters.l3.purges++;
      } catch (cause) {
        counters.l3.purgesFailed++;
        const why = (cause as Error).message;
        failures.push(new CacheError('level-unreachable', `The third level was not purged: ${why}`, { cause }));
      }
    }
    const [failure, ...more] = failures;
    if (more.length > 0) throw new CacheError('level-unreachable', failures.join(' '), { cause: failures });
    if (failure) throw failure;
  }
}

/** Always the same object, so that what is made of it is found again. */
const defaults = {};

function nameIn(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf(':')));
}
