import { expect, test } from 'vitest';
import { BoundedMap } from '../../../../../lib/queries/track/bounded.ts';

/** Those of the keys that are there. Asked the last one first, since what is asked for stays. */
const kept = <Key extends string | number>(map: BoundedMap<Key, object>, keys: readonly Key[]) =>
  keys.toReversed().filter((key) => map.get(key) !== undefined);

test('there are never more entries than may be, and the latest ones are among them', () => {
  const map = new BoundedMap<number, object>(10, 100);
  const keys = Array.from({ length: 1_000 }, (_, i) => i);
  for (const key of keys) map.add(key, {});
  const found = kept(map, keys);
  expect(found.length).toBeLessThanOrEqual(10);
  expect(found.slice(0, 5)).toEqual([999, 998, 997, 996, 995]);
});

test('the characters of all keys together are never more than may be', () => {
  const map = new BoundedMap<string, object>(1_000, 100);
  const keys = Array.from({ length: 1_000 }, (_, i) => `${'x'.repeat(i % 20)}${i}`);
  for (const key of keys) map.add(key, {});
  const found = kept(map, keys);
  expect(found.join('').length).toBeLessThanOrEqual(100);
  expect(found[0]).toBe(keys.at(-1));
});

test('what is asked for again and again stays, whatever else comes', () => {
  const map = new BoundedMap<number, { of: number }>(10, 100);
  map.add(-1, { of: -1 });
  for (let key = 0; key < 1_000; key++) {
    map.add(key, { of: key });
    expect(map.get(-1)).toEqual({ of: -1 });
  }
});
