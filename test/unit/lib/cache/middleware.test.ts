import middy from '@middy/core';
import { expect, test } from 'vitest';
import { createCache } from '../../../../lib/cache/cache.ts';
import { cacheScope } from '../../../../lib/cache/middleware.ts';
import { advance, useFakeClock, watch } from './clock.ts';

useFakeClock();

/** An invocation's context with three seconds, by the fake clock. */
function context() {
  const end = Date.now() + 3_000;
  return { getRemainingTimeInMillis: () => end - Date.now() } as never;
}

function setUp() {
  const cache = createCache();
  let loads = 0;
  const things = cache.define('thing', {
    jitter: 0,
    fresh: 1_000,
    stale: 60_000,
    load: (_: string) => new Promise<number>((resolve) => setTimeout(() => resolve(++loads), 100)),
  });
  return { cache, things, loads: () => loads };
}

test('the answer waits for the refresh that the handler set off', async () => {
  const { cache, things, loads } = setUp();
  watch(things.get('a'));
  await advance(2_000);
  const handler = middy(async () => things.get('a')).use(cacheScope(cache));
  const answer = watch(handler({}, context()) as Promise<unknown>);
  await advance(50);
  expect(answer.state).toBe('pending');
  await advance(60);
  expect(answer.value).toBe(1);
  expect(loads()).toBe(2);
});

test('so does the error', async () => {
  const { cache, things } = setUp();
  watch(things.get('a'));
  await advance(2_000);
  const handler = middy(async () => {
    await things.get('a');
    throw new Error('handler');
  }).use(cacheScope(cache));
  const answer = watch(handler({}, context()) as Promise<unknown>);
  await advance(50);
  expect(answer.state).toBe('pending');
  await advance(60);
  expect(answer.error).toMatchObject({ message: 'handler' });
});

test('a middleware that answers early does not keep later invocations from waiting', async () => {
  const { cache, things } = setUp();
  watch(things.get('a'));
  await advance(2_000);
  let isWarmUp = true;
  const handler = middy(async () => things.get('a'))
    .use(cacheScope(cache))
    .use({ before: () => (isWarmUp ? 'warm' : undefined) });
  expect(await handler({}, context())).toBe('warm');
  isWarmUp = false;
  await advance(60_000 - 2_000);
  const answer = watch(handler({}, context()) as Promise<unknown>);
  await advance(50);
  expect(answer.state).toBe('pending');
  await advance(60);
  expect(answer.state).toBe('resolved');
});
