import { describe, expect, test, vi } from 'vitest';
import { type CacheOptions, createCache } from '../../../../lib/cache/cache.ts';
import { createEngine, Shelf, type Wanted } from '../../../../lib/cache/engine.ts';
import { CacheError } from '../../../../lib/cache/errors.ts';
import { Invocations } from '../../../../lib/cache/invocations.ts';
import { InvalidationLog } from '../../../../lib/cache/log.ts';
import { Memory } from '../../../../lib/cache/memory.ts';
import { type Policy, planOf } from '../../../../lib/cache/plan.ts';
import { Statistics } from '../../../../lib/cache/statistics.ts';
import { advance, defer, nextTurn, useFakeClock, watch, within } from './clock.ts';
import { ChaosStore, FakeServer, FakeStore } from './fake-store.ts';

useFakeClock();

/** No chance in it. */
const steady = { jitter: 0, earlyRefresh: 0 } as const;

/** A cache with one definition, whose loader counts; `source` is what it loads. */
function setUp<Value = unknown>(policy: Policy<string, Value> = {}, options: CacheOptions = {}) {
  const source = { value: 1 as Value, error: undefined as unknown, ms: 0, loads: 0 };
  const cache = createCache(options);
  const things = cache.define<string, Value>('thing', {
    ...steady,
    ...policy,
    async load() {
      source.loads++;
      const { value, error, ms } = source;
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      if (error) throw error;
      return value;
    },
  });
  return { cache, things, source };
}

/** The same, with a second level behind chaos. */
function setUpShared<Value = unknown>(
  policy: Policy<string, Value> = {},
  options: CacheOptions = {},
  server = new FakeServer(),
) {
  const store = new ChaosStore(new FakeStore(server));
  return { ...setUp(policy, { l2: store, ...options }), store, server };
}

