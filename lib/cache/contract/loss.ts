import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { type Case, changed, changedNames, entry, keep, longMs, positionOf, readTexts } from './case.ts';

/** A store that loses its data must not bring old values back. */
export const loss: readonly Case[] = [
  {
    name: 'after a loss it works on, at higher positions, and says that it lost the log',
    async run({ store, another, lose }) {
      const before = await store.invalidate({ keys: ['a'], tags: ['t'] }, undefined);
      await keep(store, entry('a', before.position), entry('b', before.position, { tags: ['t'] }));
      await store.lease('a', 'token', longMs);
      // A new log begins at the clock in milliseconds, so let it pass what this test has used up.
      await delay(25);
      await lose();

      const after = await store.read(['a', 'b'], before.position);
      assert.deepEqual(after.entries, [undefined, undefined]);
      assert.equal(after.changes, 'lost');
      assert.ok(after.position > before.position, `${after.position} > ${before.position}`);
      assert.deepEqual((await store.size()).entries, 0);
      assert.equal((await store.lease('a', 'other token', longMs)).granted, true);

      await keep(store, entry('a', after.position, { tags: ['t'] }));
      const client = await another();
      assert.deepEqual(await readTexts(client, 'a'), ['a']);
      const reply = await client.invalidate({ keys: [], tags: ['t'] }, after.position);
      assert.deepEqual(changedNames(reply), { keys: [], tags: ['t'] });
      assert.deepEqual(await readTexts(store, 'a'), [undefined]);
    },
  },
  {
    name: 'refuses a value that was loaded before a loss',
    async run({ store, another, lose }) {
      const before = await positionOf(store);
      await store.invalidate({ keys: ['a'], tags: [] }, undefined);
      await delay(25);
      await lose();
      // By the first command after the loss, which is also the one that begins the new log.
      assert.deepEqual(await (await another()).write([entry('a', before), entry('b', before)]), [false, false]);
      assert.deepEqual(await readTexts(store, 'a', 'b'), [undefined, undefined]);
    },
  },
  {
    name: 'every method may be the first one after a loss',
    async run({ store, lose }) {
      let since = await positionOf(store);
      const afterLoss = async () => {
        await delay(25);
        await lose();
      };
      await afterLoss();
      const invalidated = await store.invalidate({ keys: ['a'], tags: ['t'] }, since);
      assert.equal(invalidated.changes, 'lost');
      assert.ok(invalidated.position > since);
      since = invalidated.position;

      await afterLoss();
      const leased = await store.lease('a', 'token', longMs);
      assert.ok(leased.granted && leased.position > since && leased.entry === undefined);
      assert.deepEqual(changed(await store.read([], leased.position)), { keys: [], tags: [] });

      await afterLoss();
      await store.release('a', 'token');
      const now = Date.now();
      await store.count(now, { sums: { hits: 1 }, maxima: {} }, longMs);
      assert.equal((await store.counts(now)).sums.hits, 1);
      assert.equal((await store.size()).entries, 0);
      await keep(store, entry('a', await positionOf(store)));
      assert.deepEqual(await readTexts(store, 'a'), ['a']);
    },
  },
];
