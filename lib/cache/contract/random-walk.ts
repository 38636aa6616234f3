import assert from 'node:assert/strict';
import type { Position, Store } from '../store.ts';
import { type Case, changed, entry, longMs, positionOf, text } from './case.ts';

interface Kept {
  value: string;
  tags: readonly string[];
  position: Position;
}

/**
 * The port in its simplest form: nothing is forgotten, nobody is in the way. Only what the store answers about
 * positions is taken from it.
 */
class Model {
  readonly entries = new Map<string, Kept>();
  readonly keys = new Map<string, Position>();
  readonly tags = new Map<string, Position>();

  isValid(key: string, { tags, position }: Kept): boolean {
    return (this.keys.get(key) ?? 0) <= position && tags.every((tag) => (this.tags.get(tag) ?? 0) <= position);
  }

  read(key: string): Kept | undefined {
    const kept = this.entries.get(key);
    return kept && this.isValid(key, kept) ? kept : undefined;
  }

  since(position: Position) {
    const later = (labels: ReadonlyMap<string, Position>) =>
      [...labels].filter((label) => label[1] > position).sort(([a], [b]) => (a < b ? -1 : 1));
    return { keys: later(this.keys), tags: later(this.tags) };
  }
}

/** Numbers from 0 up to `below`, the same in each run for a seed: mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const keyNames = ['a', 'b', 'c', 'd', 'e'];
const tagNames = ['a', 'b', 'c', 'd'];

async function walk(clients: readonly Store[], seed: number): Promise<void> {
  const roll = dice(seed);
  const one = <T>(list: readonly T[]): T => list[roll(list.length)] as T;
  const some = <T>(list: readonly T[]): T[] => list.filter(() => roll(3) === 0);
  const model = new Model();
  const positions = [await positionOf(one(clients))];
  const recent = () => one(roll(2) ? positions.slice(-2) : positions);

  for (let step = 0; step < 200; step++) {
    const store = one(clients);
    const action = roll(4);
    if (action === 0) {
      const labels = { keys: some(keyNames), tags: some(tagNames) };
      const kept = roll(2) ? { value: `replacement ${step}`, tags: some(tagNames) } : undefined;
      const key = labels.keys[0];
      const replacement =
        kept && key ? { key, bytes: Buffer.from(kept.value), tags: kept.tags, ttlMs: longMs } : undefined;
      const { position } = await store.invalidate(labels, recent(), replacement);
      positions.push(position);
      for (const name of labels.keys) {
        model.keys.set(name, position);
        model.entries.delete(name);
      }
      for (const name of labels.tags) model.tags.set(name, position);
      if (kept && key) model.entries.set(key, { ...kept, position });
    } else if (action === 1) {
      const news = some(keyNames).map((key) => ({ key, value: `${step}`, tags: some(tagNames), position: recent() }));
      const kept = await store.write(
        news.map(({ key, value, tags, position }) => entry(key, position, { bytes: Buffer.from(value), tags })),
      );
      assert.deepEqual(
        kept,
        news.map(({ key, ...value }) => model.isValid(key, value)),
      );
      for (const { key, ...value } of news) if (model.isValid(key, value)) model.entries.set(key, value);
    } else {
      const keys = some([...keyNames, ...keyNames]);
      const since = recent();
      const reply = await store.read(keys, since);
      assert.equal(reply.position, positions.at(-1));
      assert.deepEqual(changed(reply), model.since(since));
      const found = reply.entries.map(
        (kept) => kept && { value: text(kept), tags: kept.tags, position: kept.position },
      );
      assert.deepEqual(
        found,
        keys.map((key) => model.read(key)),
      );
    }
  }
}

/** Many steps at random, each compared with a model. */
export const randomWalk: readonly Case[] = [1, 2, 3].map((seed) => ({
  name: `does what the model does, at random (seed ${seed})`,
  async run({ store, another }) {
    await walk([store, await another()], seed);
  },
}));
