import { expect, test } from 'vitest';
import type { OpenTransaction } from '../../../../../../lib/queries/catalog.ts';
import { idleInTransaction } from '../../../../../../lib/queries/rules/counters/idle-in-transaction.ts';
import { counted, input, transaction } from './inputs.ts';

const idle = (overrides: Partial<OpenTransaction> = {}) =>
  transaction({ state: 'idle in transaction', ageMs: 130_000, stateMs: 120_000, ...overrides });
const check = (transactions: OpenTransaction[], options = {}) =>
  idleInTransaction.check(input([counted()], { transactions }), idleInTransaction.options.parse(options));

test('a transaction that waits for its client is found, with the last that it did', () => {
  expect(check([idle()])).toMatchObject([
    {
      severity: 'warning',
      subject: { database: 'shop', queryId: '1' },
      title: 'A transaction has been idle for 2 min after select 1',
      evidence: { transactions: 1, idleSeconds: 120, ageSeconds: 130, blockers: 0, xminAge: 50, pids: '100' },
    },
  ]);
});

test.each([
  [59.9, undefined],
  [60, 'warning'],
  [899, 'warning'],
  [900, 'critical'],
])('a silence of %d seconds is %s', (seconds, severity) => {
  expect(check([idle({ stateMs: seconds * 1_000 })])[0]?.severity).toBe(severity);
});

test('one that failed after a savepoint and was not ended is found as well', () => {
  expect(check([idle({ state: 'idle in transaction (aborted)' })])).toHaveLength(1);
});

test('one that is at work is not', () => {
  expect(check([transaction()])).toEqual([]);
});

test('one that others wait for is critical at once', () => {
  const found = check([idle(), transaction({ pid: 200, blockedBy: [100], waitsFor: 'Lock' })]);
  expect(found).toMatchObject([{ severity: 'critical', evidence: { blockers: 1 } }]);
  expect(found[0]?.detail).toContain('Others wait for it.');
});

test('several of the same statement are one finding', () => {
  expect(check([idle(), idle({ pid: 101 })])).toMatchObject([{ evidence: { transactions: 2, pids: '100, 101' } }]);
  const [blocking] = check([idle(), idle({ pid: 101 }), transaction({ pid: 200, blockedBy: [101], waitsFor: 'Lock' })]);
  expect(blocking?.detail).toContain('Others wait for 1 of them.');
});

test('the options decide', () => {
  expect(check([idle()], { minSeconds: 121 })).toEqual([]);
  expect(check([idle()], { criticalSeconds: 120 })).toMatchObject([{ severity: 'critical' }]);
});
