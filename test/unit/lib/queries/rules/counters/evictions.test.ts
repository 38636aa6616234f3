import { expect, test } from 'vitest';
import { evictions } from '../../../../../../lib/queries/rules/counters/evictions.ts';
import type { QueryInput } from '../../../../../../lib/queries/snapshot.ts';
import { plannerSettings } from '../../../../snapshots.ts';
import { counted, input, minutesBefore } from './inputs.ts';

/** A hundred evictions in ten hours. */
const check = (overrides: Partial<QueryInput> = {}, options = {}, statements = [counted()]) =>
  evictions.check(
    input(statements, { evictions: 100, resetAt: minutesBefore(600), ...overrides }),
    evictions.options.parse(options),
  );

test('a view that forgets statements is found', () => {
  expect(check()).toMatchObject([
    {
      severity: 'info',
      subject: { database: 'shop' },
      title: 'pg_stat_statements forgets statements 10 times an hour',
      detail: expect.stringContaining('dropped about 250 of its 5,000 statements each time'),
      evidence: { evictions: 100, hours: 10, perHour: 10, statements: 1, shapes: 1, statementsMax: 5_000 },
      action: { kind: 'config', caution: expect.stringContaining('pg_stat_statements.max to 10,000') },
    },
  ]);
});

test.each<[string, Partial<QueryInput>, object]>([
  ['it seldom does', { evictions: 9 }, {}],
  ['it never did', { evictions: 0 }, {}],
  ['nobody knows how often', { evictions: null }, {}],
  ['nobody knows since when', { resetAt: null }, {}],
  ['the clocks differ', { resetAt: minutesBefore(-1) }, {}],
  ['the options allow it', {}, { minPerHour: 11 }],
])('it is not when %s', (_, overrides, options) => {
  expect(check(overrides, options)).toEqual([]);
});

test('one right after a reset is not taken for sixty an hour', () => {
  expect(check({ evictions: 1, resetAt: minutesBefore(1) }, { minPerHour: 2 })).toEqual([]);
});

test('often enough it is a warning', () => {
  expect(check({ evictions: 200 })).toMatchObject([{ severity: 'warning' }]);
});

test('texts that differ in constants and lists alone are named as the cause', () => {
  const statements = (shapes: number) =>
    Array.from({ length: 100 }, (_, i) => counted({ queryId: String(i), fingerprint: `f${i % shapes}` }));
  expect(check({}, {}, statements(50))[0]?.action?.caution).toContain('ANY($1)');
  expect(check({}, {}, statements(51))[0]?.action?.caution).not.toContain('ANY($1)');
});

test('it does without the settings', () => {
  const [found] = check({ settings: null });
  expect(found?.evidence).not.toHaveProperty('statementsMax');
  expect(check({ settings: plannerSettings({ statementsMax: null }) })).toHaveLength(1);
});
