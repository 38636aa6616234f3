import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Statistics, summarize } from '../../../../lib/cache/statistics.ts';

describe('a summary', () => {
  test('of nothing', () => {
    const { hitRate, attainableHitRate, gets, distinctKeys, l1, loads } = summarize(new Statistics());
    expect([hitRate, attainableHitRate, gets, distinctKeys]).toEqual([null, null, 0, 0]);
    expect(l1).toMatchObject({ hitRate: null, latencyMs: { p50: null, p95: null, p99: null } });
    expect(loads.ok).toBe(0);
  });

  test('has shares from 0 to 1', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), fc.nat(100), fc.nat(100), (fresh, stale, negative, misses) => {
        const statistics = new Statistics();
        Object.assign(statistics.counters.l1, { fresh, stale, negative, misses });
        statistics.counters.waits = Math.floor(misses / 2);
        statistics.keys.add('a');
        const { gets, hitRate, l1, attainableHitRate } = summarize(statistics);
        expect(gets).toBe(fresh + stale + negative + misses);
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
