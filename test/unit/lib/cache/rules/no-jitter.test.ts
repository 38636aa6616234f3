import { describe, expect, test } from 'vitest';
import { noJitter } from '../../../../../lib/cache/rules/no-jitter.ts';
import type { CacheStatistics } from '../../../../../lib/cache/snapshot.ts';
import { cacheSnapshot, type Some } from './snapshot.ts';

const check = (overrides: Some<CacheStatistics>, options = {}) =>
  noJitter.check(cacheSnapshot(overrides), noJitter.options.parse(options));

describe('values expire together', () => {
  test.each([
    [500, 5_000, 1],
    [499, 5_000, 0],
    [0, 5_000, 0],
  ])('from a share on: %d of %d', (unjitteredWrites, ok, findings) => {
    expect(check({ unjitteredWrites, loads: { ok } })).toHaveLength(findings);
  });

  test('from another share on when it is tuned', () => {
    expect(check({ unjitteredWrites: 2_500, loads: { ok: 5_000 } }, { minPercent: 50 })).toHaveLength(1);
    expect(check({ unjitteredWrites: 2_499, loads: { ok: 5_000 } }, { minPercent: 50 })).toEqual([]);
  });

  test('once they are enough to make a wave', () => {
    expect(check({ unjitteredWrites: 99, loads: { ok: 99 } })).toEqual([]);
    expect(check({ unjitteredWrites: 100, loads: { ok: 100 } })).toHaveLength(1);
    expect(check({ unjitteredWrites: 99, loads: { ok: 99 } }, { minValues: 99 })).toHaveLength(1);
  });
});

describe('the finding', () => {
  test('is only information while the target is met', () => {
    const unjittered = { unjitteredWrites: 2_000 };
    expect(check({ ...unjittered, waits: 2_000 })).toMatchObject([{ severity: 'info' }]);
    expect(check({ ...unjittered, waits: 2_001 })).toMatchObject([{ severity: 'warning' }]);
    expect(check({ ...unjittered, gets: 0, hitRate: null })).toMatchObject([{ severity: 'info' }]);
  });

  test('tells its figures', () => {
    const [found] = check({ unjitteredWrites: 1_000, loads: { ok: 4_000 } });
    expect(found).toMatchObject({ subject: { database: 'shop' }, action: { kind: 'config' } });
    expect(found?.title).toBe('25 % of the values expire without jitter');
    expect(found?.detail).toBe(
      '1,000 values were kept for exactly the time that `fresh` says; 4,000 were loaded in all.',
    );
    expect(found?.evidence).toEqual({ unjitteredWrites: 1_000, loaded: 4_000 });
    expect(found?.action?.caution).toMatch(/^Take `jitter: 0` out/);
  });

  test('speaks of no more than all, where values were set and not loaded', () => {
    expect(check({ unjitteredWrites: 1_000, loads: { ok: 10 } })[0]?.title).toMatch(/^100 %/);
  });
});
