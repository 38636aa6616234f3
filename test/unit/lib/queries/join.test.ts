import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { joinRows } from '../../../../lib/queries/join.ts';
import { Statement } from '../../../../lib/queries/snapshot.ts';
import { loadParser } from '../../../../lib/queries/text.ts';
import { statementRow } from '../../snapshots.ts';

beforeAll(() => loadParser());

const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);
const mean = (values: number[]) => sum(values) / values.length;
const deviation = (values: number[]) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

/** What pg_stat_statements would say of calls that took these times. */
const rowOf = (queryId: string, samples: number[]) =>
  statementRow({
    queryId,
    calls: samples.length,
    totalMs: sum(samples),
    minMs: Math.min(...samples),
    maxMs: Math.max(...samples),
    stddevMs: deviation(samples),
  });

const samples = fc.array(fc.double({ min: 0, max: 10_000, noNaN: true }), { minLength: 1, maxLength: 20 });

describe('the rows of a statement', () => {
  test('join to what one row over all their calls would have said', () => {
    fc.assert(
      fc.property(fc.array(samples, { minLength: 1, maxLength: 5 }), (parts) => {
        const all = parts.flat();
        const [joined, ...more] = joinRows(parts.map((part) => rowOf('1', part)));
        expect(more).toEqual([]);
        expect(joined?.calls).toBe(all.length);
        expect(joined?.totalMs).toBeCloseTo(sum(all), 3);
        expect(joined?.meanMs).toBeCloseTo(mean(all), 3);
        expect(joined?.stddevMs).toBeCloseTo(deviation(all), 3);
        expect(joined?.minMs).toBe(Math.min(...all));
        expect(joined?.maxMs).toBe(Math.max(...all));
      }),
    );
  });

  test('add up their counters', () => {
    const [joined] = joinRows([
      statementRow({
        rows: 1,
        planMs: 2,
        sharedBlocksHit: 3,
        sharedBlocksRead: 1,
        sharedBlocksDirtied: 5,
        walBytes: 6,
      }),
      statementRow({
        rows: 10,
        planMs: 20,
        sharedBlocksHit: 30,
        sharedBlocksRead: 10,
        sharedBlocksDirtied: 50,
        walBytes: 60,
      }),
    ]);
    expect(joined).toMatchObject({
      calls: 20,
      rows: 11,
      planMs: 22,
      sharedBlocksHit: 33,
      sharedBlocksRead: 11,
      sharedBlocksDirtied: 55,
      walBytes: 66,
      cacheHitPercent: 75,
    });
  });

  test('add up what was read, written and spilled', () => {
    const [joined] = joinRows([
      statementRow({ readMs: 1, writeMs: 2, tempBlocksRead: 3, tempBlocksWritten: 4 }),
      statementRow({ readMs: 10, writeMs: 20, tempBlocksRead: 30, tempBlocksWritten: 40 }),
    ]);
    expect(joined).toMatchObject({ readMs: 11, writeMs: 22, tempBlocksRead: 33, tempBlocksWritten: 44 });
  });

  test.each([
    [['2026-02-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'], '2026-01-01T00:00:00.000Z'],
    [[null, '2026-01-01T00:00:00.000Z'], '2026-01-01T00:00:00.000Z'],
    [[null, null], null],
  ])('count since the earliest of %j', (times, since) => {
    expect(joinRows(times.map((time) => statementRow({ since: time })))[0]?.since).toBe(since);
  });

  test('are not joined across statements', () => {
    expect(joinRows([statementRow({ queryId: '-1' }), statementRow({ queryId: '1' })])).toHaveLength(2);
  });

  test('keep an id that a number could not hold', () => {
    expect(joinRows([statementRow({ queryId: '-9223372036854775807' })])[0]?.queryId).toBe('-9223372036854775807');
  });
});

describe('the list of statements', () => {
  const workload = fc.array(fc.tuple(fc.constantFrom('1', '2', '3', '4'), samples), { minLength: 1, maxLength: 10 });

  test('has most total time first', () => {
    fc.assert(
      fc.property(workload, (parts) => {
        const totals = joinRows(parts.map(([id, part]) => rowOf(id, part))).map(({ totalMs }) => totalMs);
        expect(totals).toEqual([...totals].sort((a, b) => b - a));
      }),
    );
  });

  test('shares the time of the database out: the shares sum to 100', () => {
    fc.assert(
      fc.property(workload, (parts) => {
        const joined = joinRows(parts.map(([id, part]) => rowOf(id, part)));
        fc.pre(sum(joined.map(({ totalMs }) => totalMs)) > 1e-6);
        expect(sum(joined.map(({ timeSharePercent }) => timeSharePercent))).toBeCloseTo(100, 6);
      }),
    );
  });

  test('has no share of nothing', () => {
    expect(joinRows([statementRow({ totalMs: 0 })])).toMatchObject([{ timeSharePercent: 0, meanMs: 0 }]);
  });

  test('has no hit rate where no block was asked for', () => {
    expect(joinRows([statementRow()])[0]?.cacheHitPercent).toBeNull();
  });

  test('is empty for no rows', () => {
    expect(joinRows([])).toEqual([]);
  });

  test('has the shape that the API promises, with the text fit to be shown', () => {
    const [joined] = joinRows([statementRow({ query: "alter role x password 'geheim'" })]);
    expect(Statement.parse(joined)).toMatchObject({ kind: 'utility', query: 'alter role x password $1' });
  });
});
