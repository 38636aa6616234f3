import * as z from 'zod';
import { count, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { sinceWhen } from '../../indexes/age.ts';
import type { IndexSnapshot } from '../../indexes/snapshot.ts';
import { rowsOf, subjectOf } from '../subject.ts';

/**
 * `tables/sequential-scans`: a large table that is often read from one end to the other, and not merely by the few who need all of
 * it. Scans that end early (LIMIT) read few rows and do not count. Which statements do it, the rules over plans say.
 * https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ALL-TABLES-VIEW
 */
export const sequentialScans = defineRule({
  id: 'tables/sequential-scans',
  title: 'Large table often read as a whole',
  why: 'The time of each such statement grows with the table, and its pages push those of other statements out of memory.',
  severity: 'warning',
  options: z.strictObject({
    /** Smaller tables are read quickly. */
    minRows: z.number().int().min(1).default(10_000),
    /** Fewer scans are no pattern. */
    minScans: z.number().int().min(1).default(100),
    /** Of all scans of the table, by whatever way. */
    minSharePercent: z.number().min(0).max(100).default(5),
    /** A mean scan reads at least so much of the table. */
    minReadPercent: z.number().min(0).max(100).default(50),
  }),
  check(snapshot: IndexSnapshot, options): Draft[] {
    const indexScans = new Map<string, number>();
    for (const { sql, scans } of snapshot.indexes) indexScans.set(sql.table, (indexScans.get(sql.table) ?? 0) + scans);
    return snapshot.tables.flatMap((table) => {
      const { sequentialScans: scans, sequentialRows, sql } = table;
      const rows = rowsOf(table);
      const share = (100 * scans) / (scans + (indexScans.get(sql) ?? 0));
      const perScan = sequentialRows / scans;
      const isOften = scans >= options.minScans && share >= options.minSharePercent;
      if (table.parent !== null || table.kind === 'partitioned table' || rows < options.minRows || !isOften) return [];
      if (perScan < (options.minReadPercent / 100) * rows) return [];
      return [
        {
          subject: subjectOf(snapshot, table),
          title: `${sql} was read as a whole ${plural(scans, 'time')}`,
          detail: `${Math.round(share)} % of its scans were sequential ${sinceWhen(snapshot)}, and read ${count(perScan)} of ${plural(rows, 'row')} each.`,
          evidence: { sequentialScans: scans, rowsPerScan: Math.round(perScan), rows, sharePercent: Math.round(share) },
          action: {
            kind: 'code',
            caution:
              'Look at the findings of plans/selective-seq-scan, plans/seq-scan-large-table and indexes/missing-foreign-key for the statements: an index on what they search by helps those that keep few of the rows. Exports and reports may need all of them.',
          },
        },
      ];
    });
  },
});
