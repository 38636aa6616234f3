import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { type Case, entry, keep, longMs, positionOf, text, until } from './case.ts';
import { awkwardNames } from './entries.ts';

/** The right to load a key. */
export const leases: readonly Case[] = [
  {
    name: 'grants a lease to one at a time, and each key has its own',
    async run({ store, another }) {
      const client = await another();
      const position = await positionOf(store);
      assert.deepEqual(await store.lease('a', 'one', longMs), { granted: true, position, entry: undefined });
      assert.equal((await client.lease('a', 'two', longMs)).granted, false);
      assert.equal((await client.lease('b', 'two', longMs)).granted, true);
      assert.equal((await store.lease('b', 'one', longMs)).granted, false);
    },
  },
  {
    name: 'grants a lease to one of ten who ask at once',
    async run({ another }) {
      const clients = await Promise.all(Array.from({ length: 10 }, another));
      const replies = await Promise.all(clients.map((client, index) => client.lease('a', `token ${index}`, longMs)));
      assert.equal(replies.filter(({ granted }) => granted).length, 1);
    },
  },
  {
    name: 'leases keys of any characters',
    async run({ store }) {
      for (const name of awkwardNames) assert.equal((await store.lease(name, 'one', longMs)).granted, true);
      for (const name of awkwardNames) assert.equal((await store.lease(name, 'two', longMs)).granted, false);
      for (const name of awkwardNames) await store.release(name, 'one');
      for (const name of awkwardNames) assert.equal((await store.lease(name, 'two', longMs)).granted, true);
    },
  },
  {
    name: 'renews a lease for the token that holds it',
    async run({ store }) {
      assert.equal((await store.lease('a', 'one', 100)).granted, true);
      assert.equal((await store.lease('a', 'one', longMs)).granted, true);
      await delay(150);
      assert.equal((await store.lease('a', 'two', longMs)).granted, false);
    },
  },
  {
    name: 'a lease ends after its time',
    async run({ store, another }) {
      assert.equal((await store.lease('a', 'one', 50)).granted, true);
      const client = await another();
      await until('the lease has ended', async () => (await client.lease('a', 'two', longMs)).granted);
      assert.equal((await store.lease('a', 'one', longMs)).granted, false);
    },
  },
  {
    name: 'is given back by its holder only',
    async run({ store, another }) {
      const client = await another();
      await store.lease('a', 'one', longMs);
      await client.release('a', 'two');
      await client.release('missing', 'two');
      assert.equal((await client.lease('a', 'two', longMs)).granted, false);
      await store.release('a', 'one');
      assert.equal((await client.lease('a', 'two', longMs)).granted, true);
      await store.release('a', 'one');
      assert.equal((await store.lease('a', 'one', longMs)).granted, false);
    },
  },
  {
    name: 'tells the valid entry with the answer, granted or not',
    async run({ store, another }) {
      const position = await positionOf(store);
      await keep(store, entry('a', position, { tags: ['t'] }));
      for (const [token, granted] of [
        ['one', true],
        ['two', false],
      ] as const) {
        const reply = await store.lease('a', token, longMs);
        assert.equal(reply.granted, granted);
        assert.deepEqual([text(reply.entry), reply.entry?.tags, reply.entry?.position], ['a', ['t'], position]);
      }
      await (await another()).invalidate({ keys: [], tags: ['t'] }, undefined);
      assert.equal((await store.lease('a', 'one', longMs)).entry, undefined);
    },
  },
  {
    name: 'a lease may be held while its key is invalidated, and gives the position to load at again',
    async run({ store }) {
      const first = await store.lease('a', 'one', longMs);
      await store.invalidate({ keys: ['a'], tags: [] }, undefined);
      assert.deepEqual(await store.write([entry('a', first.position)]), [false]);
      const second = await store.lease('a', 'one', longMs);
      assert.equal(second.granted, true);
      assert.ok(second.position > first.position);
      await keep(store, entry('a', second.position));
    },
  },
  {
    name: 'ends with the write of what was loaded, which the next one finds',
    async run({ store, another }) {
      const { position } = await store.lease('a', 'one', longMs);
      await keep(store, entry('a', position, { leaseToken: 'one' }));
      const reply = await (await another()).lease('a', 'two', longMs);
      assert.deepEqual([reply.granted, text(reply.entry)], [true, 'a']);
    },
  },
  {
    name: 'ends with the write of what was loaded even when that is refused',
    async run({ store }) {
      const { position } = await store.lease('a', 'one', longMs);
      await store.invalidate({ keys: ['a'], tags: [] }, undefined);
      assert.deepEqual(await store.write([entry('a', position, { leaseToken: 'one' })]), [false]);
      assert.equal((await store.lease('a', 'two', longMs)).granted, true);
    },
  },
  {
    name: 'ends with a replacement that names it',
    async run({ store }) {
      await store.lease('a', 'one', longMs);
      const { position: _, ...replacement } = entry('a', 0, { leaseToken: 'one' });
      await store.invalidate({ keys: ['a'], tags: [] }, undefined, replacement);
      const reply = await store.lease('a', 'two', longMs);
      assert.deepEqual([reply.granted, text(reply.entry)], [true, 'a']);
    },
  },
  {
    name: 'does not end with the write of anybody else, or of another key',
    async run({ store }) {
      const { position } = await store.lease('a', 'one', longMs);
      await keep(store, entry('a', position));
      await keep(store, entry('a', position, { leaseToken: 'two' }));
      await keep(store, entry('b', position, { leaseToken: 'one' }));
      assert.equal((await store.lease('a', 'two', longMs)).granted, false);
    },
  },
];
