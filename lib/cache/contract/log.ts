import assert from 'node:assert/strict';
import { type Case, changed, changedNames, entry, keep, positionOf, readTexts, text } from './case.ts';
import { awkwardNames } from './entries.ts';

/** The log of invalidations, and which entries are valid by it. */
export const log: readonly Case[] = [
  {
    name: 'tells nothing but "lost" to those who know nothing, or what cannot be',
    async run({ store }) {
      const position = await positionOf(store);
      for (const since of [undefined, 0, position + 1_000_000_000]) {
        assert.equal((await store.read(['a'], since)).changes, 'lost', `since ${since}`);
        assert.equal((await store.invalidate({ keys: ['a'], tags: [] }, since)).changes, 'lost', `since ${since}`);
      }
    },
  },
  {
    name: 'tells what was invalidated since a position, to every client',
    async run({ store, another }) {
      const start = await store.read([], undefined);
      assert.deepEqual(changed(await store.read([], start.position)), { keys: [], tags: [] });

      const first = await store.invalidate({ keys: ['k1', 'k2'], tags: ['t1'] }, start.position);
      assert.ok(first.position > start.position);
      const second = await store.invalidate({ keys: ['k2'], tags: ['t1', 't2'] }, undefined);
      assert.ok(second.position > first.position);

      assert.deepEqual(changedNames(first), { keys: ['k1', 'k2'], tags: ['t1'] });
      for (const client of [store, await another()]) {
        const all = changed(await client.read(['k1'], start.position));
        assert.deepEqual(
          all.keys.map(([key]) => key),
          ['k1', 'k2'],
        );
        assert.deepEqual(
          all.tags.map(([tag]) => tag),
          ['t1', 't2'],
        );
        const [[, k1], [, k2]] = all.keys as [[string, number], [string, number]];
        const [[, t1], [, t2]] = all.tags as [[string, number], [string, number]];
        assert.ok(start.position < k1 && k1 <= first.position && first.position < k2 && k2 <= second.position);
        assert.deepEqual([t1, t2], [k2, k2], 'all labels of a call stand at one position, each at its last');
        assert.deepEqual(changedNames(await client.read([], first.position)), { keys: ['k2'], tags: ['t1', 't2'] });
        assert.deepEqual(changedNames(await client.read([], second.position)), { keys: [], tags: [] });
      }
    },
  },
  {
    name: 'what only reads, writes or leases is no change',
    async run({ store }) {
      const position = await positionOf(store);
      await keep(store, entry('a', position, { tags: ['t'] }));
      await store.read(['a', 'b'], position);
      await store.lease('a', 'token', 1_000);
      await store.release('a', 'token');
      assert.deepEqual(changedNames(await store.read(['a'], position)), { keys: [], tags: [] });
    },
  },
  {
    name: 'tells names of any characters, and a hundred of them',
    async run({ store }) {
      const { position } = await store.read([], undefined);
      await store.invalidate({ keys: awkwardNames, tags: awkwardNames }, undefined);
      const many = Array.from({ length: 100 }, (_, index) => `many ${index}`);
      await store.invalidate({ keys: [], tags: many }, undefined);
      const names = changedNames(await store.read([], position));
      assert.deepEqual(names, { keys: [...awkwardNames].sort(), tags: [...awkwardNames, ...many].sort() });
    },
  },
  {
    name: 'invalidating nothing is allowed',
    async run({ store }) {
      const { position } = await store.read([], undefined);
      const reply = await store.invalidate({ keys: [], tags: [] }, position);
      assert.ok(reply.position >= position);
      assert.deepEqual(changed(reply), { keys: [], tags: [] });
    },
  },
  {
    name: 'naming a label twice is naming it once',
    async run({ store }) {
      const { position } = await store.read([], undefined);
      const reply = await store.invalidate({ keys: ['a', 'a'], tags: ['t', 't'] }, position);
      assert.deepEqual(changedNames(reply), { keys: ['a'], tags: ['t'] });
    },
  },
  {
    name: 'invalidating a key removes its entry, and no other',
    async run({ store, another }) {
      const position = await positionOf(store);
      await keep(store, entry('a', position, { tags: ['b'] }), entry('b', position), entry('c', position));
      await (await another()).invalidate({ keys: ['b', 'missing'], tags: ['c'] }, undefined);
      assert.deepEqual(await readTexts(store, 'a', 'b', 'c'), ['a', undefined, 'c']);
    },
  },
  {
    name: 'invalidating a tag removes all entries that carry it, and no other',
    async run({ store, another }) {
      const position = await positionOf(store);
      await keep(
        store,
        entry('first', position, { tags: ['t', 'u'] }),
        entry('last', position, { tags: ['u', 'v', 't'] }),
        entry('other', position, { tags: ['u', 'v'] }),
        entry('t', position),
      );
      await (await another()).invalidate({ keys: [], tags: ['t'] }, undefined);
      const found = await readTexts(store, 'first', 'last', 'other', 't');
      assert.deepEqual(found, [undefined, undefined, 'other', 't']);
      assert.deepEqual((await store.lease('first', 'token', 1_000)).entry, undefined);
    },
  },
  {
    name: 'refuses a value whose key was invalidated while it was loaded',
    async run({ store, another }) {
      const before = await positionOf(store);
      await (await another()).invalidate({ keys: ['a'], tags: [] }, undefined);
      assert.deepEqual(await store.write([entry('a', before), entry('b', before)]), [false, true]);
      assert.deepEqual(await readTexts(store, 'a', 'b'), [undefined, 'b']);
      await keep(store, entry('a', await positionOf(store)));
      assert.deepEqual(await readTexts(store, 'a'), ['a']);
    },
  },
  {
    name: 'refuses a value one of whose tags was invalidated while it was loaded',
    async run({ store, another }) {
      const before = await positionOf(store);
      await (await another()).invalidate({ keys: [], tags: ['t'] }, undefined);
      const entries = [entry('a', before, { tags: ['s', 't'] }), entry('b', before, { tags: ['s'] })];
      assert.deepEqual(await store.write(entries), [false, true]);
      assert.deepEqual(await readTexts(store, 'a', 'b'), [undefined, 'b']);
      await keep(store, entry('a', await positionOf(store), { tags: ['s', 't'] }));
      assert.deepEqual(await readTexts(store, 'a'), ['a']);
    },
  },
  {
    name: 'a refused value leaves the one that is there',
    async run({ store }) {
      const before = await positionOf(store);
      await store.invalidate({ keys: ['a'], tags: [] }, undefined);
      await keep(store, entry('a', await positionOf(store), { bytes: Buffer.from('new') }));
      assert.deepEqual(await store.write([entry('a', before, { bytes: Buffer.from('old') })]), [false]);
      assert.deepEqual(await readTexts(store, 'a'), ['new']);
    },
  },
  {
    name: 'refuses a value of a position before the log, or after its end',
    async run({ store }) {
      const position = await positionOf(store);
      const kept = await store.write([entry('a', 0), entry('b', position), entry('c', position + 1_000_000)]);
      assert.deepEqual(kept, [false, true, false]);
      assert.deepEqual(await readTexts(store, 'a', 'b', 'c'), [undefined, 'b', undefined]);
    },
  },
  {
    name: 'keeps a replacement in the step that invalidates, even of its own tags',
    async run({ store, another }) {
      const before = await positionOf(store);
      await keep(store, entry('a', before), entry('b', before, { tags: ['t'] }));
      const { position: _, ...replacement } = entry('a', 0, { bytes: Buffer.from('new'), tags: ['t', 'u'] });
      const reply = await store.invalidate({ keys: ['a'], tags: ['t'] }, before, replacement);
      assert.deepEqual(changedNames(reply), { keys: ['a'], tags: ['t'] });
      const [a, b] = (await (await another()).read(['a', 'b'], undefined)).entries;
      assert.deepEqual([text(a), a?.tags, text(b)], ['new', ['t', 'u'], undefined]);
      assert.equal(a?.position, reply.position);
      // A value loaded before stays out, and the next invalidation concerns the replacement too.
      assert.deepEqual(await store.write([entry('a', before)]), [false]);
      await store.invalidate({ keys: [], tags: ['u'] }, undefined);
      assert.deepEqual(await readTexts(store, 'a'), [undefined]);
    },
  },
  {
    name: 'never takes an old value for valid when the log has forgotten why it is not',
    async run({ store }) {
      const before = await positionOf(store);
      await keep(store, entry('a', before, { tags: ['t'] }), entry('b', before));
      await store.invalidate({ keys: ['b'], tags: ['t'] }, undefined);
      for (let round = 0; round < 25; round++) {
        const tags = Array.from({ length: 1_000 }, (_, index) => `flood ${round} ${index}`);
        await store.invalidate({ keys: [], tags }, undefined);
      }
      const reply = await store.read(['a', 'b'], before);
      assert.deepEqual(reply.entries, [undefined, undefined]);
      if (reply.changes !== 'lost') assert.equal(changed(reply).tags.length, 25_001, 'all, or "lost"');
      assert.deepEqual(await store.write([entry('a', before, { tags: ['t'] }), entry('b', before)]), [false, false]);
      // What is loaded now is as good as ever.
      await keep(store, entry('a', reply.position, { tags: ['t'] }));
      assert.deepEqual(await readTexts(store, 'a'), ['a']);
      await store.invalidate({ keys: [], tags: ['t'] }, undefined);
      assert.deepEqual(changedNames(await store.read([], reply.position)), { keys: [], tags: ['t'] });
      assert.deepEqual(await readTexts(store, 'a'), [undefined]);
    },
  },
];
