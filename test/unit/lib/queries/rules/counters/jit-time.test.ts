import { expect, test } from 'vitest';
import { jitTime } from '../../../../../../lib/queries/rules/counters/jit-time.ts';
import type { Gain, QueryInput } from '../../../../../../lib/queries/snapshot.ts';
import { planNode, statementPlan } from '../../../../snapshots.ts';
import { counted, gain, input } from './inputs.ts';

const check = (given: QueryInput, options = {}) => jitTime.check(given, jitTime.options.parse(options));

/** A hundred calls of 100 ms, 40 of them for compiling. */
const compiled = (overrides: Partial<Gain> = {}) =>
  input([counted({ meanMs: 100, window: gain({ meanMs: 100, jitMs: 4_000, ...overrides }) })]);

test('a statement that is compiled for a large part of its time is found', () => {
  expect(check(compiled())).toMatchObject([
    {
      severity: 'warning',
      title: "Compiling takes 40 % of a statement's time: select 1",
      evidence: { basis: 'window', jitMsPerCall: 40, meanMs: 100, jitSharePercent: 40, jitAboveCost: 100_000 },
      impact: { msPerDay: 40_000 },
    },
  ]);
});

test.each<[string, Partial<Gain>, object]>([
  ['it takes a small part', { jitMs: 2_400 }, {}],
  ['it takes hardly any time', { meanMs: 5, jitMs: 400 }, {}],
  ['nothing was compiled', { jitMs: 0 }, {}],
  ['it took no time at all', { meanMs: 0, jitMs: 0 }, {}],
  ['the options want more', {}, { minSharePercent: 41 }],
])('it is not when %s', (_, overrides, options) => {
  expect(check(compiled(overrides), options)).toEqual([]);
});

test('the remedy names the cost that the planner decides by, where there is a plan', () => {
  const cost = { startupCost: 0, totalCost: 123_456, rows: 1, width: 1 };
  const plans = [statementPlan(planNode({ estimate: cost }))];
  expect(check({ ...compiled(), plans })[0]?.action?.caution).toContain(
    'estimated at 123,456; jit_above_cost is 100,000',
  );
  expect(check(compiled())[0]?.action?.caution).not.toContain('estimated at 1');
  expect(check({ ...compiled(), plans, settings: null })).toHaveLength(1);
});
