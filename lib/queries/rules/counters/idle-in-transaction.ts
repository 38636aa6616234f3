import * as z from 'zod';
import { count, milliseconds, plural, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { QueryInput } from '../../snapshot.ts';

import { groupsOf, horizonOf, isIdle, peopleOf } from './transactions.ts';

/**
 * `queries/idle-in-transaction`: a transaction whose client has sent nothing for long. The statement is the last that it ran.
 * https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT
 */
export const idleInTransaction = defineRule({
  id: 'queries/idle-in-transaction',
  title: 'Idle in a transaction',
  why: 'It does nothing, and keeps its locks, its connection and all dead rows. A function that was frozen in the middle of a transaction stays like that until it is thawed.',
  severity: 'warning',
  options: z.strictObject({
    /** From so long a silence on a transaction is reported. */
    minSeconds: z.number().positive().default(60),
    /** From so long a silence on the finding is critical, and at once when others wait for it. */
    criticalSeconds: z.number().positive().default(900),
  }),
  check(input: QueryInput, options): Draft[] {
    const blocking = new Set(input.transactions.flatMap(({ blockedBy }) => blockedBy));
    const idle = input.transactions.filter(
      (transaction) => isIdle(transaction) && transaction.stateMs >= options.minSeconds * 1_000,
    );
    return groupsOf(input, idle, ({ stateMs }) => stateMs).map(({ subject, statement, transactions }): Draft => {
      const [{ stateMs, ageMs }] = transactions;
      const blockers = transactions.filter(({ pid }) => blocking.has(pid)).length;
      return {
        severity: blockers > 0 || stateMs >= options.criticalSeconds * 1_000 ? 'critical' : 'warning',
        subject,
        title: `A transaction has been idle for ${milliseconds(stateMs)}${statement ? ` after ${shortened(statement.query)}` : ''}`,
        detail: `${plural(transactions.length, 'transaction waited', 'transactions waited')} for the client when the snapshot was taken; the longest is ${milliseconds(ageMs)} old.${blockers === 0 ? '' : ` Others wait for ${transactions.length === 1 ? 'it' : `${count(blockers)} of them`}.`}`,
        evidence: {
          ...(statement ? { statement: statement.query } : {}),
          transactions: transactions.length,
          idleSeconds: Math.round(stateMs / 1_000),
          ageSeconds: Math.round(ageMs / 1_000),
          blockers,
          ...horizonOf(transactions),
          ...peopleOf(transactions),
        },
        action: {
          kind: 'code',
          caution:
            "End the transaction before waiting for anything else: a call of another service, a user, the end of the invocation. See that every path ends in COMMIT or ROLLBACK, also when something throws. As a net: ALTER ROLE … SET idle_in_transaction_session_timeout = '1min'.",
        },
      };
    });
  },
});
