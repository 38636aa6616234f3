import * as z from 'zod';
import { count, milliseconds, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import { thresholds } from '../../../settings.ts';
import type { QueryInput, Statement } from '../../snapshot.ts';
import { type Figures, percent, period, rounded, subjectOf, totalsOf } from './figures.ts';

const hour = 3_600_000;

/** The windows of a day are enough when they reach back so far. */
const enoughOfADayMs = 6 * hour;

/**
 * `queries/high-share`: a statement whose calls are quick, and which takes a large part of the database's time all the
 * same. A slow one is `queries/slow`'s. An idle database has a busiest statement, too: it must also be busy.
 */
export const highShare = defineRule({
  id: 'queries/high-share',
  title: 'Large share of all time',
  why: 'What takes most of the time is where a saving counts most: a statement that is called half as often frees more than one that is made twice as fast.',
  severity: 'warning',
  options: z.strictObject({
    /** Share of the time of all statements from which a statement is reported. A choice: what is below is not the first thing to look at. */
    minSharePercent: z.number().positive().max(100).default(30),
    /** How busy it keeps the database, in percent of one connection that does nothing else. */
    minBusyPercent: z.number().min(0).default(5),
    /** From here on `queries/slow` reports it. */
    maxMeanMs: z.number().positive().default(thresholds.slowQueryMs),
    /** From here on the finding is a warning, else information. */
    warningBusyPercent: z.number().min(0).default(50),
  }),
  check(input: QueryInput, options): Draft[] {
    const day = lastDay(input);
    return input.statements.flatMap((statement): Draft[] => {
      const figures = day.get(statement.queryId) ?? (day.size === 0 ? totalsOf(input, statement) : undefined);
      if (figures === undefined || figures.spanMs === null || figures.calls === 0) return [];
      const { calls, totalMs, timeSharePercent, spanMs } = figures;
      const meanMs = totalMs / calls;
      const busyPercent = (100 * totalMs) / spanMs;
      if (statement.kind === 'utility' || meanMs >= options.maxMeanMs) return [];
      if (timeSharePercent < options.minSharePercent || busyPercent < options.minBusyPercent) return [];
      return [
        {
          severity: busyPercent >= options.warningBusyPercent ? 'warning' : 'info',
          subject: subjectOf(input, statement),
          title: `A quick statement takes ${percent(timeSharePercent)} of the database's time: ${shortened(statement.query)}`,
          detail: `${period(figures)} it was called ${count(calls)} times, ${milliseconds(meanMs)} each, and took ${milliseconds(totalMs)} in all.`,
          evidence: {
            statement: statement.query,
            basis: figures.basis,
            hours: rounded(spanMs / hour),
            calls,
            callsPerMinute: rounded((60_000 * calls) / spanMs),
            meanMs: rounded(meanMs),
            timeSharePercent: rounded(timeSharePercent),
            busyPercent: rounded(busyPercent),
          },
          ...(spanMs >= hour ? { impact: { msPerDay: Math.round((totalMs * 24 * hour) / spanMs) } } : {}),
          action: {
            kind: 'code',
            caution:
              'Ask less often: cache the answer, ask for many rows at once, or do not ask for what is at hand. A faster plan helps as well where it reads more blocks than it returns rows.',
          },
        },
      ];
    });
  },
});

type DayFigures = Pick<Figures, 'basis' | 'spanMs' | 'calls' | 'totalMs' | 'timeSharePercent'>;

/**
 * What the statements did in the last day, by the windows of the history: a share of five minutes comes and goes. Empty where
 * the history does not reach back far enough.
 */
function lastDay(input: QueryInput): Map<string, DayFigures> {
  const until = Date.parse(input.takenAt);
  const sums = new Map<string, { calls: number; totalMs: number }>();
  let earliest = until;
  for (const statement of input.statements) {
    const sum = { calls: 0, totalMs: 0 };
    for (const { from, calls, totalMs } of windowsOf(input, statement)) {
      const start = Date.parse(from);
      if (!(start >= until - 24 * hour)) continue;
      earliest = Math.min(earliest, start);
      sum.calls += calls;
      sum.totalMs += totalMs;
    }
    sums.set(statement.queryId, sum);
  }
  const spanMs = until - earliest;
  if (spanMs < enoughOfADayMs) return new Map();
  const allMs = [...sums.values()].reduce((all, { totalMs }) => all + totalMs, 0);
  const share = (totalMs: number) => (allMs === 0 ? 0 : (100 * totalMs) / allMs);
  return new Map(
    [...sums].map(([queryId, { calls, totalMs }]) => [
      queryId,
      { basis: 'window', spanMs, calls, totalMs, timeSharePercent: share(totalMs) },
    ]),
  );
}

function windowsOf(
  { past, windowFrom }: QueryInput,
  { queryId, window }: Statement,
): readonly { from: string; calls: number; totalMs: number }[] {
  const before = past?.windows.get(queryId) ?? [];
  return window === null || windowFrom === null ? before : [...before, { from: windowFrom, ...window }];
}
