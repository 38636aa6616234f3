import { describe, expect, test, vi } from 'vitest';
import { type CacheOptions, createCache } from '../../../../lib/cache/cache.ts';
import type { Cdn } from '../../../../lib/cache/cdn.ts';
import { cdnTag } from '../../../../lib/cache/http.ts';
import { advance, useFakeClock, watch, within } from './clock.ts';
import { ChaosStore, FakeServer, FakeStore } from './fake-store.ts';

useFakeClock();

const steady = { jitter: 0, earlyRefresh: 0 } as const;

/** A CDN that notes what it is told. */
function fakeCdn() {
  const cdn = {
    name: 'fake',
    tagHeader: 'cache-tag',
    error: undefined as Error | undefined,
    purges: [] as string[][],
    async purge(tags: readonly string[]) {
      cdn.purges.push([...tags]);
      if (cdn.error) throw cdn.error;
    },
  };
  return cdn satisfies Cdn;
}

describe('options', () => {
  test.each<[string, unknown]>([
    ['there is no option "maxlag"', { maxlag: 1 }],
    ['l1: there is no option "size"', { l1: { size: 1 } }],
    ['breaker: there is no option "coolDown"', { l2: new FakeStore(), breaker: { coolDown: 1 } }],
    ['l1.policy: there is no "fifo"', { l1: { policy: 'fifo' } }],
    ['l1.maxEntries', { l1: { maxEntries: -1 } }],
    ['l1.maxEntries', { l1: { maxEntries: 1.5 } }],
    ['l1.maxBytes', { l1: { maxBytes: 0 } }],
    ['compressAbove', { l2: new FakeStore(), compressAbove: true }],
    ['flushEvery', { l2: new FakeStore(), flushEvery: 'often' }],
    ['maxLag', { l2: new FakeStore(), maxLag: '1 s' }],
    ['softLimit', { l2: new FakeStore(), softLimit: -1 }],
    ['hardLimit', { l2: new FakeStore(), hardLimit: Number.NaN }],
    ['breaker.failures', { l2: new FakeStore(), breaker: { failures: 0 } }],
    ['breaker.cooldown', { l2: new FakeStore(), breaker: { cooldown: 'x' } }],
  ])('%s: refused', (message, options) => {
    expect(() => createCache(options as CacheOptions)).toThrow(
      expect.objectContaining({ code: 'option-invalid', message: expect.stringContaining(message) }),
    );
  });

  test.each<[string, unknown]>([
    ['maxLag', { maxLag: 'soon' }],
    ['softLimit', { softLimit: -1 }],
    ['breaker.failures', { breaker: { failures: 0 } }],
  ])('%s: refused, also where there is no second level that it is for', (message, options) => {
    expect(() => createCache(options as CacheOptions)).toThrow(message);
  });

  test('a definition has a name of its own, without a colon', () => {
    const cache = createCache();
    cache.define('a', { load: () => 1 });
    for (const name of ['a', '', 'b:c']) {
      expect(() => cache.define(name, { load: () => 1 })).toThrow(expect.objectContaining({ code: 'option-invalid' }));
    }
    // What is refused takes no name away.
    expect(() => cache.define('b', { load: () => 1, fresh: 'x' as '1s' })).toThrow('fresh');
    cache.define('b', { load: () => 1 });
  });
});

