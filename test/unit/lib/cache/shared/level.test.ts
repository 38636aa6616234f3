import { describe, expect, test } from 'vitest';
import { type CacheOptions, createCache } from '../../../../../lib/cache/cache.ts';
import type { Policy } from '../../../../../lib/cache/plan.ts';
import { advance, nextTurn, useFakeClock, watch, within } from '../clock.ts';
import { ChaosStore, FakeServer, FakeStore } from '../fake-store.ts';

useFakeClock();

const steady = { jitter: 0, earlyRefresh: 0, fresh: 600_000 } as const;

/** A process: its cache, with the second level behind its own chaos, and its own sight of the source. */
function start(server: FakeServer, source: { value: number; ms: number }, options: CacheOptions = {}) {
  const store = new ChaosStore(new FakeStore(server));
  const cache = createCache({ l2: store, ...options });
  const loads: string[] = [];
  const policy: Policy<string, number> = { ...steady, tags: ['t'] };
  const things = cache.define('thing', {
    ...policy,
    async load(id: string) {
      loads.push(id);
      const { value, ms } = source;
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      return value;
    },
  });
  return { store, cache, things, loads };
}

function setUp(options: CacheOptions = {}) {
  const server = new FakeServer();
  const source = { value: 1, ms: 0 };
  return { server, source, one: start(server, source, options), two: start(server, source, options) };
}

describe('invalidations of others', () => {
  test('are seen after maxLag at the latest, and memory is served with no question until then', async () => {
    const { one, two, source } = setUp({ maxLag: 1_000 });
    expect(await within(10, one.things.get('a'))).toBe(1);
    await advance(1);
    const reads = one.store.callsOf('read');
    source.value = 2;
    await within(10, two.cache.invalidate({ tags: ['t'] }));
    await advance(900);
    expect(await within(10, one.things.get('a'))).toBe(1);
    expect(one.store.callsOf('read')).toBe(reads);
    await advance(100);
    expect(await within(10, one.things.get('a'))).toBe(2);
  });

  test('are asked for once in an invocation', async () => {
    const { one, two, source } = setUp({ maxLag: 1_000 });
    await within(10, one.things.get('a'));
    await advance(5_000);
    const scope = one.cache.scope();
    expect(await within(10, one.things.get('a'))).toBe(1);
    source.value = 2;
    await within(10, two.cache.invalidate({ tags: ['t'] }));
    await advance(5_000);
    expect(await within(10, one.things.get('a')), 'of the same invocation').toBe(1);
    await scope.end();
    const next = one.cache.scope();
    expect(await within(10, one.things.get('a'))).toBe(2);
    await next.end();
  });

  test('a store that lost everything is as good as one that invalidated everything', async () => {
    const { one, server, source } = setUp();
    await within(10, one.things.get('a'));
    await advance(2_000);
    source.value = 2;
    server.lose();
    expect(await within(10, one.things.get('a'))).toBe(2);
    await advance(1);
    expect(one.cache.stats().l1.evictions.invalidated).toBe(1);
  });

  test('more than the log holds are as good as all', async () => {
    const server = new FakeServer({ maxLog: 5 });
    const source = { value: 1, ms: 0 };
    const [one, two] = [start(server, source), start(server, source)];
    await within(10, one.things.get('a'));
    source.value = 2;
    await within(10, two.cache.invalidate({ tags: ['t'] }));
    await within(10, two.cache.invalidate({ keys: ['1', '2', '3', '4', '5'] }));
    await advance(2_000);
    expect(await within(10, one.things.get('a'))).toBe(2);
  });
});

