import { enforces } from './roles.ts';
import type { ForeignKey, Index, IndexSnapshot } from './snapshot.ts';

/** Access methods that find a value without reading the whole index. */
const searching = new Set(['btree', 'hash', 'gist', 'spgist', 'gin']);

/**
 * Whether an index finds the rows that refer to a deleted one: it is valid, of all rows or of those where a column of the key is not
 * null (the search by equality implies that), and its first keys are the columns of the key in any order, under an operator class
 * and a collation that know the column's `=`. One that is unique over some of the columns finds the one row as well.
 */
export function covers(index: Index, key: Pick<ForeignKey, 'columns'>): boolean {
  const first = index.elements.slice(0, key.columns.length);
  const wanted: ReadonlySet<string | null> = new Set(key.columns);
  const found = new Set(first.map(({ column }) => column));
  return (
    index.valid &&
    (index.predicate === null || key.columns.some((column) => isNotNull(index.predicate, column))) &&
    searching.has(index.method) &&
    first.every(({ equality }) => equality) &&
    (wanted.isSubsetOf(found) || (index.unique && index.elements.length === first.length && found.isSubsetOf(wanted)))
  );
}

/** For every foreign key the one of these indexes that must stay behind it: one that stays anyway or is used, else the narrowest. */
export function foreignKeySupport(indexes: readonly Index[], foreignKeys: IndexSnapshot['foreignKeys']): Set<Index> {
  const byTable = Map.groupBy(indexes, tableOf);
  const best = foreignKeys.map((key) =>
    (byTable.get(tableOf(key)) ?? [])
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

/** A table as the key of a map: no name of PostgreSQL's holds a zero. */
export function tableOf({ schema, table }: { schema: string; table: string }): string {
  return `${schema}\0${table}`;
}

function isNotNull(predicate: string | null, column: string): boolean {
  return predicate === `(${column} IS NOT NULL)` || predicate === `("${column.replaceAll('"', '""')}" IS NOT NULL)`;
}
