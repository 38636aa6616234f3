import assert from 'node:assert/strict';
import { type Case, entry, keep, positionOf, readTexts, until } from './case.ts';

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix} ${index}`);
const there = (texts: ReadonlyArray<string | undefined>) => texts.filter((value) => value !== undefined).length;

/** How many entries are kept, and which. */
export const capacity: readonly Case[] = [
  {
    name: 'counts its entries',
    maxEntries: 200,
    async run({ store, another }) {
      assert.deepEqual(await store.size(), { entries: 0, maxEntries: 200 });
      const position = await positionOf(store);
      await keep(store, ...names('a', 20).map((key) => entry(key, position)));
      await keep(store, ...names('a', 10).map((key) => entry(key, position)));
      assert.deepEqual(await store.size(), { entries: 20, maxEntries: 200 });
      await store.invalidate({ keys: names('a', 5), tags: [] }, undefined);
      assert.deepEqual(await (await another()).size(), { entries: 15, maxEntries: 200 });
    },
  },
  {
    name: 'does not count what has expired',
    async run({ store }) {
      const position = await positionOf(store);
      await keep(store, entry('a', position, { ttlMs: 40 }), entry('b', position));
      await until('one entry is left', async () => (await store.size()).entries === 1);
    },
  },
  {
    name: 'keeps as many entries as it may, within 5 %',
    maxEntries: 200,
    async run({ store }) {
      const position = await positionOf(store);
      for (let round = 0; round < 30; round++) {
        await keep(store, ...names(`round ${round}`, 20).map((key) => entry(key, position)));
        const { entries } = await store.size();
        const expected = Math.min((round + 1) * 20, 200);
        assert.ok(entries >= expected * 0.95 && entries <= expected * 1.05, `${entries} entries, not ${expected}`);
      }
      assert.ok(there(await readTexts(store, ...names('round 29', 20))) >= 19);
      assert.equal(there(await readTexts(store, ...names('round 0', 20))), 0);
    },
  },
  {
    name: 'keeps to its size when more is written at once than it may keep',
    maxEntries: 50,
    async run({ store }) {
      const position = await positionOf(store);
      await store.write(names('a', 300).map((key) => entry(key, position)));
      const { entries } = await store.size();
      assert.ok(entries >= 47 && entries <= 53, `${entries} entries`);
      assert.equal(there(await readTexts(store, ...names('a', 300))), entries);
    },
  },
  {
    name: 'keeps to its size when entries come by replacement',
    maxEntries: 40,
    async run({ store }) {
      for (const key of names('a', 100)) {
        const { position: _, ...replacement } = entry(key, 0);
        await store.invalidate({ keys: [key], tags: [] }, undefined, replacement);
      }
      const { entries } = await store.size();
      assert.ok(entries >= 38 && entries <= 42, `${entries} entries`);
    },
  },
  {
    name: 'drops what was used least recently: reading keeps an entry alive',
    maxEntries: 100,
    async run({ store, another }) {
      const client = await another();
      const position = await positionOf(store);
      for (let index = 0; index < 5; index++) {
        await keep(store, ...names(`old ${index}`, 20).map((key) => entry(key, position)));
      }
      const read = names('old 0', 20);
      assert.equal(there(await readTexts(client, ...read)), 20);
      for (let index = 0; index < 3; index++) {
        await keep(store, ...names(`new ${index}`, 20).map((key) => entry(key, position)));
      }
      // 60 came, so 60 of the 80 that nobody read had to go, the oldest first. 5 % may be inexact.
      assert.ok(there(await readTexts(client, ...read)) >= 19, 'those that were read');
      assert.ok(there(await readTexts(client, ...names('new 0', 20))) >= 19, 'those that are new');
      assert.ok(there(await readTexts(client, ...names('old 1', 20))) <= 1, 'the oldest');
      assert.ok(there(await readTexts(client, ...names('old 4', 20))) >= 15, 'the youngest of the old');
    },
  },
  {
    name: 'drops what has expired before anything that lives',
    maxEntries: 40,
    async run({ store }) {
      const position = await positionOf(store);
      await keep(store, ...names('old', 20).map((key) => entry(key, position)));
      await keep(store, ...names('short', 20).map((key) => entry(key, position, { ttlMs: 60 })));
      // One is enough to know it, and to look at all might be to clean them up.
      await until('they have expired', async () => !(await store.read(['short 0'], undefined)).entries[0]);
      await keep(store, ...names('new', 18).map((key) => entry(key, position)));
      assert.equal(there(await readTexts(store, ...names('old', 20))), 20);
      assert.equal(there(await readTexts(store, ...names('new', 18))), 18);
    },
  },
];
