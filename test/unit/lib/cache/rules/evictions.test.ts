import { describe, expect, test } from 'vitest';
import { evictions } from '../../../../../lib/cache/rules/evictions.ts';
import type { CacheStatistics } from '../../../../../lib/cache/snapshot.ts';
import { cacheSnapshot, type Some } from './snapshot.ts';

/** Of 10,000 entries that left memory 9,000 had to make room; at most 4,000 of them were fetched back, 4 % of the gets. */
const check = ({ l1, ...overrides }: Some<CacheStatistics> = {}, options = {}) =>
  evictions.check(
    cacheSnapshot({
      l1: { misses: 5_003, evictions: { capacity: 9_000, bytes: 0, expired: 800, invalidated: 200 }, ...l1 },
      ...overrides,
    }),
    evictions.options.parse(options),
  );
const left = (capacity: number, bytes: number, expired: number, invalidated: number) => ({
  l1: { evictions: { capacity, bytes, expired, invalidated } },
});
const answered = (gets: number) => ({ l1: { misses: gets + 1_000 + 3 } });

describe('entries leave before their time', () => {
  test.each([
    [5_001, 0, 5_000, 0, 1],
    [5_000, 0, 5_000, 0, 0],
    [2_500, 2_501, 2_500, 2_500, 1],
    [2_500, 2_500, 2_500, 2_500, 0],
    [0, 5_001, 0, 5_000, 1],
  ])(
    'when most do: %d + %d for room, %d expired, %d invalidated',
    (capacity, bytes, expired, invalidated, findings) => {
      expect(check(left(capacity, bytes, expired, invalidated))).toHaveLength(findings);
    },
  );

  test('of another share when it is tuned', () => {
    expect(check({}, { maxEvictedPercent: 89.9 })).toHaveLength(1);
    expect(check({}, { maxEvictedPercent: 90 })).toEqual([]);
  });

  test.each([
    [999, 0],
    [1_000, 1],
    [9_999, 1],
    [10_000, 0],
  ])('when some are fetched back, and not so many that memory is too small: %d of 100,000 gets', (gets, findings) => {
    expect(check({ ...answered(gets), l1: { ...answered(gets).l1, evictions: { capacity: 20_000 } } })).toHaveLength(
      findings,
    );
  });

  test('between other shares of the gets when they are tuned', () => {
    expect(check({}, { minL2Percent: 4 })).toHaveLength(1);
    expect(check({}, { minL2Percent: 4.01 })).toEqual([]);
    expect(check({}, { belowL2Percent: 4.01 })).toHaveLength(1);
    expect(check({}, { belowL2Percent: 4 })).toEqual([]);
  });

  test('once there were enough of them', () => {
    expect(check(left(999, 0, 0, 0), { minL2Percent: 0 })).toEqual([]);
    expect(check(left(600, 400, 0, 0), { minL2Percent: 0 })).toHaveLength(1);
    expect(check(left(999, 0, 0, 0), { minL2Percent: 0, minEvicted: 999 })).toHaveLength(1);
  });
});

test('the finding tells how entries left', () => {
  const [found] = check();
  expect(found).toMatchObject({ severity: 'info', subject: { database: 'shop' }, action: { kind: 'config' } });
  expect(found?.title).toBe('90 % of what leaves memory leaves before its time');
  expect(found?.detail).toBe(
    'Of 10,000 entries 9,000 went because others needed their place, 800 because they had expired and 200 because they were invalidated. 4,000 of those that made room were fetched back, at most.',
  );
  expect(found?.evidence).toEqual({
    leftForRoom: 9_000,
    leftExpired: 800,
    leftInvalidated: 200,
    fetchedBack: 4_000,
    maxEntriesOfMemory: 1_000,
  });
  expect(found?.action?.caution).toMatch(/`l1\.policy: 'sieve'`/);
});
