import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EventLoopDelay } from '../../../../../lib/resources/monitor/delay.ts';

/** The clock of the fake timers, and for how long of it the loop was busy. */
let busyMs: number;
const runtime = { now: () => performance.now(), loop: () => ({ active: busyMs, idle: 0 }) };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  busyMs = 0;
});

afterEach(() => vi.useRealTimers());

/** Nothing else runs for a while, and no timer fires. */
function block(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + ms);
  busyMs += ms;
}

/** The process stands still while its loop waits. */
function stop(ms: number): void {
  block(ms);
  busyMs -= ms;
}

/** The loop runs again. */
function turn(): void {
  vi.runOnlyPendingTimers();
}

let delay: EventLoopDelay;
beforeEach(() => {
  delay = new EventLoopDelay(runtime);
  turn();
});

describe('the delay of the event loop', () => {
  test('is nothing when nothing happened', () => {
    expect(delay.take()).toEqual({ meanDelayMs: 0, p99DelayMs: 0, longestDelayMs: 0 });
  });

  test('is how late a timer was because something else ran', () => {
    delay.begin();
    block(110);
    turn();
    delay.end();
    expect(delay.take().longestDelayMs).toBeCloseTo(100, 0);
  });

  test('is seen when the loop is blocked until the handler has answered', () => {
    delay.begin();
    block(60);
    delay.end();
    expect(delay.take().longestDelayMs).toBeCloseTo(50, 0);
  });

  test('is not that of a freeze between two invocations', () => {
    delay.begin();
    delay.end();
    stop(3_600_000);
    delay.begin();
    turn();
    delay.end();
    expect(delay.take().longestDelayMs).toBe(0);
  });

  test('is not that of a freeze in which the loop counted itself busy', () => {
    delay.begin();
    delay.end();
    block(3_600_000);
    delay.begin();
    turn();
    delay.end();
    expect(delay.take().longestDelayMs).toBe(0);
  });

  test('is not that of a process which is stopped while its loop waits', () => {
    delay.begin();
    stop(5_000);
    turn();
    delay.end();
    expect(delay.take().longestDelayMs).toBe(0);
  });

  test('begins anew after it was taken', () => {
    delay.begin();
    block(110);
    delay.end();
    delay.take();
    expect(delay.take().longestDelayMs).toBe(0);
  });
});

test('no timer is set while no invocation is under way', () => {
  expect(vi.getTimerCount()).toBe(0);
  delay.begin();
  expect(vi.getTimerCount()).toBe(1);
  turn();
  expect(vi.getTimerCount()).toBe(1);
  delay.end();
  turn();
  expect(vi.getTimerCount()).toBe(0);
});

test('the timer keeps nothing of the invocation that it is first set in', () => {
  const seen: unknown[] = [];
  const storage = new AsyncLocalStorage();
  vi.useRealTimers();
  return new Promise<void>((done) => {
    const watching = new EventLoopDelay({
      now: () => performance.now(),
      loop: () => {
        seen.push(storage.getStore());
        if (seen.length === 3) done();
        return { active: 0, idle: 0 };
      },
    });
    storage.run('the request', () => watching.begin());
  }).then(() => expect(seen.slice(1).filter((store) => store !== undefined)).toEqual([]));
});
