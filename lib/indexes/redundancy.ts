/** Which indexes a wider or a stricter one makes superfluous: see rules/redundant.ts. */
import type { Table } from '../tables/snapshot.ts';
import { confidentAfterDays, counterAge } from './age.ts';
import { byTable } from './by-table.ts';
import { directions, duplicatesOf, identityOf, type Superfluous } from './duplicates.ts';
import { foreignKeySupport, isForeignKeySupport } from './foreign-keys.ts';
import { enforces, isAsStrict, isBound } from './roles.ts';
import type { ForeignKey, Index, IndexSnapshot } from './snapshot.ts';

/** `covered`: the other one can do all that it can. `implied`: the other one's uniqueness implies its own, and nobody reads it. */
export type Redundant = Superfluous & { because: 'covered' | 'implied' };

/** How much slower the reads of an index may become: leaf pages more in a mean scan. */
export const maxExtraPages = 10;

/** An index is told to be twice as large as another only from here on: the sizes of small ones say little. */
const comparedBytes = 128 * 1024;

/**
 * The indexes that are no duplicates and may go nevertheless, each with one that stays: neither a duplicate nor redundant, nor one
 * that `indexes/unused` would drop.
 */
export function redundantOf(snapshot: IndexSnapshot, extraPages = maxExtraPages): Redundant[] {
  const duplicates = duplicatesOf(snapshot.indexes);
  const doubles = new Set(duplicates.map(({ index }) => index));
  const rest = snapshot.indexes.filter((index) => index.valid && index.ready && !doubles.has(index));
  const isSupport = isForeignKeySupport(rest, snapshot.foreignKeys);
  const isOld = (counterAge(snapshot) ?? 0) >= confidentAfterDays;
  // What is to take the place of another must not be dropped because nobody has read it yet.
  const stays = (index: Index) =>
    !isOld || index.scans > 0 || enforces(index) || index.parent !== null || isSupport(index);
  const tables = byTable(snapshot.tables);
  const foreignKeys = byTable(snapshot.foreignKeys);
  // They stay in the place of others, which may have been read.
  const needed = new Set(duplicates.map(({ kept }) => kept));
  return byTable(rest).groups.flatMap((indexes) => {
    const [first] = indexes;
    if (!first || indexes.length < 2) return [];
    const covered = coveredOf(indexes, stays, (index, kept) =>
      isAsFast(index, kept, tables.get(first)[0], snapshot.server.blockBytes, extraPages),
    );
    return [...covered, ...impliedOf(indexes, covered, needed, foreignKeys.get(first))];
  });
}

function coveredOf(
  indexes: readonly Index[],
  stays: (index: Index) => boolean,
  isFast: (index: Index, kept: Index) => boolean,
): Redundant[] {
  const widestFirst = indexes
    .filter(({ method }) => method === 'btree')
    .sort(
      (a, b) =>
        b.elements.length - a.elements.length || b.included.length - a.included.length || (a.index < b.index ? -1 : 1),
    );
  const staying: Index[] = [];
  const going: Redundant[] = [];
  for (const index of widestFirst) {
    const kept = isBound(index)
      ? undefined
      : staying
          .filter((other) => doesAllOf(other, index) && stays(other) && isFast(index, other))
          .sort((a, b) => a.sizeBytes - b.sizeBytes || b.scans - a.scans || (a.index < b.index ? -1 : 1))[0];
    if (kept) going.push({ index, kept, because: 'covered' });
    else staying.push(index);
  }
  return going;
}

/** Whether a b-tree begins with all keys of another, in the same order or its mirror, and holds its other columns. */
function doesAllOf(wide: Index, index: Index): boolean {
  const { elements } = index;
  // Soon told, and mostly enough.
  if (wide.elements[0]?.column !== elements[0]?.column || wide.elements.length < elements.length) return false;
  const first = wide.elements.slice(0, elements.length);
  const stored = new Set([...wide.included, ...wide.elements.map(({ column }) => column)]);
  return (
    first.every((element, at) => identityOf(element) === identityOf(elements[at] ?? element)) &&
    directions(first) === directions(elements) &&
    wide.predicate === index.predicate &&
    wide.partitioned === index.partitioned &&
    index.included.every((column) => stored.has(column)) &&
    (!index.unique || (wide.elements.length === elements.length && isAsStrict(wide, index)))
  );
}

/** Whether what is read by an index can be read by a larger one without many more pages. */
function isAsFast(
  index: Index,
  kept: Index,
  table: Table | undefined,
  blockBytes: number,
  mostExtraPages: number,
): boolean {
  const extraBytes = kept.sizeBytes - index.sizeBytes;
  if (index.scans === 0 || extraBytes <= 0) return true;
  const rows = Math.max(table?.rows ?? 0, table?.liveRows ?? 0);
  if (rows === 0) return kept.sizeBytes <= Math.max(comparedBytes, 2 * index.sizeBytes);
  return ((index.tuplesRead / index.scans) * extraBytes) / rows / blockBytes <= mostExtraPages;
}

/** Unique indexes that nobody reads and whose columns include all those of another one. */
function impliedOf(
  indexes: readonly Index[],
  covered: readonly Redundant[],
  needed: ReadonlySet<Index>,
  foreignKeys: readonly ForeignKey[],
): Redundant[] {
  const going = new Set(covered.map(({ index }) => index));
  const unique = indexes
    .filter((index) => index.unique && !going.has(index))
    .sort((a, b) => a.elements.length - b.elements.length || (a.index < b.index ? -1 : 1));
  if (unique.length < 2) return [];
  const takingOver = new Set(covered.map(({ kept }) => kept));
  const support = foreignKeySupport(
    indexes.filter((index) => !going.has(index)),
    foreignKeys,
  );
  return unique.flatMap((index) => {
    if (isBound(index) || needed.has(index) || takingOver.has(index) || support.has(index) || index.scans > 0)
      return [];
    const kept = unique.find((other) => impliesUniquenessOf(other, index));
    return kept ? [{ index, kept, because: 'implied' as const }] : [];
  });
}

function impliesUniquenessOf(narrow: Index, index: Index): boolean {
  const keys = new Set(index.elements.map(identityOf));
  return (
    narrow.elements.length < index.elements.length &&
    narrow.elements.every((element) => keys.has(identityOf(element))) &&
    (narrow.predicate === null || narrow.predicate === index.predicate) &&
    isAsStrict(narrow, index)
  );
}
