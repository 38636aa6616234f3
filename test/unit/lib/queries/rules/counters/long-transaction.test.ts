import { expect, test } from 'vitest';
import type { OpenTransaction } from '../../../../../../lib/queries/catalog.ts';
import { longTransaction } from '../../../../../../lib/queries/rules/counters/long-transaction.ts';
import { counted, input, transaction } from './inputs.ts';

const minutes = (count: number) => count * 60_000;
const check = (transactions: OpenTransaction[], options = {}, statements = [counted()]) =>
  longTransaction.check(input(statements, { transactions }), longTransaction.options.parse(options));

test('a transaction that has been at work for long is found, with whose it is', () => {
  expect(check([transaction({ ageMs: minutes(10), xminAge: 7 })])).toMatchObject([
    {
      severity: 'warning',
      subject: { database: 'shop', queryId: '1' },
      title: 'A transaction has been open for 10 min: select 1',
      detail: expect.stringContaining('dead rows of the last 7 transactions'),
      evidence: { transactions: 1, ageMinutes: 10, xminAge: 7, pids: '100', roles: 'api', applications: 'orders' },
    },
  ]);
});

test.each([
  [4.99, undefined],
  [5, 'warning'],
  [59.9, 'warning'],
  [60, 'critical'],
])('one of %d minutes is %s', (age, severity) => {
  expect(check([transaction({ ageMs: minutes(age) })])[0]?.severity).toBe(severity);
});

test('one that is idle is another finding', () => {
  expect(check([transaction({ state: 'idle in transaction' })])).toEqual([]);
  expect(check([transaction({ state: 'idle in transaction (aborted)' })])).toEqual([]);
});

test('one that maintains the database is information', () => {
  expect(check([transaction({ ageMs: minutes(90) })], {}, [counted({ kind: 'utility' })])).toMatchObject([
    { severity: 'info' },
  ]);
});

test('several of the same statement are one finding, told by the longest', () => {
  const found = check([
    transaction({ pid: 1, ageMs: minutes(6), role: 'a' }),
    transaction({ pid: 2, ageMs: minutes(20), role: 'b', xminAge: null, waitsFor: 'IO' }),
    transaction({ pid: 3, queryId: '2', ageMs: minutes(7) }),
    transaction({ pid: 4, queryId: null, ageMs: minutes(8), role: null, application: '' }),
  ]);
  expect(found).toMatchObject([
    {
      subject: { queryId: '1' },
      evidence: { transactions: 2, ageMinutes: 20, pids: '2, 1', roles: 'b, a', xminAge: 50 },
    },
    { subject: { database: 'shop' }, title: 'A transaction has been open for 8 min' },
    { subject: { queryId: '2' } },
  ]);
  expect(found[0]?.detail).toContain('waiting (IO)');
  expect(found[1]?.evidence).not.toHaveProperty('roles');
  expect(new Set(found.map(({ id }) => id)).size).toBe(3);
});

test('the options decide', () => {
  expect(check([transaction({ ageMs: minutes(10) })], { minMinutes: 11 })).toEqual([]);
  expect(check([transaction({ ageMs: minutes(10) })], { criticalMinutes: 10 })).toMatchObject([
    { severity: 'critical' },
  ]);
});