describe('getOrSet', () => {
  test('loads once, and keeps', async () => {
    const cache = createCache();
    const load = vi.fn(async () => 5);
    const policy = { fresh: 1_000, ...steady };
    expect(await Promise.all([cache.getOrSet('a', load, policy), cache.getOrSet('a', load, policy)])).toEqual([5, 5]);
    expect(await cache.getOrSet('a', load)).toBe(5);
    expect(load).toHaveBeenCalledOnce();
    await cache.invalidate({ keys: ['a'] });
    await cache.getOrSet('a', load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  test('refuses keys that belong to a definition, are no text, or too long, and options that there are not', async () => {
    const cache = createCache();
    cache.define('thing', { load: () => 1 });
    const load = () => 1;
    await expect(cache.getOrSet('thing:a', load)).rejects.toMatchObject({ code: 'key-invalid' });
    await expect(cache.getOrSet('', load)).rejects.toMatchObject({ code: 'key-invalid' });
    await expect(cache.getOrSet('x'.repeat(1_025), load)).rejects.toMatchObject({ code: 'key-invalid' });
    await expect(cache.getOrSet('\ud800', load)).rejects.toMatchObject({ code: 'key-invalid' });
    await expect(cache.getOrSet('a', load, { ttl: 1 } as object)).rejects.toMatchObject({ code: 'option-invalid' });
    await expect(cache.getOrSet(5 as unknown as string, load)).rejects.toMatchObject({ code: 'key-invalid' });
  });
});

describe('set, delete, invalidate', () => {
  test.each([['memory only'], ['two levels']])(
    '%s: what is set is served, what is deleted is loaded',
    async (levels) => {
      const cache = createCache({ l2: levels === 'two levels' ? new FakeStore() : undefined });
      let loads = 0;
      const things = cache.define('thing', { ...steady, tags: ['t'], load: (_: string) => ++loads });
      await things.set('a', 100);
      expect(await within(10, things.get('a'))).toBe(100);
      await cache.invalidate({ tags: ['t'] });
      expect(await within(10, things.get('a'))).toBe(1);
      await things.delete('a');
      expect(await within(10, things.get('a'))).toBe(2);
      await things.set('a', 101);
      expect(await within(10, things.get('a'))).toBe(101);
      await cache.invalidate({ keys: ['thing:a'] });
      expect(await within(10, things.get('a'))).toBe(3);
      expect(cache.stats()).toMatchObject({ invalidations: 5, gets: 5 });
    },
  );

  test('a load under way does not undo a set', async () => {
    const cache = createCache({ l2: new FakeStore() });
    const things = cache.define('thing', {
      ...steady,
      load: (_: string) => new Promise<string>((resolve) => setTimeout(() => resolve('loaded'), 100)),
    });
    const before = watch(things.get('a'));
    await advance(10);
    await within(5, things.set('a', 'set'));
    expect(await within(5, things.get('a'))).toBe('set');
    await advance(200);
    expect(before.value).toBe('loaded');
    expect(await within(5, things.get('a'))).toBe('set');
  });

  test('refuses what is no label, and what cannot be kept', async () => {
    const cache = createCache({ l2: new FakeStore() });
    const things = cache.define('thing', { load: (_: string): unknown => 1 });
    await expect(cache.invalidate({ key: ['a'] } as object)).rejects.toMatchObject({ code: 'option-invalid' });
    await expect(cache.invalidate({ keys: [''] })).rejects.toMatchObject({ code: 'key-invalid' });
    await expect(cache.invalidate({ tags: ['\udc00'] })).rejects.toMatchObject({ code: 'tag-invalid' });
    await expect(things.set('a', () => 1)).rejects.toMatchObject({ code: 'value-invalid' });
    await cache.invalidate({});
    expect(cache.stats().invalidations).toBe(1);
  });

  test('a text where a list of texts belongs is refused, instead of read letter by letter', async () => {
    await expect(createCache().invalidate({ keys: 'abc' as unknown as string[] })).rejects.toMatchObject({
      code: 'key-invalid',
    });
  });

  test('a value that is not to be kept takes the place of the old one all the same', async () => {
    const cache = createCache({ l2: new FakeStore() });
    let loads = 0;
    const things = cache.define<string, number | null>('thing', { ...steady, negative: 0, load: () => ++loads });
    await within(10, things.get('a'));
    await things.set('a', null);
    expect(await within(10, things.get('a'))).toBe(2);
  });

  test('what was set is no failure any more, wherever it is kept', async () => {
    const cache = createCache({ l1: { maxEntries: 0 }, l2: new FakeStore() });
    const things = cache.define<string, number>('thing', {
      ...steady,
      load: () => {
        throw new Error('down');
      },
    });
    await expect(within(10, things.get('a'))).rejects.toThrow('down');
    await things.set('a', 5);
    expect(await within(10, things.get('a'))).toBe(5);
  });
});

describe('the CDN', () => {
  test('is told of keys and tags, last', async () => {
    const l3 = fakeCdn();
    const cache = createCache({ l3 });
    await cache.invalidate({ keys: ['a:b'], tags: ['t'] });
    expect(l3.purges).toEqual([[cdnTag('a:b'), cdnTag('t')]]);
    expect(cache.stats().l3).toEqual({ purges: 1, purgesFailed: 0 });
  });

  test('that fails is a level that was not reached; the others have been told', async () => {
    const l3 = fakeCdn();
    l3.error = new Error('throttled');
    const cache = createCache({ l3 });
    let loads = 0;
    const things = cache.define('thing', { ...steady, load: (_: string) => ++loads });
    await things.get('a');
    await expect(cache.invalidate({ keys: ['thing:a'] })).rejects.toMatchObject({
      code: 'level-unreachable',
      cause: l3.error,
    });
    expect(await things.get('a')).toBe(2);
    expect(cache.stats().l3).toEqual({ purges: 0, purgesFailed: 1 });
  });

  test('two levels that fail are told in one error', async () => {
    const l3 = fakeCdn();
    l3.error = new Error('throttled');
    const cache = createCache({ l2: new ChaosStore().alwaysThrow(), l3 });
    await expect(within(10, cache.invalidate({ keys: ['a'] }))).rejects.toMatchObject({
      code: 'level-unreachable',
      message: expect.stringMatching(/told.*throttled/),
    });
    expect(l3.purges.length).toBe(1);
  });
});

describe('the end', () => {
  test('nothing is served or loaded after it', async () => {
    const cache = createCache();
    const things = cache.define('thing', { load: (_: string) => 1 });
    await things.get('a');
    await cache.close();
    await expect(things.get('a')).rejects.toMatchObject({ code: 'closed' });
    await expect(cache.getOrSet('b', () => 1)).rejects.toMatchObject({ code: 'closed' });
  });

  test('nor while it is under way', async () => {
    const cache = createCache({ l2: new ChaosStore().delay(50, 50) });
    const things = cache.define('thing', { ...steady, load: (_: string) => 1 });
    await within(500, things.get('a'));
    const closed = watch(cache.close());
    await expect(things.get('a')).rejects.toMatchObject({ code: 'closed' });
    await advance(1_000);
    expect(closed.state).toBe('resolved');
  });

  test('nor what a load brings that was still under way', async () => {
    const cache = createCache();
    const things = cache.define('thing', {
      ...steady,
      load: (_: string) => new Promise<number>((resolve) => setTimeout(() => resolve(1), 100)),
    });
    watch(things.get('a'));
    await cache.close();
    await advance(200);
    await expect(things.get('a')).rejects.toMatchObject({ code: 'closed' });
    expect(cache.stats().l1.entries).toBe(0);
  });

  test('waits for writes, and adds the last counters to those of the others', async () => {
    const server = new FakeServer();
    const cache = createCache({ l2: new ChaosStore(new FakeStore(server)).delay(5, 5) });
    const things = cache.define('thing', { ...steady, load: (_: string) => 1 });
    await within(100, things.get('a'));
    await within(100, cache.close());
    expect(server.entries.size).toBe(1);
    expect(server.spans[0]?.sums).toMatchObject({ 'loads.ok': 1, 'l1.misses': 1 });
  });
});

describe('statistics of all', () => {
  test('add up over processes and hours', async () => {
    const server = new FakeServer();
    const caches = [1, 2, 3].map(() => createCache({ l2: new FakeStore(server) }));
    const began = Date.now();
    for (const [index, cache] of caches.entries()) {
      const things = cache.define('thing', { ...steady, load: (id: string) => id });
      for (let hour = 0; hour < 3; hour++) {
        for (let n = 0; n < 20; n++) await within(10, things.get(String(n + index * 10)));
        await advance(3_600_000);
      }
    }
    let last: Awaited<ReturnType<(typeof caches)[number]['fleetStats']>> | undefined;
    for (const cache of caches) last = await within(100, cache.fleetStats(began));
    const own = caches.map((cache) => cache.stats());
    const sum = (pick: (stats: (typeof own)[number]) => number) => own.reduce((total, one) => total + pick(one), 0);
    expect(last).toMatchObject({
      gets: sum(({ gets }) => gets),
      waits: sum(({ waits }) => waits),
      loads: { ok: sum(({ loads }) => loads.ok) },
      l2: { maxEntries: 10_000 },
    });
    expect(last?.gets).toBe(180);
    expect(last?.distinctKeys).toBeGreaterThan(34);
    expect(last?.distinctKeys).toBeLessThan(46);
  });

  test('there are none without a second level', async () => {
    await expect(createCache().fleetStats(0)).rejects.toMatchObject({ code: 'option-invalid' });
  });
});