describe('in one process', () => {
  test('a value is fresh, then stale, then gone', async () => {
    const { things, source } = setUp({ fresh: 1_000, stale: 2_000 });
    expect(await things.get('a')).toBe(1);
    source.value = 2;
    await advance(999);
    expect(await things.get('a')).toBe(1);
    expect(source.loads).toBe(1);
    await advance(1);
    expect(await things.get('a'), 'stale').toBe(1);
    await advance();
    expect(await things.get('a'), 'refreshed').toBe(2);
    expect(source.loads).toBe(2);
    source.value = 3;
    await advance(3_000);
    expect(await things.get('a'), 'gone').toBe(3);
    expect(source.loads).toBe(3);
  });

  test('one load for all who wait', async () => {
    const { cache, things, source } = setUp();
    source.ms = 10;
    const all = Promise.all([...Array(100).keys()].map(() => things.get('a')));
    await advance(10);
    expect(new Set(await all)).toEqual(new Set([1]));
    expect(source.loads).toBe(1);
    expect(cache.stats()).toMatchObject({ gets: 100, waits: 100, hitRate: 0, loads: { ok: 1, joined: 99 } });
  });

  test('one error for all who wait, remembered for a while', async () => {
    const { cache, things, source } = setUp({ retryAfter: 500 });
    source.error = new Error('down');
    source.ms = 10;
    const all = [...Array(5).keys()].map(() => watch(things.get('a')));
    await advance(10);
    for (const { error } of all) expect(error).toBe(source.error);
    await expect(things.get('a')).rejects.toBe(source.error);
    expect(source.loads).toBe(1);
    await advance(500);
    source.error = undefined;
    expect(await within(10, things.get('a'))).toBe(1);
    expect(source.loads).toBe(2);
    expect(cache.stats().loads).toMatchObject({ ok: 1, failed: 1, joined: 4, rememberedErrors: 1 });
  });

  test('a failed refresh leaves the stale value, and is not tried again at once', async () => {
    const { things, source } = setUp({ fresh: 1_000, stale: 10_000, retryAfter: 500 });
    await things.get('a');
    await advance(1_000);
    source.error = new Error('down');
    for (let round = 0; round < 10; round++) {
      expect(await things.get('a')).toBe(1);
      await advance(10);
    }
    expect(source.loads).toBe(2);
    await advance(400);
    await things.get('a');
    expect(source.loads).toBe(3);
  });

  test('a loader that throws at once, and one that takes too long', async () => {
    const { cache } = setUp();
    const throws = cache.define('throws', {
      load: (): string => {
        throw new Error('at once');
      },
    });
    await expect(throws.get('a')).rejects.toThrow('at once');
    const signals: AbortSignal[] = [];
    const hangs = cache.define('hangs', {
      loadTimeout: 100,
      load: (_: string, { signal }) => {
        signals.push(signal);
        return new Promise<string>(() => {});
      },
    });
    const watched = watch(hangs.get('a'));
    await advance(99);
    expect(watched.state).toBe('pending');
    await advance(5);
    expect(watched.error).toMatchObject({ code: 'load-timeout' });
    expect(signals[0]?.reason).toBe(watched.error);
    expect(cache.stats().loads).toMatchObject({ ok: 0, failed: 2, timedOut: 1 });
  });

  test('the loader is told the key, and what it replaces', async () => {
    const told: unknown[] = [];
    const cache = createCache();
    const things = cache.define('thing', {
      ...steady,
      fresh: 1_000,
      stale: 1_000,
      load: (id: string, { key, previous }) => {
        told.push([id, key, previous]);
        return told.length;
      },
    });
    await things.get('a');
    await advance(1_000);
    await things.get('a');
    await advance();
    expect(told).toEqual([
      ['a', 'thing:a', undefined],
      ['a', 'thing:a', 1],
    ]);
  });

  test('who joins a load that began before an invalidation gets what was loaded after it', async () => {
    for (const labels of [{ keys: ['thing:a'] }, { tags: ['t'] }]) {
      const { cache, things, source } = setUp({ tags: ['t'] });
      source.ms = 100;
      const before = watch(things.get('a'));
      await advance(10);
      source.value = 2;
      await cache.invalidate(labels);
      const after = [watch(things.get('a')), watch(things.get('a'))];
      await advance(90);
      expect(before.value).toBe(1);
      expect(after.map(({ state }) => state)).toEqual(['pending', 'pending']);
      await advance(100);
      expect(after.map(({ value }) => value)).toEqual([2, 2]);
      expect(await things.get('a')).toBe(2);
      expect(source.loads).toBe(2);
    }
  });

  test('counts each get that waits once, also when it has to wait for a second load', async () => {
    const { cache, things, source } = setUp();
    source.ms = 100;
    watch(things.get('a'));
    await cache.invalidate({ keys: ['thing:a'] });
    for (let caller = 0; caller < 5; caller++) watch(things.get('a'));
    await advance(300);
    const { gets, waits, hitRate } = cache.stats();
    expect(gets).toBe(6);
    expect(waits).toBeLessThanOrEqual(gets);
    expect(hitRate).toBeGreaterThanOrEqual(0);
  });

  test('what is not to be kept is loaded once for each get', async () => {
    const { things, source } = setUp({ fresh: 0 });
    expect(await things.get('a')).toBe(1);
    await advance(1);
    expect(source.loads).toBe(1);
    await things.get('a');
    await advance(1);
    expect(source.loads).toBe(2);
  });

  test('nothing, where it is not to be remembered, is loaded once for each get', async () => {
    const { things, source } = setUp<number | null>({ negative: 0 });
    source.value = null;
    expect(await things.get('a')).toBe(null);
    await advance(1);
    expect(source.loads).toBe(1);
  });

  test('nothing is remembered for its own time', async () => {
    const { cache, things, source } = setUp<number | null>({ fresh: 10_000, negative: 100 });
    source.value = null;
    await things.get('a');
    await things.get('a');
    source.value = 1;
    await advance(99);
    expect(await things.get('a')).toBe(null);
    await advance(1);
    expect(await things.get('a')).toBe(1);
    expect(cache.stats().l1).toMatchObject({ negative: 2, misses: 2 });
  });

  test('a refresh that finds nothing replaces the stale value, also where nothing is not to be remembered', async () => {
    const { things, source } = setUp<number | null>({ fresh: 1_000, stale: 100_000, negative: 0 });
    await things.get('a');
    source.value = null;
    await advance(1_000);
    await things.get('a');
    await advance(10);
    expect(await within(10, things.get('a'))).toBe(null);
  });

  test('an early refresh replaces the value even when the new one is fresh for a shorter time', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999_999);
    const { things, source } = setUp<number | null>({ fresh: 100_000, negative: 1_000, earlyRefresh: 100 });
    source.ms = 1_000;
    await within(2_000, things.get('a'));
    source.value = null;
    source.ms = 0;
    // Half of its time is as early as a refresh may be.
    await advance(50_000);
    await things.get('a');
    await advance(1);
    expect(source.loads).toBe(2);
    expect(await within(10, things.get('a'))).toBe(null);
    for (let round = 0; round < 10; round++) {
      await things.get('a');
      await advance(1);
    }
    expect(source.loads, 'no load for every hit').toBe(2);
  });

  test('is refreshed no earlier than after half of its time, whatever the jitter', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999_999);
    const { things, source } = setUp({ fresh: 10_000, jitter: 0.5, earlyRefresh: 100 });
    source.ms = 1_000;
    await within(2_000, things.get('a'));
    await advance(2_000);
    await things.get('a');
    await advance(1_000);
    expect(source.loads, 'fresh for 5 seconds, refreshed after 2').toBe(1);
  });

  test('an early refresh happens the earlier the longer the load took, once', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1 - Math.exp(-1));
    const { cache, things, source } = setUp({ fresh: 10_000, earlyRefresh: 1 });
    source.ms = 500;
    await within(1_000, things.get('a'));
    await advance(9_490);
    await things.get('a');
    expect(source.loads).toBe(1);
    await advance(10);
    for (let round = 0; round < 5; round++) expect(await things.get('a')).toBe(1);
    expect(source.loads).toBe(2);
    expect(cache.stats().refreshes).toMatchObject({ early: 1, stale: 0 });
  });

  test('jitter shortens, by up to its share', async () => {
    for (const [random, ms] of [
      [0, 1_000],
      [0.999_999_999, 500],
    ] as const) {
      vi.spyOn(Math, 'random').mockReturnValue(random);
      const { things } = setUp({ fresh: 1_000, jitter: 0.5, stale: 100 });
      const before = Date.now();
      const { freshUntil, staleUntil } = await things.getCached('a');
      expect(freshUntil - before).toBeCloseTo(ms, 3);
      expect(staleUntil - freshUntil).toBeCloseTo(100, 3);
    }
  });

  test('a load whose tags cannot be made is a failed load: remembered, and counted', async () => {
    let loads = 0;
    const cache = createCache();
    const things = cache.define('thing', {
      tags: () => {
        throw new Error('no tags');
      },
      load: (_: string) => ++loads,
    });
    for (let round = 0; round < 3; round++) await expect(things.get('a')).rejects.toThrow('no tags');
    expect(loads).toBe(1);
    expect(cache.stats().loads).toMatchObject({ ok: 0, failed: 1, rememberedErrors: 2 });
  });

  test('what was set is no longer a failure', async () => {
    const { things, source } = setUp();
    source.error = new Error('down');
    await expect(things.get('a')).rejects.toThrow('down');
    await things.set('a', 5);
    expect(await things.get('a')).toBe(5);
  });

  test('nothing is kept in a memory of no entries', async () => {
    const { cache, things, source } = setUp({}, { l1: { maxEntries: 0 } });
    await things.get('a');
    await things.get('a');
    expect(source.loads).toBe(2);
    expect(cache.stats().l1).toMatchObject({ entries: 0, misses: 2 });
  });
});

