import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { estimatedP95, recentOf } from '../../../../../lib/queries/rules/recent.ts';
import { slow } from '../../../../../lib/queries/rules/slow.ts';
import type { Gain, PastWindow, QueryInput, Statement } from '../../../../../lib/queries/snapshot.ts';
import { querySnapshot, statement, takenAt } from '../../../snapshots.ts';

const hour = 3_600_000;
const at = (hoursAgo: number) => new Date(Date.parse(takenAt) - hoursAgo * hour).toISOString();

function gain(overrides: Partial<Gain>): Gain {
  const { calls = 10, meanMs = 1 } = overrides;
  return {
    calls,
    totalMs: calls * meanMs,
    meanMs,
    stddevMs: 0,
    planMs: 0,
    rows: calls,
    sharedBlocksHit: 2 * calls,
    sharedBlocksRead: calls,
    sharedBlocksDirtied: 0,
    tempBlocksRead: 0,
    tempBlocksWritten: 0,
    readMs: 0,
    writeMs: 0,
    walBytes: 0,
    jitMs: 0,
    timeSharePercent: 100,
    ...overrides,
  };
}

function past(hoursAgo: number, overrides: Partial<PastWindow> = {}): PastWindow {
  const { calls = 10, meanMs = 1 } = overrides;
  return {
    from: at(hoursAgo),
    to: at(hoursAgo - 1),
    calls,
    totalMs: calls * meanMs,
    meanMs,
    stddevMs: 0,
    rows: calls,
    blocks: 3 * calls,
    ...overrides,
  };
}

function input(overrides: Partial<Statement>, windows: PastWindow[] = []): [QueryInput, Statement] {
  const of = statement({ calls: 1_000, totalMs: 200_000, meanMs: 200, maxMs: 5_000, ...overrides });
  const snapshot = querySnapshot([of], { windowFrom: at(1) });
  return [{ ...snapshot, past: { windows: new Map([['1', windows]]), plans: new Map() } }, of];
}

describe('what a statement did lately', () => {
  test('is its last window, where it was called often enough in it', () => {
    const [snapshot, of] = input({ window: gain({ calls: 5, meanMs: 2, stddevMs: 1 }) }, [past(2, { meanMs: 50 })]);
    expect(recentOf(snapshot, of)).toEqual({
      basis: 'window',
      calls: 5,
      totalMs: 10,
      meanMs: 2,
      stddevMs: 1,
      rows: 5,
      blocks: 15,
    });
  });

  test('is else the last day, that window included', () => {
    const windows = [past(25, { meanMs: 1_000 }), past(24, { meanMs: 10 }), past(2, { meanMs: 30 })];
    const [snapshot, of] = input({ window: gain({ calls: 4, meanMs: 50 }) }, windows);
    const { basis, calls, totalMs, meanMs, stddevMs, rows, blocks } = recentOf(snapshot, of);
    expect({ basis, calls, totalMs, rows, blocks }).toEqual({
      basis: 'day',
      calls: 24,
      totalMs: 600,
      rows: 24,
      blocks: 72,
    });
    expect(meanMs).toBe(25);
    // Ten calls of 10 ms, ten of 30 and four of 50.
    expect(stddevMs).toBeCloseTo(Math.sqrt((10 * 15 ** 2 + 10 * 5 ** 2 + 4 * 25 ** 2) / 24), 10);
  });

  test('is else all that was counted', () => {
    const [snapshot, of] = input({ window: null });
    expect(recentOf(snapshot, of)).toMatchObject({ basis: 'total', calls: 1_000, meanMs: 200 });
  });

  test('decides whether it is slow: what was mended is not, what has become slow is', () => {
    const found = (overrides: Partial<Statement>) => slow.check(input(overrides)[0], slow.options.parse({}));
    expect(found({ window: gain({ meanMs: 2 }) })).toEqual([]);
    expect(found({ meanMs: 2, totalMs: 2_000, window: gain({ meanMs: 150 }) })).toMatchObject([
      { severity: 'warning', evidence: { basis: 'window', meanMs: 150, calls: 10 } },
    ]);
  });
});

describe('the time of the slowest of twenty calls', () => {
  test('is that of a log-normal distribution', () => {
    // Of a standard normal logarithm: mean exp(1/2), variance (e - 1) e, 95th percentile exp(1.6449).
    const meanMs = Math.exp(0.5);
    expect(estimatedP95({ meanMs, stddevMs: Math.sqrt((Math.E - 1) * Math.E) }, 1e9)).toBeCloseTo(5.1802, 3);
    expect(estimatedP95({ meanMs: 7, stddevMs: 0 }, 1e9)).toBeCloseTo(7, 10);
    expect(estimatedP95({ meanMs: 0, stddevMs: 0 }, 0)).toBe(0);
  });

  test('is never more than the longest call, and grows with all times alike', () => {
    const times = fc.double({ min: 0.001, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 50, noNaN: true }), times, (meanMs, spread, maxMs) => {
        const of = { meanMs, stddevMs: spread * meanMs };
        expect(estimatedP95(of, maxMs)).toBeLessThanOrEqual(maxMs);
        const twice = { meanMs: 2 * of.meanMs, stddevMs: 2 * of.stddevMs };
        expect(estimatedP95(twice, 2 * maxMs) / (2 * estimatedP95(of, maxMs))).toBeCloseTo(1, 8);
      }),
    );
  });

  test('makes a statement worth a word whose mean is quick, from twenty calls on', () => {
    const severities = (overrides: Partial<Statement>) =>
      slow
        .check(querySnapshot([statement(overrides)]), slow.options.parse({}))
        .map(({ severity, title }) => [severity, title]);
    const uneven = { calls: 20, totalMs: 1_200, meanMs: 60, stddevMs: 60, maxMs: 400 };
    expect(severities(uneven)).toEqual([['info', 'A statement takes 167 ms one time in twenty: select 1']]);
    expect(severities({ ...uneven, calls: 19 })).toEqual([]);
    expect(severities({ ...uneven, maxMs: 99 })).toEqual([]);
    // One call in a hundred that took long is not one in twenty.
    expect(severities({ calls: 100, totalMs: 1_000, meanMs: 10, stddevMs: 199, maxMs: 2_000 })).toEqual([]);
  });
});
