import { expect, test } from 'vitest';
import { walHeavy } from '../../../../../../lib/queries/rules/counters/wal-heavy.ts';
import type { Statement } from '../../../../../../lib/queries/snapshot.ts';
import { counted, gain, input } from './inputs.ts';

const gibibyte = 1024 ** 3;

/** An update that writes 2.4 GiB an hour, and another statement that writes as much in an hour as is said. */
const check = (otherPerHour: number, overrides: Partial<Statement> = {}, options = {}) =>
  walHeavy.check(
    input([
      counted({ kind: 'update', window: gain({ calls: 100, rows: 200, walBytes: 0.2 * gibibyte }), ...overrides }),
      counted({ queryId: 'other', kind: 'insert', walBytes: 24 * otherPerHour }),
    ]),
    walHeavy.options.parse(options),
  );

test('a statement that writes much of the log is found, by what each writes in an hour', () => {
  expect(check(2.4 * gibibyte)).toMatchObject([
    {
      severity: 'info',
      title: 'A statement writes 2.4 GB of log in an hour: select 1',
      evidence: {
        basis: 'window',
        walBytesPerHour: Math.round(2.4 * gibibyte),
        walBytesPerCall: Math.round(0.002 * gibibyte),
        walBytesPerRow: Math.round(0.001 * gibibyte),
        walSharePercent: 50,
      },
    },
    { subject: { queryId: 'other' } },
  ]);
});

test.each<[string, number, Partial<Statement>, object]>([
  ['others write far more', 100 * gibibyte, {}, { minBytesPerHour: 101 * gibibyte }],
  ['it writes little', 0, { window: gain({ walBytes: 0.08 * gibibyte }) }, {}],
  ['it is called too seldom', 0, {}, { minCalls: 1_001 }],
  ['it is a utility statement', 0, { kind: 'utility' }, {}],
  ['nobody knows since when it is counted', 0, { window: null, since: null, walBytes: gibibyte }, {}],
])('it is not when %s', (_, otherPerHour, overrides, options) => {
  expect(check(otherPerHour, overrides, options)).toEqual([]);
});

test('a small share is not reported', () => {
  expect(check(6 * gibibyte).map(({ subject }) => subject.queryId)).toEqual(['other']);
});
