import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type IndexPages, wastedSpace } from '../../../../lib/indexes/bloat.ts';

const pages = (overrides: Partial<IndexPages> = {}): IndexPages => ({
  indexBytes: 102 * 8192,
  internalPages: 1,
  leafPages: 100,
  emptyPages: 0,
  deletedPages: 0,
  leafDensityPercent: 90,
  leafFragmentationPercent: 0,
  ...overrides,
});

test('a new index wastes nothing', () => {
  expect(wastedSpace(pages(), 90, 8192)).toMatchObject({ wastedPercent: 0, wastedBytes: 0 });
});

test('a new index with another fillfactor wastes nothing', () => {
  expect(wastedSpace(pages({ leafDensityPercent: 50 }), 50, 8192).wastedPercent).toBe(0);
});

test.each<[string, Partial<IndexPages>, number, number, number]>([
  // 100 leaves half as full as new ones fit into 50: 50 + 1 + 1 of 102 pages are needed.
  ['half-full leaves', { leafDensityPercent: 45 }, 90, 49, 50 * 8192],
  // 100 pages were deleted: 102 of 202 are needed.
  ['deleted pages', { indexBytes: 202 * 8192, deletedPages: 100 }, 90, 49.5, 100 * 8192],
  ['empty pages', { indexBytes: 202 * 8192, emptyPages: 100 }, 90, 49.5, 100 * 8192],
  // Only the root and the meta page are needed.
  ['empty leaves', { leafDensityPercent: 0 }, 90, 98, 100 * 8192],
  // 100 * 70 / 100 = 70 leaves.
  ['a fillfactor of 100', { leafDensityPercent: 70 }, 100, 29.4, 30 * 8192],
  // 100 * 44.9 / 90 = 49.9 leaves: pages are not rounded.
  ['a part of a page', { leafDensityPercent: 44.9 }, 90, 49.1, 410_510],
])('%s are waste', (_, overrides, fillfactor, percent, bytes) => {
  expect(wastedSpace(pages(overrides), fillfactor, 8192)).toMatchObject({ wastedPercent: percent, wastedBytes: bytes });
});

test('leaves fuller than the fillfactor waste nothing, and no less than nothing', () => {
  expect(wastedSpace(pages({ leafDensityPercent: 99 }), 70, 8192)).toMatchObject({ wastedPercent: 0, wastedBytes: 0 });
});

test('the size of a page is the server’s', () => {
  expect(wastedSpace(pages({ indexBytes: 102 * 32_768, leafDensityPercent: 45 }), 90, 32_768).wastedBytes).toBe(
    50 * 32_768,
  );
});

test('an index without leaves has NaN for densities and answers numbers', () => {
  const empty = pages({
    indexBytes: 8192,
    internalPages: 0,
    leafPages: 0,
    leafDensityPercent: Number.NaN,
    leafFragmentationPercent: Number.NaN,
  });
  expect(wastedSpace(empty, 90, 8192)).toEqual({
    wastedPercent: 0,
    wastedBytes: 0,
    leafDensityPercent: 0,
    leafFragmentationPercent: 0,
    deletedPages: 0,
    emptyPages: 0,
  });
});

test('an index of no bytes wastes nothing', () => {
  expect(wastedSpace(pages({ indexBytes: 0, leafPages: 0, internalPages: 0 }), 90, 8192).wastedPercent).toBe(0);
});

test('waste is never less than nothing nor more than all, whatever was measured', () => {
  const number = fc.integer({ min: 0, max: 1_000_000 });
  const density = fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.constant(Number.NaN));
  const measured = fc.record({
    indexBytes: number.map((count) => count * 8192),
    internalPages: number,
    leafPages: number,
    emptyPages: number,
    deletedPages: number,
    leafDensityPercent: density,
    leafFragmentationPercent: density,
  });
  fc.assert(
    fc.property(measured, fc.integer({ min: 10, max: 100 }), (all, fillfactor) => {
      const { wastedPercent, wastedBytes } = wastedSpace(all, fillfactor, 8192);
      expect(wastedPercent).toBeGreaterThanOrEqual(0);
      expect(wastedPercent).toBeLessThanOrEqual(100);
      expect(wastedBytes).toBeGreaterThanOrEqual(0);
      expect(wastedBytes).toBeLessThanOrEqual(all.indexBytes);
    }),
  );
});
