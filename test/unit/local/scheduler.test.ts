import { expect, test, vi } from 'vitest';
import { startScheduler } from '../../../local/scheduler.ts';

const report = (findings: number) => ({ shop: { kept: true, findings } });
const listener = () => ({ onFirstRound: vi.fn(), onFailure: vi.fn() });

/** Time that passes when it is told to: `round()` resolves when a round is over, and lets the next begin. */
function clock() {
  let rests = Promise.withResolvers<() => void>();
  const rest = (_: number, signal: AbortSignal) =>
    new Promise<void>((next) => {
      signal.addEventListener('abort', () => next());
      rests.resolve(next);
    });
  const round = async () => {
    const next = await rests.promise;
    rests = Promise.withResolvers();
    return next;
  };
  return { rest: vi.fn(rest), round };
}

test('every audit is called in every round, and the findings of the first are told once', async () => {
  const indexes = vi.fn(async (_: { time: string }) => report(2));
  const queries = vi.fn(async (_: { time: string }) => report(1));
  const heard = listener();
  const { rest, round } = clock();
  const scheduler = startScheduler({ indexes, queries }, 60_000, heard, rest);
  const next = await round();
  expect(rest.mock.calls[0]?.[0]).toBe(60_000);
  next();
  await round();
  await scheduler.stop();
  expect(heard.onFirstRound.mock.calls).toEqual([[3]]);
  expect([indexes, queries].map(({ mock }) => mock.calls.length)).toEqual([2, 2]);
  const [{ time }] = indexes.mock.calls[0] ?? [{ time: '' }];
  expect(new Date(time).toISOString()).toBe(time);
  expect(queries.mock.calls[0]).toEqual([{ time }]);
});

test('an audit that fails is told of, does not keep the others, and is tried again', async () => {
  const broken = new Error('The database cannot be reached.');
  const indexes = vi.fn(async () => report(1)).mockRejectedValueOnce(broken);
  const queries = vi.fn(async () => report(1));
  const heard = listener();
  const { rest, round } = clock();
  const scheduler = startScheduler({ indexes, queries }, 1_000, heard, rest);
  const next = await round();
  expect(heard.onFailure.mock.calls).toEqual([['indexes', broken]]);
  expect(queries).toHaveBeenCalledTimes(1);
  expect(heard.onFirstRound).not.toHaveBeenCalled();
  next();
  await round();
  expect(heard.onFirstRound).toHaveBeenCalledOnce();
  await scheduler.stop();
});

test('a stop waits for the audit that runs and calls no other', async () => {
  const running = Promise.withResolvers<ReturnType<typeof report>>();
  const indexes = vi.fn(() => running.promise);
  const queries = vi.fn(async () => report(1));
  const scheduler = startScheduler({ indexes, queries }, 1_000, listener());
  const stopped = vi.fn();
  const stopping = scheduler.stop().then(stopped);
  await new Promise(setImmediate);
  expect(stopped).not.toHaveBeenCalled();
  running.resolve(report(0));
  await stopping;
  expect(queries).not.toHaveBeenCalled();
});
