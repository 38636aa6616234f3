import { describe, expect, test } from 'vitest';
import { createCache } from '../../../../lib/cache/cache.ts';
import type { DefinitionOptions } from '../../../../lib/cache/definition.ts';
import { useFakeClock } from './clock.ts';

useFakeClock();

test('an identifier may be anything that has a text; its key begins with the name', async () => {
  const things = createCache().define('thing', { load: ({ page }: { page: number; size?: number }) => page });
  expect(things.key({ size: 1, page: 5 })).toBe('thing:{"page":5,"size":1}');
  expect(await things.get({ page: 5, size: 1 })).toBe(5);
  const own = createCache().define('own', { key: (id: Date) => id.toISOString(), load: (id: Date) => id.getTime() });
  expect(own.key(new Date(0))).toBe('own:1970-01-01T00:00:00.000Z');
  expect(await own.get(new Date(7))).toBe(7);
});

test('an identifier without a text is refused with a rejection, not thrown', async () => {
  const things = createCache().define('thing', { load: (_: unknown) => 1 });
  for (const id of [undefined, Symbol('a')]) {
    const got = things.get(id);
    await expect(got).rejects.toMatchObject({ code: 'key-invalid' });
    await expect(things.set(id, 1)).rejects.toMatchObject({ code: 'key-invalid' });
    await expect(things.delete(id)).rejects.toMatchObject({ code: 'key-invalid' });
    await expect(things.getMany([1, id])).rejects.toMatchObject({ code: 'key-invalid' });
    await expect(things.getCached(id)).rejects.toMatchObject({ code: 'key-invalid' });
  }
});

test('getMany answers in order, also what is asked for twice', async () => {
  const loads: string[] = [];
  const things = createCache().define('thing', { load: (id: string) => loads.push(id) && id.toUpperCase() });
  expect(await things.getMany(['b', 'a', 'b'])).toEqual(['B', 'A', 'B']);
  expect(await things.getMany([])).toEqual([]);
  expect(loads).toEqual(['b', 'a']);
});

test('getCached tells tags and times', async () => {
  const things = createCache().define('thing', {
    jitter: 0,
    fresh: 1_000,
    stale: 500,
    tags: (value: string) => [value],
    load: (id: string) => id,
  });
  const now = Date.now();
  expect(await things.getCached('a')).toMatchObject({
    value: 'a',
    key: 'thing:a',
    tags: ['a'],
    freshUntil: now + 1_000,
    staleUntil: now + 1_500,
  });
});

test('counts a hit whether it is timed or not', async () => {
  const cache = createCache();
  const things = cache.define('thing', { load: (id: string) => id });
  for (let n = 0; n < 5_000; n++) await things.get('a');
  const { gets, l1 } = cache.stats();
  expect([gets, l1.fresh, l1.misses]).toEqual([5_000, 4_999, 1]);
  expect(l1.latencyMs.p50).not.toBe(null);
});

describe('what it is made of is checked', () => {
  test.each<[string, unknown]>([
    ['has no loader', {}],
    ['has no loader', { load: 'x' }],
    ['no option "ttl"', { load: () => 1, ttl: 5 }],
    ['fresh', { load: () => 1, fresh: 'x' }],
  ])('%s', (message, options) => {
    expect(() => createCache().define('thing', options as DefinitionOptions<string, number>)).toThrow(
      expect.objectContaining({ code: 'option-invalid', message: expect.stringContaining(message) }),
    );
  });
});
