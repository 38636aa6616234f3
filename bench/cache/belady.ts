/** A heap of keys by their next use packs both into one number, of which this many bits are the key. */
const keyBits = 2 ** 20;

/**
 * Which requests the best possible cache of a capacity would hit: of what it holds and what has come it always gives up
 * what is used again last, which takes knowing the future.
 *
 * Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems Journal 5(2), 1966. The variant
 * that need not keep what has just come, which can only be better.
 *
 * @param requests keys from 0 to 2^20, in the order in which they are asked for
 * @returns one byte for each request: 1 is a hit
 */
export function optimalHits(requests: Int32Array, capacity: number): Uint8Array {
  const hits = new Uint8Array(requests.length);
  const nextUses = nextUsesOf(requests);
  /** The next use of each key that is held. */
  const held = new Map<number, number>();
  const heap = new MaxHeap(requests.length);
  for (const [at, key] of requests.entries()) {
    const next = nextUses[at] as number;
    if (held.delete(key)) hits[at] = 1;
    if (next === Number.POSITIVE_INFINITY) continue;
    if (held.size >= capacity) {
      // What is in the heap beside that is out of date.
      while (held.get(heap.max % keyBits) !== Math.floor(heap.max / keyBits)) heap.pop();
      if (heap.max < next * keyBits) continue;
      held.delete(heap.pop() % keyBits);
    }
    held.set(key, next);
    heap.push(next * keyBits + key);
  }
  return hits;
}

/** For each request when its key is asked for again. */
function nextUsesOf(requests: Int32Array): Float64Array {
  const nextUses = new Float64Array(requests.length);
  const seen = new Map<number, number>();
  for (let at = requests.length - 1; at >= 0; at--) {
    const key = requests[at] as number;
    nextUses[at] = seen.get(key) ?? Number.POSITIVE_INFINITY;
    seen.set(key, at);
  }
  return nextUses;
}

/** A binary heap of numbers, the largest first. */
class MaxHeap {
  readonly #items: Float64Array;
  #size = 0;

  constructor(capacity: number) {
    this.#items = new Float64Array(capacity + 1);
  }

  get max(): number {
    return this.#items[1] as number;
  }

  push(item: number): void {
    const items = this.#items;
    let at = ++this.#size;
    for (; at > 1 && (items[at >> 1] as number) < item; at >>= 1) items[at] = items[at >> 1] as number;
    items[at] = item;
  }

  pop(): number {
    const items = this.#items;
    const max = this.max;
    const last = items[this.#size] as number;
    items[this.#size--] = 0;
    let at = 1;
    for (;;) {
      let child = 2 * at;
      if (child > this.#size) break;
      if (child < this.#size && (items[child + 1] as number) > (items[child] as number)) child++;
      if ((items[child] as number) <= last) break;
      items[at] = items[child] as number;
      at = child;
    }
    if (this.#size > 0) items[at] = last;
    return max;
  }
}
