import { describe, expect, test } from 'vitest';
import { hitRate } from '../../../../../lib/cache/rules/hit-rate.ts';
import type { CacheStatistics } from '../../../../../lib/cache/snapshot.ts';
import { cacheSnapshot, type Some } from './snapshot.ts';

/** Of 100,000 gets 5,000 waited, for 1,000 keys. */
const check = (overrides: Some<CacheStatistics> = {}, options = {}) =>
  hitRate.check(cacheSnapshot({ waits: 5_000, ...overrides }), hitRate.options.parse(options));
const idle = {
  l1: { evictions: { capacity: 0, bytes: 0, expired: 0, invalidated: 0 } },
  l2: { timeOuts: 0, errors: 0, notAsked: 0, writesFailed: 0, writes: 2_005, writesOutdated: 0 },
  loads: { failed: 0, timedOut: 0, ok: 2_005 },
  refreshes: { dropped: 0 },
} satisfies Some<CacheStatistics>;
const causeOf = (overrides: Some<CacheStatistics>) => check(overrides)[0]?.evidence.cause;

describe('the hit rate is too low', () => {
  test.each([
    [2_001, 1],
    [2_000, 0],
    [0, 0],
  ])('below the target, not at it: %d of 100,000 gets waited', (waits, findings) => {
    expect(check({ waits })).toHaveLength(findings);
  });

  test('below the target of the snapshot', () => {
    expect(check({ waits: 1_000, distinctKeys: 500, targetHitRate: 0.99 })).toEqual([]);
    expect(check({ waits: 1_001, distinctKeys: 500, targetHitRate: 0.99 })).toHaveLength(1);
  });

  test.each([
    [2_000, 1],
    [2_001, 0],
    [90_000, 0],
  ])('where the target can be met: %d different keys', (distinctKeys, findings) => {
    expect(check({ distinctKeys })).toHaveLength(findings);
  });

  test('once there were enough gets', () => {
    expect(check({ gets: 999, waits: 100, distinctKeys: 5 })).toEqual([]);
    expect(check({ gets: 1_000, waits: 100, distinctKeys: 5 })).toHaveLength(1);
    expect(check({ gets: 50, waits: 40, distinctKeys: 1 }, { minGets: 50 })).toHaveLength(1);
  });

  test('only where something was asked for', () => {
    expect(check({ gets: 0, waits: 0 }, { minGets: 1 })).toEqual([]);
    expect(check({ attainableHitRate: null })).toEqual([]);
  });
});

describe('the cause', () => {
  test.each([
    ['unreachable', { l2: { timeOuts: 1_000, errors: 500, notAsked: 1_000 } }],
    ['unreachable', { l2: { writesFailed: 4_000 }, loads: { ok: 6_000 } }],
    ['failing', { loads: { failed: 3_000 } }],
    ['unkept', { loads: { ok: 5_000 } }],
    ['room', { l1: { evictions: { capacity: 3_000 } }, l2: { entries: 9_500 } }],
    ['room', { l1: { evictions: { bytes: 3_000 } }, l2: { entries: 10_000 } }],
    ['expired', { l1: { evictions: { expired: 3_000 } } }],
    ['expired', { l1: { evictions: { capacity: 3_000 } } }],
    ['expired', { l1: { evictions: { capacity: 3_000, expired: 3_001 } }, l2: { entries: 10_000 } }],
    ['invalidated', { l1: { evictions: { invalidated: 3_000 } } }],
  ] satisfies [string, Some<CacheStatistics>][])('is what most of the waits go back to: %s', (cause, overrides) => {
    expect(causeOf(overrides)).toBe(cause);
  });

  test('is not what explains less than half of the avoidable waits, however often it was', () => {
    // 5,000 waits, of which 1,000 are the first of a key.
    expect(causeOf({ ...idle, loads: { ...idle.loads, failed: 2_000 } })).toBe('failing');
    expect(causeOf({ ...idle, loads: { ...idle.loads, failed: 1_999 } })).toBe('together');
  });

  test('is not what memory gave up, while the second level has room for it', () => {
    const evictions = { capacity: 3_000, expired: 10, invalidated: 100, bytes: 0 };
    expect(causeOf({ l1: { evictions }, l2: { entries: 9_499 } })).toBe('expired');
    expect(causeOf({ l1: { evictions }, l2: { entries: 9_500 } })).toBe('room');
  });

  test('is a full second level, where memory lost nothing itself', () => {
    expect(causeOf({ ...idle, l2: { ...idle.l2, entries: 10_000 } })).toBe('room');
  });

  test('is the same every time, also between equals', () => {
    expect(causeOf({ l1: { evictions: { capacity: 0, expired: 500, invalidated: 500 } } })).toBe('expired');
    expect(causeOf({ ...idle, loads: { ...idle.loads, failed: 3_000 }, l2: { ...idle.l2, errors: 3_000 } })).toBe(
      'unreachable',
    );
  });

  test('is found however few waits are left over', () => {
    expect(causeOf({ waits: 2_001, distinctKeys: 2_000, ...idle })).toBe('together');
  });

  test('is that several load the same, where nothing else is left', () => {
    expect(causeOf(idle)).toBe('together');
  });

  test('is taken to be expiry where there is no memory that could tell', () => {
    expect(causeOf({ ...idle, l1: { ...idle.l1, maxEntries: 0 } })).toBe('expired');
  });
});

