import { describe, expect, test } from 'vitest';
import { fragmented } from '../../../../../lib/indexes/rules/fragmented.ts';
import type { Fragmentation, Index } from '../../../../../lib/indexes/snapshot.ts';
import { constraint, index, indexSnapshot, mebibyte } from '../../../snapshots.ts';

const wasting = (wastedPercent: number, wastedBytes = 0): Fragmentation => ({
  wastedPercent,
  wastedBytes,
  leafDensityPercent: 45,
  leafFragmentationPercent: 12,
  deletedPages: 3,
  emptyPages: 1,
});
const check = (overrides: Partial<Index>, options = {}) =>
  fragmented.check(
    indexSnapshot([index('i', { sizeBytes: 40 * mebibyte, ...overrides })]),
    fragmented.options.parse(options),
  );

describe('an index is fragmented', () => {
  test.each([
    [30, 0],
    [30.1, 1],
    [100, 1],
    [0, 0],
  ])('above the threshold, not at it: %d %% wasted', (percent, findings) => {
    expect(check({ fragmentation: wasting(percent) })).toHaveLength(findings);
  });

  test('above another threshold when it is tuned', () => {
    expect(check({ fragmentation: wasting(30) }, { maxWastedPercent: 29.9 })).toHaveLength(1);
    expect(check({ fragmentation: wasting(50) }, { maxWastedPercent: 50 })).toEqual([]);
  });

  test('when it is not small', () => {
    expect(check({ fragmentation: wasting(90), sizeBytes: 128 * 1024 - 1 })).toEqual([]);
    expect(check({ fragmentation: wasting(90), sizeBytes: 128 * 1024 })).toHaveLength(1);
    expect(check({ fragmentation: wasting(90), sizeBytes: 8192 }, { minBytes: 8192 })).toHaveLength(1);
  });

  test('only when it was measured', () => {
    expect(check({ fragmentation: null })).toEqual([]);
  });

  test('whatever the fragmentation of its leaves on disk is', () => {
    expect(check({ fragmentation: { ...wasting(1), leafFragmentationPercent: 99 } })).toEqual([]);
  });
});

describe('the finding', () => {
  test.each([
    [10 * mebibyte, 'warning'],
    [10 * mebibyte - 1, 'info'],
  ])('for %d wasted bytes is a %s', (wastedBytes, severity) => {
    expect(check({ fragmentation: wasting(60, wastedBytes) })).toMatchObject([
      { severity, impact: { bytes: wastedBytes } },
    ]);
  });

  test('tells the measures', () => {
    const [found] = check({ fragmentation: wasting(60, 24 * mebibyte), fillfactor: 70 });
    expect(found?.title).toBe('public.i wastes 60 % of its space');
    expect(found?.detail).toMatch(
      /Of 40 MB a rebuild would free 24 MB: leaf pages are 45 % full \(a new index: 70 %\)/,
    );
    expect(found?.evidence).toEqual({
      wastedPercent: 60,
      wastedBytes: 24 * mebibyte,
      sizeBytes: 40 * mebibyte,
      leafDensityPercent: 45,
      leafFragmentationPercent: 12,
      deletedPages: 3,
      fillfactor: 70,
    });
  });

  test('rebuilds beside reads and writes, and says how much room that takes', () => {
    const [found] = check({ fragmentation: wasting(60, 24 * mebibyte) });
    expect(found?.action).toMatchObject({
      kind: 'sql',
      sql: 'REINDEX INDEX CONCURRENTLY public.i;',
      caution: expect.stringMatching(/^Needs about 16 MB .* _ccnew\.$/),
    });
  });

  test('rebuilds an exclusion constraint the only way there is, and warns of the lock', () => {
    const [found] = check({ fragmentation: wasting(60), exclusion: true, constraint: constraint('exclusion') });
    expect(found?.action?.sql).toBe('REINDEX INDEX public.i;');
    expect(found?.action?.caution).toMatch(/Stops writes to public\.t/);
  });
});
