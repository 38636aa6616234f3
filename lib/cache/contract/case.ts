import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Changes, Exchange, NewEntry, Position, Store, StoredEntry } from '../store.ts';

/** A store that the contract may do anything with. */
export interface StoreUnderTest {
  store: Store;
  /** Another client of the same data, as a second process would have. */
  another(): Promise<Store>;
  /** Lets the store lose all its data while its clients stay, as by FLUSHALL or TRUNCATE. */
  lose(): Promise<void>;
  /** Closes all clients, and removes the data. */
  close(): Promise<void>;
}

/** One test of the contract. */
export interface Case {
  name: string;
  maxEntries?: number;
  run(subject: StoreUnderTest): Promise<void>;
}

/** Longer than any test takes. */
export const longMs = 600_000;

/** An entry whose value is its key, where nothing else is said. */
export function entry(key: string, position: Position, more: Partial<NewEntry> = {}): NewEntry {
  return { key, bytes: Buffer.from(key), tags: [], position, ttlMs: longMs, ...more };
}

/** The value of an entry as text; undefined where there is none. */
export function text(found: StoredEntry | undefined): string | undefined {
  return found && Buffer.from(found.bytes).toString();
}

/** Where the log of a store ends. */
export async function positionOf(store: Store): Promise<Position> {
  return (await store.read([], undefined)).position;
}

/** The values under keys, as text: the same for who knows nothing of the log and who knows all of it. */
export async function readTexts(store: Store, ...keys: string[]): Promise<Array<string | undefined>> {
  const { entries, position } = await store.read(keys, undefined);
  const texts = entries.map(text);
  assert.deepEqual((await store.read(keys, position)).entries.map(text), texts);
  return texts;
}

/** Writes entries, all of which must be kept. */
export async function keep(store: Store, ...entries: NewEntry[]): Promise<void> {
  assert.deepEqual(
    await store.write(entries),
    entries.map(() => true),
  );
}

/** What an exchange says was invalidated, in an order to compare; fails when it says `lost`. */
export function changed({ changes }: Exchange): Changes {
  if (changes === 'lost') assert.fail('the log should still know the changes since that position');
  const byName = (a: readonly [string, Position], b: readonly [string, Position]) => (a[0] < b[0] ? -1 : 1);
  return { keys: [...changes.keys].sort(byName), tags: [...changes.tags].sort(byName) };
}

/** The names of what was invalidated. */
export function changedNames(exchange: Exchange): { keys: string[]; tags: string[] } {
  const { keys, tags } = changed(exchange);
  return { keys: keys.map(([key]) => key), tags: tags.map(([tag]) => tag) };
}

/** Waits until something is so. A store has a clock of its own, which the tests cannot turn. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; !(await isSo()); await delay(10)) {
    assert.ok(Date.now() < deadline, `within 10 seconds: ${what}`);
  }
}
