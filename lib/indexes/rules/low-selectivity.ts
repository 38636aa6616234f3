import * as z from 'zod';
import { bytes, count, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { ColumnStatistics, Table } from '../../tables/snapshot.ts';
import { dropIndex, subjectOf } from '../actions.ts';
import { byTable } from '../by-table.ts';
import { isForeignKeySupport } from '../foreign-keys.ts';
import { enforces } from '../roles.ts';
import type { Index, IndexSnapshot } from '../snapshot.ts';

/**
 * `indexes/low-selectivity`: a plain b-tree over one column of which every value, and null if there are any, belongs to so many rows
 * that to find them by the index is to read most pages of the table. It must be known that none is rare: the statistics list all of
 * the values. Reported only where nobody reads it, or whoever does reads that many rows each time and fetches them: one that
 * answers out of the index alone, such as a count, is well served.
 */
export const lowSelectivity = defineRule({
  id: 'indexes/low-selectivity',
  title: 'Index that tells few rows apart',
  why: 'A search by it finds a large part of the table: the planner reads the whole table instead, and every write pays for the index.',
  severity: 'info',
  options: z.strictObject({
    /** In smaller tables it makes no difference. */
    minRows: z.number().int().min(0).default(10_000),
    /** Every value belongs to at least so many percent of the rows. */
    minPercentPerValue: z.number().positive().max(100).default(5),
  }),
  check(snapshot: IndexSnapshot, { minRows, minPercentPerValue }): Draft[] {
    const tables = byTable(snapshot.tables);
    const columns = byTable(snapshot.columns);
    const isSupport = isForeignKeySupport(snapshot.indexes, snapshot.foreignKeys);
    return snapshot.indexes.flatMap((index) => {
      const [table] = tables.get(index);
      const column = columns.get(index).find((each) => each.column === index.elements[0]?.column);
      if (!table?.rows || table.rows < minRows || !column || !isPlain(index)) return [];
      const rarest = rarestOf(column);
      if (rarest === undefined || rarest * 100 < minPercentPerValue || !servesNobody(index, table, rarest)) return [];
      if (isSupport(index)) return [];
      const values = Math.round(column.distinct);
      return [
        {
          subject: subjectOf(snapshot, index),
          title: `${index.sql.index} tells ${plural(values, 'value')} apart in ${count(table.rows)} rows`,
          detail: `Even the rarest value of ${column.column} belongs to ${Math.round(rarest * 100)} % of the rows of ${index.sql.table}. ${index.scans === 0 ? 'Nobody has read it' : `A scan of it reads ${count(index.tuplesRead / index.scans)} rows`}; it takes ${bytes(index.sizeBytes)}.`,
          evidence: {
            values,
            rarestPercent: Math.round(rarest * 1000) / 10,
            rows: table.rows,
            scans: index.scans,
            sizeBytes: index.sizeBytes,
            definition: index.definition,
          },
          impact: { bytes: index.sizeBytes },
          action: dropIndex(
            index,
            'Where it is searched together with another column, put that one first and this one second in one index instead.',
          ),
        },
      ];
    });
  },
});

function isPlain(index: Index): boolean {
  return (
    index.method === 'btree' &&
    index.elements.length === 1 &&
    index.included.length === 0 &&
    index.predicate === null &&
    index.valid &&
    index.ready &&
    !index.partitioned &&
    index.parent === null &&
    !enforces(index)
  );
}

/** The share of the rarest value, or of null; undefined where the statistics do not list all values. */
function rarestOf({ distinct, listedValues, listedFraction, nullFraction, rarestListedFraction }: ColumnStatistics) {
  const isComplete = listedValues > 0 && listedValues >= Math.round(distinct) && listedFraction + nullFraction > 0.9999;
  if (!isComplete || rarestListedFraction === null) return undefined;
  return nullFraction > 0 ? Math.min(nullFraction, rarestListedFraction) : rarestListedFraction;
}

function servesNobody(index: Index, { rows }: Table, rarest: number): boolean {
  if (index.scans === 0) return true;
  const isFetching = index.tuplesFetched >= 0.9 * index.tuplesRead;
  return isFetching && index.tuplesRead / index.scans >= 0.5 * rarest * (rows ?? 0);
}
