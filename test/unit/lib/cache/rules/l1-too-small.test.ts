import { describe, expect, test } from 'vitest';
import { l1TooSmall } from '../../../../../lib/cache/rules/l1-too-small.ts';
import type { CacheStatistics } from '../../../../../lib/cache/snapshot.ts';
import { cacheSnapshot, type Some } from './snapshot.ts';

/** Of 100,000 gets 20,000 were answered by the second level, and memory gave up 15,000 values for want of room. */
const check = ({ l1, ...overrides }: Some<CacheStatistics> = {}, options = {}) =>
  l1TooSmall.check(
    cacheSnapshot({ l1: { misses: 21_003, evictions: { capacity: 15_000 }, ...l1 }, ...overrides }),
    l1TooSmall.options.parse(options),
  );
const answered = (gets: number) => ({ misses: gets + 1_000 + 3 });

describe('memory is too small', () => {
  test.each([
    [10_000, 1],
    [9_999, 0],
  ])('from a share of gets on that the second level answered: %d of 100,000', (gets, findings) => {
    expect(check({ l1: answered(gets) })).toHaveLength(findings);
  });

  test.each([
    [10_000, 0, 1],
    [9_999, 0, 0],
    [0, 10_000, 1],
    [5_000, 5_000, 1],
    [0, 0, 0],
  ])('when it gave up as many: %d for their number, %d for their bytes', (capacity, bytes, findings) => {
    expect(check({ l1: { evictions: { capacity, bytes } } })).toHaveLength(findings);
  });

  test('not when gets waited for a load, or were told of an error', () => {
    expect(check({ l1: { misses: 11_000 }, waits: 1_000, loads: { rememberedErrors: 0 } })).toHaveLength(1);
    expect(check({ l1: { misses: 11_000 }, waits: 1_001, loads: { rememberedErrors: 0 } })).toEqual([]);
    expect(check({ l1: { misses: 11_000 }, waits: 1_000, loads: { rememberedErrors: 1 } })).toEqual([]);
  });

  test('from another share on when it is tuned', () => {
    expect(check({}, { minL2Percent: 15 })).toHaveLength(1);
    expect(check({}, { minL2Percent: 15.01 })).toEqual([]);
    expect(check({ l1: { evictions: { capacity: 0 } } }, { minL2Percent: 0 })).toEqual([]);
  });

  test('once there were enough gets', () => {
    const few = { waits: 0, l1: { misses: 900, evictions: { capacity: 900 } } };
    expect(check({ ...few, gets: 999 })).toEqual([]);
    expect(check({ ...few, gets: 1_000 })).toHaveLength(1);
    expect(check({ ...few, gets: 999 }, { minGets: 999 })).toHaveLength(1);
  });
});

describe('the finding', () => {
  test('tells the smaller of what was answered there and what was given up', () => {
    expect(check()[0]?.title).toBe('For up to 15 % of gets memory was too small');
    expect(check({ l1: { evictions: { capacity: 99_000 } } })[0]?.title).toBe(
      'For up to 20 % of gets memory was too small',
    );
  });

  test('tells its figures', () => {
    const [found] = check();
    expect(found).toMatchObject({ severity: 'warning', subject: { database: 'shop' }, action: { kind: 'config' } });
    expect(found?.detail).toBe(
      '20,000 of 100,000 gets were answered by the second level, which takes 0.8 ms as a rule, while memory, 1,000 entries in each process, gave up 15,000 that had not expired. About 1,000 different keys were asked for.',
    );
    expect(found?.evidence).toEqual({
      answeredByL2: 20_000,
      evictedForCapacity: 15_000,
      evictedForBytes: 0,
      l1MaxEntries: 1_000,
      distinctKeys: 1_000,
      gets: 100_000,
      l2P50Ms: 0.8,
    });
  });

  test('does without a time that nobody has taken', () => {
    const [found] = check({ l2: { latencyMs: { p50: null } } });
    expect(found?.detail).toMatch(/answered by the second level, while/);
    expect(found?.evidence).not.toHaveProperty('l2P50Ms');
  });

  test('names the bound that more entries ran into', () => {
    const caution = (capacity: number, bytes: number) =>
      check({ l1: { evictions: { capacity, bytes } } })[0]?.action?.caution;
    expect(caution(8_000, 8_000)).toMatch(/^Raise `l1\.maxEntries`.*`l1\.policy: 'sieve'`/);
    expect(caution(8_000, 8_001)).toMatch(/^Raise `l1\.maxBytes`.*`l1\.policy: 'sieve'`/);
  });
});
