import * as z from 'zod';
import { bytes } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { thresholds } from '../../settings.ts';
import { rebuildIndex, subjectOf } from '../actions.ts';
import { byTable } from '../by-table.ts';
import type { Index, IndexSnapshot } from '../snapshot.ts';

const mebibyte = 1024 ** 2;

/**
 * `indexes/fragmented`: a b-tree that wastes more of its space than the threshold, as measured page by
 * page (../bloat.ts has the formula and its error). `leaf_fragmentation` is not the test. Where it could not be measured, an
 * estimate (../estimate.ts) must be above the threshold by a margin, and the finding says that it is one.
 */
export const fragmented = defineRule({
  id: 'indexes/fragmented',
  title: 'Fragmented index',
  why: 'Half-empty pages are read, cached and backed up like full ones: the same lookups touch more pages and hold more memory.',
  severity: 'warning',
  options: z.strictObject({
    /** Wasted space above which an index is fragmented. */
    maxWastedPercent: z.number().min(0).max(100).default(thresholds.fragmentationPercent),
    /** An estimate must be so many percent of the index above that. */
    estimateMarginPercent: z.number().min(0).max(100).default(15),
    /** Smaller indexes are left alone: they fill again with the next writes. */
    minBytes: z
      .number()
      .int()
      .min(0)
      .default(128 * 1024),
    /** Below this much waste, and by estimate, the finding is only information. */
    warnFromWastedBytes: z
      .number()
      .int()
      .min(0)
      .default(10 * mebibyte),
  }),
  check(snapshot: IndexSnapshot, options): Draft[] {
    const tables = byTable(snapshot.tables);
    return snapshot.indexes.flatMap((index) => {
      const waste = wasteOf(index);
      const bound = options.maxWastedPercent + (index.fragmentation ? 0 : options.estimateMarginPercent);
      if (!waste || index.sizeBytes < options.minBytes || waste.wastedPercent <= bound) return [];
      return {
        severity: index.fragmentation && waste.wastedBytes >= options.warnFromWastedBytes ? 'warning' : 'info',
        subject: subjectOf(snapshot, index),
        title: `${index.sql.index} ${index.fragmentation ? 'wastes' : 'probably wastes about'} ${Math.round(waste.wastedPercent)} % of its space`,
        detail: `Of ${bytes(index.sizeBytes)} a rebuild would free ${bytes(waste.wastedBytes)}: ${waste.reason}.`,
        evidence: {
          wastedPercent: waste.wastedPercent,
          wastedBytes: waste.wastedBytes,
          sizeBytes: index.sizeBytes,
          ...waste.evidence,
          fillfactor: index.fillfactor,
        },
        impact: { bytes: waste.wastedBytes },
        action: rebuildIndex(index, tables.get(index)[0]?.sizeBytes ?? 0, index.sizeBytes - waste.wastedBytes),
      };
    });
  },
});

function wasteOf({ fragmentation, wasteEstimate, fillfactor }: Index) {
  if (fragmentation) {
    const { leafDensityPercent, leafFragmentationPercent, deletedPages, emptyPages } = fragmentation;
    return {
      ...fragmentation,
      reason: `leaf pages are ${Math.round(leafDensityPercent)} % full (a new index: ${fillfactor} %), ${deletedPages} pages are deleted, ${emptyPages} empty`,
      evidence: { leafDensityPercent, leafFragmentationPercent, deletedPages },
    };
  }
  return (
    wasteEstimate && {
      ...wasteEstimate,
      reason: 'an estimate from its size and the statistics of its columns, since it was not measured',
      evidence: { measured: 'no' },
    }
  );
}
