import type { Engine, Shelf, Wanted } from './engine.ts';
import type { Entry } from './entry.ts';
import { CacheError } from './errors.ts';
import { textOf } from './key.ts';
import type { InvalidationLog } from './log.ts';
import type { Memory } from './memory.ts';
import { checkOptions } from './options.ts';
import { type LoadContext, type Plan, type Policy, planOf, policyOptions } from './plan.ts';
import type { Statistics } from './statistics.ts';

/** How values of a kind are loaded and kept. */
export interface DefinitionOptions<Id, Value> extends Policy<Id, Value> {
  /** Loads a value. Called once for all who wait for it; what it throws reaches them all. */
  load(id: Id, context: LoadContext<Value>): Value | Promise<Value>;
  /** The text of an identifier. Default: strings as they are, anything else as JSON with sorted properties. */
  key?: ((id: Id) => string) | undefined;
}

/** A value with what a cache further out needs to know of it. Times are in milliseconds since 1970. */
export interface CachedValue<Value> {
  readonly value: Value;
  readonly key: string;
  readonly tags: readonly string[];
  readonly freshUntil: number;
  readonly staleUntil: number;
}

/** What a definition needs of its cache. */
export interface Surroundings {
  engine: Engine;
  memory: Memory;
  log: InvalidationLog;
  statistics: Statistics;
  /** Until then nothing need be asked before something is served from memory. */
  gate: { readonly pullDueAt: number };
  /** Puts a value in the place of what is cached, or nothing. */
  replace(key: string, wanted: Wanted | undefined, value: unknown): Promise<void>;
}

/** One in so many hits in memory is timed: the clock costs as much as the hit. */
const hitsPerTiming = 1_024;

/**
 * Values of a kind: a loader that is bound once, and called through its cache. Made by `cache.define`.
 *
 * @example
 * const products = cache.define('product', { load: (id: string) => db.product(id), fresh: '1m', stale: '1d' });
 * const product = await products.get('42');
 */
export class Definition<Id, Value> {
  /** The name, which every key begins with. */
  readonly name: string;
  readonly #options: DefinitionOptions<Id, Value>;
  readonly #plan: Plan<Id, Value>;
  readonly #shelf: Shelf;
  readonly #entries: Map<string, Entry>;
  readonly #around: Surroundings;
  readonly #engine: Engine;
  readonly #memory: Memory;
  readonly #log: InvalidationLog;
  readonly #gate: Surroundings['gate'];
  readonly #counters: Statistics['counters'];
  #untilTiming = hitsPerTiming;

  constructor(name: string, options: DefinitionOptions<Id, Value>, shelf: Shelf, around: Surroundings) {
    checkOptions(options, ['load', 'key', ...policyOptions], `The definition "${name}"`);
    if (typeof options.load !== 'function') {
      throw new CacheError(
        'option-invalid',
        `The definition "${name}" has no loader. Give it \`load: (id) => value\`.`,
      );
    }
    this.name = name;
    this.#options = options;
    this.#plan = planOf(name, options);
    this.#shelf = shelf;
    this.#entries = shelf.entries;
    this.#around = around;
    this.#engine = around.engine;
    this.#memory = around.memory;
    this.#log = around.log;
    this.#gate = around.gate;
    this.#counters = around.statistics.counters;
  }

