/** Which indexes can do the same, and which of them is worth keeping: see rules/duplicate.ts. */
import { byTable } from './by-table.ts';
import { isAsStrict, isBound } from './roles.ts';
import type { Element, Index } from './snapshot.ts';

/** An index that may go because of one that stays. */
export interface Superfluous {
  index: Index;
  kept: Index;
}

/** Of valid indexes that can do the same one stays, and the others may go. */
export function duplicatesOf(indexes: readonly Index[]): Superfluous[] {
  const candidates = indexes.filter((index) => index.valid && index.ready);
  return byTable(candidates)
    .groups.flatMap((ofTable) => groupsOf(ofTable, firstKey))
    .flatMap((alike) => groupsOf(alike, whatItCanDo))
    .flatMap(superfluousOf);
}

/** What is soon told, and mostly tells indexes apart. */
function firstKey({ elements }: Index): string {
  const { column = null, expression = null } = elements[0] ?? {};
  return `${elements.length} ${column ?? expression}`;
}

/** Those that have something in common, where there is more than one. */
function groupsOf(indexes: readonly Index[], what: (index: Index) => string): Index[][] {
  if (indexes.length < 2) return [];
  return [...Map.groupBy(indexes, what).values()].filter((group) => group.length > 1);
}

function superfluousOf(group: Index[]): Superfluous[] {
  const staying: Index[] = [];
  const going: Superfluous[] = [];
  for (const index of group.sort(byWorth)) {
    const kept = staying.find((other) => mayGo(index, other));
    if (kept) going.push({ index, kept });
    else staying.push(index);
  }
  return going;
}

/** Equal for two indexes exactly if they can do the same, but for what they enforce. */
function whatItCanDo(index: Index): string {
  return JSON.stringify([
    index.schema,
    index.table,
    index.method,
    index.elements.map(identityOf),
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

/** What two keys must have in common to hold the same values in the same order, but for its direction. */
export function identityOf({ column, expression, operatorClass, parameters, collation }: Element): string {
  // Names hold no zero; a column and an expression stand in different places.
  return [column, expression, operatorClass, collation, ...parameters].join('\0');
}

/** The sort directions of a b-tree, the same for a list and its mirror: the first column counts as ascending. */
export function directions(elements: readonly Element[]): string {
  const turned = elements[0]?.descending ?? false;
  return elements.map(({ descending, nullsFirst }) => `${descending !== turned}${nullsFirst !== turned}`).join();
}

/** Whether two lists that can do the same run against each other. */
export function isMirrored(a: Index, b: Index): boolean {
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

/** Whether nothing but space is lost when `index` goes and `kept`, which can do the same, stays. */
function mayGo(index: Index, kept: Index): boolean {
  return !isBound(index) && (!index.unique || isAsStrict(kept, index));
}

/** Why an index stays, to stand behind its name. */
export function reasonToKeep(kept: Index): string {
  if (kept.primary) return ', the primary key';
  if (kept.constraint) return `, which the constraint ${kept.sql.constraint} needs`;
  if (kept.unique) return ', which is unique';
  if (kept.parent) return ', a part of a partitioned index';
  return '';
}
