import { List } from './list.ts';
import type { Place } from './place.ts';

/** The names of the policies. */
export const evictionPolicies = ['lru', 'sieve'] as const;

/** How the first level chooses what goes when it is full. */
export type EvictionPolicyName = (typeof evictionPolicies)[number];

/** A list of places that knows which entry to give up first. Every operation takes constant time, amortized. */
export interface EvictionPolicy {
  /** Takes in the place of a new entry. */
  add(place: Place): void;
  /** Is told of every hit. */
  hit(place: Place): void;
  /** Lets the entry of a place go. */
  remove(place: Place): void;
  /** Whose entry to give up now; undefined when there is none. It stays until it is removed. */
  victim(): Place | undefined;
  /** The oldest, from which `newer` leads to newer ones. */
  readonly oldest: Place | undefined;
}

/** Makes a policy. */
export function evictionPolicy(name: EvictionPolicyName): EvictionPolicy {
  return name === 'sieve' ? new Sieve() : new LeastRecentlyUsed();
}

/** Gives up the entry whose last hit is longest ago. */
class LeastRecentlyUsed extends List<Place> implements EvictionPolicy {
  hit(place: Place): void {
    if (place === this.newest) return;
    this.remove(place);
    this.add(place);
  }

  victim(): Place | undefined {
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
class Sieve extends List<Place> implements EvictionPolicy {
  #hand: Place | undefined;

  hit(place: Place): void {
    place.visited = true;
  }

  override remove(place: Place): void {
    if (this.#hand === place) this.#hand = place.newer;
    place.visited = false;
    super.remove(place);
  }

  victim(): Place | undefined {
    let hand = this.#hand ?? this.oldest;
    // Every mark that is met is wiped, so that the second time round there is one without.
    while (hand?.visited) {
      hand.visited = false;
      hand = hand.newer ?? this.oldest;
    }
    this.#hand = hand;
    return hand;
  }
}
