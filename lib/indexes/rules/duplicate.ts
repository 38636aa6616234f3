import * as z from 'zod';
import { bytes, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { dropIndex, subjectOf } from '../actions.ts';
import type { Element, Index, IndexSnapshot } from '../snapshot.ts';

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
    const candidates = snapshot.indexes.filter((index) => index.valid && index.ready);
    return [...Map.groupBy(candidates, whatItCanDo).values()]
      .flatMap(superfluous)
      .filter(([index]) => index.sizeBytes >= options.minBytes)
      .map(([index, kept]) => ({
        subject: subjectOf(snapshot, index),
        title: `${index.sql.index} duplicates ${kept.sql.index}`,
        detail: `Both index the same ${index.elements.length === 1 ? 'key' : 'keys in the same order'} of ${index.sql.table}${mirrored(index, kept) ? ', one in reverse, which a b-tree can also be read in' : ''}. Keep ${kept.sql.index}${reason(kept)} (${plural(kept.scans, 'scan')}); this one (${plural(index.scans, 'scan')}) takes ${bytes(index.sizeBytes)}.`,
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

/** Each index of a group that may go, with the one because of which it may: one that stays. */
function superfluous(group: Index[]): [index: Index, kept: Index][] {
  const staying: Index[] = [];
  const going: [Index, Index][] = [];
  for (const index of group.sort(byWorth)) {
    const kept = staying.find((other) => mayGo(index, other));
    if (kept) going.push([index, kept]);
    else staying.push(index);
  }
  return going;
}

/** Equal for two indexes exactly if they can do the same, but for what they enforce. */
function whatItCanDo(index: Index): string {
  const keys = index.elements.map((element) => [
    element.column,
    element.expression,
    element.operatorClass,
    element.parameters,
    element.collation,
  ]);
  return JSON.stringify([
    index.schema,
    index.table,
    index.method,
    keys,
    index.method === 'btree' ? directions(index.elements) : null,
    [...index.included].sort(),
    index.predicate,
    index.method === 'brin'
      ? (index.options.find((option) => option.startsWith('pages_per_range=')) ?? 'pages_per_range=128')
      : null,
    // A part of a partitioned index cannot be dropped and cannot take a free-standing one's place alone.
    index.partitioned,
  ]);
}

/** The sort directions of a b-tree, the same for a list and its mirror: the first column counts as ascending. */
function directions(elements: readonly Element[]): string {
  const turned = elements[0]?.descending ?? false;
  return elements.map(({ descending, nullsFirst }) => `${descending !== turned}${nullsFirst !== turned}`).join();
}

function mirrored(a: Index, b: Index): boolean {
  return a.elements[0]?.descending !== b.elements[0]?.descending;
}

/**
 * The index to keep comes first: what enforces most, then what is read most (so that the one that
 * stays is never one that `indexes/unused` would drop), then by name, so that the choice never wavers.
 */
function byWorth(a: Index, b: Index): number {
  const worth = (index: Index) => [
    index.primary,
    index.exclusion,
    index.referencedBy > 0,
    index.replicaIdentity,
    index.unique && index.constraint !== null && !index.constraint.deferrable,
    index.unique && index.constraint === null,
    index.unique && index.nullsNotDistinct,
    index.unique,
    index.parent !== null,
    index.clustered,
  ];
  const theirs = worth(b);
  const at = worth(a).findIndex((value, i) => value !== theirs[i]);
  if (at !== -1) return theirs[at] ? 1 : -1;
  return (
    b.scans - a.scans ||
    // The mirror image is the unusual one.
    Number(a.elements[0]?.descending) - Number(b.elements[0]?.descending) ||
    (a.index < b.index ? -1 : 1)
  );
}

/** Whether nothing but space is lost when `index` goes and `kept` stays. */
function mayGo(index: Index, kept: Index): boolean {
  if (
    index.primary ||
    index.exclusion ||
    index.referencedBy > 0 ||
    index.replicaIdentity ||
    index.clustered ||
    index.parent !== null
  )
    return false;
  if (!index.unique) return true;
  const asStrict = kept.nullsNotDistinct || !index.nullsNotDistinct;
  return kept.unique && asStrict && !kept.constraint?.deferrable;
}

function reason(kept: Index): string {
  if (kept.primary) return ', the primary key';
  if (kept.constraint) return `, which the constraint ${kept.sql.constraint} needs`;
  if (kept.unique) return ', which is unique';
  if (kept.parent) return ', a part of a partitioned index';
  return '';
}