describe('with a second level', () => {
  test('a value is loaded by one process, and found by the others', async () => {
    const one = setUpShared({ tags: ['t'] });
    const two = setUpShared({ tags: ['t'] }, {}, one.server);
    expect(await within(10, one.things.get('a'))).toBe(1);
    await advance();
    two.source.value = 2;
    expect(await within(10, two.things.get('a'))).toBe(1);
    expect(two.source.loads).toBe(0);
    expect((await two.things.getCached('a')).tags).toEqual(['t']);
    expect(two.cache.stats()).toMatchObject({ l2: { fresh: 1, misses: 0 }, waits: 0 });
  });

  test('64 that are asked for at once are one round trip', async () => {
    const { things, store } = setUpShared();
    await within(10, Promise.all([...Array(64).keys()].map((n) => things.get(String(n)))));
    await advance();
    expect(store.callsOf('read')).toBe(1);
    expect(store.callsOf('write')).toBe(1);
  });

  test('a store that hangs costs the soft limit, once', async () => {
    const { things, store, source } = setUpShared();
    store.alwaysHang();
    const first = watch(things.get('a'));
    await advance(49);
    expect(first.state).toBe('pending');
    await advance(3);
    expect(first.value).toBe(1);
    expect(source.loads).toBe(1);
  });

  test('costs the soft limit once, too, for a value in memory that has not been confirmed lately', async () => {
    const { things, store, source } = setUpShared({ fresh: 60_000 });
    await within(10, things.get('a'));
    await advance(5_000);
    store.alwaysHang();
    source.value = 2;
    const watched = watch(things.get('a'));
    await advance(60);
    expect(watched.value).toBe(2);
  });

  test('after three failures the store is left alone; one probe a while later finds out that it is back', async () => {
    const { cache, things, store } = setUpShared({ fresh: 1 });
    await within(10, things.get('warm'));
    await advance(10);
    store.alwaysThrow();
    for (let round = 0; round < 3; round++) await within(10, things.get(`a${round}`));
    await advance(1);
    expect(cache.stats().l2.breaker).toBe('open');
    const calls = store.callsOf();
    for (let round = 0; round < 20; round++) await within(10, things.get(`b${round}`));
    expect(store.callsOf()).toBe(calls);
    expect(cache.stats().l2.notAsked).toBeGreaterThanOrEqual(20);
    store.neverThrow();
    await advance(1_000);
    expect(cache.stats().l2.breaker).toBe('half-open');
    await within(10, things.get('c'));
    expect(cache.stats().l2).toMatchObject({ breaker: 'closed', breakerOpened: 1 });
  });

  test('a write that is not made since the breaker is open is no failure of a probe that is under way', async () => {
    const { cache, things, store, source } = setUpShared({}, { breaker: { failures: 1, cooldown: 1_000 } });
    store.alwaysThrow();
    await within(10, things.get('x'));
    await advance(1_000);
    store.neverThrow().delay(20, 20);
    source.ms = 0;
    expect(cache.stats().l2.breaker).toBe('half-open');
    const probe = watch(things.get('probe'));
    await advance(1);
    // This one is not asked for there, is loaded at once, and is not written while the probe is out.
    await within(5, things.get('y'));
    await advance(1);
    expect(cache.stats().l2.breaker).toBe('half-open');
    expect(cache.stats().l2.breakerOpened).toBe(1);
    await advance(60);
    expect(probe.state).toBe('resolved');
    expect(cache.stats().l2.breaker).toBe('closed');
  });

  test('a write that fails, fails no read', async () => {
    const { cache, things, store } = setUpShared();
    store.alwaysThrow('write');
    expect(await within(10, things.get('a'))).toBe(1);
    store.alwaysHang('write');
    expect(await within(10, things.get('b'))).toBe(1);
    await advance(300);
    expect(cache.stats().l2.writesFailed).toBe(2);
  });

  test('a value that cannot be shared is served, and kept in memory', async () => {
    const { cache, things, source } = setUpShared<unknown>();
    const value = () => 'a function';
    source.value = value;
    expect(await within(10, things.get('a'))).toBe(value);
    expect(await within(10, things.get('a'))).toBe(value);
    await advance(1);
    expect(cache.stats().l2.writesFailed).toBe(1);
    expect(source.loads).toBe(1);
  });

  test('garbage in the second level is a miss', async () => {
    const { things, store, source } = setUpShared();
    const { position } = await store.read([], undefined);
    await store.write([{ key: 'thing:a', bytes: Buffer.from([1, 2, 3]), tags: [], position, ttlMs: 1_000 }]);
    expect(await within(10, things.get('a'))).toBe(1);
    expect(source.loads).toBe(1);
  });

  test('a stale value of the second level is served, and refreshed for all', async () => {
    const one = setUpShared({ fresh: 1_000, stale: 10_000 });
    await within(10, one.things.get('a'));
    await advance(2_000);
    const two = setUpShared({ fresh: 1_000, stale: 10_000 }, {}, one.server);
    two.source.value = 2;
    expect(await within(10, two.things.get('a'))).toBe(1);
    await advance(1);
    expect(await within(10, two.things.get('a'))).toBe(2);
    const three = setUpShared({ fresh: 1_000, stale: 10_000 }, {}, one.server);
    expect(await within(10, three.things.get('a'))).toBe(2);
    expect(two.cache.stats().l2).toMatchObject({ stale: 2, fresh: 0 });
  });

  test('a refresh that finds nothing replaces the stale value for all, also where nothing is not remembered', async () => {
    const policy: Policy<string, number | null> = { fresh: 1_000, stale: 100_000, negative: 0 };
    const one = setUpShared<number | null>(policy);
    await within(10, one.things.get('a'));
    await advance(2_000);
    one.source.value = null;
    await within(10, one.things.get('a'));
    await advance(10);
    expect(await within(10, one.things.get('a'))).toBe(null);
  });

  test('an old value is served when the load fails and the second level was only slow', async () => {
    const one = setUpShared({ fresh: 1_000, stale: 100_000 });
    await within(10, one.things.get('a'));
    await advance(10);
    const two = setUpShared({ fresh: 1_000, stale: 100_000 }, {}, one.server);
    two.store.delay(60, 60);
    two.source.error = new Error('down');
    expect(await within(400, two.things.get('a'))).toBe(1);
    expect(two.cache.stats().loads).toMatchObject({ failed: 1, servedOnError: 1 });
  });

  test('a value in memory that can no longer be confirmed is loaded anew, and served when that fails', async () => {
    const { things, store, source } = setUpShared({ fresh: 60_000 }, { maxLag: 1_000 });
    await within(10, things.get('a'));
    await advance(900);
    store.alwaysThrow();
    expect(await within(10, things.get('a')), 'trusted for as long as an invalidation may take').toBe(1);
    await advance(200);
    source.error = new Error('down');
    expect(await within(10, things.get('a')), 'better than nothing').toBe(1);
    source.error = undefined;
    source.value = 2;
    await advance(1_000);
    expect(await within(10, things.get('a'))).toBe(2);
  });

  test('a caller who joins a refresh is served the old value, too, when that fails', async () => {
    const { things, store, source } = setUpShared({ fresh: 1_000, stale: 60_000 }, { maxLag: 1_000 });
    await within(10, things.get('a'));
    await advance(1_500);
    // The refresh takes long, and fails; meanwhile the second level is lost.
    source.ms = 3_000;
    source.error = new Error('down');
    expect(await within(10, things.get('a'))).toBe(1);
    await advance(10);
    store.alwaysThrow();
    await advance(1_500);
    const watched = watch(things.get('a'));
    await advance(3_000);
    expect(watched).toMatchObject({ state: 'resolved', value: 1 });
  });

  test('what is known to be invalidated is not served, not even when the load fails', async () => {
    const one = setUpShared({ fresh: 60_000 }, { maxLag: 1_000 });
    const two = setUpShared({ fresh: 60_000 }, {}, one.server);
    await within(10, one.things.get('a'));
    await two.cache.invalidate({ keys: ['thing:a'] });
    await advance(5_000);
    // The question to the log fails, the next one, for the key, is answered.
    one.store.alwaysThrow('read');
    one.source.error = new Error('down');
    const watched = watch(one.things.get('a'));
    const called = one.store.callsOf('read');
    for (let turn = 0; turn < 50 && one.store.callsOf('read') === called; turn++) await nextTurn();
    one.store.neverThrow();
    await advance(10);
    expect(watched.value).toBe(undefined);
    expect(watched.error).toBe(one.source.error);
  });

  test('what is too old for being stale is not served, not even when a long load fails', async () => {
    const { things, store, source } = setUpShared({ fresh: 2_000 }, { maxLag: 1_000 });
    await within(10, things.get('a'));
    store.alwaysThrow();
    await advance(1_900);
    source.ms = 5_000;
    source.error = new Error('down');
    const watched = watch(things.get('a'));
    await advance(6_000);
    expect(watched.state).toBe('rejected');
  });

  test('an invalidation by another process is seen after maxLag, by who joins a load, too', async () => {
    const one = setUpShared({}, { maxLag: 1_000 });
    const two = setUpShared({}, {}, one.server);
    one.source.ms = 5_000;
    const before = watch(one.things.get('a'));
    await advance(100);
    one.source.value = 2;
    await two.cache.invalidate({ keys: ['thing:a'] });
    await advance(2_000);
    await using _scope = one.cache.scope();
    const after = watch(one.things.get('a'));
    await advance(3_000);
    expect(before.value).toBe(1);
    expect(after.value, 'invalidated two seconds before it was asked for').not.toBe(1);
    await advance(10_000);
    expect(after.value).toBe(2);
  });

  test('with no lag at all memory still serves, once the log has been asked', async () => {
    const { cache, things, store, source } = setUpShared({}, { maxLag: 0 });
    await within(10, things.get('a'));
    await advance(10);
    store.delay(1, 1);
    const reads = store.callsOf('read');
    expect(await within(10, things.get('a'))).toBe(1);
    expect(source.loads).toBe(1);
    expect(store.callsOf('read') - reads, 'one question to the log, and none for the value').toBe(1);
    expect(cache.stats().l1.fresh).toBe(1);
  });

  test('a store that throws before it makes a promise is a store that fails', async () => {
    const { cache, things, store } = setUpShared({ lease: 100 });
    store.alwaysThrowAtOnce('lease', 'release', 'write');
    expect(await within(10, things.get('a'))).toBe(1);
    store.alwaysThrowAtOnce();
    expect(await within(10, things.get('b'))).toBe(1);
    await expect(within(10, cache.invalidate({ keys: ['thing:a'] }))).rejects.toMatchObject({
      code: 'level-unreachable',
    });
  });
});

