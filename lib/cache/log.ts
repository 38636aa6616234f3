import type { Labels, Position } from './store.ts';

/** How many keys and tags a process remembers; what it forgets makes older entries be asked for again. */
const maxRemembered = 10_000;

/** What stands before keys and tags here, so that they are not confused. */
export const prefix = { key: 'k', tag: 't' };

/**
 * What this process knows of the log of invalidations (see store.ts): for each key and tag that was invalidated
 * lately, where. It judges entries of the first level without asking anybody.
 *
 * Without a second level this is the only log, and the cache counts its positions; with one see shared/log.ts.
 */
export class InvalidationLog {
  readonly #positions = new Map<string, Position>();
  /** What was forgotten: nothing older can be judged. */
  #floor: Position = 0;
  /** The log is known up to here; 0 until a second level has told where it stands. */
  cursor: Position = 0;
  /** No position is higher at which something was invalidated: whatever is as new is valid without a look. */
  latest: Position = 0;
  /** Grows whenever something is invalidated. */
  generation = 0;

  /** Enters keys and tags, at a position. */
  enter(labels: Labels, at: Position): void {
    for (const label of written(labels)) this.write(label, at);
  }

  /** Is told that the log ends at a position, and that what came before has been entered. */
  advance(position: Position): void {
    this.cursor = Math.max(this.cursor, position);
    if (this.#positions.size > maxRemembered) this.forget(this.cursor);
  }

  /** Starts anew, no earlier than where it is: whatever is older counts as invalid from now on. */
  forget(position: Position): void {
    this.cursor = Math.max(this.cursor, position);
    this.#floor = this.cursor;
    this.latest = this.cursor;
    this.#positions.clear();
    this.generation++;
  }

  /** Whether what was loaded at a position has been invalidated by nobody since, as far as is known here. */
  isValid(key: string, tags: readonly string[], position: Position): boolean {
    if (position >= this.latest) return true;
    const isOutdated = (label: string) => position < (this.#positions.get(label) ?? 0);
    return (
      position >= this.#floor && !isOutdated(prefix.key + key) && !tags.some((tag) => isOutdated(prefix.tag + tag))
    );
  }

  protected write(label: string, at: Position): void {
    if (at <= (this.#positions.get(label) ?? this.#floor)) return;
    this.#positions.set(label, at);
    this.generation++;
    this.latest = Math.max(this.latest, at);
  }
}

/** Keys and tags as they stand here. */
export function written({ keys, tags }: Labels): string[] {
  return [...keys.map((key) => prefix.key + key), ...tags.map((tag) => prefix.tag + tag)];
}
