import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EvictionPolicy, evictionPolicy } from '../../../../lib/cache/eviction.ts';
import { Place } from '../../../../lib/cache/place.ts';

function place(id: string): Place {
  return new Place(new Map(), id);
}

/** Keys from the least recently used on. */
class NaiveLru {
  order: string[] = [];

  access(key: string, capacity: number): string | undefined {
    const isHit = this.order.includes(key);
    this.order = this.order.filter((other) => other !== key);
    const gone = !isHit && this.order.length >= capacity ? this.order.shift() : undefined;
    this.order.push(key);
    return gone;
  }

  remove(key: string): void {
    this.order = this.order.filter((other) => other !== key);
  }
}

/** Algorithm 1 of the paper, over an array from the tail (oldest) to the head (newest). */
class NaiveSieve {
  queue: Array<{ key: string; visited: boolean }> = [];
  hand: { key: string; visited: boolean } | undefined;

  get order(): string[] {
    return this.queue.map(({ key }) => key);
  }

  access(key: string, capacity: number): string | undefined {
    const hit = this.queue.find((one) => one.key === key);
    if (hit) {
      hit.visited = true;
      return undefined;
    }
    let gone: string | undefined;
    if (this.queue.length >= capacity) {
      let at = this.hand ? this.queue.indexOf(this.hand) : 0;
      for (let one = this.queue[at]; one?.visited; one = this.queue[at]) {
        one.visited = false;
        at = at + 1 < this.queue.length ? at + 1 : 0;
      }
      gone = this.queue[at]?.key;
      this.hand = this.queue[at + 1];
      this.queue.splice(at, 1);
    }
    this.queue.push({ key, visited: false });
    return gone;
  }

  remove(key: string): void {
    const at = this.queue.findIndex((one) => one.key === key);
    if (at < 0) return;
    if (this.hand === this.queue[at]) this.hand = this.queue[at + 1];
    this.queue.splice(at, 1);
  }
}

/** The policy as memory.ts uses it. */
class Real {
  readonly policy: EvictionPolicy;
  /** Those that are in the list; the others wait for their key to come back. */
  readonly kept = new Set<Place>();
  readonly places = new Map<string, Place>();

  constructor(policy: EvictionPolicy) {
    this.policy = policy;
  }

  access(key: string, capacity: number): string | undefined {
    const one = this.places.get(key) ?? place(key);
    this.places.set(key, one);
    if (this.kept.has(one)) {
      this.policy.hit(one);
      return undefined;
    }
    let gone: string | undefined;
    if (this.kept.size >= capacity) {
      gone = this.policy.victim()?.id;
      this.remove(gone as string);
    }
    this.kept.add(one);
    this.policy.add(one);
    return gone;
  }

  remove(key: string): void {
    const one = this.places.get(key);
    if (one && this.kept.delete(one)) this.policy.remove(one);
  }

  get order(): string[] {
    const order: string[] = [];
    for (let one = this.policy.oldest; one; one = one.newer) order.push(one.id);
    return order;
  }
}

describe.each([
  ['lru', () => new NaiveLru()],
  ['sieve', () => new NaiveSieve()],
] as const)('%s', (name, naive) => {
  test('does as the naive one', () => {
    const key = fc.integer({ min: 0, max: 12 }).map(String);
    const step = fc.oneof(
      { weight: 9, arbitrary: fc.record({ remove: fc.constant(false), key }) },
      { weight: 1, arbitrary: fc.record({ remove: fc.constant(true), key }) },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(step, { maxLength: 200, size: 'max' }),
        (capacity, steps) => {
          const [model, real] = [naive(), new Real(evictionPolicy(name))];
          for (const { remove, key } of steps) {
            if (remove) {
              model.remove(key);
              real.remove(key);
            } else {
              expect(real.access(key, capacity)).toBe(model.access(key, capacity));
            }
            expect(real.order).toEqual(model.order);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('has no victim when it is empty', () => {
    const policy = evictionPolicy(name);
    expect(policy.victim()).toBe(undefined);
    expect(policy.oldest).toBe(undefined);
  });

  test('asked twice, it names the same victim', () => {
    const policy = evictionPolicy(name);
    const places = ['a', 'b', 'c'].map(place);
    for (const one of places) policy.add(one);
    policy.hit(places[0] as Place);
    const victim = policy.victim();
    expect(policy.victim()).toBe(victim);
    expect(victim?.id).toBe('b');
  });
});
