import * as z from 'zod';
import { bytes, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { dropIndex, subjectOf } from '../actions.ts';
import { duplicatesOf, isMirrored, reasonToKeep } from '../duplicates.ts';
import type { IndexSnapshot } from '../snapshot.ts';

/**
 * `indexes/duplicate`: two indexes of a table that can answer the same queries and no others.
 *
 * Compared element by element, never as text: method, key columns or expressions in their order,
 * operator classes with their parameters, collations, sort directions, INCLUDE columns (as a set),
 * predicate, and the storage parameters that change what an index can do. A b-tree can be read
 * backwards, so the exact mirror (every direction turned round) is a duplicate too.
 *
 * Of each group one index stays, and each of the others is reported once. An index that enforces
 * something goes only if the one that stays enforces at least as much; a primary key, an exclusion
 * constraint, a replica identity, what a foreign key leans on and what CLUSTER uses never go.
 */
export const duplicate = defineRule({
  id: 'indexes/duplicate',
  title: 'Duplicate index',
  why: 'Each copy costs as much at every write, in memory and on disk as the first, and no query is faster for it.',
  severity: 'warning',
  options: z.strictObject({
    /** Smaller indexes are left alone. */
    minBytes: z.number().int().min(0).default(0),
  }),
  check(snapshot: IndexSnapshot, options): Draft[] {
    return duplicatesOf(snapshot.indexes)
      .filter(({ index }) => index.sizeBytes >= options.minBytes)
      .map(({ index, kept }) => ({
        subject: subjectOf(snapshot, index),
        title: `${index.sql.index} duplicates ${kept.sql.index}`,
        detail: `Both index the same ${index.elements.length === 1 ? 'key' : 'keys in the same order'} of ${index.sql.table}${isMirrored(index, kept) ? ', one in reverse, which a b-tree can also be read in' : ''}. Keep ${kept.sql.index}${reasonToKeep(kept)} (${plural(kept.scans, 'scan')}); this one (${plural(index.scans, 'scan')}) takes ${bytes(index.sizeBytes)}.`,
        evidence: {
          keep: kept.index,
          sizeBytes: index.sizeBytes,
          scans: index.scans,
          keptScans: kept.scans,
          definition: index.definition,
          keptDefinition: kept.definition,
        },
        impact: { bytes: index.sizeBytes },
        action: dropIndex(
          index,
          index.constraint
            ? `Statements that name the constraint (ON CONFLICT ON CONSTRAINT ${index.sql.constraint}) must name the other one.`
            : 'Queries that used it will use the one that stays. Make sure that no hint or script names it.',
        ),
      }));
  },
});
