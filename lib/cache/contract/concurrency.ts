import assert from 'node:assert/strict';
import type { Position } from '../store.ts';
import { type Case, changed, entry, positionOf, readTexts, text } from './case.ts';

/** What must hold when many clients work at once: that is where a store goes wrong. */
export const concurrency: readonly Case[] = [
  {
    name: 'ten clients invalidate at once: positions grow, and nobody misses a change',
    async run({ store, another }) {
      const start = await positionOf(store);
      const clients = await Promise.all(Array.from({ length: 10 }, another));
      let working = true;
      const readers = [store, await another()].map(async (reader) => {
        const seen = new Map<string, Position>();
        for (let since = start, last = false; !last; ) {
          last = !working;
          const reply = await reader.read([], since);
          for (const [tag, position] of changed(reply).tags) {
            assert.ok(position > since && position <= reply.position, 'a change is of the time that was asked about');
            seen.set(tag, position);
          }
          assert.ok(reply.position >= since, 'the end of the log only grows');
          since = reply.position;
        }
        return seen;
      });
      const done = await Promise.all(
        clients.map(async (client, index) => {
          const mine: Array<[tag: string, position: Position]> = [];
          for (let round = 0; round < 20; round++) {
            const tag = `tag ${index} ${round}`;
            const before = mine.at(-1)?.[1] ?? start;
            const reply = await client.invalidate({ keys: [], tags: [tag] }, before);
            const own = changed(reply).tags.find(([name]) => name === tag);
            assert.ok(own && own[1] > before, 'the answer to an invalidation tells that invalidation too');
            mine.push([tag, own[1]]);
          }
          return mine;
        }),
      );
      working = false;
      const all = done.flat().sort(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual(changed(await store.read([], start)).tags, all);
      for (const seen of await Promise.all(readers)) {
        assert.deepEqual(
          [...seen].sort(([a], [b]) => (a < b ? -1 : 1)),
          all,
        );
      }
    },
  },
  {
    name: 'a write that races with an invalidation loses, whichever comes first',
    async run({ store, another }) {
      const client = await another();
      for (let round = 0; round < 40; round++) {
        const key = `key ${round}`;
        const tag = `tag ${round}`;
        const position = await positionOf(store);
        const labels = round % 2 ? { keys: [key], tags: [] } : { keys: [], tags: [tag] };
        const write = () => store.write([entry(key, position, { tags: [tag] })]);
        const invalidate = () => client.invalidate(labels, undefined);
        await Promise.all(round % 4 < 2 ? [write(), invalidate()] : [invalidate(), write()]);
        assert.deepEqual(await readTexts(store, key), [undefined]);
      }
    },
  },
  {
    name: 'whoever was told that a value is invalidated never reads an older one',
    async run({ store, another }) {
      // The truth is a number that grows. Loaders copy it into the store; what they copy may be old by then.
      let truth = 0;
      let working = true;
      const value = () => ({ bytes: Buffer.from(String(truth)), tags: ['t'] });
      const loaders = Array.from({ length: 4 }, async () => {
        const client = await another();
        while (working) {
          const position = await positionOf(client);
          const loaded = value();
          await new Promise(setImmediate);
          await client.write([entry('a', position, loaded)]);
        }
      });
      const reader = await another();
      try {
        for (let round = 0; round < 60; round++) {
          truth++;
          const { position: _, ...replacement } = entry('a', 0, value());
          if (round % 3 === 0) await store.invalidate({ keys: ['a'], tags: [] }, undefined);
          else if (round % 3 === 1) await store.invalidate({ keys: [], tags: ['t'] }, undefined);
          else await store.invalidate({ keys: ['a'], tags: [] }, undefined, replacement);
          const [found] = (await reader.read(['a'], undefined)).entries;
          if (found) assert.equal(text(found), String(truth));
          if (round % 3 === 2) assert.ok(found, 'a replacement is there, until the next invalidation');
        }
      } finally {
        working = false;
        await Promise.allSettled(loaders);
      }
      await Promise.all(loaders);
    },
  },
];
