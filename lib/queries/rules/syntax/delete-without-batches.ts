import * as z from 'zod';
import { count, milliseconds } from '../../../advice/format.ts';
import { relationOf } from '../../syntax/resolve.ts';
import { statementRule, worth } from './statement-rule.ts';

/**
 * `queries/delete-without-batches`: a DELETE or UPDATE of very many rows at once. Its rows stay locked until it commits, what
 * it wrote is kept from vacuum, and replicas replay it as one (https://www.postgresql.org/docs/current/explicit-locking.html).
 */
export const deleteWithoutBatches = statementRule({
  id: 'queries/delete-without-batches',
  title: 'Very many rows changed at once',
  why: 'All these rows stay locked until the transaction ends, others wait for them, and vacuum and replicas fall behind.',
  severity: 'warning',
  options: z.strictObject({
    ...worth({ minCalls: 1, minMeanMs: 1_000 }),
    /** Rows that a call changes, on average. */
    minRowsPerCall: z.number().positive().default(10_000),
  }),
  judge({ syntax: { root }, tables, rowsPerCall, figures, options }) {
    if ((root.kind !== 'delete' && root.kind !== 'update') || rowsPerCall < options.minRowsPerCall) return undefined;
    const [target] = root.sources;
    const everything = root.kind === 'delete' && root.where.length === 0 && root.sources.length === 1;
    return {
      relation: target && relationOf(target, tables),
      title: `${root.kind === 'delete' ? 'A DELETE' : 'An UPDATE'} changes ${count(rowsPerCall)} rows at once`,
      detail: `They are locked for up to ${milliseconds(figures.meanMs)} and until the transaction ends.`,
      evidence: { everything: everything ? 'yes' : 'no' },
      action: {
        kind: 'code',
        caution: everything
          ? 'To empty a table use TRUNCATE, which takes no time; it needs an ACCESS EXCLUSIVE lock for a moment, and fires no DELETE triggers.'
          : 'Change some thousand rows at a time, each in a transaction of its own: … WHERE ctid = ANY (ARRAY(SELECT ctid FROM … WHERE … LIMIT 5000)), until no row is left. What is deleted by age belongs in partitions, of which old ones are dropped.',
      },
    };
  },
});
