import * as z from 'zod';
import { milliseconds, plural, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { OpenTransaction } from '../../catalog.ts';
import type { QueryInput } from '../../snapshot.ts';

import { isIdle, peopleOf } from './transactions.ts';

/** The process id that pg_blocking_pids gives for a prepared transaction, which has no process. */
const preparedTransaction = 0;

/**
 * `queries/blocked`: transactions that wait for the lock of another, told by the one at the head of the queue: it alone runs
 * or rests, and all the others wait for it.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION (pg_blocking_pids)
 */
export const blocked = defineRule({
  id: 'queries/blocked',
  title: 'Waiting for a lock',
  why: 'Each of those that wait holds a connection, and its own locks, for which the next ones wait: a queue of locks can stop everything.',
  severity: 'warning',
  options: z.strictObject({
    /** Transactions that have waited for less are left out: locks that are given back soon are no fault. */
    minSeconds: z.number().positive().default(5),
    /** From so long a wait on the finding is critical. */
    criticalSeconds: z.number().positive().default(60),
    /** And when so many wait. */
    criticalCount: z.number().int().min(1).default(10),
  }),
  check(input: QueryInput, options): Draft[] {
    const byPid = new Map(input.transactions.map((transaction) => [transaction.pid, transaction]));
    const waiting = input.transactions.filter(
      ({ blockedBy, stateMs }) => blockedBy.length > 0 && stateMs >= options.minSeconds * 1_000,
    );
    return [...queues(waiting, byPid)].map(([queryId, { heads, waiters }]): Draft => {
      const longestMs = Math.max(...[...waiters].map(({ stateMs }) => stateMs));
      const isCritical = longestMs >= options.criticalSeconds * 1_000 || waiters.size >= options.criticalCount;
      const known = [...heads].flatMap((pid) => byPid.get(pid) ?? []);
      const statement = input.statements.find((each) => each.queryId === queryId);
      const ids = new Set([...waiters].flatMap((waiter) => waiter.queryId ?? []));
      return {
        severity: isCritical ? 'critical' : 'warning',
        subject: { database: input.server.database, ...(queryId === null ? {} : { queryId }) },
        title: `${plural(waiters.size, 'transaction waits', 'transactions wait')} for a lock${statement ? ` of one whose last statement is ${shortened(statement.query)}` : ''}`,
        detail: `They have waited for up to ${milliseconds(longestMs)} for ${[...heads].map((pid) => describe(pid, byPid.get(pid))).join('; ')}.`,
        evidence: {
          ...(statement ? { statement: statement.query } : {}),
          waiting: waiters.size,
          longestWaitSeconds: Math.round(longestMs / 1_000),
          ...(ids.size === 0 ? {} : { waitingStatements: [...ids].join(', ') }),
          ...peopleOf(known),
          pids: [...heads].join(', '),
        },
        action: {
          kind: 'code',
          caution: `Hold locks for a shorter time: take them late, in the same order everywhere, and commit at once. Changes of a table's shape belong behind a lock_timeout. To end the one that blocks, now: SELECT pg_terminate_backend(pid), with ${[...heads].filter((pid) => pid !== preparedTransaction).join(', ') || 'ROLLBACK PREPARED for a prepared transaction'}.`,
        },
      };
    });
  },
});

interface Queue {
  heads: Set<number>;
  waiters: Set<OpenTransaction>;
}

/** The queues by the statement of their heads: those of a statement are one finding. Several heads may hold up one. */
function queues(
  waiting: readonly OpenTransaction[],
  byPid: ReadonlyMap<number, OpenTransaction>,
): Map<string | null, Queue> {
  const found = new Map<string | null, Queue>();
  for (const waiter of waiting) {
    for (const head of headsOf(waiter, byPid)) {
      const queryId = byPid.get(head)?.queryId ?? null;
      const queue = found.get(queryId) ?? { heads: new Set(), waiters: new Set() };
      queue.heads.add(head);
      queue.waiters.add(waiter);
      found.set(queryId, queue);
    }
  }
  return found;
}

/** Follows who waits for whom, to those who wait for nobody. In a deadlock there are none: then those next in line. */
function headsOf(waiter: OpenTransaction, byPid: ReadonlyMap<number, OpenTransaction>): number[] {
  const seen = new Set<number>(waiter.blockedBy);
  const heads: number[] = [];
  // The set grows while it is walked.
  for (const pid of seen) {
    const next = byPid.get(pid)?.blockedBy ?? [];
    if (next.length === 0) heads.push(pid);
    for (const each of next) seen.add(each);
  }
  return heads.length > 0 ? heads : [...new Set(waiter.blockedBy)];
}

function describe(pid: number, transaction: OpenTransaction | undefined): string {
  if (pid === preparedTransaction) return 'a prepared transaction';
  if (transaction === undefined) return `process ${pid}`;
  const doing = isIdle(transaction) ? `idle for ${milliseconds(transaction.stateMs)}` : transaction.state;
  return `process ${pid}, ${doing}, in a transaction of ${milliseconds(transaction.ageMs)}`;
}
