/**
 * What the tables and sequences of a database looked like at one moment: a part of the snapshot of its indexes. Collected by
 * collect.ts, judged by rules/. Counters count since `server.statisticsResetAt`. No value of a column is in it.
 */
import * as z from 'zod';

/** Where the space of a table goes: https://www.postgresql.org/docs/current/pgstattuple.html, `pgstattuple_approx`. */
export const TableBloat = z
  .strictObject({
    /** Dead rows and free space, of the bytes of the table. */
    wastedPercent: z.number(),
    wastedBytes: z.number(),
    /** What VACUUM turns into free space. */
    deadBytes: z.number(),
    freeBytes: z.number(),
  })
  .meta({ id: 'TableBloat' });
export type TableBloat = z.infer<typeof TableBloat>;

/** One table or materialized view. */
export const Table = z.strictObject({
  schema: z.string(),
  table: z.string(),
  kind: z.enum(['table', 'partitioned table', 'materialized view']),
  /** The partitioned table that it is a partition of, qualified and quoted. */
  parent: z.string().nullable(),
  /** Qualified and quoted as SQL needs it. */
  sql: z.string(),
  /** The planner's estimate; null before the first ANALYZE. */
  rows: z.number().nullable(),
  /** Without indexes and TOAST. */
  sizeBytes: z.number(),
  /** Of its TOAST table, as the last VACUUM or ANALYZE saw it. */
  toastBytes: z.number(),
  sequentialScans: z.number(),
  /** Rows that sequential scans have read. */
  sequentialRows: z.number(),
  inserts: z.number(),
  updates: z.number(),
  hotUpdates: z.number(),
  deletes: z.number(),
  liveRows: z.number(),
  deadRows: z.number(),
  changedSinceAnalyze: z.number(),
  /** The later of the manual and the automatic one; null when never, or not since the counters were reset. */
  analyzedAt: z.string().nullable(),
  vacuumedAt: z.string().nullable(),
  fillfactor: z.number(),
  /** False where the table's own settings switch autovacuum off. */
  autovacuum: z.boolean(),
  /** Transactions since its oldest row was frozen, TOAST included; null for a partitioned table, which has no rows. */
  transactionAge: z.number().nullable(),
  multixactAge: z.number().nullable(),
  hasPrimaryKey: z.boolean(),
  replicaIdentity: z.enum(['default', 'nothing', 'full', 'index']),
  /** Whether a publication publishes its updates or deletes. */
  publishesChanges: z.boolean(),
  /** Constraints that were added NOT VALID, quoted. */
  notValidated: z.array(z.string()),
  /** Its columns that cannot be null. */
  notNull: z.array(z.string()),
  /** Null where it was not measured. */
  bloat: TableBloat.nullable(),
});
export type Table = z.infer<typeof Table>;

/** What ANALYZE knows of a column of an index: https://www.postgresql.org/docs/current/view-pg-stats.html */
export const ColumnStatistics = z.strictObject({
  schema: z.string(),
  table: z.string(),
  column: z.string(),
  averageBytes: z.number(),
  nullFraction: z.number(),
  /** How many different values there are: `n_distinct`, with the negative ones multiplied out. */
  distinct: z.number(),
  /** Of the order on disk to that of the values, -1 to 1; null where values have no order. */
  correlation: z.number().nullable(),
  /** How many common values are listed, the share of rows that they have together, and that of the rarest of them. */
  listedValues: z.number(),
  listedFraction: z.number(),
  rarestListedFraction: z.number().nullable(),
});
export type ColumnStatistics = z.infer<typeof ColumnStatistics>;

/** A sequence that ends, and the column that it fills. Whole numbers above 2^53 are rounded. */
export const Sequence = z.strictObject({
  schema: z.string(),
  sequence: z.string(),
  /** Qualified and quoted as SQL needs it. */
  sql: z.string(),
  type: z.string(),
  column: z
    .strictObject({
      schema: z.string(),
      table: z.string(),
      column: z.string(),
      type: z.string(),
      /** The table, qualified and quoted. */
      sql: z.string(),
      columnSql: z.string(),
    })
    .nullable(),
  /** Null when it was never used. */
  lastValue: z.number().nullable(),
  /** The last value that it can give and its column can hold. */
  limit: z.number(),
  /** Whose end that is. */
  limitedBy: z.enum(['sequence', 'column']),
  /** Of the way from its first value to the limit. */
  usedPercent: z.number(),
});
export type Sequence = z.infer<typeof Sequence>;
