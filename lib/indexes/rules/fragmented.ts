import * as z from 'zod';
import { bytes } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { thresholds } from '../../settings.ts';
import { subjectOf } from '../actions.ts';
import type { Index, IndexSnapshot } from '../snapshot.ts';

const mebibyte = 1024 ** 2;

/**
 * `indexes/fragmented`: a b-tree that wastes more of its space than the threshold, as measured page by
 * page (../bloat.ts has the formula and its error). `leaf_fragmentation` is not the test.
 */
export const fragmented = defineRule({
  id: 'indexes/fragmented',
  title: 'Fragmented index',
  why: 'Half-empty pages are read, cached and backed up like full ones: the same lookups touch more pages and hold more memory.',
  severity: 'warning',
  options: z.strictObject({
    /** Wasted space above which an index is fragmented. */
    maxWastedPercent: z.number().min(0).max(100).default(thresholds.fragmentationPercent),
    /** Smaller indexes are left alone: they fill again with the next writes. */
    minBytes: z
      .number()
      .int()
      .min(0)
      .default(128 * 1024),
    /** Below this much waste the finding is only information. */
    warnFromWastedBytes: z
      .number()
      .int()
      .min(0)
      .default(10 * mebibyte),
  }),
  check(snapshot: IndexSnapshot, options): Draft[] {
    return snapshot.indexes.flatMap((index) => {
      const { fragmentation } = index;
      if (
        !fragmentation ||
        index.sizeBytes < options.minBytes ||
        fragmentation.wastedPercent <= options.maxWastedPercent
      ) {
        return [];
      }
      return {
        severity: fragmentation.wastedBytes >= options.warnFromWastedBytes ? 'warning' : 'info',
        subject: subjectOf(snapshot, index),
        title: `${index.sql.index} wastes ${Math.round(fragmentation.wastedPercent)} % of its space`,
        detail: `Of ${bytes(index.sizeBytes)} a rebuild would free ${bytes(fragmentation.wastedBytes)}: leaf pages are ${Math.round(fragmentation.leafDensityPercent)} % full (a new index: ${index.fillfactor} %), ${fragmentation.deletedPages} pages are deleted, ${fragmentation.emptyPages} empty.`,
        evidence: {
          wastedPercent: fragmentation.wastedPercent,
          wastedBytes: fragmentation.wastedBytes,
          sizeBytes: index.sizeBytes,
          leafDensityPercent: fragmentation.leafDensityPercent,
          leafFragmentationPercent: fragmentation.leafFragmentationPercent,
          deletedPages: fragmentation.deletedPages,
          fillfactor: index.fillfactor,
        },
        impact: { bytes: fragmentation.wastedBytes },
        action: rebuild(index, fragmentation.wastedBytes),
      };
    });
  },
});

/** https://www.postgresql.org/docs/current/sql-reindex.html: CONCURRENTLY cannot rebuild an exclusion constraint's index. */
function rebuild(index: Index, wastedBytes: number) {
  const space = `Needs about ${bytes(index.sizeBytes - wastedBytes)} of free disk space while it runs.`;
  return index.exclusion
    ? {
        kind: 'sql' as const,
        sql: `REINDEX INDEX ${index.sql.index};`,
        caution: `${space} Stops writes to ${index.sql.table} and reads by this index until it is done: choose a quiet hour.`,
      }
    : {
        kind: 'sql' as const,
        sql: `REINDEX INDEX CONCURRENTLY ${index.sql.index};`,
        caution: `${space} Does not stop reads or writes. If it is interrupted, drop the invalid index with the suffix _ccnew.`,
      };
}
