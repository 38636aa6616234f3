import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { counterNames, countsSince, Statistics, summarize, timerNames } from '../../../../lib/cache/statistics.ts';
import type { Counts } from '../../../../lib/cache/store.ts';

/** Puts counts together as a store does. */
function addUp(all: readonly Counts[]): Counts {
  const sums: Record<string, number> = {};
  const maxima: Record<string, number> = {};
  for (const counts of all) {
    for (const [name, n] of Object.entries(counts.sums)) sums[name] = (sums[name] ?? 0) + n;
    for (const [name, n] of Object.entries(counts.maxima)) maxima[name] = Math.max(maxima[name] ?? 0, n);
  }
  return { sums, maxima };
}

const happening = fc.oneof(
  fc.record({ counter: fc.constantFrom(...counterNames), by: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ timer: fc.constantFrom(...timerNames), ms: fc.double({ min: 0, max: 1e5, noNaN: true }) }),
  fc.record({ key: fc.string() }),
  fc.record({ report: fc.constant(true) }),
);

test('what is told in parts adds up to the whole, over processes too', () => {
  fc.assert(
    fc.property(fc.array(fc.array(happening, { maxLength: 60 }), { maxLength: 4 }), (processes) => {
      const told: Counts[] = [];
      const whole: Counts[] = [];
      for (const happenings of processes) {
        const statistics = new Statistics();
        let last: Counts = { sums: {}, maxima: {} };
        const report = () => {
          const now = statistics.counts();
          told.push(countsSince(now, last));
          last = now;
        };
        for (const one of happenings) {
          if ('counter' in one) statistics.counters[one.counter] += one.by;
          else if ('timer' in one) statistics.timers[one.timer].record(one.ms);
          else if ('key' in one) statistics.keys.add(one.key);
          else report();
        }
        report();
        whole.push(statistics.counts());
      }
      expect(addUp(told)).toEqual(addUp(whole));
      expect(summarize(addUp(told))).toEqual(summarize(addUp(whole)));
    }),
  );
});

test('nothing new is nothing', () => {
  const statistics = new Statistics();
  statistics.counters.loads = 5;
  statistics.keys.add('a');
  const counts = statistics.counts();
  expect(countsSince(counts, counts)).toEqual({ sums: {}, maxima: {} });
});

test('the keys of a span are counted apart; those since the start all together', () => {
  const statistics = new Statistics();
  for (const key of ['a', 'b', 'c']) statistics.keys.add(key);
  statistics.counters.l1Misses = 5;
  statistics.startSpan();
  for (const key of ['c', 'd']) statistics.keys.add(key);
  expect(summarize(statistics.counts()).distinctKeys).toBe(2);
  expect(summarize(statistics.total()).distinctKeys).toBe(4);
});

describe('a summary', () => {
  test('of nothing', () => {
    const { hitRate, attainableHitRate, gets, distinctKeys, l1, loads } = summarize({ sums: {}, maxima: {} });
    expect([hitRate, attainableHitRate, gets, distinctKeys]).toEqual([null, null, 0, 0]);
    expect(l1).toMatchObject({ hitRate: null, latencyMs: { p50: null, p95: null, p99: null } });
    expect(loads.ok).toBe(0);
  });

  test('has shares from 0 to 1', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), fc.nat(100), fc.nat(100), (l1Fresh, l1Stale, l1Negative, l1Misses) => {
        const waits = Math.floor(l1Misses / 2);
        const { gets, hitRate, l1, attainableHitRate } = summarize({
          sums: { l1Fresh, l1Stale, l1Negative, l1Misses, waits },
          maxima: { 'keys.5': 1 },
        });
        expect(gets).toBe(l1Fresh + l1Stale + l1Negative + l1Misses);
        if (gets === 0) return;
        for (const share of [hitRate, attainableHitRate, l1.hitRate]) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
        expect(attainableHitRate).toBeGreaterThanOrEqual(hitRate as number);
      }),
    );
  });
});