describe('leases', () => {
  test('of several processes one loads, and the others wait for it', async () => {
    const server = new FakeServer();
    const all = [1, 2, 3].map((value) => {
      const one = setUpShared({ lease: 5_000 }, {}, server);
      Object.assign(one.source, { value, ms: 200 });
      return one;
    });
    const got = all.map(({ things }) => watch(things.get('a')));
    await advance(1_000);
    const loads = all.reduce((sum, { source }) => sum + source.loads, 0);
    expect(loads).toBe(1);
    expect(new Set(got.map(({ value }) => value)).size).toBe(1);
    expect(server.leases.size).toBe(0);
  });

  test('who has waited for long enough loads all the same', async () => {
    const one = setUpShared({ lease: 300 });
    const two = setUpShared({ lease: 300 }, {}, one.server);
    one.source.ms = 5_000;
    two.source.value = 2;
    watch(one.things.get('a'));
    await advance(10);
    const watched = watch(two.things.get('a'));
    await advance(400);
    expect(watched.value).toBe(2);
  });

  test('is given back when the load fails', async () => {
    const { things, source, server } = setUpShared({ lease: 5_000 });
    source.error = new Error('down');
    await expect(within(10, things.get('a'))).rejects.toThrow('down');
    await advance(1);
    expect(server.leases.size).toBe(0);
  });

  test('a refresh does not wait for one', async () => {
    const one = setUpShared({ lease: 5_000, fresh: 1_000, stale: 60_000 });
    const two = setUpShared({ lease: 5_000, fresh: 1_000, stale: 60_000 }, {}, one.server);
    await within(10, one.things.get('a'));
    await advance(1);
    await within(10, two.things.get('a'));
    await advance(1_500);
    one.source.ms = 1_000;
    await within(10, one.things.get('a'));
    await advance(10);
    expect(await within(10, two.things.get('a'))).toBe(1);
    await advance(10);
    expect(two.source.loads).toBe(0);
  });

  test('who joins a refresh that was left to another process gets nothing past its time', async () => {
    const one = setUpShared({ lease: 5_000, fresh: 1_000, stale: 1_000 }, { maxLag: 10_000 });
    const two = setUpShared({ lease: 5_000, fresh: 1_000, stale: 1_000 }, { maxLag: 10_000 }, one.server);
    await within(10, one.things.get('a'));
    await advance(1);
    await within(10, two.things.get('a'));
    await advance(1_990);
    one.source.ms = 500;
    await one.things.get('a');
    await advance(2);
    two.store.delay(20, 20);
    two.source.value = 2;
    expect(await within(0, two.things.get('a'))).toBe(1);
    // Now it is past its time, and the refresh has not been told yet that somebody else is at it.
    await advance(30);
    const watched = watch(two.things.get('a'));
    await advance(80);
    expect(watched.value).not.toBe(1);
  });
});

