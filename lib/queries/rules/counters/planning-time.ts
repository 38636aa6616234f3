import * as z from 'zod';
import { count, milliseconds, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { QueryInput } from '../../snapshot.ts';
import { basisOf, judgedStatements, period, rounded, subjectOf, totalsOf } from './figures.ts';

/**
 * `queries/planning-time`: a statement that takes longer to plan than to run. Only pg_stat_statements.track_planning
 * counts planning, and it is off by default: without it there is nothing to find.
 * https://www.postgresql.org/docs/current/pgstatstatements.html#PGSTATSTATEMENTS-CONFIG-PARAMS
 */
export const planningTime = defineRule({
  id: 'queries/planning-time',
  title: 'Longer planned than run',
  why: 'A plan is made anew at every call, unless the statement is prepared: the time is spent on finding out what was found out before.',
  severity: 'warning',
  options: z.strictObject({
    /** Mean time of planning from which a statement is reported. */
    minPlanMs: z.number().positive().default(1),
    /** It takes at least so many times as long to plan as to run. */
    minRatio: z.number().positive().default(1),
    minCalls: z.number().int().min(1).default(20),
  }),
  check(input: QueryInput, options): Draft[] {
    return judgedStatements(input, options.minCalls).flatMap(({ statement, figures }): Draft[] => {
      const planMs = figures.planMs / figures.calls;
      if (planMs < options.minPlanMs || planMs < options.minRatio * figures.meanMs) return [];
      const whole = totalsOf(input, statement);
      const { spanMs } = whole;
      return [
        {
          subject: subjectOf(input, statement),
          title: `A statement takes ${milliseconds(planMs)} to plan and ${milliseconds(figures.meanMs)} to run: ${shortened(statement.query)}`,
          detail: `${period(figures)} planning took ${milliseconds(figures.planMs)} in ${count(figures.calls)} calls, and running ${milliseconds(figures.totalMs)}.`,
          evidence: {
            statement: statement.query,
            ...basisOf(figures),
            calls: figures.calls,
            planMs: rounded(planMs),
            meanMs: rounded(figures.meanMs),
            plansPerCall: rounded(statement.plans / statement.calls),
          },
          ...(spanMs !== null && spanMs >= 3_600_000
            ? { impact: { msPerDay: Math.round((whole.planMs * 86_400_000) / spanMs) } }
            : {}),
          action: {
            kind: 'code',
            caution:
              'Prepare it: with pg, give the query a `name`, and its plan is kept for the connection (not behind a pooler in transaction mode, unless that follows prepared statements). A statement over many partitions should name the partition key; many joins plan faster with a lower join_collapse_limit.',
          },
        },
      ];
    });
  },
});
