/** A map that does not fill the memory: what came first is forgotten first. */
export class BoundedMap<Key extends string | number, Value> {
  readonly #maxEntries: number;
  readonly #maxCharacters: number;
  readonly #entries = new Map<Key, Value>();
  #characters = 0;

  /** @param maxCharacters of all keys together */
  constructor(maxEntries: number, maxCharacters: number) {
    this.#maxEntries = maxEntries;
    this.#maxCharacters = maxCharacters;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  /** Adds what is not there. */
  add(key: Key, value: Value): void {
    this.#entries.set(key, value);
    this.#characters += lengthOf(key);
    if (!this.#isFull) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      this.#characters -= lengthOf(oldest);
      if (!this.#isFull) return;
    }
  }

  get #isFull(): boolean {
    return this.#entries.size > this.#maxEntries || this.#characters > this.#maxCharacters;
  }
}

function lengthOf(key: string | number): number {
  return typeof key === 'string' ? key.length : 0;
}
