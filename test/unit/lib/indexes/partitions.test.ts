import { expect, test } from 'vitest';
import { type IndexRow, sumPartitions } from '../../../../lib/indexes/partitions.ts';
import type { Index } from '../../../../lib/indexes/snapshot.ts';
import { index } from '../../snapshots.ts';

function row(oid: number, name: string, parentOid: number | null, overrides: Partial<Index> = {}): IndexRow {
  return { oid, parentOid, index: index(name, { sizeBytes: 0, ...overrides }) };
}

const summedOf = (rows: readonly IndexRow[]) => sumPartitions(rows).map((each) => each.index);

const counters = (value: number) => ({
  sizeBytes: value,
  scans: value,
  tuplesRead: value,
  tuplesFetched: value,
  blocksHit: value,
  blocksRead: value,
});

test('an index that belongs to none is as it was', () => {
  const alone = row(1, 'alone', null, { ...counters(7), lastScanAt: '2026-01-01T00:00:00.000Z' });
  expect(sumPartitions([alone])).toEqual([alone]);
});

test('a partitioned index has the size and the counters of all its parts', () => {
  const summed = summedOf([
    row(1, 'whole', null, { partitioned: true }),
    row(2, 'p1', 1, counters(3)),
    row(3, 'p2', 1, counters(4)),
    row(4, 'other', null, counters(100)),
  ]);
  expect(summed).toMatchObject([{ index: 'whole', ...counters(7) }, counters(3), counters(4), counters(100)]);
});

test('sums go up through every level, in whatever order the rows come', () => {
  const rows = [
    row(4, 'leaf1', 2, counters(1)),
    row(1, 'top', null, { partitioned: true }),
    row(2, 'middle1', 1, { partitioned: true }),
    row(5, 'leaf2', 2, counters(10)),
    row(3, 'middle2', 1, { partitioned: true }),
    row(6, 'leaf3', 3, counters(100)),
  ];
  for (const order of [rows, [...rows].reverse()]) {
    const scans = Object.fromEntries(summedOf(order).map((each) => [each.index, each.scans]));
    expect(scans).toEqual({ top: 111, middle1: 11, middle2: 100, leaf1: 1, leaf2: 10, leaf3: 100 });
  }
});

test('every part knows the one that owns it, one level up, as SQL names it', () => {
  const summed = summedOf([row(1, 'Top', null), row(2, 'middle', 1), row(3, 'leaf', 2)]);
  expect(summed.map(({ parent }) => parent)).toEqual([null, 'public."Top"', 'public.middle']);
});

test('the last scan of a partitioned index is the last of any part', () => {
  const at = (day: number) => `2026-01-0${day}T00:00:00.000Z`;
  const summed = summedOf([
    row(1, 'top', null),
    row(2, 'p1', 1, { lastScanAt: at(2) }),
    row(3, 'p2', 1, { lastScanAt: at(5) }),
    row(4, 'p3', 1, { lastScanAt: at(3) }),
    row(5, 'p4', 1),
    row(6, 'never', null),
    row(7, 'p5', 6),
  ]);
  expect([summed[0]?.lastScanAt, summed[5]?.lastScanAt]).toEqual([at(5), null]);
});

test('a part whose owner was not read is left out: nobody could say what may be done with it', () => {
  expect(summedOf([row(2, 'p1', 1, counters(3)), row(3, 'free', null)]).map(({ index: name }) => name)).toEqual([
    'free',
  ]);
});

test('the rows that were read are not changed', () => {
  const rows = [row(1, 'top', null), row(2, 'p1', 1, counters(3))];
  const before = structuredClone(rows);
  sumPartitions(rows);
  expect(rows).toEqual(before);
});
