import { expect, test } from 'vitest';
import { Deadlines } from '../../../../lib/cache/deadlines.ts';
import { Load, type Loader } from '../../../../lib/cache/load.ts';
import { advance, useFakeClock, watch } from './clock.ts';

useFakeClock();

function setUp(load: Loader['load'], ms = 100) {
  const call = new Load('a', undefined, new Deadlines(ms));
  const value = (async () => call.call({ key: 'a', raw: 'a', load }))();
  return { call, value };
}

test('brings what the loader brings, at once or later, and what it throws', async () => {
  expect(await setUp(() => 1).value).toBe(1);
  expect(await setUp(async () => 2).value).toBe(2);
  await expect(setUp(() => Promise.reject(new Error('later'))).value).rejects.toThrow('later');
  const throws = () => {
    throw new Error('at once');
  };
  await expect(setUp(throws).value).rejects.toThrow('at once');
});

test('the signal is aborted, also when it is looked at afterwards; what comes later is not heard', async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  const { call, value } = setUp(() => promise);
  const watched = watch(value);
  await advance(105);
  expect(watched.error).toMatchObject({ code: 'load-timeout', message: expect.stringContaining('"a"') });
  expect(call.signal.aborted).toBe(true);
  expect(call.signal.reason).toBe(watched.error);
  reject(new Error('too late'));
  await advance(1);
});

test('is ended from outside', async () => {
  const { call, value } = setUp(() => new Promise(() => {}), 10_000);
  const watched = watch(value);
  const reason = new Error('over');
  call.abort(reason);
  await advance();
  expect(watched.error).toBe(reason);
});

test('has a deadline, and can be ended, also when the loader returns a promise of another make', async () => {
  // As the queries of knex and mongoose are.
  const thenable = () => Object.fromEntries([['then', () => {}]]);
  const late = watch(setUp(thenable).value);
  const ended = setUp(thenable, 10_000);
  const watched = watch(ended.value);
  ended.call.abort(new Error('over'));
  await advance(110);
  expect(watched.state).toBe('rejected');
  expect(late.error).toMatchObject({ code: 'load-timeout' });
});

test('tells how long it took, the same each time, and has no deadline any more', async () => {
  const { call, value } = setUp(() => new Promise((resolve) => setTimeout(resolve, 40)));
  await advance(40);
  await value;
  const tookMs = call.end();
  expect(tookMs).toBeGreaterThanOrEqual(40);
  await advance(1_000);
  expect(call.end()).toBe(tookMs);
  expect(call.signal.aborted).toBe(false);
});
