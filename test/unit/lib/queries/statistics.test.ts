import { expect, test } from 'vitest';
import { QueryStatistics, queryStatistics } from '../../../../lib/queries/statistics.ts';
import { querySnapshot, statement } from '../../snapshots.ts';

const mixed = querySnapshot(
  [
    statement({
      kind: 'select',
      calls: 90,
      totalMs: 450,
      meanMs: 5,
      rows: 90,
      sharedBlocksHit: 80,
      sharedBlocksRead: 10,
    }),
    statement({
      kind: 'select',
      calls: 5,
      totalMs: 500,
      meanMs: 100,
      rows: 1,
      sharedBlocksHit: 10,
      tempBlocksWritten: 7,
    }),
    statement({ kind: 'update', calls: 5, totalMs: 50, meanMs: 10, rows: 5 }),
  ],
  { resetAt: '2026-01-01T00:00:00.000Z', evictions: 2 },
);

test('statements are summed up against the thresholds', () => {
  const statistics = queryStatistics(mixed, 100, 10);
  expect(QueryStatistics.parse(statistics)).toMatchObject({
    statements: 3,
    calls: 100,
    totalMs: 1000,
    meanMs: 10,
    rows: 96,
    slowStatements: 1,
    slowTimeSharePercent: 50,
    callsWithinTargetPercent: 90,
    cacheHitPercent: 90,
    tempBlocksWritten: 7,
    resetAt: '2026-01-01T00:00:00.000Z',
    evictions: 2,
    slowThresholdMs: 100,
    targetMs: 10,
  });
});

test('every kind is there, also those that do not occur', () => {
  const none = { statements: 0, calls: 0, totalMs: 0 };
  expect(queryStatistics(mixed, 100, 10).byKind).toEqual({
    select: { statements: 2, calls: 95, totalMs: 950 },
    insert: none,
    update: { statements: 1, calls: 5, totalMs: 50 },
    delete: none,
    merge: none,
    utility: none,
    unknown: none,
  });
});

test('a mean at the slow threshold is slow, a mean at the target misses it', () => {
  const at = (meanMs: number) => queryStatistics(querySnapshot([statement({ meanMs })]), 100, 10);
  expect([at(99.9).slowStatements, at(100).slowStatements]).toEqual([0, 1]);
  expect([at(9.9).callsWithinTargetPercent, at(10).callsWithinTargetPercent]).toEqual([100, 0]);
});

test('no statement has no rates, and no NaN anywhere', () => {
  const statistics = queryStatistics(querySnapshot([]), 100, 10);
  expect(QueryStatistics.parse(statistics)).toMatchObject({
    statements: 0,
    meanMs: 0,
    slowTimeSharePercent: 0,
    callsWithinTargetPercent: null,
    cacheHitPercent: null,
    evictions: null,
  });
});
