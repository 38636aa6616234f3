import * as z from 'zod';
import { plural } from '../../../advice/format.ts';
import { rewriteBy } from '../../syntax/rewrite.ts';
import { statementRule, worth } from './statement-rule.ts';

/**
 * `queries/union-not-all`: UNION of many rows. It takes out rows that come twice, by sorting or hashing all of them; UNION ALL
 * just appends (https://www.postgresql.org/docs/current/queries-union.html). Whether rows can come twice is known only where
 * it can be proved; else it is a question.
 *
 * Left alone is a UNION in a WITH query: a recursive one needs it to end.
 */
export const unionNotAll = statementRule({
  id: 'queries/union-not-all',
  title: 'UNION of many rows',
  why: 'UNION sorts or hashes all rows of both sides to take out those that come twice, even where none does.',
  severity: 'info',
  options: z.strictObject({
    ...worth(),
    /** Rows that a call returns, on average, unless it writes temporary files. */
    minRowsPerCall: z.number().positive().default(1_000),
  }),
  judge({ syntax, tables, rowsPerCall, figures, options }) {
    const union = syntax.blocks.find(({ kind, all, place }) => kind === 'union' && !all && place !== 'with');
    if (!union || (rowsPerCall < options.minRowsPerCall && figures.tempBlocksWritten === 0)) return undefined;
    const sql = rewriteBy('queries/union-not-all', syntax, tables);
    return {
      title: 'UNION looks for rows that come twice',
      detail:
        sql === undefined
          ? `${plural(rowsPerCall, 'row')} a call are compared with each other.`
          : 'No row can come twice: each side asks what the other denies.',
      evidence: sql === undefined ? {} : { rewrite: sql },
      action: {
        kind: 'code',
        ...(sql === undefined ? {} : { sql }),
        caution:
          sql === undefined
            ? 'If no row can be on both sides, or twice on one, or if it does not matter, write UNION ALL.'
            : 'UNION ALL answers the same rows, in another order perhaps.',
      },
    };
  },
});
