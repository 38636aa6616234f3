import type { Changes, Labels, Position } from './store.ts';

/** How many keys and tags a process remembers; what it forgets makes older entries be asked for again. */
const maxRemembered = 10_000;

/** What stands before keys and tags here, so that they are not confused. */
const prefix = { key: 'k', tag: 't' };

/**
 * What this process knows of the log of invalidations (see store.ts): for each key and tag that was invalidated
 * lately, where. It judges entries of the first level without asking anybody.
 *
 * Without a second level this is the only log, and it counts its positions itself.
 */
export class InvalidationLog {
  readonly #positions = new Map<string, Position>();
  /** What a store could not be told of yet. */
  readonly #blocked = new Set<string>();
  /** What was forgotten: nothing older can be judged. */
  #floor: Position = 0;
  /** The log is known up to here; 0 until a second level has told where it stands. */
  cursor: Position = 0;
  /** The highest position at which something was invalidated: whatever is as new is valid without a look. */
  latest: Position = 0;
  /** Grows whenever something is invalidated. */
  generation = 0;

  /** Enters keys and tags, at a position. */
  enter(labels: Labels, at: Position): void {
    for (const label of written(labels)) this.#enter(label, at);
  }

  /** Takes over what a store tells: that the log ends at a position, and what has come since the cursor. */
  advance(position: Position, { keys, tags }: Changes = { keys: [], tags: [] }): void {
    for (const [key, at] of keys) this.#enter(prefix.key + key, at);
    for (const [tag, at] of tags) this.#enter(prefix.tag + tag, at);
    this.cursor = Math.max(this.cursor, position);
    if (this.#positions.size > maxRemembered) this.forget(this.cursor);
  }

  /** Blocks keys and tags until a store has been told: no entry that bears one of them is valid, however new. */
  block(labels: Labels): void {
    for (const label of written(labels)) this.#blocked.add(label);
    this.#changed();
  }

  /** Ends a block: the store has been told, at a position. */
  unblock(labels: Labels, position: Position): void {
    for (const label of written(labels)) this.#blocked.delete(label);
    this.enter(labels, position);
    this.#changed();
  }

  /** Starts anew, no earlier than where it is: whatever is older counts as invalid from now on. What is blocked stays so. */
  forget(position: Position): void {
    this.cursor = Math.max(this.cursor, position);
    this.#floor = this.cursor;
    this.#positions.clear();
    this.#changed();
  }

  /** Whether what was loaded at a position has been invalidated by nobody since, as far as is known here. */
  isValid(key: string, tags: readonly string[], position: Position): boolean {
    if (position >= this.latest) return true;
    const isOutdated = (label: string) => position < (this.#positions.get(label) ?? 0) || this.#blocked.has(label);
    return (
      position >= this.#floor && !isOutdated(prefix.key + key) && !tags.some((tag) => isOutdated(prefix.tag + tag))
    );
  }

  #enter(label: string, at: Position): void {
    if (at <= (this.#positions.get(label) ?? this.#floor)) return;
    this.#positions.set(label, at);
    this.generation++;
    this.latest = Math.max(this.latest, at);
  }

  #changed(): void {
    this.generation++;
    this.latest = this.#blocked.size > 0 ? Number.POSITIVE_INFINITY : this.#floor;
    for (const at of this.#positions.values()) this.latest = Math.max(this.latest, at);
  }
}

function written({ keys, tags }: Labels): string[] {
  return [...keys.map((key) => prefix.key + key), ...tags.map((tag) => prefix.tag + tag)];
}
