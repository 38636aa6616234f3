import * as z from 'zod';
import { count } from '../../../advice/format.ts';
import { relationOf } from '../../syntax/resolve.ts';
import { statementRule, worth } from './statement-rule.ts';

/**
 * `queries/select-for-update-wide`: SELECT … FOR UPDATE of very many rows. Each row lock is written into the row, so that
 * reading becomes writing, and whoever wants one of the rows waits
 * (https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS).
 */
export const selectForUpdateWide = statementRule({
  id: 'queries/select-for-update-wide',
  title: 'Very many rows locked at once',
  why: 'A lock is written into every row, and everybody who wants one of them waits until the transaction ends.',
  severity: 'warning',
  options: z.strictObject({
    ...worth({ minMeanMs: 0 }),
    /** Rows that a call locks, on average. */
    minRowsPerCall: z.number().positive().default(1_000),
  }),
  judge({ syntax: { root }, tables, rowsPerCall, options }) {
    const locks = root.locks.some(({ strength }) => /update/.test(strength));
    if (!locks || rowsPerCall < options.minRowsPerCall) return undefined;
    const [source] = root.sources;
    return {
      relation: root.sources.length === 1 && source ? relationOf(source, tables) : undefined,
      title: `A SELECT locks ${count(rowsPerCall)} rows at once`,
      detail: 'FOR UPDATE locks every row that it returns.',
      action: {
        kind: 'code',
        caution:
          'Lock the rows that are changed, some hundred at a time, in the order of the key, so that two transactions do not wait for each other in a circle. To keep two runs of a job apart, one advisory lock is enough.',
      },
    };
  },
});
