import type { Engine, Shelf, Wanted } from './engine.ts';
import type { Entry } from './entry.ts';
import { CacheError } from './errors.ts';
import { textOf } from './key.ts';
import type { Core } from './level.ts';
import type { Places } from './place.ts';
import { type LoadContext, type Plan, type Policy, planOf } from './plan.ts';

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
  core: Core;
  engine: Engine;
  /** Until then nothing need be asked before something is served from memory. */
  gate: { readonly pullDueAt: number };
  /** Puts a value in the place of what is cached, or nothing. */
  replace(key: string, wanted?: Wanted, value?: unknown): Promise<void>;
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
  readonly #plan: Plan;
  readonly #shelf: Shelf;
  readonly #around: Surroundings;
  // What a hit needs stands where it need not be looked for.
  readonly #places: Places;
  readonly #core: Core;
  readonly #gate: Surroundings['gate'];
  #untilTiming = hitsPerTiming;

  constructor(name: string, options: DefinitionOptions<Id, Value>, shelf: Shelf, around: Surroundings) {
    const { load, key: _, ...policy } = options;
    if (typeof load !== 'function') {
      throw new CacheError('option-invalid', `"${name}" has no loader. Give it \`load: (id) => value\`.`);
    }
    this.name = name;
    this.#options = options;
    this.#plan = planOf(name, policy as Policy);
    this.#shelf = shelf;
    this.#around = around;
    this.#places = shelf.places;
    this.#core = around.core;
    this.#gate = around.gate;
  }

  /**
   * The value of an identifier: from memory, from the second level, or loaded.
   *
   * @throws what the loader throws, when no older value may be served; CacheError `load-timeout`, `key-invalid` or `closed`
   */
  get(id: Id): Promise<Value> {
    if (--this.#untilTiming === 0) return this.#getTimed(id);
    if (typeof id !== 'string' || this.#options.key) return this.#getByText(id);
    return this.#hit(id) ?? this.#find(this.#want(id));
  }

  /** The values of several identifiers, in their order, with one question to the second level for all. @throws as `get` */
  getMany(ids: readonly Id[]): Promise<Value[]> {
    return Promise.all(ids.map((id) => this.get(id)));
  }

  /** The value with its tags and times, as an HTTP answer made of it needs them: see `respond`. @throws as `get` */
  async getCached(id: Id): Promise<CachedValue<Value>> {
    return (await this.#around.engine.get(this.#want(id))) as Entry<Value>;
  }

  /**
   * Puts a value in the place of what is cached, at every level and for everybody: what other processes
   * hold is invalidated.
   *
   * @throws CacheError `level-unreachable` when a level was not reached (see `cache.invalidate`), `value-invalid`
   */
  async set(id: Id, value: Value): Promise<void> {
    const wanted = this.#want(id);
    await this.#around.replace(wanted.key, wanted, value);
  }

  /** Forgets a value, at every level and for everybody. @throws CacheError `level-unreachable` */
  async delete(id: Id): Promise<void> {
    await this.#around.replace(this.key(id));
  }

  /** The whole key of an identifier, as `cache.invalidate` takes it: `product:42`. */
  key(id: Id): string {
    return this.#want(id).key;
  }

  #want(id: Id): Wanted {
    const { key = textOf, load } = this.#options;
    const text = key(id);
    return { shelf: this.#shelf, plan: this.#plan, id: text, key: `${this.name}:${text}`, raw: id, load } as Wanted;
  }

  #find(wanted: Wanted): Promise<Value> {
    return this.#around.engine.get(wanted).then(valueIn<Value>);
  }

  async #getByText(id: Id): Promise<Value> {
    const wanted = this.#want(id);
    return this.#hit(wanted.id) ?? this.#find(wanted);
  }

  /** What is in memory, when there is nothing to think about: fresh, nothing invalidated since, the log asked lately. */
  #hit(text: string): Promise<Value> | undefined {
    const place = this.#places.get(text);
    if (place?.entry === undefined) return undefined;
    const { entry } = place;
    const { memory, log, statistics } = this.#core;
    const now = Date.now();
    if (now >= entry.refreshAt || entry.position < log.latest || now >= this.#gate.pullDueAt) return undefined;
    memory.hit(place);
    statistics.counters.l1[entry.kind(now)]++;
    return entry.promise as Promise<Value>;
  }

  async #getTimed(id: Id): Promise<Value> {
    this.#untilTiming = hitsPerTiming;
    const wanted = this.#want(id);
    const started = performance.now();
    const hit = this.#hit(wanted.id);
    if (hit) this.#core.statistics.timers.l1.record(performance.now() - started);
    return hit ?? this.#find(wanted);
  }
}

function valueIn<Value>(entry: Entry): Value {
  return entry.value as Value;
}