describe('the finding', () => {
  test('concerns the cache and tells its figures', () => {
    const [found] = check();
    expect(found).toMatchObject({ rule: 'cache/hit-rate', severity: 'warning', subject: { database: 'shop' } });
    expect(found?.title).toBe('The hit rate is 95 %; its target is 98 %');
    expect(found?.detail).toBe(
      '5,000 of 100,000 gets waited for a load. About 1,000 different keys were asked for, so that 99 % could be had. Most waits beyond the first of each key were for values that had expired, 1,000 of them while still in memory.',
    );
    expect(found?.evidence).toEqual({
      cause: 'expired',
      hitRatePercent: 95,
      attainablePercent: 99,
      targetPercent: 98,
      gets: 100_000,
      waits: 5_000,
      avoidableWaits: 4_000,
      distinctKeys: 1_000,
      evictedForRoom: 500,
      evictedExpired: 1_000,
      evictedInvalidated: 200,
      staleHits: 2_100,
    });
  });

  test('does not round what is below the target up to it', () => {
    expect(check({ waits: 2_001 })[0]?.title).toBe('The hit rate is 97.9 %; its target is 98 %');
  });

  test.each([
    [
      'unreachable',
      { l2: { notAsked: 4_000 } },
      /4,006 reads brought no answer, and 2 values/,
      /`softLimit`.*`hardLimit`/,
    ],
    ['failing', { loads: { failed: 3_000 } }, /3,000 attempts failed/, /mend the loader/],
    ['unkept', { loads: { ok: 5_005 } }, /3,000 loads brought one/, /`fresh` of a few seconds.*`negative`/],
    ['room', { l1: { evictions: { bytes: 3_000 } }, l2: { entries: 9_900 } }, /9,900 of 10,000 places/, /`redisStore`/],
    ['expired', { l1: { evictions: { expired: 0 } } }, /expired, none of them while still in memory/, /`stale`/],
    ['expired', { l1: { stale: 0 }, l2: { stale: 0 } }, /had expired/, /longer `fresh`.*`tags`/],
    ['invalidated', { l1: { evictions: { invalidated: 3_000 } } }, /50 invalidations took 3,000 entries/, /`set`/],
    ['together', { ...idle }, /; 20 gets joined one that was under way\.$/, /`lease: '5s'`/],
    ['together', { ...idle, loads: { ...idle.loads, joined: 0 } }, /sooner than what they hold\.$/, /`lease: '5s'`/],
  ] satisfies [string, Some<CacheStatistics>, RegExp, RegExp][])(
    'says what to do about %s',
    (cause, overrides, detail, caution) => {
      const [found] = check(overrides);
      expect(found?.evidence.cause).toBe(cause);
      expect(found?.detail).toMatch(detail);
      expect(found?.action?.caution).toMatch(caution);
      expect(found?.action?.kind).toBe(['failing', 'invalidated'].includes(cause) ? 'code' : 'config');
    },
  );
});
