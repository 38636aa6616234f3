import { describe, expect, test } from 'vitest';
import { loadFailures } from '../../../../../lib/cache/rules/load-failures.ts';
import type { CacheStatistics } from '../../../../../lib/cache/snapshot.ts';
import { cacheSnapshot, type Some } from './snapshot.ts';

/** 9,900 loads brought a value; how many did not is what the test is about. */
const check = ({ loads, ...overrides }: Some<CacheStatistics>, options = {}) =>
  loadFailures.check(
    cacheSnapshot({ loads: { ok: 9_900, timedOut: 0, ...loads }, refreshes: { dropped: 0 }, ...overrides }),
    loadFailures.options.parse(options),
  );

describe('loads fail', () => {
  test.each([
    [100, 0],
    [101, 1],
    [0, 0],
  ])('above the threshold, not at it: %d of 10,000', (failed, findings) => {
    expect(check({ loads: { failed } })).toHaveLength(findings);
  });

  test('above another threshold when it is tuned', () => {
    expect(check({ loads: { failed: 1_100 } }, { maxFailedPercent: 10 })).toEqual([]);
    expect(check({ loads: { failed: 1_101 } }, { maxFailedPercent: 10 })).toHaveLength(1);
  });

  test('once there were enough failures', () => {
    expect(check({ loads: { ok: 0, failed: 9 } })).toEqual([]);
    expect(check({ loads: { ok: 0, failed: 10 } })).toHaveLength(1);
    expect(check({ loads: { ok: 0, failed: 1 } }, { minFailures: 1 })).toHaveLength(1);
  });

  test('not when they were dropped because their invocation was over', () => {
    expect(check({ loads: { failed: 100, timedOut: 100 }, refreshes: { dropped: 500 } })).toEqual([]);
  });
});

describe('the finding', () => {
  test.each([
    [9_899, 'warning'],
    [9_900, 'critical'],
  ])('is critical when as many fail as succeed: %d', (failed, severity) => {
    expect(check({ loads: { failed } })).toMatchObject([{ severity }]);
  });

  test('is critical from another share on when it is tuned', () => {
    expect(check({ loads: { failed: 1_100 } }, { criticalPercent: 10 })).toMatchObject([{ severity: 'critical' }]);
    expect(check({ loads: { failed: 1_099 } }, { criticalPercent: 10 })).toMatchObject([{ severity: 'warning' }]);
  });

  test('tells its figures, and how many were served an old value', () => {
    const [found] = check({
      loads: { failed: 1_100, timedOut: 20, servedOnError: 40, rememberedErrors: 70 },
      refreshes: { dropped: 5 },
    });
    expect(found?.subject).toEqual({ database: 'shop' });
    expect(found?.title).toBe('10 % of the loads failed');
    expect(found?.detail).toBe(
      'Of 11,000 loads 1,100 failed, 20 of them by taking too long. 40 gets were served an old value because of it; 70 gets came right after a failure, for which nobody tried again.',
    );
    expect(found?.evidence).toEqual({
      failed: 1_100,
      timedOut: 20,
      loads: 11_000,
      servedStale: 40,
      toldOfEarlierError: 70,
      loadP99Ms: 90,
    });
  });

  test.each([
    [0, 0, /none of them by taking too long\. No get was served an old value because of it\.$/],
    [1, 1, /\. 1 get was served an old value because of it; 1 get came/],
  ])('reads well with %d of a kind', (servedOnError, rememberedErrors, detail) => {
    expect(check({ loads: { failed: 500, servedOnError, rememberedErrors } })[0]?.detail).toMatch(detail);
  });

  test('is about the time loads take when most of them timed out, else about what they throw', () => {
    const slow = check({ loads: { failed: 500, timedOut: 251 } })[0]?.action;
    expect(slow?.kind).toBe('config');
    expect(slow?.caution).toMatch(/`loadTimeout`.* The slowest take 90 ms/);
    const wrong = check({ loads: { failed: 500, timedOut: 250 } })[0]?.action;
    expect(wrong?.kind).toBe('code');
    expect(wrong?.caution).toMatch(/throws.*`negative`/);
  });

  test('proposes `stale` where nobody was served an old value', () => {
    for (const timedOut of [0, 500]) {
      const caution = (servedOnError: number) =>
        check({ loads: { failed: 500, timedOut, servedOnError } })[0]?.action?.caution;
      expect(caution(0)).toMatch(/`stale`/);
      expect(caution(1)).not.toMatch(/`stale`/);
    }
  });

  test('does without a time that nobody has taken', () => {
    const [found] = check({ loads: { failed: 500, timedOut: 500, latencyMs: { p99: null } } });
    expect(found?.evidence).not.toHaveProperty('loadP99Ms');
    expect(found?.action?.caution).not.toMatch(/percentile/);
  });
});