  /**
   * The value of an identifier: from memory, from the second level, or loaded.
   *
   * @throws what the loader throws, when no older value may be served; CacheError `load-timeout`, `key-invalid` or `closed`
   */
  get(id: Id): Promise<Value> {
    let text: string;
    try {
      text = this.#textOf(id);
    } catch (error) {
      return Promise.reject(error);
    }
    if (--this.#untilTiming === 0) return this.#getTimed(id, text);
    return (
      this.#hit(text) ??
      this.#engine.get(new WantedOf(this.name, this.#options, this.#plan, this.#shelf, id, text)).then(valueIn<Value>)
    );
  }

  /** The values of several identifiers, in their order, with one question to the second level for all. @throws as `get` */
  getMany(ids: readonly Id[]): Promise<Value[]> {
    return Promise.all(ids.map((id) => this.get(id)));
  }

  /** The value with its tags and times, as an HTTP answer made of it needs them: see `respond`. @throws as `get` */
  async getCached(id: Id): Promise<CachedValue<Value>> {
    return (await this.#engine.get(this.#want(id))) as Entry<Value>;
  }

  /**
   * Puts a value in the place of what is cached, at every level and for everybody: what other processes
   * hold is invalidated.
   *
   * @throws CacheError `level-unreachable` when a level was not reached (see `cache.invalidate`), `value-invalid`
   */
  async set(id: Id, value: Value): Promise<void> {
    await this.#around.replace(this.key(id), this.#want(id), value);
  }

  /** Forgets a value, at every level and for everybody. @throws CacheError `level-unreachable` */
  async delete(id: Id): Promise<void> {
    await this.#around.replace(this.key(id), undefined, undefined);
  }

  /** The whole key of an identifier, as `cache.invalidate` takes it: `product:42`. */
  key(id: Id): string {
    return `${this.name}:${this.#textOf(id)}`;
  }

  #want(id: Id): Wanted {
    return new WantedOf(this.name, this.#options, this.#plan, this.#shelf, id, this.#textOf(id));
  }

  #textOf(id: Id): string {
    if (this.#options.key) return this.#options.key(id);
    return typeof id === 'string' ? id : textOf(id);
  }

  /** What is in memory, when there is nothing to think about: fresh, nothing invalidated since, the log asked lately. */
  #hit(text: string): Promise<Value> | undefined {
    const entry = this.#entries.get(text);
    if (entry === undefined) return undefined;
    const now = Date.now();
    if (now >= entry.refreshAt || entry.position < this.#log.latest || now >= this.#gate.pullDueAt) return undefined;
    this.#memory.hit(entry);
    if (entry.value === undefined || entry.value === null) this.#counters.l1Negative++;
    else this.#counters.l1Fresh++;
    return entry.promise as Promise<Value>;
  }

  #getTimed(id: Id, text: string): Promise<Value> {
    this.#untilTiming = hitsPerTiming;
    const started = performance.now();
    const hit = this.#hit(text);
    if (!hit) return this.#engine.get(this.#want(id)).then(valueIn<Value>);
    this.#around.statistics.timers.l1.record(performance.now() - started);
    return hit;
  }
}

/** One identifier of a definition, as the engine wants it. */
class WantedOf<Id, Value> implements Wanted {
  readonly plan: Plan;
  readonly shelf: Shelf;
  readonly id: string;
  readonly #name: string;
  readonly #options: DefinitionOptions<Id, Value>;
  readonly #plan: Plan<Id, Value>;
  readonly #raw: Id;

  constructor(
    name: string,
    options: DefinitionOptions<Id, Value>,
    plan: Plan<Id, Value>,
    shelf: Shelf,
    raw: Id,
    id: string,
  ) {
    this.#name = name;
    this.#options = options;
    this.#plan = plan;
    this.plan = plan as Plan;
    this.shelf = shelf;
    this.#raw = raw;
    this.id = id;
  }

  key(): string {
    return this.#name === '' ? this.id : `${this.#name}:${this.id}`;
  }

  load(context: LoadContext): unknown {
    return this.#options.load(this.#raw, context as LoadContext<Value>);
  }

  tagsOf(value: unknown): readonly string[] {
    return this.#plan.tagsOf(value as Value, this.#raw);
  }

  freshMs(value: unknown): number {
    return this.#plan.freshMs(value as Value, this.#raw);
  }
}

/** A key that belongs to no definition: the name of its kind is empty, and the key is the whole key. */
export function wantedAdHoc<Value>(
  key: string,
  options: DefinitionOptions<string, Value>,
  plan: Plan<string, Value>,
  shelf: Shelf,
): Wanted {
  return new WantedOf('', options, plan, shelf, key, key);
}

function valueIn<Value>(entry: Entry): Value {
  return entry.value as Value;
}
