import type { Changes, Labels, Position } from './store.ts';

/** How many keys and tags a process remembers; what it forgets makes older entries be asked for again. */
const maxRemembered = 10_000;

/**
 * What this process knows of the log of invalidations (see store.ts): for each key and tag that was invalidated
 * lately, where. It judges entries of the first level without asking anybody.
 *
 * Without a second level this is the only log, and it counts its positions itself.
 */
export class InvalidationLog {
  readonly #keys = new Map<string, Position>();
  readonly #tags = new Map<string, Position>();
  /** What was forgotten: nothing older can be judged. */
  #floor: Position = 0;
  /** The log is known up to here. Undefined until a second level has told where it stands. */
  #cursor: Position | undefined;
  /** The highest position at which something was invalidated: whatever is as new is valid without a look. */
  latest: Position = 0;
  /** Grows whenever something is invalidated. */
  generation = 0;

  constructor(isOnlyOne: boolean) {
    this.#cursor = isOnlyOne ? 0 : undefined;
  }

  /** Where the log is known to end; undefined when that is not known. */
  get cursor(): Position | undefined {
    return this.#cursor;
  }

  /** Enters what was invalidated here where there is no other log. */
  append({ keys, tags }: Labels): void {
    const position = (this.#cursor ?? 0) + 1;
    this.advance(position, {
      keys: keys.map((key) => [key, position]),
      tags: tags.map((tag) => [tag, position]),
    });
  }

  /** Takes over what a store tells: that the log ends at a position, and what has come since the cursor. */
  advance(position: Position, changes: Changes): void {
    for (const [key, at] of changes.keys) this.#enter(this.#keys, key, at);
    for (const [tag, at] of changes.tags) this.#enter(this.#tags, tag, at);
    if (this.#cursor === undefined || position > this.#cursor) this.#cursor = position;
    if (this.#keys.size + this.#tags.size > maxRemembered) this.forget(this.#cursor);
  }

  /**
   * Blocks keys and tags for as long as a store cannot be told that they were invalidated: no entry that
   * bears one of them is valid, however new.
   */
  block({ keys, tags }: Labels): void {
    for (const key of keys) this.#enter(this.#keys, key, Number.POSITIVE_INFINITY);
    for (const tag of tags) this.#enter(this.#tags, tag, Number.POSITIVE_INFINITY);
  }

  /** Ends a block: the store has been told, at a position. */
  unblock({ keys, tags }: Labels, position: Position): void {
    for (const key of keys) this.#keys.set(key, position);
    for (const tag of tags) this.#tags.set(tag, position);
    this.latest = Math.max(0, ...this.#keys.values(), ...this.#tags.values());
  }

  /** Starts anew at a position: whatever is older counts as invalid from now on, but for what is blocked. */
  forget(position: Position): void {
    this.generation++;
    let blocked = false;
    for (const map of [this.#keys, this.#tags]) {
      for (const [label, at] of map) {
        if (at === Number.POSITIVE_INFINITY) blocked = true;
        else map.delete(label);
      }
    }
    this.#cursor = position;
    this.#floor = position;
    this.latest = blocked ? Number.POSITIVE_INFINITY : position;
  }

  /** Whether what was loaded at a position has been invalidated by nobody since, as far as is known here. */
  isValid(key: string, tags: readonly string[], position: Position): boolean {
    if (position >= this.latest) return true;
    if (position < this.#floor || (this.#keys.get(key) ?? 0) > position) return false;
    for (const tag of tags) if ((this.#tags.get(tag) ?? 0) > position) return false;
    return true;
  }

  #enter(map: Map<string, Position>, label: string, at: Position): void {
    if (at <= (map.get(label) ?? 0)) return;
    map.set(label, at);
    this.generation++;
    if (at > this.latest) this.latest = at;
  }
}
