import { describe, expect, test } from 'vitest';
import {
  basisOf,
  figuresOf,
  impactPerDay,
  judgedStatements,
  period,
  rounded,
  totalsOf,
} from '../../../../../../lib/queries/rules/counters/figures.ts';
import { statementKinds } from '../../../../../../lib/queries/snapshot.ts';
import { counted, gain, input, minutesBefore } from './inputs.ts';

describe('what is judged', () => {
  const statement = counted({ window: gain({ calls: 20, rows: 60 }) });

  test('is the window, where it has enough calls', () => {
    expect(figuresOf(input([statement]), statement, 20)).toEqual({
      ...gain({ calls: 20, rows: 60 }),
      basis: 'window',
      spanMs: 300_000,
    });
  });

  test.each([
    ['it has fewer', input([statement]), 21],
    ['it is shorter than the pause between two audits', input([statement], { windowFrom: minutesBefore(3.9) }), 20],
    ['there is none', input([{ ...statement, window: null }]), 20],
    ['nobody knows when it began', input([statement], { windowFrom: null }), 20],
  ])('is all time, where %s', (_, given, minCalls) => {
    const [first] = given.statements;
    expect(figuresOf(given, first ?? statement, minCalls)).toMatchObject({ basis: 'total', calls: 1_000, rows: 1_000 });
  });

  test('is a window of an audit that came a little early', () => {
    expect(figuresOf(input([statement], { windowFrom: minutesBefore(4.5) }), statement, 1)?.basis).toBe('window');
  });

  test.each(statementKinds)('are statements that are planned: %s', (kind) => {
    expect(judgedStatements(input([counted({ kind })]), 1)).toHaveLength(kind === 'utility' ? 0 : 1);
  });

  test('are statements that were called often enough', () => {
    expect(judgedStatements(input([counted({ calls: 19 })]), 20)).toEqual([]);
    expect(judgedStatements(input([counted({ calls: 20 })]), 20)).toHaveLength(1);
  });
});

describe('the time of all counters', () => {
  test.each([
    [minutesBefore(60), 3_600_000],
    [null, null],
    [minutesBefore(-5), null],
    ['nonsense', null],
  ])('since %s is %s', (since, spanMs) => {
    expect(totalsOf(input([]), counted({ since })).spanMs).toBe(spanMs);
  });
});

test('a finding says what it was judged by', () => {
  expect(basisOf({ ...gain(), basis: 'window', spanMs: 300_000 })).toEqual({ basis: 'window', hours: 0.083 });
  expect(basisOf({ ...gain(), basis: 'total', spanMs: null })).toEqual({ basis: 'total' });
  expect(period({ basis: 'window', spanMs: 300_000 })).toBe('In the last 5 min');
  expect(period({ basis: 'total', spanMs: 7_200_000 })).toBe('In the 2 h since counting began');
  expect(period({ basis: 'total', spanMs: null })).toBe('Since counting began');
});

describe('the time in a day', () => {
  test('is told by what is at least an hour long', () => {
    const statement = counted({ totalMs: 2_400, window: gain({ totalMs: 100 }) });
    const [short] = judgedStatements(input([statement]), 1);
    const [long] = judgedStatements(input([statement], { windowFrom: minutesBefore(120) }), 1);
    if (!short || !long) throw new Error('nothing was judged');
    expect(impactPerDay(input([]), short)).toEqual({ impact: { msPerDay: 2_400 } });
    expect(impactPerDay(input([]), long)).toEqual({ impact: { msPerDay: 1_200 } });
    expect(impactPerDay(input([]), long, 0.5)).toEqual({ impact: { msPerDay: 600 } });
  });

  test('is not known of young counters', () => {
    const [young] = judgedStatements(input([counted({ since: minutesBefore(59) })]), 1);
    expect(young && impactPerDay(input([]), young)).toEqual({});
  });
});

test.each([
  [12.3456, 12.35],
  [0.012345, 0.012],
  [-0.5, -0.5],
  [0, 0],
])('%d is rounded to %d', (value, expected) => {
  expect(rounded(value)).toBe(expected);
});
