import * as z from 'zod';
import { count, milliseconds, plural, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { QueryInput } from '../../snapshot.ts';

import { groupsOf, horizonOf, isIdle, peopleOf } from './transactions.ts';

const minute = 60_000;

/**
 * `queries/long-transaction`: a transaction that has been at work for long. One that only waits for its client is
 * `queries/idle-in-transaction`'s.
 * https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-BASICS
 */
export const longTransaction = defineRule({
  id: 'queries/long-transaction',
  title: 'Long transaction',
  why: 'As long as it runs, no row that it might still see is removed from any table: tables and indexes grow, and everybody reads what is dead.',
  severity: 'warning',
  options: z.strictObject({
    /** From this age on a transaction is reported. */
    minMinutes: z.number().positive().default(5),
    /** From this age on the finding is critical. */
    criticalMinutes: z.number().positive().default(60),
  }),
  check(input: QueryInput, options): Draft[] {
    const long = input.transactions.filter(
      (transaction) => !isIdle(transaction) && transaction.ageMs >= options.minMinutes * minute,
    );
    return groupsOf(input, long, ({ ageMs }) => ageMs).map(({ subject, statement, transactions }): Draft => {
      const [{ ageMs, waitsFor }] = transactions;
      const isMaintenance = statement?.kind === 'utility';
      const horizon = horizonOf(transactions);
      return {
        severity: isMaintenance ? 'info' : ageMs >= options.criticalMinutes * minute ? 'critical' : 'warning',
        subject,
        title: `A transaction has been open for ${milliseconds(ageMs)}${statement ? `: ${shortened(statement.query)}` : ''}`,
        detail: `${plural(transactions.length, 'transaction was', 'transactions were')} at work when the snapshot was taken${waitsFor === null ? '' : `, the longest waiting (${waitsFor})`}.${horizon.xminAge === undefined ? '' : ` It keeps the dead rows of the last ${plural(Number(horizon.xminAge), 'transaction')} from being removed.`}`,
        evidence: {
          ...(statement ? { statement: statement.query } : {}),
          transactions: transactions.length,
          ageMinutes: Math.round(ageMs / minute),
          ...horizon,
          ...peopleOf(transactions),
        },
        action: {
          kind: 'code',
          caution: `Work in smaller transactions: ${count(1_000)} rows each, and no waiting for anybody else in between. Reports are better off on a replica. statement_timeout for the role sets a bound; SELECT pg_cancel_backend(pid) ends the statement that runs now.`,
        },
      };
    });
  },
});
