import { describe, expect, test } from 'vitest';
import { estimateWaste } from '../../../../lib/indexes/estimate.ts';
import { fragmented } from '../../../../lib/indexes/rules/fragmented.ts';
import type { Index } from '../../../../lib/indexes/snapshot.ts';
import { columnStatistics, element, index, indexSnapshot, mebibyte, table } from '../../snapshots.ts';

const rows = 1_000_000;
/** A page holds 366 entries of 16 bytes and their pointers at fillfactor 90. */
const newBytes = 22 * mebibyte;

const estimate = (overrides: Partial<Index> = {}, ofTable: object = {}, ofColumn: object = {}) =>
  estimateWaste(
    index('i', { unique: true, sizeBytes: 2 * newBytes, ...overrides }),
    table({ rows, liveRows: rows, ...ofTable }),
    (column) => (column === 'unknown' ? undefined : columnStatistics(column, { averageBytes: 8, ...ofColumn })),
    8192,
  );

describe('the estimate of wasted space', () => {
  test('an index of twice the size that its rows need wastes half', () => {
    expect(estimate()?.wastedPercent).toBeCloseTo(51, 0);
    expect(estimate({ sizeBytes: newBytes })?.wastedPercent).toBeLessThan(4);
    expect(estimate({ sizeBytes: newBytes / 2 })).toEqual({ wastedPercent: 0, wastedBytes: 0 });
  });

  test('a lower fillfactor is no waste', () => {
    expect(estimate({ fillfactor: 45 })?.wastedPercent).toBeLessThan(5);
  });

  test('INCLUDE columns and a setting forbid merging, so that the size tells', () => {
    expect(estimate({ unique: false, included: ['b'] })).not.toBeNull();
    expect(estimate({ unique: false, options: ['deduplicate_items=off'] })).not.toBeNull();
  });

  test.each<[string, Partial<Index>, object, object]>([
    ['it may hold equal keys as one', { unique: false }, {}, {}],
    ['merging is asked for', { unique: false, options: ['deduplicate_items=on'] }, {}, {}],
    ['it is partial', { predicate: '(a > 0)' }, {}, {}],
    ['it has an expression', { elements: [element(null, { expression: 'f(a)' })] }, {}, {}],
    ['it is hash', { method: 'hash' }, {}, {}],
    ['its columns may be null', {}, {}, { nullFraction: 0.1 }],
    ['a column has no statistics', { elements: [element('unknown')] }, {}, {}],
    ['the rows are not known', {}, { rows: null }, {}],
    ['the statistics are old', {}, { changedSinceAnalyze: 0.3 * rows }, {}],
  ])('is refused when %s', (_, overrides, ofTable, ofColumn) => {
    expect(estimate(overrides, ofTable, ofColumn)).toBeNull();
  });
});

describe('indexes/fragmented, where nothing was measured', () => {
  const check = (wastedPercent: number) =>
    fragmented.check(
      indexSnapshot([
        index('i', { sizeBytes: 100 * mebibyte, wasteEstimate: { wastedPercent, wastedBytes: mebibyte } }),
      ]),
      fragmented.options.parse({}),
    );

  test('needs a margin, says that it is an estimate, and is only information', () => {
    expect(check(45)).toEqual([]);
    expect(check(46)).toMatchObject([
      { severity: 'info', title: 'public.i probably wastes about 46 % of its space', evidence: { measured: 'no' } },
    ]);
  });
});
