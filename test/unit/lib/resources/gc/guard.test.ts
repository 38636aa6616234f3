import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { CollectionCost } from '../../../../../lib/resources/gc/cost.ts';
import { CollectionGuard, type CollectionGuardOptions, refusalOf } from '../../../../../lib/resources/gc/guard.ts';

const collection = {
  heapBeforeBytes: 900,
  heapAfterBytes: 400,
  externalBeforeBytes: 300,
  externalAfterBytes: 100,
  durationMs: 40,
};

function guardWith(options: CollectionGuardOptions = {}) {
  const clock = { ms: 0 };
  const collect = vi.fn(() => {
    clock.ms += 40;
    return collection;
  });
  return {
    guard: new CollectionGuard({ now: () => clock.ms, heapUsedBytes: () => 0, collect, ...options }),
    clock,
    collect,
  };
}

describe('a collection is', () => {
  test('forced when nothing speaks against it', () => {
    const { guard } = guardWith();
    expect(guard.collect()).toEqual({ kind: 'collected', collection });
  });

  test('refused too soon after the one before, and it says when to ask again', () => {
    const { guard, clock, collect } = guardWith({ minIntervalMs: 1_000 });
    guard.collect();
    clock.ms += 400.5;
    expect(guard.collect()).toEqual({ kind: 'refused', reason: 'too-soon', retryAfterMs: 600 });
    clock.ms += 599.5;
    expect(guard.collect()).toMatchObject({ kind: 'collected' });
    expect(collect).toHaveBeenCalledTimes(2);
  });

  test('refused with too little time left', () => {
    const { guard, collect } = guardWith({ timeShare: 0.1, heapUsedBytes: () => 100 * 2 ** 20 });
    expect(guard.collect(819)).toEqual({ kind: 'refused', reason: 'too-little-time', retryAfterMs: null });
    expect(collect).not.toHaveBeenCalled();
    expect(guard.collect(821)).toMatchObject({ kind: 'collected' });
  });

  test('refused while another one runs', () => {
    const outcomes: unknown[] = [];
    const { guard } = guardWith({
      collect: () => {
        outcomes.push(guard.collect());
        return collection;
      },
    });
    guard.collect();
    expect(outcomes).toEqual([{ kind: 'refused', reason: 'running', retryAfterMs: 2 }]);
  });

  test('refused for good where it is not possible', () => {
    const collect = vi.fn(() => undefined);
    const { guard } = guardWith({ collect });
    expect(guard.collect()).toEqual({ kind: 'refused', reason: 'not-possible', retryAfterMs: null });
    expect(guard.collect()).toMatchObject({ reason: 'not-possible' });
    expect(collect).toHaveBeenCalledTimes(1);
  });

  test('possible again after one that failed', () => {
    const { guard, clock } = guardWith({
      minIntervalMs: 10,
      collect: vi
        .fn(() => collection)
        .mockImplementationOnce(() => {
          throw new Error('no memory');
        }),
    });
    expect(() => guard.collect()).toThrow('no memory');
    clock.ms += 10;
    expect(guard.collect()).toMatchObject({ kind: 'collected' });
  });
});

test('whether it would be refused can be asked without any consequence', () => {
  const { guard, collect } = guardWith();
  expect(guard.refusal(1_000)).toBeUndefined();
  expect(guard.refusal(1)).toMatchObject({ reason: 'too-little-time' });
  expect(collect).not.toHaveBeenCalled();
  expect(guard.statistics.refused).toEqual({});
});

test('statistics tell what was forced, what it freed, and what was refused', () => {
  const { guard, clock } = guardWith({ minIntervalMs: 100 });
  guard.collect();
  clock.ms += 100;
  guard.collect();
  guard.collect();
  expect(guard.statistics).toEqual({
    count: 2,
    totalMs: 80,
    longestMs: 40,
    refused: { 'too-soon': 1 },
    freedHeapBytes: 1_000,
    freedExternalBytes: 400,
    last: collection,
  });
});

test('whatever the circumstances, one that is not refused has its time, its interval and no other beside it', () => {
  const circumstances = fc.record({
    isPossible: fc.boolean(),
    isRunning: fc.boolean(),
    now: fc.nat(10_000),
    lastEndedAt: fc.option(fc.nat(10_000), { nil: undefined }),
    minIntervalMs: fc.nat(5_000),
    expectedMs: fc.nat(1_000),
    remainingMs: fc.oneof(
      fc.nat(30_000),
      fc.constant(Number.POSITIVE_INFINITY),
      fc.constant(Number.NaN),
      fc.constant(-1),
    ),
    timeShare: fc.double({ min: 0.01, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(circumstances, (at) => {
      const refusal = refusalOf(at);
      const isAllowed =
        at.isPossible &&
        !at.isRunning &&
        (at.lastEndedAt === undefined || at.now - at.lastEndedAt >= at.minIntervalMs) &&
        at.expectedMs <= at.timeShare * at.remainingMs;
      expect(refusal === undefined).toBe(isAllowed);
    }),
  );
});

describe('the expected time of a collection', () => {
  const megabytes = (count: number) => count * 2 ** 20;

  test('begins with what was measured, slower where there is less of a processor', () => {
    expect(new CollectionCost().estimateMs(megabytes(100))).toBeCloseTo(82, 0);
    expect(new CollectionCost(megabytes(1_769)).estimateMs(megabytes(100))).toBeCloseTo(82, 0);
    expect(new CollectionCost(megabytes(128)).estimateMs(megabytes(10))).toBeCloseTo(138, 0);
  });

  test('is that of the slowest of the last five', () => {
    const cost = new CollectionCost();
    cost.learn(megabytes(100), 8.2);
    expect(cost.estimateMs(megabytes(100))).toBeCloseTo(82, 0);
    cost.learn(megabytes(10), 50);
    expect(cost.estimateMs(megabytes(10))).toBeCloseTo(50, 5);
    for (let count = 0; count < 5; count++) cost.learn(megabytes(100), 8.2);
    expect(cost.estimateMs(megabytes(100))).toBeCloseTo(8.2, 5);
  });
});
