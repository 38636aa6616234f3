import * as z from 'zod';
import { milliseconds } from '../../../advice/format.ts';
import { answersOneRow } from '../../syntax/distinct-rows.ts';
import { relationOf } from '../../syntax/resolve.ts';
import { rounded } from '../counters/figures.ts';
import { statementRule, worth } from './statement-rule.ts';

/**
 * `queries/for-update-without-skip-locked`: `SELECT … ORDER BY … LIMIT n FOR UPDATE`, which is how jobs are taken from a queue.
 * All workers want the same first row and wait for each other; SKIP LOCKED takes the next one that is free
 * (https://www.postgresql.org/docs/current/sql-select.html#SQL-FOR-UPDATE-SHARE). A lookup by a key is no queue.
 */
export const forUpdateWithoutSkipLocked = statementRule({
  id: 'queries/for-update-without-skip-locked',
  title: 'Queue whose workers wait for each other',
  why: 'All workers ask for the same first row: one gets it, and the others wait until it commits, and then often get nothing.',
  severity: 'info',
  options: z.strictObject({
    ...worth({ minCalls: 100, minMeanMs: 0 }),
    /** Some call took this long: then workers do wait, and the finding is a warning. */
    waitingMs: z.number().positive().default(1_000),
  }),
  judge({ syntax, tables, statement, options }) {
    const queue = syntax.blocks.find(
      ({ locks, limit, orderBy, where }) =>
        limit !== undefined &&
        orderBy.length > 0 &&
        where.length > 0 &&
        locks.some(({ strength, waits }) => waits === 'waits' && /update/.test(strength)),
    );
    if (!queue || answersOneRow(queue, tables)) return undefined;
    const [source] = queue.sources;
    return {
      severity: statement.maxMs >= options.waitingMs ? 'warning' : 'info',
      relation: source && relationOf(source, tables),
      title: 'Rows are taken from a queue without SKIP LOCKED',
      detail: `The longest call took ${milliseconds(statement.maxMs)}.`,
      evidence: { maxMs: rounded(statement.maxMs) },
      action: {
        kind: 'code',
        caution:
          'If any free row will do, as with jobs, write FOR UPDATE SKIP LOCKED. If it must be this very row, leave it as it is.',
      },
    };
  },
});
