import { describe, expect, test } from 'vitest';
import { blocksPerRow } from '../../../../../../lib/queries/rules/counters/blocks-per-row.ts';
import type { Gain, QueryInput, Statement } from '../../../../../../lib/queries/snapshot.ts';
import { planNode, statementPlan } from '../../../../snapshots.ts';
import { counted, gain, input } from './inputs.ts';

const check = (given: QueryInput, options = {}) => blocksPerRow.check(given, blocksPerRow.options.parse(options));

/** A hundred calls that look at 2,000 blocks each for one row. */
const scanning = (overrides: Partial<Gain> = {}, of: Partial<Statement> = {}) =>
  input([counted({ ...of, window: gain({ sharedBlocksHit: 150_000, sharedBlocksRead: 50_000, ...overrides }) })]);
const planned = (given: QueryInput, type: string) => ({
  ...given,
  plans: [statementPlan(planNode({ type: 'Limit', children: [planNode({ type })] }))],
});

test('a statement that looks at much for little is found', () => {
  expect(check(planned(scanning(), 'Seq Scan'))).toMatchObject([
    {
      severity: 'warning',
      title: 'A statement looks at 16 MB for each row: select 1',
      evidence: { basis: 'window', blocksPerRow: 2_000, blocksPerCall: 2_000, rowsPerCall: 1 },
    },
  ]);
});

test.each<[string, Partial<Gain>, object]>([
  ['it returns what it looks at', { rows: 100_000 }, {}],
  ['it looks at little', { sharedBlocksHit: 40_000 }, {}],
  ['it was called too seldom', {}, { minCalls: 1_001 }],
  ['the options want more', {}, { minBlocksPerRow: 2_001 }],
])('it is not when %s', (_, overrides, options) => {
  expect(check(scanning(overrides), options)).toEqual([]);
});

describe('a statement that makes one row of many', () => {
  test.each(['Aggregate', 'Group', 'WindowAgg', 'Unique'])('is told by its plan and left alone: %s', (type) => {
    expect(check(planned(scanning(), type))).toHaveLength(type === 'WindowAgg' ? 1 : 0);
  });

  test('may be one without a plan: then it is only information', () => {
    expect(check(scanning())).toMatchObject([{ severity: 'info', detail: expect.stringContaining('If it counts') }]);
  });
});

test('what changes rows is judged by those that it changed', () => {
  expect(check(scanning({}, { kind: 'update' }))).toMatchObject([
    { severity: 'warning', detail: expect.stringContaining('changed 1 rows') },
  ]);
  expect(check(scanning({}, { kind: 'insert' }))).toEqual([]);
});

test('one that finds nothing is judged by its calls', () => {
  expect(check(scanning({ rows: 0 }))).toMatchObject([{ evidence: { blocksPerRow: 2_000, rowsPerCall: 0 } }]);
});
