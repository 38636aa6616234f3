import { describe, expect, test } from 'vitest';
import { l2TimeOuts } from '../../../../../lib/cache/rules/l2-timeouts.ts';
import type { CacheStatistics } from '../../../../../lib/cache/snapshot.ts';
import { cacheSnapshot, type Some } from './snapshot.ts';

/** 9,900 reads were answered; how many were not is what the test is about. */
const check = (l2: Some<CacheStatistics['l2']> = {}, options = {}) =>
  l2TimeOuts.check(
    cacheSnapshot({
      l2: { fresh: 8_000, stale: 400, negative: 500, misses: 1_000, timeOuts: 0, errors: 0, ...l2 },
    }),
    l2TimeOuts.options.parse(options),
  );

describe('the second level does not answer', () => {
  test.each([
    [100, 0, 0, 0],
    [101, 0, 0, 1],
    [0, 101, 0, 1],
    [0, 0, 101, 1],
    [33, 33, 34, 0],
    [33, 34, 34, 1],
  ])(
    'above the threshold, not at it: %d time-outs, %d errors, %d not asked',
    (timeOuts, errors, notAsked, findings) => {
      expect(check({ timeOuts, errors, notAsked })).toHaveLength(findings);
    },
  );

  test('above another threshold when it is tuned', () => {
    expect(check({ timeOuts: 1_100 }, { maxUnansweredPercent: 10 })).toEqual([]);
    expect(check({ timeOuts: 1_101 }, { maxUnansweredPercent: 10 })).toHaveLength(1);
  });

  test('when the breaker opened', () => {
    expect(check({ timeOuts: 10, breakerOpened: 0 })).toEqual([]);
    expect(check({ timeOuts: 10, breakerOpened: 1 })).toHaveLength(1);
    expect(check({ timeOuts: 10, breakerOpened: 2 }, { maxBreakerOpened: 2 })).toEqual([]);
    expect(check({ timeOuts: 10, breakerOpened: 3 }, { maxBreakerOpened: 2 })).toHaveLength(1);
  });

  test('once there were enough reads without an answer', () => {
    const down = { fresh: 0, stale: 0, negative: 0, misses: 0, breakerOpened: 1 };
    expect(check({ ...down, timeOuts: 3, errors: 3, notAsked: 3 })).toEqual([]);
    expect(check({ ...down, timeOuts: 3, errors: 3, notAsked: 4 })).toHaveLength(1);
    expect(check({ ...down, timeOuts: 3 }, { minUnanswered: 3 })).toHaveLength(1);
  });
});

describe('the finding', () => {
  test('is only information when the breaker opened and few reads were concerned', () => {
    expect(check({ timeOuts: 100, breakerOpened: 1 })).toMatchObject([
      { severity: 'info', title: 'The second level had to be left alone once' },
    ]);
    expect(check({ timeOuts: 100, breakerOpened: 12 })).toMatchObject([
      { severity: 'info', title: 'The second level had to be left alone 12 times' },
    ]);
    expect(check({ timeOuts: 101, breakerOpened: 12 })).toMatchObject([{ severity: 'warning' }]);
  });

  test('tells its figures', () => {
    const [found] = check({ timeOuts: 60, errors: 10, notAsked: 30, breakerOpened: 2, misses: 900, writesFailed: 7 });
    expect(found).toMatchObject({ severity: 'warning', subject: { database: 'shop' }, action: { kind: 'config' } });
    expect(found?.title).toBe('1.01 % of the reads from the second level brought no answer');
    expect(found?.detail).toBe(
      '60 reads took longer than `softLimit` and 10 met an error, beside 9,800 that were answered. The breaker opened 2 times, and 30 keys went straight to the loader meanwhile.',
    );
    expect(found?.evidence).toEqual({
      timeOuts: 60,
      errors: 10,
      answered: 9_800,
      notAsked: 30,
      breakerOpened: 2,
      writesFailed: 7,
      l2P99Ms: 6,
    });
  });

  test('looks at the connection where errors are more, at the time it takes where time-outs are', () => {
    expect(check({ timeOuts: 100, errors: 101 })[0]?.action?.caution).toMatch(/^Look at the connection to redis/);
    expect(check({ timeOuts: 100, errors: 100 })[0]?.action?.caution).toMatch(
      /took up to 6 ms \(99th percentile.*Raise `softLimit`/,
    );
  });

  test('does without a time that nobody has taken', () => {
    const [found] = check({ timeOuts: 200, latencyMs: { p99: null } });
    expect(found?.evidence).not.toHaveProperty('l2P99Ms');
    expect(found?.action?.caution).not.toMatch(/percentile/);
  });
});
