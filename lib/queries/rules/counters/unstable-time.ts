import * as z from 'zod';
import { count, milliseconds, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import { thresholds } from '../../../settings.ts';
import type { QueryInput, Statement } from '../../snapshot.ts';
import { basisOf, type Figures, impactPerDay, judgedStatements, period, rounded, subjectOf } from './figures.ts';

/**
 * `queries/unstable-time`: a statement that is quick most of the time and now and then takes many times as long. Its mean
 * tells of neither.
 *
 * No call is further from the mean than the slowest one, so it takes at least variance × calls / (slowest − mean)² of them to
 * make the variance: one lock or one cold start is not enough.
 */
export const unstableTime = defineRule({
  id: 'queries/unstable-time',
  title: 'Now quick, now slow',
  why: 'Some requests wait many times as long as others for the same thing, and the mean, which looks good, hides it.',
  severity: 'info',
  options: z.strictObject({
    /** The standard deviation is at least so many times the mean. That of waiting times without a memory is the mean itself. */
    minRatio: z.number().positive().default(3),
    /** The slowest call took at least so long. */
    minMaxMs: z.number().positive().default(thresholds.slowQueryMs),
    /** At least so many calls were as far from the mean. */
    minSlowCalls: z.number().min(1).default(5),
    minCalls: z.number().int().min(2).default(100),
  }),
  check(input: QueryInput, options): Draft[] {
    return judgedStatements(input, options.minCalls).flatMap((judged): Draft[] => {
      const { statement, figures } = judged;
      const { meanMs, stddevMs, calls } = figures;
      const slowCalls = leastSlowCalls(statement, figures);
      if (stddevMs < options.minRatio * meanMs || statement.maxMs < options.minMaxMs) return [];
      if (slowCalls < options.minSlowCalls) return [];
      return [
        {
          subject: subjectOf(input, statement),
          title: `A statement takes ${milliseconds(meanMs)} on average and at times ${milliseconds(statement.maxMs)}: ${shortened(statement.query)}`,
          detail: `${period(figures)} its ${count(calls)} calls had a standard deviation of ${milliseconds(stddevMs)}. At least ${count(Math.floor(slowCalls))} of them must have been far slower than the mean.`,
          evidence: {
            statement: statement.query,
            ...basisOf(figures),
            calls,
            meanMs: rounded(meanMs),
            stddevMs: rounded(stddevMs),
            maxMs: rounded(statement.maxMs),
            slowCalls: Math.floor(slowCalls),
          },
          ...impactPerDay(input, judged),
          action: {
            kind: 'code',
            caution:
              'Find out what the slow calls have in common: values that are far more common than others (then the plan may not fit them), a lock that they wait for (log_lock_waits), or blocks that are not in memory. auto_explain.log_min_duration logs their plans.',
          },
        },
      ];
    });
  },
});

/** The least number of calls that can have made the variance. The slowest call of all time is at least that of the window. */
function leastSlowCalls({ maxMs }: Statement, { calls, meanMs, stddevMs }: Figures): number {
  const furthest = Math.max(maxMs - meanMs, meanMs);
  return furthest === 0 ? 0 : (calls * stddevMs ** 2) / furthest ** 2;
}
