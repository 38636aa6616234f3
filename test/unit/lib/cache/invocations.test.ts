import { describe, expect, test } from 'vitest';
import { createCache } from '../../../../lib/cache/cache.ts';
import { type InvocationContext, Invocations } from '../../../../lib/cache/invocations.ts';
import type { Load } from '../../../../lib/cache/load.ts';
import { advance, defer, useFakeClock, watch, within } from './clock.ts';
import { ChaosStore, FakeServer, FakeStore } from './fake-store.ts';

useFakeClock();

/** An invocation's context with so much time, by the fake clock. */
function contextOf(ms: number) {
  const end = Date.now() + ms;
  return { getRemainingTimeInMillis: () => end - Date.now() };
}

function setUp() {
  const told: Array<number | undefined> = [];
  const dropped: number[] = [];
  const invocations = new Invocations();
  invocations.onChange = (startedAt) => told.push(startedAt);
  const begin = (context: InvocationContext | undefined) =>
    invocations.begin(
      context,
      () => {},
      (loads) => dropped.push(loads),
    );
  return { invocations, begin, told, dropped };
}

test('tells when the last one that is under way began', async () => {
  const { invocations, begin, told } = setUp();
  const now = Date.now();
  const one = begin(undefined);
  await advance(10);
  const two = begin(undefined);
  await two.end();
  expect(invocations.isOpen).toBe(true);
  await one.end();
  await one[Symbol.asyncDispose]();
  expect(told).toEqual([now, now + 10, now, undefined]);
  expect(invocations.isOpen).toBe(false);
});

test('the last one waits for all work, and for what that leads to; the others do not', async () => {
  const { invocations, begin } = setUp();
  const [first, second] = [defer<void>(), defer<void>()];
  invocations.own(first.promise.then(() => invocations.own(second.promise)));
  const one = begin(contextOf(10_000));
  const two = begin(contextOf(10_000));
  await within(1, one.end());
  const end = watch(two.end());
  first.resolve();
  await advance(10);
  expect(end.state).toBe('pending');
  second.resolve();
  await advance();
  expect(end.state).toBe('resolved');
});

test('waits no longer than there is time, and aborts the loads then', async () => {
  const { invocations, begin, dropped } = setUp();
  invocations.own(new Promise(() => {}));
  const aborted: Error[] = [];
  const scope = begin(contextOf(1_000));
  invocations.watch({ abort: (reason: Error) => aborted.push(reason) } as unknown as Load);
  const end = watch(scope.end());
  await advance(940);
  expect(end.state).toBe('pending');
  await advance(15);
  expect(end.state).toBe('resolved');
  expect(dropped).toEqual([1]);
  expect(aborted[0]).toMatchObject({ code: 'invocation-over' });
});

test('time without an end is no time at all only by mistake', async () => {
  for (const ms of [Number.POSITIVE_INFINITY, 2 ** 31 + 100]) {
    const { invocations, begin, dropped } = setUp();
    const work = defer<void>();
    invocations.own(work.promise);
    const end = watch(begin({ getRemainingTimeInMillis: () => ms }).end());
    await advance(1_000);
    expect(end.state).toBe('pending');
    work.resolve();
    await advance(1);
    expect([end.state, dropped]).toEqual(['resolved', []]);
  }
});

test('a context that knows nothing of time does no harm', async () => {
  const { invocations, begin } = setUp();
  const scope = begin({} as never);
  await within(10, scope.end()).catch(() => {});
  expect(invocations.isOpen).toBe(false);
});

test('an end that comes too late for work does not drop the loads of an invocation that has begun since', async () => {
  const { invocations, begin } = setUp();
  invocations.own(new Promise(() => {}));
  const first = begin(contextOf(1_000));
  const end = watch(first.end());
  await advance(500);
  begin(contextOf(10_000));
  const aborted: Error[] = [];
  invocations.watch({ abort: (reason: Error) => aborted.push(reason) } as unknown as Load);
  await advance(600);
  expect(end.state).toBe('resolved');
  expect(aborted).toEqual([]);
});

test('an invocation that never ended is not waited for longer than it had time', async () => {
  const { invocations, begin, told } = setUp();
  // As when a middleware answers early, and the rest of the stack is left out.
  begin(contextOf(3_000));
  await advance(60_000);
  const work = defer<void>();
  const scope = begin(contextOf(3_000));
  invocations.own(work.promise);
  const end = watch(scope.end());
  await advance(100);
  expect(end.state, 'it is the last one, and waits for its work').toBe('pending');
  work.resolve();
  await advance(1);
  expect(end.state).toBe('resolved');
  expect(told.at(-1)).toBe(undefined);
});

describe('of a cache', () => {
  const policy = { jitter: 0, earlyRefresh: 0, fresh: 1_000, stale: 60_000 } as const;

  test('its end waits for refreshes, writes and counters', async () => {
    const server = new FakeServer();
    const cache = createCache({ l2: new ChaosStore(new FakeStore(server)).delay(5, 5) });
    let value = 1;
    const things = cache.define('thing', {
      ...policy,
      load: (_: string) => new Promise<number>((resolve) => setTimeout(() => resolve(value), 100)),
    });
    await within(200, things.get('a'));
    await advance(20_000);
    value = 2;
    const scope = cache.scope(contextOf(3_000));
    expect(await within(100, things.get('a'))).toBe(1);
    const end = watch(scope.end());
    await advance(50);
    expect(end.state).toBe('pending');
    await advance(200);
    expect(end.state).toBe('resolved');
    expect(server.spans[0]?.sums).toMatchObject({ 'loads.ok': 2, 'refreshes.stale': 1 });
    const other = createCache({ l2: new FakeStore(server) }).define('thing', { ...policy, load: (_: string) => 3 });
    expect(await within(10, other.get('a'))).toBe(2);
  });

  test('a load that was given up is no failure to the next invocation', async () => {
    const cache = createCache();
    let ms = 0;
    const wait = async (id: string) => {
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      return id;
    };
    const things = cache.define('thing', { ...policy, load: wait });
    await things.get('stale');
    await advance(2_000);
    ms = 10_000;
    const scope = cache.scope(contextOf(200));
    await things.get('stale');
    const notAwaited = watch(things.get('a'));
    await within(300, scope.end());
    await advance();
    expect(notAwaited.error).toMatchObject({ code: 'invocation-over' });
    ms = 0;
    await using _next = cache.scope(contextOf(3_000));
    expect(await within(10, things.get('a'))).toBe('a');
  });

  test('a refresh that was given up is counted, aborted, and tried again by the next invocation', async () => {
    const cache = createCache();
    let value = 1;
    let ms = 0;
    const things = cache.define('thing', {
      ...policy,
      async load(_: string) {
        const loaded = value;
        if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
        return loaded;
      },
    });
    await things.get('a');
    await advance(2_000);
    [value, ms] = [2, 5_000];
    const scope = cache.scope(contextOf(200));
    expect(await things.get('a')).toBe(1);
    await within(300, scope.end());
    expect(cache.stats().refreshes).toMatchObject({ stale: 1, dropped: 1 });
    ms = 0;
    const next = cache.scope(contextOf(3_000));
    expect(await things.get('a')).toBe(1);
    await within(100, next.end());
    expect(await things.get('a')).toBe(2);
  });
});
