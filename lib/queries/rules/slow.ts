import * as z from 'zod';
import type { Action } from '../../advice/finding.ts';
import { milliseconds, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { thresholds } from '../../settings.ts';
import type { QuerySnapshot, Statement } from '../snapshot.ts';

const day = 86_400_000;

/**
 * `queries/slow`: a statement whose calls take long on average. Utility statements (CREATE INDEX,
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
    /** Statements with fewer calls are left out. */
    minCalls: z.number().int().min(1).default(1),
    /** Mean time from which the finding is critical. */
    criticalMeanMs: z
      .number()
      .positive()
      .default(10 * thresholds.slowQueryMs),
  }),
  check(snapshot: QuerySnapshot, options): Draft[] {
    return snapshot.statements
      .filter((statement) => isSlow(statement, options.minMeanMs) && statement.calls >= options.minCalls)
      .map((statement) => {
        const perDay = msPerDay(snapshot, statement);
        return {
          severity: statement.meanMs >= options.criticalMeanMs ? 'critical' : 'warning',
          subject: { database: snapshot.server.database, queryId: statement.queryId },
          title: `A statement takes ${milliseconds(statement.meanMs)} on average: ${shortened(statement.query)}`,
          detail: `${plural(statement.calls, 'call')} took ${milliseconds(statement.totalMs)} in all (${statement.timeSharePercent.toFixed(1)} % of the database's time), at most ${milliseconds(statement.maxMs)}, and returned ${plural(statement.rows / statement.calls, 'row')} a call from ${plural((statement.sharedBlocksHit + statement.sharedBlocksRead) / statement.calls, 'block')}.`,
          evidence: {
            statement: statement.query,
            calls: statement.calls,
            meanMs: round(statement.meanMs),
            maxMs: round(statement.maxMs),
            stddevMs: round(statement.stddevMs),
            totalMs: round(statement.totalMs),
            timeSharePercent: round(statement.timeSharePercent),
            rowsPerCall: round(statement.rows / statement.calls),
            blocksPerCall: round((statement.sharedBlocksHit + statement.sharedBlocksRead) / statement.calls),
          },
          ...(perDay === undefined ? {} : { impact: { msPerDay: Math.round(perDay) } }),
          action: explain(snapshot, statement),
        };
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
        'Put values in the place of $1, $2, … in the statement, and look at its plan with EXPLAIN, which runs nothing.',
    };
  }
  const typed = /\b(interval|date|time|timestamp|timestamptz)\s+\$\d/i.test(query);
  return {
    kind: 'sql',
    sql: `EXPLAIN ${hasParameters ? '(GENERIC_PLAN) ' : ''}${query};`,
    caution: `Shows the plan and runs nothing.${typed ? ' PostgreSQL takes no type before a parameter: write $1::interval for interval $1.' : ''}`,
  };
}

/** One line of at most 80 characters. */
function shortened(query: string): string {
  const line = query.replace(/\s+/g, ' ').trim();
  return line.length <= 80 ? line : `${line.slice(0, 79).toWellFormed()}…`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
