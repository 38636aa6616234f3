/**
 * A map that does not fill the memory. What was asked for lately stays: there are two generations, and when the younger one
 * is full, it takes the place of the older one. That is cheaper than to forget one after the other.
 */
export class BoundedMap<Key extends string | number, Value extends object> {
  readonly #maxEntries: number;
  readonly #maxCharacters: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();
  /** In the keys of the younger generation. */
  #characters = 0;

  /** @param maxCharacters of all keys together */
  constructor(maxEntries: number, maxCharacters: number) {
    this.#maxEntries = maxEntries;
    this.#maxCharacters = maxCharacters;
  }

  get(key: Key): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.add(key, old);
    return old;
  }

  /** Adds what is not there. */
  add(key: Key, value: Value): void {
    const length = typeof key === 'string' ? key.length : 0;
    const characters = this.#characters + length;
    if (this.#young.size >= this.#maxEntries / 2 || characters > this.#maxCharacters / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#characters = 0;
    }
    this.#young.set(key, value);
    this.#characters += length;
  }
}
