import * as z from 'zod';
import { bytes, count, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { QueryInput } from '../../snapshot.ts';
import { basisOf, judgedStatements, percent, period, rounded, subjectOf } from './figures.ts';

const hour = 3_600_000;

/**
 * `queries/wal-heavy`: a statement that writes a large part of the write-ahead log. Everything that is written to tables and
 * indexes goes there first, and whole pages do after each checkpoint.
 * https://www.postgresql.org/docs/current/wal-configuration.html
 */
export const walHeavy = defineRule({
  id: 'queries/wal-heavy',
  title: 'Much write-ahead log',
  why: 'The log is written to disk before a commit is answered, copied to every replica, and kept by backups: it is paid for several times.',
  severity: 'info',
  options: z.strictObject({
    /** Its share of what all statements write. */
    minSharePercent: z.number().positive().max(100).default(30),
    /** What it writes in an hour, at least. The default is 1 GiB. */
    minBytesPerHour: z
      .number()
      .positive()
      .default(1024 ** 3),
    minCalls: z.number().int().min(1).default(5),
  }),
  check(input: QueryInput, options): Draft[] {
    const all = judgedStatements(input, 1);
    // Figures of windows and of all time differ in their span: what is added up is what each writes in an hour.
    const rate = ({ figures: { walBytes, spanMs } }: (typeof all)[number]) =>
      spanMs === null ? 0 : (walBytes * hour) / spanMs;
    const allRate = all.reduce((sum, judged) => sum + rate(judged), 0);
    return all.flatMap((judged): Draft[] => {
      const { statement, figures } = judged;
      const perHour = rate(judged);
      const sharePercent = allRate === 0 ? 0 : (100 * perHour) / allRate;
      if (figures.calls < options.minCalls || perHour < options.minBytesPerHour) return [];
      if (sharePercent < options.minSharePercent) return [];
      return [
        {
          subject: subjectOf(input, statement),
          title: `A statement writes ${bytes(perHour)} of log in an hour: ${shortened(statement.query)}`,
          detail: `${period(figures)} its ${count(figures.calls)} calls wrote ${bytes(figures.walBytes)}, ${bytes(figures.walBytes / Math.max(1, figures.rows))} for each row: ${percent(sharePercent)} of what all statements wrote.`,
          evidence: {
            statement: statement.query,
            ...basisOf(figures),
            calls: figures.calls,
            walBytesPerHour: Math.round(perHour),
            walBytesPerCall: Math.round(figures.walBytes / figures.calls),
            walBytesPerRow: Math.round(figures.walBytes / Math.max(1, figures.rows)),
            walSharePercent: rounded(sharePercent),
          },
          action: {
            kind: 'code',
            caution:
              'Write less: change only rows that differ (WHERE … IS DISTINCT FROM …), write many rows in one transaction, drop indexes that nobody reads, and do not index columns that every update changes. Where most of it is whole pages, let checkpoints come less often (max_wal_size), or set wal_compression.',
          },
        },
      ];
    });
  },
});
