import { describe, expect, test } from 'vitest';
import { nPlusOne } from '../../../../../../lib/queries/rules/counters/n-plus-one.ts';
import type { Gain, QueryInput } from '../../../../../../lib/queries/snapshot.ts';
import { counted, gain, input, minutesBefore } from './inputs.ts';

const check = (given: QueryInput, options = {}) => nPlusOne.check(given, nPlusOne.options.parse(options));

/** In five minutes 400 lists of 20 items, each of which was looked up by itself, and some writes. */
function workload(overrides: { lookup?: Partial<Gain>; list?: Partial<Gain>; other?: Partial<Gain> } = {}): QueryInput {
  return input([
    counted({
      queryId: 'lookup',
      query: 'select * from product where id = $1',
      window: gain({ calls: 8_000, meanMs: 0.2, sharedBlocksHit: 24_000, ...overrides.lookup }),
    }),
    counted({
      queryId: 'list',
      query: 'select * from item where order_id = $1',
      window: gain({ calls: 400, rows: 8_000, meanMs: 2, sharedBlocksHit: 4_000, ...overrides.list }),
    }),
    counted({ queryId: 'write', kind: 'insert', window: gain({ calls: 500, ...overrides.other }) }),
    counted({ queryId: 'begin', kind: 'utility', window: gain({ calls: 100_000 }) }),
  ]);
}

test('a lookup that runs once for each row of a list is found, with the list', () => {
  const found = check(workload());
  expect(found).toMatchObject([
    {
      severity: 'info',
      subject: { database: 'shop', queryId: 'lookup' },
      evidence: {
        basis: 'window',
        calls: 8_000,
        callsPerMinute: 1_600,
        rowsPerCall: 1,
        parentQueryId: 'list',
        parentCalls: 400,
        parentRows: 8_000,
      },
    },
  ]);
  expect(found[0]?.detail).toContain('Counters cannot tell');
});

describe('it is not', () => {
  test.each([
    [
      'when it is called seldom',
      workload({ lookup: { calls: 2_999, rows: 2_999 }, list: { rows: 2_999, calls: 150 } }),
    ],
    ['when it is a small part of all calls', workload({ other: { calls: 40_000 } })],
    ['when it takes long', workload({ lookup: { meanMs: 6 } })],
    ['when it returns several rows', workload({ lookup: { rows: 16_000 } })],
    ['when it reads no table', workload({ lookup: { sharedBlocksHit: 10 } })],
    ['when no list has as many rows', workload({ list: { rows: 4_000 } })],
    ['when the list has far more rows', workload({ list: { rows: 16_000 } })],
    ['when the list is called nearly as often', workload({ list: { calls: 1_000 } })],
  ])('%s', (_, given) => {
    expect(check(given)).toEqual([]);
  });

  test('when all there is are lookups, as in a store of keys and values', () => {
    const given = workload();
    expect(check({ ...given, statements: given.statements.slice(0, 1) })).toEqual([]);
  });
});

test('one that returns nothing for some rows, or is spared for some, is found as well', () => {
  expect(check(workload({ lookup: { calls: 7_000, rows: 6_000 } }))).toHaveLength(1);
});

test('of several lists the one that fits best is named', () => {
  const given = workload();
  const rival = counted({ queryId: 'rival', window: gain({ calls: 100, rows: 9_500 }) });
  expect(check({ ...given, statements: [rival, ...given.statements] })).toMatchObject([
    { evidence: { parentQueryId: 'list' } },
  ]);
});

test('counters of all time are compared to each other, not to those of a window', () => {
  const given = workload();
  const statements = given.statements.map(({ window, ...statement }) => ({ ...statement, ...window, window: null }));
  const old = input(statements, { windowFrom: minutesBefore(2) });
  // In a day it is seldom called; five minutes ago counting began.
  expect(check(old)).toEqual([]);
  const young = statements.map((statement) => ({ ...statement, since: minutesBefore(5) }));
  expect(check({ ...old, statements: young })).toMatchObject([{ evidence: { basis: 'total' } }]);
});

test('a statement that began anew in the window is not judged by its old counters', () => {
  const given = workload();
  const statements = given.statements.map((statement) => ({ ...statement, window: null }));
  expect(check({ ...given, statements })).toEqual([]);
});
