import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type Case, entry, keep, positionOf, readTexts, text, until } from './case.ts';

/** Names that an adapter could take for something of its own, or garble. */
export const awkwardNames = [
  ' ',
  '\0',
  'a\0b',
  '\r\n',
  '🙂🙃',
  'naïve',
  '{a}b',
  '*',
  '%',
  "'; --",
  '"\\',
  '#position',
  '#floor',
  'k',
  't',
  ':',
  '0',
  '__proto__',
  '\u007f\u0080\uffff',
  'x'.repeat(1_024),
  '🙂'.repeat(256),
];

/** Keeping and reading entries. */
export const entries: readonly Case[] = [
  {
    name: 'has a name',
    async run({ store }) {
      assert.match(store.name, /^\S+$/);
    },
  },
  {
    name: 'reads nothing: no entries, but a position',
    async run({ store }) {
      const reply = await store.read([], undefined);
      assert.deepEqual(reply.entries, []);
      assert.ok(Number.isSafeInteger(reply.position) && reply.position > 0, `position ${reply.position}`);
    },
  },
  {
    name: 'writes nothing',
    async run({ store }) {
      assert.deepEqual(await store.write([]), []);
    },
  },
  {
    name: 'gives an entry back as it was written, to every client',
    async run({ store, another }) {
      const position = await positionOf(store);
      const bytes = Buffer.from([...Array(256).keys()]);
      await keep(store, entry('a', position, { bytes, tags: ['t2', 't1', 't3'] }));
      for (const client of [store, await another()]) {
        const [found, missing] = (await client.read(['a', 'b'], undefined)).entries;
        assert.ok(found);
        assert.deepEqual(Buffer.from(found.bytes), bytes);
        assert.deepEqual([...found.tags], ['t2', 't1', 't3']);
        assert.equal(found.position, position);
        assert.equal(missing, undefined);
      }
    },
  },
  {
    name: 'keeps values of no bytes and of a megabyte',
    async run({ store }) {
      const position = await positionOf(store);
      const large = randomBytes(1_048_576);
      await keep(
        store,
        entry('empty', position, { bytes: new Uint8Array() }),
        entry('large', position, { bytes: large }),
      );
      const [empty, found] = (await store.read(['empty', 'large'], undefined)).entries;
      assert.equal(empty?.bytes.length, 0);
      assert.ok(found && large.equals(found.bytes));
    },
  },
  {
    name: 'keeps a part of a larger buffer, and not the rest',
    async run({ store }) {
      const bytes = new Uint8Array(Buffer.from('before-value-after').buffer.slice(0)).fill(7).subarray(3, 6);
      await keep(store, entry('a', await positionOf(store), { bytes }));
      const [found] = (await store.read(['a'], undefined)).entries;
      assert.deepEqual(found && [...found.bytes], [7, 7, 7]);
    },
  },
  {
    name: 'keys and tags are of any characters, and of up to 1,024 bytes',
    async run({ store }) {
      const position = await positionOf(store);
      await keep(store, ...awkwardNames.map((name) => entry(name, position, { tags: [name, ...awkwardNames] })));
      const found = (await store.read(awkwardNames, undefined)).entries;
      assert.deepEqual(found.map(text), awkwardNames);
      for (const [index, name] of awkwardNames.entries()) assert.deepEqual(found[index]?.tags, [name, ...awkwardNames]);
    },
  },
  {
    name: 'writes and reads 500 keys at once, in their order',
    async run({ store }) {
      const position = await positionOf(store);
      const keys = Array.from({ length: 500 }, (_, index) => `key ${(index * 7) % 500}`);
      await keep(store, ...keys.filter((_, index) => index % 5 !== 0).map((key) => entry(key, position)));
      const found = (await store.read(keys, undefined)).entries.map(text);
      assert.deepEqual(
        found,
        keys.map((key, index) => (index % 5 === 0 ? undefined : key)),
      );
    },
  },
  {
    name: 'answers a key that is asked for twice in both places',
    async run({ store }) {
      await keep(store, entry('a', await positionOf(store)));
      assert.deepEqual(await readTexts(store, 'a', 'b', 'a', 'b', 'a'), ['a', undefined, 'a', undefined, 'a']);
    },
  },
  {
    name: 'the last write of a key wins, also within one call',
    async run({ store }) {
      const position = await positionOf(store);
      const value = (bytes: string, tag: string) => entry('a', position, { bytes: Buffer.from(bytes), tags: [tag] });
      await keep(store, value('long first value', 'one'));
      const kept = await store.write([value('second', 'two'), entry('b', position), value('3', 'three')]);
      assert.deepEqual(kept.slice(1), [true, true]);
      const [found] = (await store.read(['a'], undefined)).entries;
      assert.deepEqual([text(found), found?.tags], ['3', ['three']]);
      // Its former tags no longer concern it.
      await store.invalidate({ keys: [], tags: ['one', 'two'] }, undefined);
      assert.deepEqual(await readTexts(store, 'a'), ['3']);
    },
  },
  {
    name: 'an entry ends after its time, and may be written again',
    async run({ store }) {
      const position = await positionOf(store);
      await keep(store, entry('short', position, { ttlMs: 60.5 }), entry('long', position));
      await until('the entry has expired', async () => !(await store.read(['short'], undefined)).entries[0]);
      assert.deepEqual(await readTexts(store, 'short', 'long'), [undefined, 'long']);
      await keep(store, entry('short', position));
      assert.deepEqual(await readTexts(store, 'short'), ['short']);
    },
  },
  {
    name: 'writing again replaces the time an entry has',
    async run({ store }) {
      const position = await positionOf(store);
      await keep(store, entry('a', position, { ttlMs: 80 }), entry('b', position, { ttlMs: 80 }));
      await keep(store, entry('a', position));
      await until('the other has expired', async () => !(await store.read(['b'], undefined)).entries[0]);
      assert.deepEqual(await readTexts(store, 'a'), ['a']);
    },
  },
];
