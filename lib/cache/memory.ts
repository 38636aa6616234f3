import type { Entry } from './entry.ts';
import { type EvictionPolicy, type EvictionPolicyName, evictionPolicy } from './eviction.ts';

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
  #swept: Entry | undefined;
  /** How many entries there are. */
  size = 0;
  /** Their estimated size, in bytes; 0 where no limit needs to know. */
  bytes = 0;

  constructor(limits: MemoryLimits, onEvict: (cause: EvictionCause) => void) {
    this.limits = limits;
    this.#policy = evictionPolicy(limits.policy);
    this.#onEvict = onEvict;
  }

  /** Tells the policy that an entry was served. */
  hit(entry: Entry): void {
    this.#policy.hit(entry);
  }

  /** Keeps an entry, in the place of an older one with its id, and lets others go where there is no room. */
  add(home: Map<string, Entry>, entry: Entry, now: number, old = home.get(entry.id)): void {
    const { maxEntries, maxBytes } = this.limits;
    if (old) this.remove(old);
    this.#sweep(now);
    if (maxBytes !== Number.POSITIVE_INFINITY) entry.bytes = sizeOf(entry.value) + 2 * entry.key.length + entryBytes;
    if (maxEntries === 0 || entry.bytes > maxBytes) return;
    while (this.size >= maxEntries || this.bytes + entry.bytes > maxBytes) {
      const victim = this.#policy.victim() as Entry;
      const cause = this.size >= maxEntries ? 'capacity' : 'bytes';
      this.remove(victim, victim.staleUntil <= now ? 'expired' : cause);
    }
    entry.home = home;
    home.set(entry.id, entry);
    this.#policy.add(entry);
    this.size++;
    this.bytes += entry.bytes;
  }

  /** Lets an entry go, with a cause where it is to be counted. No effect when it has gone already. */
  remove(entry: Entry, cause?: EvictionCause): void {
    if (!entry.home) return;
    entry.home.delete(entry.id);
    entry.home = undefined;
    if (this.#swept === entry) this.#swept = entry.next;
    this.#policy.remove(entry);
    this.size--;
    this.bytes -= entry.bytes;
    if (cause) this.#onEvict(cause);
  }

  /** Lets everything go. */
  clear(cause?: EvictionCause): void {
    for (let entry = this.#policy.oldest; entry; entry = this.#policy.oldest) this.remove(entry, cause);
  }

  #sweep(now: number): void {
    for (let looks = 0; looks < sweptPerWrite; looks++) {
      const entry = this.#swept ?? this.#policy.oldest;
      if (!entry) return;
      this.#swept = entry.next;
      if (entry.staleUntil <= now) this.remove(entry, 'expired');
    }
  }
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
