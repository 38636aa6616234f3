import { expect, test } from 'vitest';
import { manyRowsPerCall } from '../../../../../../lib/queries/rules/counters/many-rows-per-call.ts';
import type { Statement } from '../../../../../../lib/queries/snapshot.ts';
import { counted, gain, input } from './inputs.ts';

const check = (overrides: Partial<Statement> = {}, options = {}) =>
  manyRowsPerCall.check(
    input([counted({ window: gain({ rows: 600_000, meanMs: 30 }), ...overrides })]),
    manyRowsPerCall.options.parse(options),
  );

test('a statement that returns thousands of rows at every call is found', () => {
  expect(check()).toMatchObject([
    {
      severity: 'info',
      title: 'A statement returns 6,000 rows in a call: select 1',
      evidence: { basis: 'window', calls: 100, rowsPerCall: 6_000, meanMs: 30 },
    },
  ]);
});

test.each<[string, Partial<Statement>, object]>([
  ['it returns fewer', { window: gain({ rows: 499_900 }) }, {}],
  ['it writes them', { kind: 'insert' }, {}],
  ['it is a COPY', { kind: 'utility' }, {}],
  ['it was called too seldom', {}, { minCalls: 1_001 }],
  ['the options allow it', {}, { minRowsPerCall: 6_001 }],
])('it is not when %s', (_, overrides, options) => {
  expect(check(overrides, options)).toEqual([]);
});
