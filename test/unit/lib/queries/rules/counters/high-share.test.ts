import { describe, expect, test } from 'vitest';
import { highShare } from '../../../../../../lib/queries/rules/counters/high-share.ts';
import type { QueryInput, Statement } from '../../../../../../lib/queries/snapshot.ts';
import { counted, gain, input, minutesBefore, past } from './inputs.ts';

const check = (given: QueryInput, options = {}) => highShare.check(given, highShare.options.parse(options));

/** A statement of 5 ms that keeps one connection busy for half of a day. */
const busy = (overrides: Partial<Statement> = {}) =>
  counted({ queryId: 'busy', calls: 8_640_000, meanMs: 5, timeSharePercent: 60, ...overrides });

describe('without a history', () => {
  test('a statement is found by the counters of all time', () => {
    const [found] = check(input([busy()]));
    expect(found).toMatchObject({
      severity: 'warning',
      subject: { database: 'shop', queryId: 'busy' },
      title: "A quick statement takes 60 % of the database's time: select 1",
      evidence: {
        basis: 'total',
        hours: 24,
        calls: 8_640_000,
        callsPerMinute: 6_000,
        meanMs: 5,
        timeSharePercent: 60,
        busyPercent: 50,
      },
      impact: { msPerDay: 43_200_000 },
    });
  });

  test.each<[string, Partial<Statement>, object]>([
    ['its share is small', { timeSharePercent: 29.9 }, {}],
    ['the database is idle', { calls: 100_000 }, {}],
    ['it is slow, which is another finding', { meanMs: 100 }, {}],
    ['it is a utility statement', { kind: 'utility' }, {}],
    ['nobody knows when counting began', { since: null }, {}],
    ['its share is not large enough for the options', {}, { minSharePercent: 61 }],
    ['it is not busy enough for the options', {}, { minBusyPercent: 51 }],
  ])('it is not when %s', (_, overrides, options) => {
    expect(check(input([busy(overrides)]), options)).toEqual([]);
  });

  test('it is information where the database has time left', () => {
    expect(check(input([busy({ calls: 4_000_000 })]))).toMatchObject([{ severity: 'info' }]);
  });
});

describe('with a history', () => {
  /** A day of hourly windows of two statements, and the window of five minutes now. */
  function withPast(meanMs: { busy: number; other: number }, hours = 23): QueryInput {
    const windowsOf = (mean: number) =>
      Array.from({ length: hours }, (_, i) => past(60 * (hours - i) + 5, 60, { calls: 100_000, meanMs: mean }));
    const statements = [
      busy({ window: gain({ calls: 1_000, meanMs: meanMs.busy }) }),
      counted({ queryId: 'other', window: gain({ calls: 100, meanMs: meanMs.other }) }),
    ];
    const windows = new Map([
      ['busy', windowsOf(meanMs.busy)],
      ['other', windowsOf(meanMs.other)],
    ]);
    return input(statements, { past: { windows, plans: new Map() } });
  }

  const namesOf = (given: QueryInput) => check(given).map(({ subject }) => subject.queryId);

  test('the last day is judged, not all time', () => {
    expect(check(withPast({ busy: 6, other: 2 }))).toMatchObject([
      { evidence: { basis: 'window', timeSharePercent: 75.01, calls: 2_301_000 } },
    ]);
    expect(namesOf(withPast({ busy: 2, other: 8 }))).toEqual(['other']);
  });

  test('one of a few hours is not enough', () => {
    expect(check(withPast({ busy: 2, other: 8 }, 5))).toMatchObject([{ evidence: { basis: 'total' } }]);
  });

  test('what is older than a day does not count', () => {
    const given = withPast({ busy: 2, other: 8 });
    const old = [past(30 * 60, 60, { calls: 1_000_000, meanMs: 90 }), ...(given.past?.windows.get('busy') ?? [])];
    const windows = new Map(given.past?.windows).set('busy', old);
    expect(namesOf({ ...given, past: { windows, plans: new Map() } })).toEqual(['other']);
  });

  test('a time that cannot be read is left out', () => {
    const windows = new Map([['busy', [{ ...past(60, 60), from: 'nonsense' }]]]);
    const given = input([busy()], { past: { windows, plans: new Map() }, windowFrom: minutesBefore(5) });
    expect(check(given)).toMatchObject([{ evidence: { basis: 'total' } }]);
  });
});
