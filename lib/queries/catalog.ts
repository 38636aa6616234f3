/**
 * What the rules need to know of the tables that statements use: columns with the planner's statistics, indexes, and how the
 * tables are read. No value of a column is in it, not even its most common one.
 */
import * as z from 'zod';

/** A column, with what ANALYZE knows of it: https://www.postgresql.org/docs/current/view-pg-stats.html */
export const Column = z.strictObject({
  name: z.string(),
  /** As `format_type` writes it: `character varying(20)`. */
  type: z.string(),
  notNull: z.boolean(),
  /** Null where the column has no statistics, or the role may not see them. */
  statistics: z
    .strictObject({
      /** How many different values there are: pg_stats' `n_distinct`, with the negative ones multiplied out. */
      distinct: z.number(),
      nullFraction: z.number(),
      averageBytes: z.number(),
      /** Of the order on disk to that of the values, -1 to 1; null where values have no order. */
      correlation: z.number().nullable(),
      /** The share of rows that have the most common value, and the rarest value of the list; null without a list. */
      commonestFraction: z.number().nullable(),
      rarestListedFraction: z.number().nullable(),
    })
    .nullable(),
});
export type Column = z.infer<typeof Column>;

/** An index of a table. */
export const TableIndex = z.strictObject({
  name: z.string(),
  method: z.string(),
  /** Key columns in their order; null for an expression. */
  columns: z.array(z.string().nullable()),
  /** Of each key: the expression as PostgreSQL prints it, or null for a column. */
  expressions: z.array(z.string().nullable()),
  /** Of each key, whether it runs downwards. */
  descending: z.array(z.boolean()),
  /** Of each key, such as `text_pattern_ops`. */
  operatorClasses: z.array(z.string()),
  included: z.array(z.string()),
  predicate: z.string().nullable(),
  unique: z.boolean(),
  /** Whether it is checked only when a transaction ends, so that two rows may share a key until then. */
  deferrable: z.boolean().optional(),
  primary: z.boolean(),
  valid: z.boolean(),
  sizeBytes: z.number(),
});
export type TableIndex = z.infer<typeof TableIndex>;

/** A foreign key of a table. */
export const Reference = z.strictObject({
  columns: z.array(z.string()),
  toSchema: z.string(),
  toTable: z.string(),
  toColumns: z.array(z.string()),
});
export type Reference = z.infer<typeof Reference>;

/** A table that statements use. Counters count since `server.statisticsResetAt`. */
export const Relation = z.strictObject({
  schema: z.string(),
  table: z.string(),
  kind: z.enum(['table', 'partitioned table', 'materialized view', 'foreign table', 'view']),
  /** Whether other tables inherit from it, whose rows are among its own and whose keys are not. Not said of partitions. */
  hasChildren: z.boolean().optional(),
  /** The planner's estimate; null before the first ANALYZE, and for views. */
  rows: z.number().nullable(),
  /** Without indexes and TOAST. */
  sizeBytes: z.number(),
  columns: z.array(Column),
  indexes: z.array(TableIndex),
  references: z.array(Reference),
  sequentialScans: z.number(),
  sequentialRows: z.number(),
  indexScans: z.number(),
  inserts: z.number(),
  updates: z.number(),
  hotUpdates: z.number(),
  deletes: z.number(),
  liveRows: z.number(),
  deadRows: z.number(),
  /** Rows that were changed since the last ANALYZE. */
  changedSinceAnalyze: z.number(),
  /** The later of the manual and the automatic one; null when never. ISO 8601. */
  analyzedAt: z.string().nullable(),
  vacuumedAt: z.string().nullable(),
  /** The share of pages that are all-visible, 0 to 1: what an index-only scan need not look up. */
  allVisibleFraction: z.number(),
});
export type Relation = z.infer<typeof Relation>;

/** Settings that decide about plans. Sizes in kilobytes, times in milliseconds. */
export const PlannerSettings = z.strictObject({
  workMemKilobytes: z.number(),
  hashMemMultiplier: z.number(),
  effectiveCacheSizeKilobytes: z.number(),
  randomPageCost: z.number(),
  seqPageCost: z.number(),
  jit: z.boolean(),
  jitAboveCost: z.number(),
  parallelWorkersPerGather: z.number(),
  parallelWorkers: z.number(),
  trackIoTiming: z.boolean(),
  trackPlanning: z.boolean(),
  statementsMax: z.number().nullable(),
  defaultStatisticsTarget: z.number(),
});
export type PlannerSettings = z.infer<typeof PlannerSettings>;

/** A transaction that was open when the snapshot was taken. Texts of other sessions are not kept. */
export const OpenTransaction = z.strictObject({
  pid: z.number(),
  /** `active`, `idle in transaction`, … as in pg_stat_activity. */
  state: z.string(),
  role: z.string().nullable(),
  application: z.string(),
  ageMs: z.number(),
  /** For how long it has been in this state. */
  stateMs: z.number(),
  /** The id of the statement that runs, or ran last; null before PostgreSQL 14 or when unknown. */
  queryId: z.string().nullable(),
  /** How many transactions' worth of dead rows it keeps from being removed; null when it holds no snapshot. */
  xminAge: z.number().nullable(),
  /** Of what it waits for, such as `Lock`; null when it runs. */
  waitsFor: z.string().nullable(),
  /** The processes that block it. */
  blockedBy: z.array(z.number()),
});
export type OpenTransaction = z.infer<typeof OpenTransaction>;
