import { describe, expect, test } from 'vitest';
import { l2Full } from '../../../../../lib/cache/rules/l2-full.ts';
import type { CacheStatistics } from '../../../../../lib/cache/snapshot.ts';
import { cacheSnapshot, type Some } from './snapshot.ts';

/** A full store of 10,000 places, 20,000 keys, and of 100,000 gets 50,000 that found nothing there. */
const check = ({ l2, ...overrides }: Some<CacheStatistics> = {}, options = {}) =>
  l2Full.check(
    cacheSnapshot({ distinctKeys: 20_000, l2: { entries: 10_000, misses: 50_000, ...l2 }, ...overrides }),
    l2Full.options.parse(options),
  );

describe('the second level is full', () => {
  test.each([
    [9_499, 0],
    [9_500, 1],
    [10_400, 1],
  ])('within the 5 % that a store keeps to: %d of 10,000 entries', (entries, findings) => {
    expect(check({ l2: { entries } })).toHaveLength(findings);
  });

  test('from another share on when it is tuned', () => {
    expect(check({ l2: { entries: 8_000 } }, { fullPercent: 80 })).toHaveLength(1);
    expect(check({ l2: { entries: 7_999 } }, { fullPercent: 80 })).toEqual([]);
  });

  test('when more keys were asked for than fit', () => {
    expect(check({ distinctKeys: 10_000 })).toEqual([]);
    expect(check({ distinctKeys: 10_001 })).toHaveLength(1);
  });

  test.each([
    // 20,000 keys, and two standard errors of 4.6 %, make 21,840 first misses; 2,000 misses are within the target.
    [23_840, 0],
    [23_841, 1],
    [20_000, 0],
  ])('when it misses what it had, more than the target leaves: %d misses', (misses, findings) => {
    expect(check({ l2: { misses } })).toHaveLength(findings);
  });

  test('by the target of the snapshot', () => {
    expect(check({ l2: { misses: 22_840 }, targetHitRate: 0.99 })).toEqual([]);
    expect(check({ l2: { misses: 22_841 }, targetHitRate: 0.99 })).toHaveLength(1);
  });

  test('once it was read often enough', () => {
    const few = (misses: number) => ({
      gets: 2_000,
      distinctKeys: 20,
      l2: { fresh: 100, stale: 50, negative: 50, entries: 10, maxEntries: 10, misses },
    });
    expect(check(few(799))).toEqual([]);
    expect(check(few(800))).toHaveLength(1);
    expect(check(few(799), { minReads: 999 })).toHaveLength(1);
  });
});

test('the finding tells its figures, and how many places would do', () => {
  const [found] = check({ l2: { store: 'postgres' } });
  expect(found).toMatchObject({ severity: 'warning', subject: { database: 'shop' }, action: { kind: 'config' } });
  expect(found?.title).toBe('The second level is full and misses what it had: 51.2 % of its reads');
  expect(found?.detail).toBe(
    'It holds 10,000 entries and may hold 10,000; about 20,000 different keys were asked for. Of 55,000 reads 50,000 found nothing, 28,160 or more of them for a key that had been there before.',
  );
  expect(found?.evidence).toEqual({
    entries: 10_000,
    maxEntries: 10_000,
    differentKeys: 20_000,
    reads: 55_000,
    misses: 50_000,
    repeatedMisses: 28_160,
    gets: 100_000,
  });
  expect(found?.action?.caution).toMatch(/^Raise `maxEntries` of `postgresStore` towards 20,000,/);
});
