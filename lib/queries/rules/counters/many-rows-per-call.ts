import * as z from 'zod';
import { count, milliseconds, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { QueryInput } from '../../snapshot.ts';
import { basisOf, impactPerDay, judgedStatements, period, rounded, subjectOf } from './figures.ts';

/**
 * `queries/many-rows-per-call`: a statement that returns thousands of rows at every call. Few people read them: most are
 * filtered, counted or cut off in the application.
 */
export const manyRowsPerCall = defineRule({
  id: 'queries/many-rows-per-call',
  title: 'Many rows in an answer',
  why: "Every row is sent, parsed and kept in the function's memory, and the time for that is not even counted by the database.",
  severity: 'info',
  options: z.strictObject({
    /** Rows returned in a call, on average. A page of a list has a hundred. */
    minRowsPerCall: z.number().positive().default(5_000),
    minCalls: z.number().int().min(1).default(20),
  }),
  check(input: QueryInput, options): Draft[] {
    return judgedStatements(input, options.minCalls).flatMap((judged): Draft[] => {
      const { statement, figures } = judged;
      const rowsPerCall = figures.rows / figures.calls;
      if (statement.kind !== 'select' || rowsPerCall < options.minRowsPerCall) return [];
      return [
        {
          subject: subjectOf(input, statement),
          title: `A statement returns ${count(rowsPerCall)} rows in a call: ${shortened(statement.query)}`,
          detail: `${period(figures)} ${count(figures.calls)} calls returned ${count(figures.rows)} rows and took ${milliseconds(figures.meanMs)} each, without the time to send them.`,
          evidence: {
            statement: statement.query,
            ...basisOf(figures),
            calls: figures.calls,
            rowsPerCall: rounded(rowsPerCall),
            meanMs: rounded(figures.meanMs),
          },
          ...impactPerDay(input, judged),
          action: {
            kind: 'code',
            caution:
              'Let the database filter, count and sum up, and return pages with a LIMIT. An export that needs all rows should read them through a cursor, so that they are never all in memory.',
          },
        },
      ];
    });
  },
});
