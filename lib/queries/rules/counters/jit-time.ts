import * as z from 'zod';
import type { Action } from '../../../advice/finding.ts';
import { count, milliseconds, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { QueryInput, Statement } from '../../snapshot.ts';
import { basisOf, impactPerDay, judgedStatements, percent, period, rounded, subjectOf } from './figures.ts';

/**
 * `queries/jit-time`: a statement that PostgreSQL compiles at every call, for a large part of its time. The planner decides
 * by the estimated cost alone (jit_above_cost). Counted from PostgreSQL 15 on.
 * https://www.postgresql.org/docs/current/jit-decision.html
 */
export const jitTime = defineRule({
  id: 'queries/jit-time',
  title: 'Time spent on compiling',
  why: 'What was compiled is thrown away after each call: it must gain more than it costs every time, which it seldom does for a statement of less than a second.',
  severity: 'warning',
  options: z.strictObject({
    /** Compiling takes at least this share of its time. */
    minSharePercent: z.number().positive().max(100).default(25),
    /** And at least so long in a call, on average. */
    minJitMs: z.number().positive().default(5),
    minCalls: z.number().int().min(1).default(5),
  }),
  check(input: QueryInput, options): Draft[] {
    return judgedStatements(input, options.minCalls).flatMap((judged): Draft[] => {
      const { statement, figures } = judged;
      const jitMs = figures.jitMs / figures.calls;
      const sharePercent = figures.totalMs === 0 ? 0 : Math.min(100, (100 * figures.jitMs) / figures.totalMs);
      if (jitMs < options.minJitMs || sharePercent < options.minSharePercent) return [];
      return [
        {
          subject: subjectOf(input, statement),
          title: `Compiling takes ${percent(sharePercent)} of a statement's time: ${shortened(statement.query)}`,
          detail: `${period(figures)} ${count(figures.calls)} calls took ${milliseconds(figures.meanMs)} each, ${milliseconds(jitMs)} of them for compiling.`,
          evidence: {
            statement: statement.query,
            ...basisOf(figures),
            calls: figures.calls,
            jitMsPerCall: rounded(jitMs),
            meanMs: rounded(figures.meanMs),
            jitSharePercent: rounded(sharePercent),
            ...(input.settings ? { jitAboveCost: input.settings.jitAboveCost } : {}),
          },
          ...impactPerDay(input, judged, sharePercent / 100),
          action: remedy(input, statement),
        },
      ];
    });
  },
});

function remedy({ plans, settings }: QueryInput, { queryId }: Statement): Action {
  const cost = plans.find((plan) => plan.queryId === queryId)?.plan?.root.estimate?.totalCost;
  const estimate =
    cost === undefined || settings === null
      ? ''
      : ` Its plan is estimated at ${count(cost)}; jit_above_cost is ${count(settings.jitAboveCost)}.`;
  return {
    kind: 'config',
    caution: `Raise jit_above_cost above what its plan is estimated at, or set jit = off for the role that runs it: ALTER ROLE … SET jit = off.${estimate} Reports that run for many seconds may gain from compiling: leave it on for them. An estimate that is far too high is the other cause: ANALYZE the tables.`,
  };
}
