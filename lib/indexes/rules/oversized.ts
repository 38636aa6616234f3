import { escapeIdentifier } from 'pg';
import * as z from 'zod';
import { bytes, count, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { definedName, failedBuild } from '../../queries/plan/advice/index-name.ts';
import { thresholds } from '../../settings.ts';
import type { ColumnStatistics, Table } from '../../tables/snapshot.ts';
import { subjectOf } from '../actions.ts';
import { byTable } from '../by-table.ts';
import { isForeignKeySupport } from '../foreign-keys.ts';
import { enforces } from '../roles.ts';
import type { Index, IndexSnapshot } from '../snapshot.ts';

/**
 * `indexes/oversized`: an index that is larger than its table (TOAST included) and is not just fragmented; and a b-tree where BRIN
 * would do: over one column by which a large table, to which rows are only added, lies in order on disk, and of which every scan
 * reads a wide range. https://www.postgresql.org/docs/current/brin.html
 */
export const oversized = defineRule({
  id: 'indexes/oversized',
  title: 'Oversized index',
  why: 'It takes the memory that tables and other indexes need, and is backed up and replicated with every change.',
  severity: 'info',
  options: z.strictObject({
    /** Smaller indexes are left alone. */
    minBytes: z
      .number()
      .int()
      .min(0)
      .default(64 * 1024 ** 2),
    /** Of the order on disk to that of the values; 1 is perfect order. */
    minCorrelation: z.number().min(0).max(1).default(0.99),
    /** So many rows a mean scan must read for BRIN to do: it finds ranges of pages, not rows. */
    minRowsPerScan: z.number().int().min(1).default(10_000),
  }),
  check(snapshot: IndexSnapshot, options): Draft[] {
    const tables = byTable(snapshot.tables);
    const columns = byTable(snapshot.columns);
    const isSupport = isForeignKeySupport(snapshot.indexes, snapshot.foreignKeys);
    return snapshot.indexes.flatMap((index) => {
      const [table] = tables.get(index);
      if (!table || index.sizeBytes < options.minBytes || !index.valid || index.parent !== null) return [];
      const column = columns.get(index).find((each) => each.column === index.elements[0]?.column);
      const found =
        column && brinWouldDo(index, table, column, options) && !isSupport(index)
          ? brin(index, table, column, snapshot)
          : isLargerThanTable(index, table)
            ? larger(index, table)
            : undefined;
      return found ? [{ subject: subjectOf(snapshot, index), ...found }] : [];
    });
  },
});

function isLargerThanTable(index: Index, table: Table): boolean {
  const waste = index.fragmentation ?? index.wasteEstimate;
  return (
    index.sizeBytes > table.sizeBytes + table.toastBytes &&
    table.sizeBytes > 0 &&
    // What is merely fragmented is another fault; what was not measured may be.
    waste !== null &&
    waste.wastedPercent <= thresholds.fragmentationPercent
  );
}

function larger(index: Index, table: Table) {
  const bytesOfTable = table.sizeBytes + table.toastBytes;
  const isSingle = index.elements.length + index.included.length === 1 && !enforces(index);
  return {
    title: `${index.sql.index} is larger than its table`,
    detail: `It takes ${bytes(index.sizeBytes)}, its table ${bytes(bytesOfTable)}: it holds ${plural(index.elements.length, 'key')} and ${plural(index.included.length, 'more column')} of every row.`,
    evidence: {
      sizeBytes: index.sizeBytes,
      tableBytes: bytesOfTable,
      columns: index.elements.length + index.included.length,
      definition: index.definition,
    },
    action: {
      kind: 'code' as const,
      caution: `${isSingle ? 'Where statements search by equality alone, a hash index holds four bytes of each value;' : 'Take out of it the columns that no statement searches, sorts by, or reads from the index alone;'} a condition (WHERE) makes it smaller where statements search some rows only.`,
    },
  };
}

function brinWouldDo(
  index: Index,
  table: Table,
  column: ColumnStatistics,
  { minCorrelation, minRowsPerScan }: { minCorrelation: number; minRowsPerScan: number },
): boolean {
  const isPlain =
    index.method === 'btree' && index.elements.length === 1 && index.included.length === 0 && index.predicate === null;
  return (
    isPlain &&
    !enforces(index) &&
    !index.partitioned &&
    Math.abs(column.correlation ?? 0) >= minCorrelation &&
    // Rows that are changed or deleted leave room for others, and with that the order.
    table.updates + table.deletes <= 0.01 * (table.rows ?? 0) &&
    index.scans > 0 &&
    index.tuplesRead / index.scans >= minRowsPerScan
  );
}

function brin(index: Index, table: Table, column: ColumnStatistics, { indexes }: IndexSnapshot) {
  const name = definedName(
    { table: table.table, method: 'brin', keys: [{ column: column.column }] },
    indexes.filter(({ schema }) => schema === table.schema).map((each) => each.index),
  );
  const quoted = escapeIdentifier(name);
  return {
    title: `A BRIN index would do the work of ${index.sql.index}`,
    detail: `${table.sql} lies in the order of ${column.column} (correlation ${(column.correlation ?? 0).toFixed(3)}), and a scan of the index reads ${count(index.tuplesRead / index.scans)} rows. It takes ${bytes(index.sizeBytes)}; BRIN over the same column takes some hundred kilobytes.`,
    evidence: {
      sizeBytes: index.sizeBytes,
      correlation: column.correlation ?? 0,
      rowsPerScan: Math.round(index.tuplesRead / index.scans),
      definition: index.definition,
    },
    impact: { bytes: index.sizeBytes },
    action: {
      kind: 'sql' as const,
      sql: `CREATE INDEX CONCURRENTLY IF NOT EXISTS ${quoted} ON ${table.sql} USING brin (${escapeIdentifier(column.column)});`,
      undoSql: `DROP INDEX CONCURRENTLY IF EXISTS ${escapeIdentifier(table.schema)}.${quoted};`,
      caution: `Drop the b-tree only after the plans have changed to the new index and are as fast: BRIN gives no order (ORDER BY … LIMIT), and finds single rows slowly. ${failedBuild}`,
    },
  };
}
