import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Entry } from '../../../../lib/cache/entry.ts';
import { type EvictionPolicy, evictionPolicy } from '../../../../lib/cache/eviction.ts';

function entry(id: string): Entry {
  const end = 1;
  const kept = { value: id, tags: [], freshUntil: end, staleUntil: end, loadMs: 0, position: 0 };
  return new Entry(kept, id, `thing:${id}`, end, 0);
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
  readonly entries = new Map<string, Entry>();

  constructor(policy: EvictionPolicy) {
    this.policy = policy;
  }

  access(key: string, capacity: number): string | undefined {
    const hit = this.entries.get(key);
    if (hit) {
      this.policy.hit(hit);
      return undefined;
    }
    let gone: string | undefined;
    if (this.entries.size >= capacity) {
      gone = this.policy.victim()?.id;
      this.remove(gone as string);
    }
    const made = entry(key);
    this.entries.set(key, made);
    this.policy.add(made);
    return gone;
  }

  remove(key: string): void {
    const found = this.entries.get(key);
    if (found) this.policy.remove(found);
    this.entries.delete(key);
  }

  get order(): string[] {
    const order: string[] = [];
    for (let one = this.policy.oldest; one; one = one.next) order.push(one.id);
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
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 200 }), (capacity, steps) => {
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
      }),
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
    const entries = ['a', 'b', 'c'].map(entry);
    for (const one of entries) policy.add(one);
    policy.hit(entries[0] as Entry);
    const victim = policy.victim();
    expect(policy.victim()).toBe(victim);
    expect(victim?.id).toBe('b');
  });
});
