import * as z from 'zod';
import { bytes } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { Table } from '../../tables/snapshot.ts';
import { attachMissing, dropIndex, rebuildIndex, subjectOf } from '../actions.ts';
import { byTable } from '../by-table.ts';
import type { Index, IndexSnapshot } from '../snapshot.ts';

/** What REINDEX CONCURRENTLY calls what it makes and what it replaces, with a number where the name is taken. */
const leftover = /_cc(new|old)\d*$/;

/**
 * `indexes/invalid`: an index that no query may use and that every write must keep up: what is left of a CREATE INDEX CONCURRENTLY or
 * REINDEX CONCURRENTLY that failed, or a partitioned index that lacks the part of a partition. One at which somebody is at
 * work right now is none. https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
 */
export const invalid = defineRule({
  id: 'indexes/invalid',
  title: 'Invalid index',
  why: 'No query may use it, but writes still maintain it, and whoever made it believes that it is there.',
  severity: 'warning',
  options: z.strictObject({}),
  check(snapshot: IndexSnapshot): Draft[] {
    const tables = byTable(snapshot.tables);
    return snapshot.indexes
      .filter(({ valid, building }) => !valid && !building)
      .map((index) => ({
        subject: subjectOf(snapshot, index),
        title: `${index.sql.index} is invalid`,
        evidence: { sizeBytes: index.sizeBytes, definition: index.definition },
        ...(index.sizeBytes > 0 ? { impact: { bytes: index.sizeBytes } } : {}),
        ...repairOf(index, snapshot, tables.get(index)[0]),
      }));
  },
});

function repairOf(index: Index, snapshot: IndexSnapshot, table: Table | undefined) {
  if (index.partitioned) {
    const { missing, action } = attachMissing(index, snapshot.tables, snapshot.indexes);
    return {
      detail: `It was made with ON ONLY and becomes valid with the index of the last partition. ${missing === 0 ? 'A part that it has is invalid itself.' : `${missing} of its partitions have none yet.`}`,
      ...(action ? { action } : {}),
    };
  }
  const twin = snapshot.indexes.find(
    (other) => other.valid && other.sql.table === index.sql.table && sameKeys(other, index),
  );
  if (leftover.test(index.index) || twin) {
    return {
      detail: `${twin ? `${twin.sql.index} does the same and is valid` : 'A REINDEX CONCURRENTLY was interrupted and left it'}; it takes ${bytes(index.sizeBytes)}.`,
      action: dropIndex(index, 'It serves no query.'),
    };
  }
  const why = index.unique
    ? 'Building it has failed, most often because rows break its uniqueness: find them first, or the rebuild fails too.'
    : 'Building it has failed or was interrupted.';
  return {
    detail: `${why} It takes ${bytes(index.sizeBytes)}.`,
    action: rebuildIndex(
      index,
      table?.sizeBytes ?? 0,
      Math.max(index.sizeBytes, (table?.sizeBytes ?? 0) / 4),
      index.unique
        ? 'Remove the rows that break its uniqueness first. If nobody needs it, drop it instead.'
        : 'If nobody needs it, drop it instead.',
    ),
  };
}

function sameKeys(a: Index, b: Index): boolean {
  const of = ({ method, elements, included, predicate, unique, nullsNotDistinct }: Index) =>
    JSON.stringify([method, elements, included, predicate, unique, nullsNotDistinct]);
  return of(a) === of(b);
}
