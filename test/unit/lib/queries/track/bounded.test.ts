import { expect, test } from 'vitest';
import { BoundedMap } from '../../../../../lib/queries/track/bounded.ts';

test('what came first is forgotten first', () => {
  const map = new BoundedMap<number, string>(2, 100);
  for (const key of [1, 2, 3]) map.add(key, `of ${key}`);
  expect([1, 2, 3].map((key) => map.get(key))).toEqual([undefined, 'of 2', 'of 3']);
});

test('the characters of all keys together are as many as they may be', () => {
  const map = new BoundedMap<string, number>(100, 10);
  const keys = ['aaaaa', 'bbb', 'cc', 'dddd'];
  for (const [at, key] of keys.entries()) map.add(key, at);
  expect(keys.map((key) => map.get(key))).toEqual([undefined, 1, 2, 3]);
  map.add('e'.repeat(10), 4);
  expect([...keys, 'e'.repeat(10)].map((key) => map.get(key))).toEqual([undefined, undefined, undefined, undefined, 4]);
});

test('what is too long by itself is not kept', () => {
  const map = new BoundedMap<string, number>(100, 10);
  map.add('x'.repeat(11), 1);
  expect(map.get('x'.repeat(11))).toBeUndefined();
  map.add('y', 2);
  expect(map.get('y')).toBe(2);
});
