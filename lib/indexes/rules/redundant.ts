import * as z from 'zod';
import { bytes, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { dropIndex, subjectOf } from '../actions.ts';
import { sinceWhen } from '../age.ts';
import { reasonToKeep } from '../duplicates.ts';
import { maxExtraPages, type Redundant, redundantOf } from '../redundancy.ts';
import type { IndexSnapshot } from '../snapshot.ts';

/**
 * `indexes/redundant`: an index whose work another one does besides its own.
 *
 * - A b-tree whose keys are the first keys of another, in the same order or its mirror, with the same predicate, and whose INCLUDE
 *   columns the other one holds too. A unique one goes only if the other is unique over the very same keys.
 * - A unique index that nobody reads and whose columns include all those of another unique index: that one allows no row that this
 *   one would refuse.
 *
 * Not reported: what indexes/duplicate reports, and an index by which so much is read at once that the wider one would take
 * `maxExtraPages` pages more each time. GIN, GiST, BRIN and hash indexes are never compared by their prefix: it serves them in
 * another way. https://www.postgresql.org/docs/current/indexes-multicolumn.html
 */
export const redundant = defineRule({
  id: 'indexes/redundant',
  title: 'Redundant index',
  why: 'Another index answers the same queries; this one costs time at every write, and room in memory and on disk.',
  severity: 'warning',
  options: z.strictObject({
    /** Smaller indexes are left alone. */
    minBytes: z.number().int().min(0).default(0),
    /** How many leaf pages more a mean scan may read by the index that stays. */
    maxExtraPages: z.number().min(0).default(maxExtraPages),
  }),
  check(snapshot: IndexSnapshot, options): Draft[] {
    return redundantOf(snapshot, options.maxExtraPages)
      .filter(({ index }) => index.sizeBytes >= options.minBytes)
      .map((found) => ({
        severity: found.because === 'covered' ? 'warning' : 'info',
        subject: subjectOf(snapshot, found.index),
        ...describe(found, snapshot),
        evidence: {
          keep: found.kept.index,
          because: found.because,
          sizeBytes: found.index.sizeBytes,
          keptSizeBytes: found.kept.sizeBytes,
          scans: found.index.scans,
          keptScans: found.kept.scans,
          definition: found.index.definition,
          keptDefinition: found.kept.definition,
        },
        impact: { bytes: found.index.sizeBytes },
      }));
  },
});

function describe({ index, kept, because }: Redundant, snapshot: IndexSnapshot) {
  const size = `it takes ${bytes(index.sizeBytes)}`;
  if (because === 'implied') {
    return {
      title: `The uniqueness of ${index.sql.index} follows from ${kept.sql.index}`,
      detail: `${kept.sql.index} is unique over fewer of its columns, so it refuses every row that this one would. No scan of this one ${sinceWhen(snapshot)}; ${size}.`,
      action: dropIndex(
        index,
        'A statement with ON CONFLICT on just these columns, and a foreign key to them, need it: search your code for them.',
      ),
    };
  }
  const columns =
    index.elements.length === 1 ? 'Its key is the first one' : `Its keys are the first ${index.elements.length}`;
  const whole = kept.elements.length === index.elements.length;
  return {
    title: `${kept.sql.index} does the work of ${index.sql.index}, too`,
    detail: `${whole ? 'Both have the same keys, and the other one holds more columns' : `${columns} of ${kept.sql.index}`}${reasonToKeep(kept)} (${plural(kept.scans, 'scan')}, ${bytes(kept.sizeBytes)}). This one has ${plural(index.scans, 'scan')}; ${size}.`,
    action: dropIndex(
      index,
      index.constraint
        ? `Statements that name the constraint (ON CONFLICT ON CONSTRAINT ${index.sql.constraint}) must name the other one.`
        : 'Queries that used it will use the one that stays, which is larger. Make sure that no hint or script names it.',
    ),
  };
}
