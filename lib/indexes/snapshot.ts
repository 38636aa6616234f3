/**
 * What the indexes of a database looked like at one moment. Collected by collect.ts, judged by
 * rules/, and served by the endpoints as it is. Counters count since `server.statisticsResetAt`.
 */
import * as z from 'zod';
import { Note, Server } from '../postgres/server.ts';
import { ColumnStatistics, Sequence, Table } from '../tables/snapshot.ts';
import { Proposal } from './advisor/proposal.ts';

/** A key column or expression of an index, with everything that makes two of them differ. */
export const Element = z
  .strictObject({
    /** The column's name, or null for an expression. */
    column: z.string().nullable(),
    /** The expression as PostgreSQL prints it, or null for a column. */
    expression: z.string().nullable(),
    /** Qualified unless it is PostgreSQL's own. */
    operatorClass: z.string(),
    /** Parameters of the operator class, such as `siglen=32`. */
    parameters: z.array(z.string()),
    /** Qualified unless it is PostgreSQL's own; null where the type has none. */
    collation: z.string().nullable(),
    descending: z.boolean(),
    nullsFirst: z.boolean(),
    /** Whether a search for a value by `=`, under the column's own collation, can use it. */
    equality: z.boolean(),
  })
  .meta({ id: 'IndexElement' });
export type Element = z.infer<typeof Element>;

/** The constraint that an index implements. */
export const Constraint = z
  .strictObject({
    name: z.string(),
    type: z.enum(['primary key', 'unique', 'exclusion']),
    deferrable: z.boolean(),
    definition: z.string(),
  })
  .meta({ id: 'IndexConstraint' });

/**
 * Where the space of a b-tree goes, as pgstatindex measures it.
 * https://www.postgresql.org/docs/current/pgstattuple.html
 */
export const Fragmentation = z
  .strictObject({
    /** Share of the index that a rebuild at the same fillfactor would free: see bloat.ts. */
    wastedPercent: z.number(),
    wastedBytes: z.number(),
    leafDensityPercent: z.number(),
    /** Leaf pages whose right neighbour does not follow on disk. Shown, but no sign of waste. */
    leafFragmentationPercent: z.number(),
    deletedPages: z.number(),
    emptyPages: z.number(),
  })
  .meta({ id: 'Fragmentation' });
export type Fragmentation = z.infer<typeof Fragmentation>;

/** What the size of a b-tree says where it cannot be measured; from the planner's statistics. */
export const WasteEstimate = z
  .strictObject({ wastedPercent: z.number(), wastedBytes: z.number() })
  .meta({ id: 'WasteEstimate' });
export type WasteEstimate = z.infer<typeof WasteEstimate>;

/** What the audits so far have seen of the use of an index, whatever became of the counters. */
export const Observation = z
  .strictObject({
    /** Since when audits have followed it without a gap. */
    from: z.string(),
    /** The last audit before which it was read; null when none has seen that. */
    lastUseAt: z.string().nullable(),
  })
  .meta({ id: 'Observation', description: 'What the audits so far have seen of the use of an index.' });
export type Observation = z.infer<typeof Observation>;

/** One index. */
export const Index = z
  .strictObject({
    schema: z.string(),
    table: z.string(),
    index: z.string(),
    method: z.string(),
    definition: z.string(),
    sizeBytes: z.number(),
    /** Scans started, since the counters were reset. Those of a partitioned index are the sum of its partitions'. */
    scans: z.number(),
    /** PostgreSQL 16 and newer; null when never or unknown. */
    lastScanAt: z.string().nullable(),
    tuplesRead: z.number(),
    tuplesFetched: z.number(),
    blocksHit: z.number(),
    blocksRead: z.number(),
    /** Of its blocks that were asked for, those that were in memory; null when none was. */
    cacheHitPercent: z.number().nullable(),
    /** Entries that writes to its table had to make in it: one for each insert and each update that was not heap-only; at most. */
    writes: z.number(),
    /** Of the updates of its table, those that were heap-only and left its indexes alone; null without updates. */
    hotUpdatePercent: z.number().nullable(),
    elements: z.array(Element),
    /** Columns stored by INCLUDE. */
    included: z.array(z.string()),
    predicate: z.string().nullable(),
    unique: z.boolean(),
    nullsNotDistinct: z.boolean(),
    primary: z.boolean(),
    exclusion: z.boolean(),
    constraint: Constraint.nullable(),
    /** Foreign keys of other tables that lean on this index's uniqueness. */
    referencedBy: z.number(),
    valid: z.boolean(),
    ready: z.boolean(),
    /** It is not valid yet, and somebody is at work on its table. */
    building: z.boolean(),
    replicaIdentity: z.boolean(),
    clustered: z.boolean(),
    fillfactor: z.number(),
    /** Other storage parameters, such as `pages_per_range=32`. */
    options: z.array(z.string()),
    /** Where it lies, quoted; null in the database's own tablespace. */
    tablespace: z.string().nullable(),
    /** The index of a partitioned table: it owns one index in each partition and no data. */
    partitioned: z.boolean(),
    /** The partitioned index that owns this one, qualified and quoted; such an index cannot be dropped alone. */
    parent: z.string().nullable(),
    /** Null where it was not measured: not a b-tree, too small, over budget, or pgstattuple is not to be had. */
    fragmentation: Fragmentation.nullable(),
    /** Null where it was measured, and where no estimate would be good enough. */
    wasteEstimate: WasteEstimate.nullable(),
    /** Null before a second audit. */
    observed: Observation.nullable(),
    /** The statements whose plans use it; null when no plans are known. */
    usedBy: z.array(z.string()).nullable(),
    /** The index, its table and its constraint, quoted as SQL needs them. */
    sql: z.strictObject({ index: z.string(), name: z.string(), table: z.string(), constraint: z.string().nullable() }),
  })
  .meta({ id: 'Index', description: 'One index: what it is, what it costs and how it is used.' });
export type Index = z.infer<typeof Index>;

/** A foreign key: deleting or re-keying a referenced row looks up `columns` in `table`. */
export const ForeignKey = z.strictObject({
  schema: z.string(),
  table: z.string(),
  name: z.string(),
  columns: z.array(z.string()),
  toSchema: z.string(),
  toTable: z.string(),
  /** A partition's part of the key of a partitioned table. */
  inherited: z.boolean(),
});
export type ForeignKey = z.infer<typeof ForeignKey>;

/** The indexes of a database at one moment, largest first. */
export const IndexSnapshot = z.strictObject({
  takenAt: z.string(),
  server: Server,
  tables: z.array(Table),
  indexes: z.array(Index),
  foreignKeys: z.array(ForeignKey),
  /** Of the columns of b-trees, where tables are large and the role may see it. */
  columns: z.array(ColumnStatistics),
  sequences: z.array(Sequence),
  /** Physical replicas that stream from this server, by the names they give themselves. */
  replicas: z.array(z.string()),
  /** What the advisor proposes; absent where it did not run. */
  proposals: z.array(Proposal).optional(),
  notes: z.array(Note),
});
export type IndexSnapshot = z.infer<typeof IndexSnapshot>;
