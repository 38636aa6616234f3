import { describe, expect, test } from 'vitest';
import type { OpenTransaction } from '../../../../../../lib/queries/catalog.ts';
import { blocked } from '../../../../../../lib/queries/rules/counters/blocked.ts';
import { counted, input, transaction } from './inputs.ts';

const check = (transactions: OpenTransaction[], options = {}) =>
  blocked.check(input([counted({ queryId: 'head' })], { transactions }), blocked.options.parse(options));

const head = (overrides: Partial<OpenTransaction> = {}) =>
  transaction({ pid: 1, queryId: 'head', state: 'idle in transaction', stateMs: 40_000, ...overrides });
const waiter = (pid: number, blockedBy: number[], overrides: Partial<OpenTransaction> = {}) =>
  transaction({ pid, blockedBy, waitsFor: 'Lock', queryId: `q${pid}`, stateMs: 30_000, ...overrides });

test('those that wait are told by the one that they wait for', () => {
  expect(check([head(), waiter(2, [1]), waiter(3, [1], { stateMs: 20_000 })])).toMatchObject([
    {
      severity: 'warning',
      subject: { database: 'shop', queryId: 'head' },
      title: '2 transactions wait for a lock of one whose last statement is select 1',
      detail: 'They have waited for up to 30 s for process 1, idle for 40 s, in a transaction of 10 min.',
      evidence: { waiting: 2, longestWaitSeconds: 30, waitingStatements: 'q2, q3', pids: '1' },
      action: { caution: expect.stringContaining('pg_terminate_backend(pid), with 1.') },
    },
  ]);
});

test('a queue is told by its head alone', () => {
  const found = check([head(), waiter(2, [1]), waiter(3, [2]), waiter(4, [3, 2])]);
  expect(found).toMatchObject([{ subject: { queryId: 'head' }, evidence: { waiting: 3, pids: '1' } }]);
});

test('several heads of the same statement are one finding, and those of others another', () => {
  const found = check([head(), head({ pid: 5 }), waiter(2, [1, 5]), waiter(3, [9])]);
  expect(found).toMatchObject([
    { subject: { queryId: 'head' }, evidence: { waiting: 1, pids: '1, 5' } },
    {
      subject: { database: 'shop' },
      evidence: { waiting: 1, pids: '9' },
      detail: expect.stringContaining('process 9'),
    },
  ]);
  expect(found[1]?.subject).not.toHaveProperty('queryId');
});

test('a prepared transaction has no process', () => {
  const [found] = check([waiter(2, [0])]);
  expect(found?.detail).toContain('a prepared transaction');
  expect(found?.action?.caution).toContain('ROLLBACK PREPARED');
});

test('a deadlock, which PostgreSQL is about to end, does not go round in circles', () => {
  expect(check([waiter(2, [3]), waiter(3, [2])])).toHaveLength(2);
  expect(check([waiter(2, [2])])).toHaveLength(1);
});

test('a long queue is followed to its end', () => {
  const queue = Array.from({ length: 5_000 }, (_, i) => waiter(i + 2, [i + 1], { stateMs: i === 4_999 ? 9_000 : 0 }));
  expect(check([head(), ...queue])).toMatchObject([{ evidence: { waiting: 1, pids: '1' } }]);
});

describe('how much it matters', () => {
  test.each([
    [4.9, undefined],
    [5, 'warning'],
    [59, 'warning'],
    [60, 'critical'],
  ])('a wait of %d seconds is %s', (seconds, severity) => {
    expect(check([head(), waiter(2, [1], { stateMs: seconds * 1_000 })])[0]?.severity).toBe(severity);
  });

  test('many that wait are critical', () => {
    const many = Array.from({ length: 10 }, (_, i) => waiter(i + 2, [1]));
    expect(check([head(), ...many])).toMatchObject([{ severity: 'critical' }]);
    expect(check([head(), ...many.slice(1)])).toMatchObject([{ severity: 'warning' }]);
  });
});

test('what waits for something else is no lock', () => {
  expect(check([transaction({ waitsFor: 'IO' })])).toEqual([]);
});