describe('an own invalidation holds at once', () => {
  test('when answers come in another order than they were given', async () => {
    const { one, source, server } = setUp();
    const other = start(server, source);
    await within(10, other.things.get('a'));
    await advance(1);
    // A cold start. This read is done at once, but its answer comes late; on another connection the invalidation is faster.
    one.store.delay(0, 40);
    const early = watch(one.things.get('a'));
    await nextTurn();
    await nextTurn();
    one.store.delay(0, 0);
    source.value = 2;
    await within(10, one.cache.invalidate({ keys: ['thing:a'] }));
    await advance(60);
    expect(early.state).toBe('resolved');
    expect(await within(10, one.things.get('a'))).toBe(2);
  });

  test('also when the store is not reached: blocked, loaded each time, and told later', async () => {
    const { one, two, source } = setUp();
    await within(10, one.things.get('a'));
    await within(10, two.things.get('a'));
    source.value = 2;
    one.store.alwaysThrow();
    await expect(within(10, one.cache.invalidate({ keys: ['thing:a'] }))).rejects.toMatchObject({
      code: 'level-unreachable',
      cause: expect.objectContaining({ message: 'chaos' }),
    });
    expect(await within(10, one.things.get('a'))).toBe(2);
    source.value = 3;
    expect(await within(10, one.things.get('a'))).toBe(3);
    one.store.neverThrow();
    await advance(2_000);
    expect(await within(10, one.things.get('b'))).toBe(3);
    expect(await within(10, two.things.get('a'))).toBe(3);
    source.value = 4;
    expect(await within(10, one.things.get('a'))).toBe(3);
  });

  test('when it takes longer than the hard limit', async () => {
    const { one } = setUp({ hardLimit: 250 });
    one.store.alwaysHang();
    const watched = watch(one.cache.invalidate({ keys: ['a'] }));
    await advance(249);
    expect(watched.state).toBe('pending');
    await advance(3);
    expect(watched.error).toMatchObject({ code: 'level-unreachable' });
  });

  test('for who joins a load, the second time that the store is not reached, too', async () => {
    const { one, source } = setUp();
    await within(10, one.things.get('warm'));
    one.store.alwaysThrow();
    await one.cache.invalidate({ keys: ['thing:a'] }).catch(() => {});
    source.ms = 100;
    const before = watch(one.things.get('a'));
    await advance(10);
    source.value = 2;
    await one.cache.invalidate({ keys: ['thing:a'] }).catch(() => {});
    const after = watch(one.things.get('a'));
    await advance(500);
    expect(before.value).toBe(1);
    expect(after.value).toBe(2);
  });

  test('for who joins a load, when the store is reached again by an invalidation', async () => {
    const { one, source } = setUp();
    await within(10, one.things.get('warm'));
    one.store.alwaysThrow();
    await one.cache.invalidate({ keys: ['thing:a'] }).catch(() => {});
    source.ms = 100;
    const before = watch(one.things.get('a'));
    await advance(10);
    one.store.neverThrow();
    source.value = 2;
    await within(10, one.cache.invalidate({ keys: ['thing:a'] }));
    const after = watch(one.things.get('a'));
    await advance(500);
    expect(before.value).toBe(1);
    expect(after.value).toBe(2);
  });

  test('when it is made again while the one before is still being told', async () => {
    const { one, two, source } = setUp({ hardLimit: 1_000, softLimit: 500 });
    await within(10, one.things.get('warm'));
    one.store.alwaysThrow();
    await one.cache.invalidate({ keys: ['thing:a'] }).catch(() => {});
    // It is told now; the answer is on its way for a while.
    one.store.neverThrow().delay(0, 100);
    const read = watch(one.things.get('a'));
    await advance(10);
    one.store.delay(0, 0);
    // Meanwhile the other process loads what is current then, and shares it.
    await within(10, two.things.get('a'));
    await advance(1);
    source.value = 2;
    one.store.alwaysThrow('invalidate');
    await one.cache.invalidate({ keys: ['thing:a'] }).catch(() => {});
    const joined = watch(one.things.get('a'));
    await advance(300);
    expect(read.state).toBe('resolved');
    expect(joined.value).toBe(2);
    expect(await within(600, one.things.get('a'))).toBe(2);
  });
});

