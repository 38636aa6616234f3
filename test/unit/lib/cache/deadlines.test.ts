import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { Deadline, Deadlines } from '../../../../lib/cache/deadlines.ts';
import { advance, useFakeClock } from './clock.ts';

useFakeClock();

class Limit extends Deadline {
  readonly expire: () => void;

  constructor(expire: () => void) {
    super();
    this.expire = expire;
  }
}

test('what is not met expires after its time, in order; what is met does not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ wait: fc.nat(30), meetAfter: fc.option(fc.nat(80)) }), { maxLength: 20, size: 'max' }),
      async (steps) => {
        const deadlines = new Deadlines(50);
        const expired: Array<{ index: number; after: number }> = [];
        const met: boolean[] = [];
        for (const [index, { wait, meetAfter }] of steps.entries()) {
          const began = performance.now();
          const limit = new Limit(() => expired.push({ index, after: performance.now() - began }));
          deadlines.set(limit);
          if (meetAfter !== null) setTimeout(() => (met[index] = deadlines.meet(limit)), meetAfter);
          await advance(wait);
        }
        await advance(1_000);
        const late = steps.flatMap(({ meetAfter }, index) =>
          meetAfter === null || met[index] === false ? [index] : [],
        );
        expect(expired.map(({ index }) => index)).toEqual(late);
        for (const { after } of expired) expect(after).toBeGreaterThanOrEqual(50);
        for (const { after } of expired) expect(after).toBeLessThanOrEqual(55);
        for (const [index, { meetAfter }] of steps.entries()) {
          if (meetAfter !== null && meetAfter < 50) expect(met[index]).toBe(true);
        }
        expect(vi.getTimerCount()).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test('one timer serves all', async () => {
  const deadlines = new Deadlines(50);
  const limits = Array.from({ length: 1_000 }, () => new Limit(() => {}));
  for (const limit of limits) deadlines.set(limit);
  expect(vi.getTimerCount()).toBe(1);
  for (const limit of limits) expect(deadlines.meet(limit)).toBe(true);
  expect(deadlines.meet(limits[0] as Limit)).toBe(false);
  await advance(100);
  expect(vi.getTimerCount()).toBe(0);
});

test.each([[Number.POSITIVE_INFINITY], [2 ** 31], [30 * 86_400_000]])(
  'one that is %d ms away is no timer that fires all the time',
  async (ms) => {
    const calls = vi.spyOn(globalThis, 'setTimeout');
    let isExpired = false;
    const limit = new Limit(() => {
      isExpired = true;
    });
    new Deadlines(ms).set(limit);
    // Node.js takes a delay that does not fit in 31 bits for one millisecond.
    for (const [, delay] of calls.mock.calls) expect(delay).toBeLessThan(2 ** 31);
    await advance(10_000);
    expect(isExpired).toBe(false);
    expect(calls.mock.calls.length).toBeLessThan(5);
  },
);
