import { describe, expect, test } from 'vitest';
import { noStale } from '../../../../../lib/cache/rules/no-stale.ts';
import type { CacheStatistics } from '../../../../../lib/cache/snapshot.ts';
import { cacheSnapshot, type Some } from './snapshot.ts';

/** Nothing was served stale, and of 100,000 gets 10,000 waited for 1,000 keys, mostly because values had expired. */
const check = ({ l1, l2, ...overrides }: Some<CacheStatistics> = {}, options = {}) =>
  noStale.check(
    cacheSnapshot({ waits: 10_000, l1: { stale: 0, ...l1 }, l2: { stale: 0, ...l2 }, ...overrides }),
    noStale.options.parse(options),
  );

describe('nothing is served stale', () => {
  test('when not one get was, at any level', () => {
    expect(check()).toHaveLength(1);
    expect(check({ l1: { stale: 1 } })).toEqual([]);
    expect(check({ l2: { stale: 1 } })).toEqual([]);
  });

  test.each([
    // 1,000 keys, and two standard errors of 4.6 %, make 1,092 first loads; 2,000 waits are within the target.
    [3_092, 0],
    [3_093, 1],
  ])('when more gets waited for what had been there than the target leaves: %d waits', (waits, findings) => {
    expect(check({ waits })).toHaveLength(findings);
  });

  test('when that is at least half of the waits', () => {
    // 5,000 keys make up to 5,460 first loads.
    expect(check({ distinctKeys: 5_000, waits: 10_920 })).toHaveLength(1);
    expect(check({ distinctKeys: 5_000, waits: 10_919 })).toEqual([]);
    expect(check({ distinctKeys: 5_000, waits: 10_919 }, { minRepeatedPercent: 49 })).toHaveLength(1);
  });

  test('when it is expiry that ended the values', () => {
    expect(check({ l1: { evictions: { invalidated: 2_000 } } })).toEqual([]);
    expect(check({ l2: { timeOuts: 6_000 } })).toEqual([]);
    expect(check({ l1: { evictions: { expired: 0, invalidated: 0, capacity: 0 } } })).toEqual([]);
  });

  test('and was seen to', () => {
    const evictions = (expired: number, invalidated: number) => ({
      l1: { evictions: { capacity: 5_000, expired, invalidated } },
    });
    expect(check(evictions(101, 100))).toHaveLength(1);
    expect(check(evictions(100, 100))).toEqual([]);
    expect(check(evictions(0, 0))).toEqual([]);
  });

  test('once there were enough gets', () => {
    const few = { waits: 500, distinctKeys: 10 };
    expect(check({ ...few, gets: 999 })).toEqual([]);
    expect(check({ ...few, gets: 1_000 })).toHaveLength(1);
    expect(check({ ...few, gets: 999 }, { minGets: 999 })).toHaveLength(1);
  });
});

describe('the finding', () => {
  test('tells its figures', () => {
    const [found] = check();
    expect(found).toMatchObject({ severity: 'warning', subject: { database: 'shop' }, action: { kind: 'config' } });
    expect(found?.title).toBe('8.91 % of gets wait for a value that was there a moment ago');
    expect(found?.detail).toBe(
      'At least 8,908 of 10,000 waits were for a key that had been loaded before, 12 ms each as a rule. Not one get was served a stale value.',
    );
    expect(found?.evidence).toEqual({
      waits: 10_000,
      repeatedWaits: 8_908,
      staleHits: 0,
      expired: 1_000,
      loadP50Ms: 12,
    });
    expect(found?.action?.caution).toMatch(/^Set `stale`, such as `stale: '1d'`/);
  });

  test('does without a time that nobody has taken', () => {
    const [found] = check({ loads: { latencyMs: { p50: null } } });
    expect(found?.detail).toMatch(/loaded before\. Not one/);
    expect(found?.evidence).not.toHaveProperty('loadP50Ms');
  });
});
