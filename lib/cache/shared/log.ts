import { InvalidationLog, prefix, written } from '../log.ts';
import type { Changes, Labels, Position } from '../store.ts';

/** What a process knows of a log that it shares with others. */
export class SharedLog extends InvalidationLog {
  /** What the store could not be told of yet. */
  readonly #blocked = new Set<string>();

  /** Takes over what a store tells: that the log ends at a position, and what has come since the cursor. */
  learn(position: Position, { keys, tags }: Changes): void {
    for (const [key, at] of keys) this.write(prefix.key + key, at);
    for (const [tag, at] of tags) this.write(prefix.tag + tag, at);
    this.advance(position);
  }

  /** Blocks keys and tags until the store has been told: no entry that bears one of them is valid, however new. */
  block(labels: Labels): void {
    for (const label of written(labels)) this.#blocked.add(label);
    this.generation++;
    this.#lookWhileBlocked();
  }

  /** Ends a block: the store has been told, at a position. */
  unblock(labels: Labels, position: Position): void {
    for (const label of written(labels)) this.#blocked.delete(label);
    this.enter(labels, position);
    this.generation++;
    this.latest = Math.max(this.cursor, position);
    this.#lookWhileBlocked();
  }

  /** As any log; what is blocked stays so. */
  override forget(position: Position): void {
    super.forget(position);
    this.#lookWhileBlocked();
  }

  override isValid(key: string, tags: readonly string[], position: Position): boolean {
    const isBlocked = (label: string) => this.#blocked.has(label);
    if (this.#blocked.size > 0 && written({ keys: [key], tags }).some(isBlocked)) return false;
    return super.isValid(key, tags, position);
  }

  #lookWhileBlocked(): void {
    if (this.#blocked.size > 0) this.latest = Number.POSITIVE_INFINITY;
  }
}