describe('what could not be told', () => {
  const failed = async (one: ReturnType<typeof start>) => {
    await within(10, one.things.get('warm'));
    one.store.alwaysThrow();
    await one.cache.invalidate({ keys: ['thing:a'] }).catch(() => {});
    one.store.neverThrow();
  };

  test('is told with the next invalidation', async () => {
    const { one, two, source } = setUp();
    await within(10, two.things.get('a'));
    source.value = 2;
    await failed(one);
    await within(10, one.cache.invalidate({ keys: ['thing:b'] }));
    await advance(2_000);
    expect(await within(10, two.things.get('a'))).toBe(2);
  });

  test('is told before the next write', async () => {
    const { one, two, source } = setUp();
    await within(10, two.things.get('a'));
    source.value = 2;
    await failed(one);
    // The reads fail, the writes get through.
    one.store.alwaysThrow('read');
    await within(10, one.things.get('c'));
    await advance(2_000);
    expect(await within(10, two.things.get('a'))).toBe(2);
  });

  test('is told at the end of the invocation at the latest, or with its statistics', async () => {
    const { one, two, source } = setUp();
    await within(10, two.things.get('a'));
    source.value = 2;
    await advance(20_000);
    const scope = one.cache.scope({ getRemainingTimeInMillis: () => 5_000 });
    await failed(one);
    await within(100, scope.end());
    await advance(2_000);
    expect(await within(10, two.things.get('a'))).toBe(2);
  });

  test('is forgotten when the same is told anew: a value that was set then stays', async () => {
    const { one, two, source } = setUp();
    await failed(one);
    await within(10, one.things.set('a', 7));
    source.value = 8;
    expect(await within(10, one.things.get('a'))).toBe(7);
    await advance(2_000);
    expect(await within(10, two.things.get('a'))).toBe(7);
  });
});

test('a batch is of no more than 200', async () => {
  const { one } = setUp();
  await within(10, one.things.getMany([...Array(450).keys()].map(String)));
  await advance(1);
  expect(one.store.callsOf('read')).toBe(3);
  expect(one.store.callsOf('write')).toBe(3);
});

test('an answer that comes too late still brings the log up to date, but is no sign of health', async () => {
  const { one, two, source } = setUp();
  await within(10, one.things.get('a'));
  await advance(2_000);
  source.value = 2;
  await within(10, two.cache.invalidate({ keys: ['thing:a'] }));
  one.store.delay(0, 60).alwaysThrow('write');
  await within(200, one.things.get('x'));
  await advance(60);
  expect(one.cache.stats().l2).toMatchObject({ timeOuts: 1, errors: 0 });
  const reads = one.store.callsOf('read');
  one.store.neverThrow();
  expect(await within(200, one.things.get('a')), 'no longer in memory').toBe(2);
  expect(one.store.callsOf('read')).toBe(reads + 1);
});

test('a store whose reads always come too late is left alone, even when it keeps what is written', async () => {
  const { one } = setUp();
  one.store.delay(30, 30);
  for (let round = 0; round < 10; round++) {
    await within(200, one.things.get(`x${round}`));
    await advance(100);
  }
  expect(one.cache.stats().l2.timeOuts).toBeLessThan(10);
});

test('statistics of the second level add up', async () => {
  const { one } = setUp();
  const gets = ['a', 'b', 'a', 'c', 'd', 'e', 'f', 'g', 'a'];
  for (const [index, key] of gets.entries()) {
    if (index === 3) one.store.alwaysThrow();
    await within(100, one.things.get(key));
    await advance(1);
  }
  const { l1, l2, gets: asked, waits, loads } = one.cache.stats();
  expect(asked).toBe(gets.length);
  expect(l1.fresh + l1.misses).toBe(gets.length);
  expect(l2.fresh + l2.misses + l2.errors + l2.notAsked).toBe(l1.misses);
  expect(waits).toBe(loads.ok);
  expect(l2.writes + l2.writesFailed).toBe(loads.ok);
});
