import { byTable } from './by-table.ts';
import { enforces } from './roles.ts';
import type { Element, ForeignKey, Index } from './snapshot.ts';

/** Access methods that find a value without reading the whole index. */
const searching = new Set(['btree', 'hash', 'gist', 'spgist', 'gin']);

/**
 * Whether an index finds the rows that refer to a deleted one: it is valid, of all rows or of those where a column of the key is not
 * null (the search by equality implies that), and its first keys are the columns of the key in any order, under an operator class
 * and a collation that know the column's `=`. One that is unique over some of the columns finds the one row as well.
 */
export function covers(index: Index, key: Pick<ForeignKey, 'columns'>): boolean {
  if (!index.valid || !searching.has(index.method)) return false;
  const { columns } = key;
  const first = index.elements.slice(0, columns.length);
  const holdsAll = columns.every((wanted) => first.some(({ column }) => column === wanted));
  const isUnique = () => index.unique && index.elements.length === first.length && first.every(isOneOf(columns));
  return (
    (holdsAll || isUnique()) &&
    first.every(({ equality }) => equality) &&
    (index.predicate === null || columns.some((column) => isNotNull(index.predicate, column)))
  );
}

function isOneOf(columns: readonly string[]): (element: Element) => boolean {
  return ({ column }) => column !== null && columns.includes(column);
}

/** For every foreign key the one of these indexes that must stay behind it: one that stays anyway or is used, else the narrowest. */
export function foreignKeySupport(indexes: readonly Index[], foreignKeys: readonly ForeignKey[]): Set<Index> {
  const indexesOf = byTable(indexes);
  const best = foreignKeys.map((key) =>
    indexesOf
      .get(key)
      .filter((index) => covers(index, key))
      .sort(
        (a, b) =>
          Number(enforces(b)) - Number(enforces(a)) ||
          b.scans - a.scans ||
          a.elements.length - b.elements.length ||
          (a.index < b.index ? -1 : 1),
      )
      .at(0),
  );
  return new Set(best.filter((index) => index !== undefined));
}

/** Whether an index is among those of {@link foreignKeySupport}, which are not looked for before somebody asks. */
export function isForeignKeySupport(
  indexes: readonly Index[],
  foreignKeys: readonly ForeignKey[],
): (index: Index) => boolean {
  let support: ReadonlySet<Index> | undefined;
  return (index) => {
    support ??= foreignKeySupport(indexes, foreignKeys);
    return support.has(index);
  };
}

function isNotNull(predicate: string | null, column: string): boolean {
  return predicate === `(${column} IS NOT NULL)` || predicate === `("${column.replaceAll('"', '""')}" IS NOT NULL)`;
}
