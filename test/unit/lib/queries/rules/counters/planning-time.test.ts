import { expect, test } from 'vitest';
import { planningTime } from '../../../../../../lib/queries/rules/counters/planning-time.ts';
import type { Gain } from '../../../../../../lib/queries/snapshot.ts';
import { counted, gain, input } from './inputs.ts';

/** A hundred calls that take 2 ms to plan and 1 ms to run. */
const check = (overrides: Partial<Gain> = {}, options = {}) =>
  planningTime.check(
    input([counted({ plans: 900, planMs: 2_400, window: gain({ planMs: 200, ...overrides }) })]),
    planningTime.options.parse(options),
  );

test('a statement that takes longer to plan than to run is found', () => {
  expect(check()).toMatchObject([
    {
      severity: 'warning',
      title: 'A statement takes 2 ms to plan and 1 ms to run: select 1',
      evidence: { basis: 'window', planMs: 2, meanMs: 1, plansPerCall: 0.9 },
      impact: { msPerDay: 2_400 },
    },
  ]);
});

test.each<[string, Partial<Gain>, object]>([
  ['it runs for longer', { meanMs: 2.01 }, {}],
  ['it is planned in no time', { planMs: 99, meanMs: 0.1 }, {}],
  ['planning is not counted', { planMs: 0 }, {}],
  ['the options want more', {}, { minRatio: 2.1 }],
  ['the options want longer', {}, { minPlanMs: 2.1 }],
])('it is not when %s', (_, overrides, options) => {
  expect(check(overrides, options)).toEqual([]);
});
