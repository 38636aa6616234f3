import { afterEach, beforeEach, expect, vi } from 'vitest';

/** When tests with a fake clock begin: an hour, and a day. */
export const epoch = Date.UTC(2026, 0, 5);

/** What a process says that nobody has caught. */
const uncaught: unknown[] = [];
const note = (reason: unknown) => uncaught.push(reason);

/**
 * Gives every test of a file a clock that only `advance` moves, and fails those that leave a rejection unhandled. What
 * nextTick and promises do is real.
 */
export function useFakeClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({
      now: epoch,
      toFake: ['Date', 'setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'],
    });
    uncaught.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(async () => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(uncaught.splice(0)).toEqual([]);
  });
}

/** Lets time pass, and what waits for it happen. With nothing: what happens without any time. */
export async function advance(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** A promise, with how it stands. */
export interface Watched<Value> {
  state: 'pending' | 'resolved' | 'rejected';
  value: Value | undefined;
  error: unknown;
}

/** Looks at a promise without waiting for it. */
export function watch<Value>(promise: Promise<Value>): Watched<Value> {
  const watched: Watched<Value> = { state: 'pending', value: undefined, error: undefined };
  promise.then(
    (value) => Object.assign(watched, { state: 'resolved', value }),
    (error) => Object.assign(watched, { state: 'rejected', error }),
  );
  return watched;
}

/** What a promise brings, with as much time as it takes up to a bound. */
export async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  const watched = watch(promise);
  for (let left = ms; watched.state === 'pending'; left--) {
    if (left < 0) throw new Error(`Nothing came within ${ms} ms.`);
    await advance(left === ms ? 0 : 1);
  }
  return promise;
}

/** A promise that is settled from outside. */
export interface Deferred<Value> {
  promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

/** Makes one. */
export function defer<Value>(): Deferred<Value> {
  return Promise.withResolvers<Value>();
}

/** Waits until what nextTick has been given is done, and nothing more. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
