/** Hit rates of the levels over many environments, beside the best that a cache of their size could do. */
import { Entry } from '../../lib/cache/entry.ts';
import type { EvictionPolicyName } from '../../lib/cache/eviction.ts';
import { Memory } from '../../lib/cache/memory.ts';
import { type Places, placeIn } from '../../lib/cache/place.ts';
import { optimalHits } from './belady.ts';
import type { Section } from './measure.ts';

const environments = 20;
const keyCount = 100_000;
const requestCount = 2_000_000;
const seed = 42;

/** How many entries the levels hold: the defaults of lib/settings.ts. */
const [l1Entries, l2Entries, l3Entries] = [1_000, 10_000, 100_000];

/** The requests, in their order: which key, and in which environment. */
interface Trace {
  keys: Int32Array;
  places: Uint8Array;
}

/** The share of the requests that each level has answered. */
type Shares = readonly [l1: number, l2: number, l3: number];

export async function simulation(): Promise<Section> {
  const trace = zipfTrace();
  const lru = simulate(trace, 'lru');
  const sieve = simulate(trace, 'sieve');
  const best = optima(trace);
  const row = (name: string, [l1, l2, l3]: Shares) => [name, ...[l1, l1 + l2, l1 + l2 + l3].map(percent)];
  return {
    title: 'Hit rates of the levels',
    method: [
      `Simulated: ${requestCount / 1e6} million requests for ${count(keyCount)} keys (Zipf 1.0, seed ${seed}), each in one of ${environments} environments.`,
      `Each environment has an L1 of ${count(l1Entries)} entries, which is the cache's own code; they share an L2 of ${count(l2Entries)} and an L3 of ${count(l3Entries)}, which give up what was used least recently.`,
      'Nothing expires. Percent of the second half of the requests that were answered by a level or one before it.',
      "Belady's optimum knows the future: for L1 in each environment by itself, for L2 and L3 one cache of that size that sees all requests.",
      'L3 holds every key here, so that what it misses was never asked for before.',
    ].join(' '),
    head: ['', 'L1', 'L1 + L2', 'L1 + L2 + L3'],
    rows: [
      row('L1 by `lru`', lru),
      row('L1 by `sieve`', sieve),
      ["Belady's optimum of one level of that size", ...best.map(percent)],
    ],
    goals: [
      {
        aim: 'at least 98 % by all levels together',
        measured: percent(lru[0] + lru[1] + lru[2]),
        isMet: lru[0] + lru[1] + lru[2] >= 0.98,
      },
    ],
  };
}

/** Zipf's law: the n-th most popular key is asked for in proportion to 1/n. */
function zipfTrace(): Trace {
  const random = randomFrom(seed);
  const upTo = new Float64Array(keyCount);
  let sum = 0;
  for (let key = 0; key < keyCount; key++) upTo[key] = sum += 1 / (key + 1);
  const keyOf = (point: number) => {
    let [low, high] = [0, keyCount - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] as number) < point) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    keys: Int32Array.from({ length: requestCount }, () => keyOf(random() * sum)),
    places: Uint8Array.from({ length: requestCount }, () => Math.floor(random() * environments)),
  };
}

function simulate({ keys, places }: Trace, policy: EvictionPolicyName): Shares {
  const l1 = Array.from({ length: environments }, () => new FirstLevel(policy));
  const l2 = new LeastRecentlyUsed(l2Entries);
  const l3 = new LeastRecentlyUsed(l3Entries);
  const hits: [number, number, number] = [0, 0, 0];
  for (const [at, key] of keys.entries()) {
    const counted = at >= requestCount / 2 ? 1 : 0;
    if (l1[places[at] as number]?.get(key)) hits[0] += counted;
    else if (l2.get(key)) hits[1] += counted;
    else if (l3.get(key)) hits[2] += counted;
  }
  return hits.map((of) => of / (requestCount / 2)) as unknown as Shares;
}

function optima({ keys, places }: Trace): Shares {
  const share = (hits: number) => hits / (requestCount / 2);
  const counted = (hits: Uint8Array, from: number) => hits.subarray(from).reduce((sum, hit) => sum + hit, 0);
  let l1 = 0;
  for (let place = 0; place < environments; place++) {
    const own = keys.filter((_, at) => places[at] === place);
    const first = places.subarray(0, requestCount / 2).reduce((sum, of) => sum + (of === place ? 1 : 0), 0);
    l1 += counted(optimalHits(own, l1Entries), first);
  }
  const shared = [l2Entries, l3Entries].map((capacity) => counted(optimalHits(keys, capacity), requestCount / 2));
  return [l1, ...shared].map(share) as unknown as Shares;
}

/** The first level of one environment, as the cache drives it. */
class FirstLevel {
  readonly #home: Places = new Map();
  readonly #memory: Memory;

  constructor(policy: EvictionPolicyName) {
    this.#memory = new Memory({ maxEntries: l1Entries, maxBytes: Number.POSITIVE_INFINITY, policy }, () => {});
  }

  /** Whether it has a key; it has it from then on. */
  get(key: number): boolean {
    const place = placeIn(this.#home, String(key));
    const isHit = place.entry !== undefined;
    if (isHit) this.#memory.hit(place);
    else this.#memory.add(place, entryOf(String(key)), 0);
    return isHit;
  }
}

function entryOf(key: string): Entry {
  const forever = Number.POSITIVE_INFINITY;
  const kept = { value: key, tags: [], freshUntil: forever, staleUntil: forever, loadMs: 0, position: 0 };
  return new Entry(kept, key, forever, 0);
}

/** The second and the third level: exactly the least recently used goes, as in the adapters. */
class LeastRecentlyUsed {
  readonly #keys = new Set<number>();
  readonly #maxKeys: number;

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  /** Whether it has a key; it has it from then on. */
  get(key: number): boolean {
    const isHit = this.#keys.delete(key);
    this.#keys.add(key);
    if (this.#keys.size > this.#maxKeys) this.#keys.delete(this.#keys.keys().next().value as number);
    return isHit;
  }
}

/** Mulberry32: a sequence of numbers from 0 to 1 that looks random, and is the same each time. */
function randomFrom(state: number): () => number {
  let next = state;
  return () => {
    next = (next + 0x6d2b79f5) | 0;
    let mixed = Math.imul(next ^ (next >>> 15), next | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function count(entries: number): string {
  return entries.toLocaleString('en');
}
