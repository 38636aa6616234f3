import * as z from 'zod';
import { count, plural } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { QueryInput } from '../../snapshot.ts';
import { rounded } from './figures.ts';

const hour = 3_600_000;

/** What pg_stat_statements drops each time it is full: USAGE_DEALLOC_PERCENT in its source, and ten at least. */
const droppedShare = 0.05;
const leastDropped = 10;

/** Of fewer statements the ratio of texts to shapes says little. */
const enoughStatements = 100;

/**
 * `queries/evictions`: pg_stat_statements has too little room for the workload, and keeps forgetting the rarest statements.
 * https://www.postgresql.org/docs/current/pgstatstatements.html#PGSTATSTATEMENTS-PG-STAT-STATEMENTS-INFO
 */
export const evictions = defineRule({
  id: 'queries/evictions',
  title: 'Statements forgotten',
  why: 'What was forgotten is not in any figure: the rarest statements, slow ones among them, are never found, and making room slows down all others.',
  severity: 'info',
  options: z.strictObject({
    /** So often in an hour, at least. */
    minPerHour: z.number().positive().default(1),
    /** From here on the finding is a warning: whoever is not called every hour is forgotten. */
    warningPerHour: z.number().positive().default(20),
  }),
  check(input: QueryInput, options): Draft[] {
    const { evictions: times, resetAt, takenAt, settings, statements } = input;
    const hours = resetAt === null ? 0 : (Date.parse(takenAt) - Date.parse(resetAt)) / hour;
    if (times === null || !(hours > 0)) return [];
    const perHour = times / hours;
    // Minutes after a reset the rate of an hour is a guess.
    if (times < options.minPerHour || perHour < options.minPerHour) return [];
    const max = settings?.statementsMax ?? null;
    const shapes = new Set(statements.map(({ fingerprint, queryId }) => fingerprint ?? queryId)).size;
    const isWordy = statements.length >= enoughStatements && statements.length >= 2 * shapes;
    return [
      {
        severity: perHour >= options.warningPerHour ? 'warning' : 'info',
        subject: { database: input.server.database },
        title: `pg_stat_statements forgets statements ${plural(Math.max(1, Math.round(perHour)), 'time')} an hour`,
        detail: `It ran out of room ${plural(times, 'time')} since its reset${max === null ? '' : `, and dropped about ${count(Math.max(leastDropped, droppedShare * max))} of its ${count(max)} statements each time`}.${isWordy ? ` ${count(statements.length)} statements of this database are ${count(shapes)} but for constants, lists and names.` : ''}`,
        evidence: {
          evictions: times,
          hours: rounded(hours),
          perHour: rounded(perHour),
          statements: statements.length,
          shapes,
          ...(max === null ? {} : { statementsMax: max }),
        },
        action: {
          kind: 'config',
          caution: `${isWordy ? 'Send parameters instead of constants, and = ANY($1) instead of lists of any length: then texts that do the same are one statement. ' : ''}Set pg_stat_statements.max to ${count(2 * (max ?? 5_000))} (it takes a restart, and shared memory for each statement). Afterwards SELECT pg_stat_statements_reset(), or the old count stays.`,
        },
      },
    ];
  },
});
