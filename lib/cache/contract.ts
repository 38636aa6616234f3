/**
 * The contract of a store: what the port (store.ts) promises, as tests. An adapter is right when it passes them, and
 * a third party's adapter can run them too, with any framework whose tests are made by `test(name, body)`:
 * vitest, node:test, Jest.
 *
 * @example
 * import { test } from 'node:test';
 * storeContract({ test, open: async (options) => new MyStoreUnderTest(options) });
 */
import { capacity } from './contract/capacity.ts';
import type { Case, StoreUnderTest } from './contract/case.ts';
import { concurrency } from './contract/concurrency.ts';
import { counters } from './contract/counters.ts';
import { entries } from './contract/entries.ts';
import { leases } from './contract/leases.ts';
import { log } from './contract/log.ts';
import { loss } from './contract/loss.ts';
import { randomWalk } from './contract/random-walk.ts';

export type { StoreUnderTest } from './contract/case.ts';

/** What the suite needs of a test framework and of an adapter. */
export interface StoreContract {
  /** Declares a test; it fails when the body rejects. A body may take some seconds. */
  test(name: string, body: () => Promise<void>): unknown;
  /** Opens an empty store, of its own for each test. `maxEntries` is given where the test depends on it. */
  open(options: { maxEntries?: number }): Promise<StoreUnderTest>;
}

const cases: readonly Case[] = [
  ...entries,
  ...log,
  ...loss,
  ...leases,
  ...capacity,
  ...counters,
  ...concurrency,
  ...randomWalk,
];

/** Declares the tests that every adapter must pass. They share nothing, and may run at once where `open` allows it. */
export function storeContract({ test, open }: StoreContract): void {
  for (const { name, maxEntries, run } of cases) {
    test(name, async () => {
      const subject = await open(maxEntries === undefined ? {} : { maxEntries });
      try {
        await run(subject);
      } finally {
        await subject.close();
      }
    });
  }
}