test('errors of the cache are CacheErrors, those of a loader are what they are', async () => {
  const { things, source } = setUp();
  await expect(things.get('x'.repeat(2_000))).rejects.toBeInstanceOf(CacheError);
  source.error = 'a text';
  await expect(things.get('a')).rejects.toBe('a text');
});

test('a load that is never asked about again leaves no rejection behind', async () => {
  const { cache, things, source, store } = setUpShared({ fresh: 1, stale: 1_000 });
  await within(10, things.get('a'));
  await advance(5);
  store.alwaysThrow();
  const late = defer<number>();
  source.error = new Error('down');
  await within(10, things.get('a'));
  late.promise.catch(() => {});
  late.reject(new Error('unused'));
  await advance(1_000);
  await cache.close();
});

test('nothing is left of what is not kept', async () => {
  const log = new InvalidationLog();
  const statistics = new Statistics();
  const limits = { maxEntries: 2, maxBytes: Number.POSITIVE_INFINITY, policy: 'lru' } as const;
  const memory = new Memory(limits, () => {});
  const engine = createEngine({ memory, log, statistics, invocations: new Invocations() }, undefined, undefined);
  const shelf = new Shelf();
  const wanted = (id: string, load: () => unknown, policy: Policy = {}): Wanted => {
    return { shelf, plan: planOf('thing', { ...steady, ...policy }), id, key: `thing:${id}`, raw: id, load };
  };
  const fails = () => Promise.reject(new Error('out of order'));
  await expect(engine.get(wanted('fails', fails))).rejects.toThrow('out of order');
  await engine.get(wanted('brief', () => 1, { fresh: 0 }));
  await expect(engine.get(wanted('x'.repeat(2_000), () => 1))).rejects.toMatchObject({ code: 'key-invalid' });
  const set = wanted('set', () => 1, { fresh: 0 });
  engine.put(set, engine.make(set, 1));
  const slow = defer<number>();
  const overtaken = engine.get(wanted('overtaken', () => slow.promise));
  log.enter({ keys: ['thing:overtaken'], tags: [] }, 1);
  log.advance(1);
  slow.resolve(1);
  await overtaken;
  expect([...shelf.places.keys()]).toEqual([]);
  for (const id of ['a', 'b', 'c']) await engine.get(wanted(id, () => 1));
  expect([...shelf.places.keys()]).toEqual(['b', 'c']);
});
