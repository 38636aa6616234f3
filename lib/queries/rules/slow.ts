import * as z from 'zod';
import type { Action } from '../../advice/finding.ts';
import { milliseconds, plural, shortened } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { thresholds } from '../../settings.ts';
import type { QueryInput, QuerySnapshot, Statement } from '../snapshot.ts';

import { estimatedP95, periodOf, recentOf } from './recent.ts';

const day = 86_400_000;

/** Of fewer calls no percentile can be told. */
const enoughForPercentile = 20;

/**
 * `queries/slow`: a statement whose calls take long, on average or one in twenty. Utility statements (CREATE INDEX,
 * VACUUM, COPY …) take as long as they take and are left out; so is what was called too rarely to judge.
 * Figures: https://www.postgresql.org/docs/current/pgstatstatements.html
 */
export const slow = defineRule({
  id: 'queries/slow',
  title: 'Slow query',
  why: 'A request that runs the statement waits at least that long, and holds a connection and locks meanwhile.',
  severity: 'warning',
  options: z.strictObject({
    /** Mean time from which a statement is slow. */
    minMeanMs: z.number().positive().default(thresholds.slowQueryMs),
    /** Estimated time of the slowest of twenty calls from which it is slow as well. */
    minP95Ms: z.number().positive().default(thresholds.slowQueryMs),
    /** Statements with fewer calls are left out. */
    minCalls: z.number().int().min(1).default(1),
    /** Mean time from which the finding is critical, unless there was a single call: a load or a migration. */
    criticalMeanMs: z
      .number()
      .positive()
      .default(10 * thresholds.slowQueryMs),
  }),
  check(input: QueryInput, options): Draft[] {
    return input.statements.flatMap((statement): Draft[] => {
      if (statement.kind === 'utility' || statement.calls < options.minCalls) return [];
      const lately = recentOf(input, statement);
      const p95Ms = estimatedP95(lately, statement.maxMs);
      const isSlowOnAverage = lately.meanMs >= options.minMeanMs;
      const isSlowAtTimes = lately.calls >= enoughForPercentile && p95Ms >= options.minP95Ms;
      if (!isSlowOnAverage && !isSlowAtTimes) return [];
      const perDay = msPerDay(input, statement);
      const { calls, totalMs, meanMs, stddevMs, rows, blocks } = lately;
      return [
        {
          severity: isSlowOnAverage ? (meanMs >= options.criticalMeanMs && calls > 1 ? 'critical' : 'warning') : 'info',
          subject: { database: input.server.database, queryId: statement.queryId },
          title: isSlowOnAverage
            ? `A statement takes ${milliseconds(meanMs)} on average: ${shortened(statement.query)}`
            : `A statement takes ${milliseconds(p95Ms)} one time in twenty: ${shortened(statement.query)}`,
          detail: `${periodOf(lately)} ${plural(calls, 'call')} took ${milliseconds(totalMs)} in all, and returned ${plural(rows / calls, 'row')} a call from ${plural(blocks / calls, 'block')}. The longest took ${milliseconds(statement.maxMs)}; it has ${statement.timeSharePercent.toFixed(1)} % of the database's time.`,
          evidence: {
            statement: statement.query,
            basis: lately.basis,
            calls,
            meanMs: round(meanMs),
            p95Ms: round(p95Ms),
            maxMs: round(statement.maxMs),
            stddevMs: round(stddevMs),
            totalMs: round(totalMs),
            timeSharePercent: round(statement.timeSharePercent),
            rowsPerCall: round(rows / calls),
            blocksPerCall: round(blocks / calls),
          },
          ...(perDay === undefined ? {} : { impact: { msPerDay: Math.round(perDay) } }),
          action: explain(input, statement),
        },
      ];
    });
  },
});

/** Whether a statement is one that is planned and takes at least so long on average. */
export function isSlow(statement: Statement, minMeanMs: number): boolean {
  return statement.kind !== 'utility' && statement.meanMs >= minMeanMs;
}

/** The statement's time in an average day, where the counters are at least an hour old. */
function msPerDay({ takenAt }: QuerySnapshot, { since, totalMs }: Statement): number | undefined {
  const age = since === null ? Number.NaN : Date.parse(takenAt) - Date.parse(since);
  return age >= day / 24 ? (totalMs / age) * day : undefined;
}

/** A look at the plan is the first step; GENERIC_PLAN takes the text with its $n from PostgreSQL 16 on. */
function explain({ server }: QuerySnapshot, { query, kind }: Statement): Action {
  if (kind === 'unknown' || query.endsWith('…')) {
    return {
      kind: 'code',
      caution:
        'The text is not whole: find the statement in the application by its query id, and look at its plan with EXPLAIN.',
    };
  }
  const hasParameters = query.includes('$1');
  if (hasParameters && server.versionNumber < 160_000) {
    return {
      kind: 'code',
      caution:
        'Look at its plan with `streamgate explain`, which takes the statement with its $1, $2, … and runs nothing.',
    };
  }
  const typed = /\b(interval|date|time|timestamp|timestamptz)\s+\$\d/i.test(query);
  return {
    kind: 'sql',
    sql: `EXPLAIN ${hasParameters ? '(GENERIC_PLAN) ' : ''}${query};`,
    caution: `Shows the plan and runs nothing.${typed ? ' PostgreSQL takes no type before a parameter: write $1::interval for interval $1.' : ''}`,
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
