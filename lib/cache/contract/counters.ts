import assert from 'node:assert/strict';
import type { Store } from '../store.ts';
import { type Case, longMs, until } from './case.ts';

const spanMs = 10_000;
const now = () => Math.floor(Date.now() / spanMs) * spanMs;

/** As plain objects, whatever the adapter made them of. */
async function countsOf(store: Store | undefined, from: number) {
  assert.ok(store);
  const { sums, maxima } = await store.counts(from);
  return { sums: { ...sums }, maxima: { ...maxima } };
}

/** Numbers that all processes add up. */
export const counters: readonly Case[] = [
  {
    name: 'counts nothing at first',
    async run({ store }) {
      assert.deepEqual(await countsOf(store, 0), { sums: {}, maxima: {} });
    },
  },
  {
    name: 'adds up sums, and keeps maxima, over all clients',
    async run({ store, another }) {
      const client = await another();
      const start = now();
      await store.count(start, { sums: { hits: 2, 'l1.ms 🙂': 1.5 }, maxima: { hits: 7, ms: 2.25 } }, longMs);
      await client.count(start, { sums: { hits: 40, bytes: 2 ** 40 }, maxima: { ms: 1.125, none: 0 } }, longMs);
      await client.count(start, { sums: { 'l1.ms 🙂': 0.25 }, maxima: { hits: 9 } }, longMs);
      await client.count(start, { sums: {}, maxima: {} }, longMs);
      assert.deepEqual(await countsOf(store, start), {
        sums: { hits: 42, 'l1.ms 🙂': 1.75, bytes: 2 ** 40 },
        maxima: { hits: 9, ms: 2.25, none: 0 },
      });
    },
  },
  {
    name: 'loses no count of ten clients that count at once',
    async run({ another }) {
      const start = now();
      const clients = await Promise.all(Array.from({ length: 10 }, another));
      await Promise.all(
        clients.map(async (client, index) => {
          for (let round = 0; round < 10; round++) {
            await client.count(start, { sums: { n: 1 }, maxima: { most: index * 10 + round } }, longMs);
          }
        }),
      );
      assert.deepEqual(await countsOf(clients[0], start), { sums: { n: 100 }, maxima: { most: 99 } });
    },
  },
  {
    name: 'puts together the spans that began at or after a time',
    async run({ store }) {
      const start = now();
      for (const [index, n] of [1, 10, 100].entries()) {
        await store.count(start - index * spanMs, { sums: { n }, maxima: { most: n } }, longMs);
      }
      assert.deepEqual(await countsOf(store, start + 1), { sums: {}, maxima: {} });
      assert.deepEqual(await countsOf(store, start), { sums: { n: 1 }, maxima: { most: 1 } });
      assert.deepEqual(await countsOf(store, start - spanMs + 1), { sums: { n: 1 }, maxima: { most: 1 } });
      assert.deepEqual(await countsOf(store, start - spanMs), { sums: { n: 11 }, maxima: { most: 10 } });
      assert.deepEqual(await countsOf(store, 0), { sums: { n: 111 }, maxima: { most: 100 } });
    },
  },
  {
    name: 'forgets a span when it is no longer wanted',
    async run({ store }) {
      const start = now();
      await store.count(start, { sums: { n: 1 }, maxima: { most: 1 } }, longMs);
      await store.count(start - spanMs, { sums: { n: 10 }, maxima: { most: 10 } }, 40);
      await until('the span is forgotten', async () => (await store.counts(0)).sums.n === 1);
      assert.deepEqual(await countsOf(store, 0), { sums: { n: 1 }, maxima: { most: 1 } });
    },
  },
  {
    name: 'keeps a span for as long as anybody wants it',
    async run({ store, another }) {
      const client = await another();
      const prolonged = now();
      const [notShortened, witness] = [prolonged - spanMs, prolonged - 2 * spanMs];
      const counts = (name: string) => ({ sums: { [name]: 1 }, maxima: {} });
      await store.count(prolonged, counts('prolonged'), 40);
      await client.count(prolonged, counts('prolonged'), longMs);
      await client.count(notShortened, counts('not shortened'), longMs);
      await store.count(notShortened, counts('not shortened'), 40);
      await store.count(witness, counts('witness'), 60);
      await until('the witness is forgotten', async () => !('witness' in (await store.counts(0)).sums));
      const { sums } = await countsOf(store, 0);
      assert.deepEqual(Object.keys(sums).sort(), ['not shortened', 'prolonged']);
      assert.equal(sums['not shortened'], 2);
    },
  },
];
