import type { Entry } from './entry.ts';
import { type EvictionPolicy, type EvictionPolicyName, evictionPolicy } from './eviction.ts';
import type { Place } from './place.ts';

/** Why an entry left the first level. */
export type EvictionCause = 'capacity' | 'bytes' | 'expired' | 'invalidated';

/** What bounds the first level. */
export interface MemoryLimits {
  maxEntries: number;
  /** Of estimated size; infinite when only the number counts. */
  maxBytes: number;
  policy: EvictionPolicyName;
}

/** So many entries are looked at when one is added, in turn: the work of a sweep, spread over the writes. */
const sweptPerWrite = 2;

/**
 * The first level: the entries of all definitions of a cache, in the memory of this process, bounded in number and,
 * where asked, in bytes. It has no timer: what has expired goes when it is looked up, when room is needed or
 * when the sweep comes by.
 */
export class Memory {
  readonly limits: MemoryLimits;
  readonly #policy: EvictionPolicy;
  readonly #onEvict: (cause: EvictionCause) => void;
  /** Where the sweep goes on. */
  #swept: Place | undefined;
  /** How many entries there are. */
  size = 0;
  /** Their estimated size, in bytes; 0 where no limit needs to know. */
  bytes = 0;

  constructor(limits: MemoryLimits, onEvict: (cause: EvictionCause) => void) {
    this.limits = limits;
    this.#policy = evictionPolicy(limits.policy);
    this.#onEvict = onEvict;
  }

  /** Tells the policy that the entry of a place was served. */
  hit(place: Place): void {
    this.#policy.hit(place);
  }

  /** Keeps an entry in a place, instead of the one that is there, and lets others go where there is no room. */
  add(place: Place, entry: Entry, now: number): void {
    const { maxEntries, maxBytes } = this.limits;
    if (place.entry) this.#takeOut(place);
    this.#sweep(now);
    const bytes = maxBytes === Number.POSITIVE_INFINITY ? 0 : sizeOf(entry.value) + 2 * entry.key.length + entryBytes;
    if (maxEntries === 0 || bytes > maxBytes) {
      place.tidy();
      return;
    }
    while (this.size >= maxEntries || this.bytes + bytes > maxBytes) {
      const victim = this.#policy.victim() as Place;
      const cause = this.size >= maxEntries ? 'capacity' : 'bytes';
      this.remove(victim, isOver(victim, now) ? 'expired' : cause);
    }
    place.entry = entry;
    place.bytes = bytes;
    this.#policy.add(place);
    this.size++;
    this.bytes += bytes;
  }

  /** Lets the entry of a place go, if there is one, with a cause where it is to be counted. */
  remove(place: Place, cause?: EvictionCause): void {
    if (!place.entry) return;
    this.#takeOut(place);
    place.tidy();
    if (cause) this.#onEvict(cause);
  }

  /** Lets everything go. */
  clear(cause?: EvictionCause): void {
    for (let place = this.#policy.oldest; place; place = this.#policy.oldest) this.remove(place, cause);
  }

  #sweep(now: number): void {
    for (let looks = 0; looks < sweptPerWrite; looks++) {
      const place = this.#swept ?? this.#policy.oldest;
      if (!place) return;
      this.#swept = place.newer;
      if (isOver(place, now)) this.remove(place, 'expired');
    }
  }

  #takeOut(place: Place): void {
    if (this.#swept === place) this.#swept = place.newer;
    this.#policy.remove(place);
    this.size--;
    this.bytes -= place.bytes;
    place.entry = undefined;
  }
}

function isOver({ entry }: Place, now: number): boolean {
  return (entry as Entry).staleUntil <= now;
}

/** What an entry takes beside its key and its value: about, as measured on Node.js 24. */
const entryBytes = 250;

/**
 * The size of a value in memory, estimated: two bytes for a character, eight for a number or a reference, the length of
 * buffers. Good to about a factor of two, which is what a bound needs.
 */
export function sizeOf(value: unknown): number {
  let bytes = 0;
  const seen = new Set<unknown>();
  // A list, not a recursion: a value may be deeper than the stack.
  const parts = [value];
  while (parts.length > 0) {
    const part = parts.pop();
    bytes += 8;
    if (typeof part === 'string') bytes += 2 * part.length + 8;
    if (typeof part !== 'object' || part === null || seen.has(part)) continue;
    seen.add(part);
    bytes += 32;
    if (ArrayBuffer.isView(part) || part instanceof ArrayBuffer) bytes += part.byteLength + 60;
    // Names of properties are shared between objects of a shape; keys of a Map are not.
    else for (const item of part instanceof Map || part instanceof Set ? part : Object.values(part)) parts.push(item);
  }
  return bytes;
}
