import * as z from 'zod';
import { count, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { QueryInput } from '../../snapshot.ts';
import {
  basisOf,
  blocksOf,
  type Figures,
  impactPerDay,
  isWindowLong,
  type Judged,
  percent,
  period,
  rounded,
  subjectOf,
  totalsOf,
  windowFigures,
} from './figures.ts';

/** So many calls for each row of the other statement, and no more or less, count as one for each. */
const nearlyOne = { least: 0.8, most: 1.25 };

/**
 * `queries/n-plus-one`: a quick lookup of one row that is called about once for each row that another statement returns: a
 * list is read, and then each of its items by itself.
 *
 * Counters do not tell which call followed which, so it takes all of the signs: the lookup is quick, returns one row at
 * most, is a large part of all calls, and their number fits the rows of a statement that is called much less often. It
 * may be a coincidence all the same. Tracking in the application knows (docs/guides/track-queries.md).
 */
export const nPlusOne = defineRule({
  id: 'queries/n-plus-one',
  title: 'One query for each row of another',
  why: 'Each call waits for the network and takes a connection for as long; one statement for all rows takes hardly longer than one of them.',
  severity: 'info',
  options: z.strictObject({
    /** How often the lookup is called in a minute, at least. */
    minCallsPerMinute: z.number().positive().default(600),
    /** Its share of the calls of all statements. */
    minCallsPercent: z.number().min(0).max(100).default(20),
    /** It takes no longer than this on average. */
    maxMeanMs: z.number().positive().default(5),
    /** It is called so many times for each call of the other statement, at least. */
    minCallsPerParent: z.number().min(2).default(10),
  }),
  check(input: QueryInput, options): Draft[] {
    const reads = together(input);
    const allCalls = reads.reduce((sum, { figures }) => sum + figures.calls, 0);
    return reads.filter(isLookup).flatMap((lookup): Draft[] => {
      const { statement, figures } = lookup;
      const perMinute = figures.spanMs === null ? 0 : (60_000 * figures.calls) / figures.spanMs;
      const callsPercent = (100 * figures.calls) / allCalls;
      if (perMinute < options.minCallsPerMinute || callsPercent < options.minCallsPercent) return [];
      if (figures.meanMs > options.maxMeanMs) return [];
      const parent = likeliestParent(lookup, reads, options.minCallsPerParent);
      if (parent === undefined) return [];
      return [
        {
          subject: subjectOf(input, statement),
          title: `A lookup seems to run once for each row of another statement: ${shortened(statement.query)}`,
          detail: `${period(figures)} it was called ${count(figures.calls)} times (${percent(callsPercent)} of all calls). ${shortened(parent.statement.query)} was called ${count(parent.figures.calls)} times and returned ${count(parent.figures.rows)} rows. Counters cannot tell whether the one follows the other.`,
          evidence: {
            statement: statement.query,
            ...basisOf(figures),
            calls: figures.calls,
            callsPerMinute: rounded(perMinute),
            callsPercent: rounded(callsPercent),
            rowsPerCall: rounded(figures.rows / figures.calls),
            meanMs: rounded(figures.meanMs),
            parentQueryId: parent.statement.queryId,
            parentStatement: parent.statement.query,
            parentCalls: parent.figures.calls,
            parentRows: parent.figures.rows,
          },
          ...impactPerDay(input, lookup),
          action: {
            kind: 'code',
            caution:
              "Where the list is read, ask for all items at once: a join, or WHERE id = ANY($1). An object mapper's eager loading does that. Make sure with trackQueries, which names the place in the code.",
          },
        },
      ];
    });
  },
});

/** The planned statements with figures of the same time: of the window where it is long enough, else of all time. */
function together(input: QueryInput): Judged[] {
  const figuresIn = (statement: Judged['statement']): Figures | undefined =>
    isWindowLong(input) ? windowFigures(input, statement) : totalsOf(input, statement);
  return input.statements.flatMap((statement) => {
    const figures = statement.kind === 'utility' ? undefined : figuresIn(statement);
    return figures && figures.calls > 0 ? [{ statement, figures }] : [];
  });
}

/** Reads one row at most, and reads it from a table: `select 1` looks after the connection. */
function isLookup({ statement, figures }: Judged): boolean {
  return statement.kind === 'select' && figures.rows <= 1.05 * figures.calls && blocksOf(figures) >= figures.calls;
}

/** Of those that fit, the statement whose rows are nearest to the calls. */
function likeliestParent(lookup: Judged, reads: readonly Judged[], minCallsPerParent: number): Judged | undefined {
  const { calls } = lookup.figures;
  const distance = ({ figures }: Judged) => Math.abs(Math.log(calls / figures.rows));
  return reads
    .filter(({ statement, figures }) => {
      const perRow = calls / figures.rows;
      return (
        statement !== lookup.statement &&
        statement.kind === 'select' &&
        perRow >= nearlyOne.least &&
        perRow <= nearlyOne.most &&
        calls >= minCallsPerParent * figures.calls
      );
    })
    .sort((a, b) => distance(a) - distance(b))
    .at(0);
}
