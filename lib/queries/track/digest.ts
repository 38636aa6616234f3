/**
 * Digests: they tell whether texts or values are the same, so that neither has to be kept. They begin with a number that only
 * this process knows: nobody can look up what they are of.
 */
import { randomInt } from 'node:crypto';

/** Of a longer text, or of more bytes or items, only the beginning, the end and the length count. */
const maxCharacters = 1_024;
const maxItems = 64;

const seed = randomInt(2 ** 31);

/** So many objects have been seen. */
let objects = 0;

/** A digest of a whole text, of 53 bits. */
export function digestOfText(text: string): number {
  const digest = new Digest(seed);
  digest.characters(text, 0, text.length);
  return digest.value;
}

/**
 * A digest of values as they go to the server: a number is what its text is. An object is like no other, since to find out
 * what becomes of it costs more than to send it.
 *
 * @param origin another digest that it is to depend on
 */
export function digestOfValues(values: readonly unknown[], origin = 0): number {
  const digest = new Digest(seed ^ origin);
  digest.list(values, 2);
  return digest.value;
}

/** cyrb53, a hash of two lanes: https://github.com/bryc/code/blob/master/jshash/experimental/cyrb53.js */
class Digest {
  #one: number;
  #other: number;

  constructor(from: number) {
    this.#one = 0xdeadbeef ^ from;
    this.#other = 0x41c6ce57 ^ from;
  }

  get value(): number {
    const [a, b] = [this.#one, this.#other];
    const one = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
    const other = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909);
    return 2 ** 32 * (other & 0x1fffff) + (one >>> 0);
  }

  characters(text: string, from: number, to: number): void {
    let [one, other] = [this.#one, this.#other];
    for (let at = from; at < to; at++) {
      const code = text.charCodeAt(at);
      one = Math.imul(one ^ code, 2654435761);
      other = Math.imul(other ^ code, 1597334677);
    }
    this.#one = one;
    this.#other = other;
  }

  /** @param depth so many levels of lists are looked into */
  list(values: readonly unknown[], depth: number): void {
    this.#add(values.length);
    for (let at = 0; at < values.length; at = next(at, values.length, maxItems)) this.#value(values[at], depth);
  }

  #value(value: unknown, depth: number): void {
    if (value === null || value === undefined) this.#add(-1);
    else if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol')
      this.#object(value, depth);
    else this.#text(String(value));
  }

  #object(value: object | symbol, depth: number): void {
    if (Array.isArray(value) && depth > 1) this.list(value, depth - 1);
    else if (value instanceof Date) this.#text(String(value.getTime()));
    else if (value instanceof Uint8Array) this.#bytes(value);
    else this.#add(++objects);
  }

  #text(text: string): void {
    this.#add(text.length);
    if (text.length <= maxCharacters) this.characters(text, 0, text.length);
    else {
      this.characters(text, 0, maxCharacters / 2);
      this.characters(text, text.length - maxCharacters / 2, text.length);
    }
  }

  #bytes(bytes: Uint8Array): void {
    this.#add(bytes.length);
    for (let at = 0; at < bytes.length; at = next(at, bytes.length, maxCharacters)) this.#add(bytes[at] ?? 0);
  }

  #add(number: number): void {
    this.#one = Math.imul(this.#one ^ number, 2654435761);
    this.#other = Math.imul(this.#other ^ number, 1597334677);
  }
}

/** The place after another one, when of longer lists the middle does not count. */
function next(at: number, length: number, max: number): number {
  return at + 1 === max / 2 && length > max ? length - max / 2 : at + 1;
}
