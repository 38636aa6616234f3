import { expect, test } from 'vitest';
import { Deadlines } from '../../../../lib/cache/deadlines.ts';
import { startLoad } from '../../../../lib/cache/load.ts';
import { advance, useFakeClock, watch } from './clock.ts';

useFakeClock();

test('brings what the loader brings, at once or later, and what it throws', async () => {
  const deadlines = new Deadlines(100);
  const bring = (load: () => unknown) => startLoad({ load }, 'a', undefined, deadlines).value;
  expect(await bring(() => 1)).toBe(1);
  expect(await bring(async () => 2)).toBe(2);
  await expect(bring(() => Promise.reject(new Error('later')))).rejects.toThrow('later');
  await expect(
    bring(() => {
      throw new Error('at once');
    }),
  ).rejects.toThrow('at once');
});

test('the signal is aborted, also when it is looked at afterwards; what comes later is not heard', async () => {
  const deadlines = new Deadlines(100);
  const contexts: Array<{ signal: AbortSignal }> = [];
  const { promise, reject } = Promise.withResolvers<void>();
  const load = (context: { signal: AbortSignal }) => {
    contexts.push(context);
    return promise;
  };
  const { value } = startLoad({ load }, 'a', undefined, deadlines);
  const watched = watch(value);
  await advance(105);
  expect(watched.error).toMatchObject({ code: 'load-timeout', message: expect.stringContaining('"a"') });
  expect(contexts[0]?.signal.aborted).toBe(true);
  expect(contexts[0]?.signal.reason).toBe(watched.error);
  reject(new Error('too late'));
  await advance(1);
});

test('is ended from outside, and leaves no timer behind', async () => {
  const deadlines = new Deadlines(10_000);
  const load = startLoad({ load: () => new Promise(() => {}) }, 'a', undefined, deadlines);
  const watched = watch(load.value);
  const reason = new Error('over');
  load.abort(reason);
  await advance();
  expect(watched.error).toBe(reason);
});
