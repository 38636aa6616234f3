import type { Entry } from './entry.ts';

/** The names of the policies. */
export const evictionPolicies = ['lru', 'sieve'] as const;

/** How the first level chooses what goes when it is full. */
export type EvictionPolicyName = (typeof evictionPolicies)[number];

/** A list of entries that knows which of them to give up first. Every operation takes constant time, amortized. */
export interface EvictionPolicy {
  /** Takes an entry in, as the newest. */
  add(entry: Entry): void;
  /** Is told of every hit. */
  hit(entry: Entry): void;
  /** Lets an entry go. */
  remove(entry: Entry): void;
  /** The entry to give up now; undefined when there is none. It stays until it is removed. */
  victim(): Entry | undefined;
  /** The oldest entry, from which `entry.next` leads to newer ones. */
  readonly oldest: Entry | undefined;
}

/** Makes a policy. */
export function evictionPolicy(name: EvictionPolicyName): EvictionPolicy {
  return name === 'sieve' ? new Sieve() : new LeastRecentlyUsed();
}

/** A doubly linked list through the entries themselves: nothing is allocated. */
class EntryList {
  oldest: Entry | undefined = undefined;
  newest: Entry | undefined = undefined;

  add(entry: Entry): void {
    entry.previous = this.newest;
    entry.next = undefined;
    if (this.newest) this.newest.next = entry;
    else this.oldest = entry;
    this.newest = entry;
  }

  remove(entry: Entry): void {
    if (entry.previous) entry.previous.next = entry.next;
    else this.oldest = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    else this.newest = entry.previous;
    entry.previous = undefined;
    entry.next = undefined;
  }
}

/** Gives up the entry whose last hit is longest ago. */
class LeastRecentlyUsed extends EntryList implements EvictionPolicy {
  hit(entry: Entry): void {
    if (entry === this.newest) return;
    this.remove(entry);
    this.add(entry);
  }

  victim(): Entry | undefined {
    return this.oldest;
  }
}

/**
 * SIEVE: a hand walks from the oldest entry to the newest, spares once what was hit since it came by, and gives up the
 * first that was not. A hit only sets a mark. Keeps what is popular better than LRU does, but a scan over more
 * keys than fit can displace it.
 *
 * Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024, https://www.usenix.org/conference/nsdi24/presentation/zhang-yazhuo
 */
class Sieve extends EntryList implements EvictionPolicy {
  #hand: Entry | undefined = undefined;

  hit(entry: Entry): void {
    entry.visited = true;
  }

  override remove(entry: Entry): void {
    if (this.#hand === entry) this.#hand = entry.next;
    super.remove(entry);
  }

  victim(): Entry | undefined {
    let hand = this.#hand ?? this.oldest;
    // Every mark that is met is wiped, so that the second time round there is one without.
    while (hand?.visited) {
      hand.visited = false;
      hand = hand.next ?? this.oldest;
    }
    this.#hand = hand;
    return hand;
  }
}
