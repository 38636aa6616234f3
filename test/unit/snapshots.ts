/** Values for tests, each with the overrides that the test is about: what is not said is plain and harmless. */
import { type Finding, findingId } from '../../lib/advice/finding.ts';
import type { DatabaseSnapshot } from '../../lib/audit.ts';
import type { Element, ForeignKey, Index, IndexSnapshot } from '../../lib/indexes/snapshot.ts';
import type { Server } from '../../lib/postgres/server.ts';
import type { Column, PlannerSettings, Relation, TableIndex } from '../../lib/queries/catalog.ts';
import type { PlanNode } from '../../lib/queries/plan/tree.ts';
import type { QuerySnapshot, Statement, StatementPlan } from '../../lib/queries/snapshot.ts';
import type { StatementRow } from '../../lib/queries/statements.sql.ts';
import type { ColumnStatistics, Sequence, Table } from '../../lib/tables/snapshot.ts';

export const takenAt = '2026-03-01T12:00:00.000Z';
export const mebibyte = 1024 ** 2;

export function server(overrides: Partial<Server> = {}): Server {
  return {
    database: 'shop',
    version: '18.4',
    versionNumber: 180_004,
    isStandby: false,
    startedAt: '2025-01-01T00:00:00.000Z',
    statisticsResetAt: '2025-06-01T00:00:00.000Z',
    sizeBytes: 512 * mebibyte,
    blockBytes: 8192,
    role: 'auditor',
    readsAllStatistics: true,
    extensions: {},
    ...overrides,
  };
}

/** A key column, ascending; PostgreSQL puts nulls last then. */
export function element(column: string | null, overrides: Partial<Element> = {}): Element {
  return {
    column,
    expression: null,
    operatorClass: 'int4_ops',
    parameters: [],
    collation: null,
    descending: false,
    nullsFirst: false,
    equality: true,
    ...overrides,
  };
}

/** A key column, descending; PostgreSQL puts nulls first then. */
export function descending(column: string): Element {
  return element(column, { descending: true, nullsFirst: true });
}

type Constraint = NonNullable<Index['constraint']>;

export function constraint(type: Constraint['type'], overrides: Partial<Constraint> = {}): Constraint {
  const definition = type === 'exclusion' ? 'EXCLUDE USING gist (a WITH &&)' : `${type.toUpperCase()} (a)`;
  return { name: 'c', type, deferrable: false, definition, ...overrides };
}

/** A plain b-tree of 1 MiB on column `a` of `public.t` that nobody reads. */
export function index(name: string, overrides: Partial<Index> = {}): Index {
  const { schema = 'public', table = 't', unique = false } = overrides;
  const ofConstraint = overrides.constraint ?? null;
  return {
    schema,
    table,
    index: name,
    method: 'btree',
    definition: `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${quoted(name)} ON ${quoted(schema)}.${quoted(table)} USING btree (a)`,
    sizeBytes: mebibyte,
    scans: 0,
    lastScanAt: null,
    tuplesRead: 0,
    tuplesFetched: 0,
    blocksHit: 0,
    blocksRead: 0,
    cacheHitPercent: null,
    writes: 0,
    hotUpdatePercent: null,
    elements: [element('a')],
    included: [],
    predicate: null,
    unique,
    nullsNotDistinct: false,
    primary: false,
    exclusion: false,
    constraint: null,
    referencedBy: 0,
    valid: true,
    ready: true,
    building: false,
    replicaIdentity: false,
    clustered: false,
    fillfactor: 90,
    options: [],
    tablespace: null,
    partitioned: false,
    parent: null,
    fragmentation: null,
    wasteEstimate: null,
    observed: null,
    usedBy: null,
    sql: {
      index: `${quoted(schema)}.${quoted(name)}`,
      name: quoted(name),
      table: `${quoted(schema)}.${quoted(table)}`,
      constraint: ofConstraint === null ? null : quoted(ofConstraint.name),
    },
    ...overrides,
  };
}

/** The index of a primary key. */
export function primaryKey(name: string, overrides: Partial<Index> = {}): Index {
  return index(name, { unique: true, primary: true, constraint: constraint('primary key', { name }), ...overrides });
}

/** The index of a unique constraint. */
export function uniqueConstraint(name: string, overrides: Partial<Index> = {}): Index {
  return index(name, { unique: true, constraint: constraint('unique', { name }), ...overrides });
}

/** A table of a thousand rows with a primary key, in good order. */
export function table(overrides: Partial<Table> = {}): Table {
  const { schema = 'public', table: name = 't' } = overrides;
  return {
    schema,
    table: name,
    kind: 'table',
    parent: null,
    sql: `${quoted(schema)}.${quoted(name)}`,
    rows: 1000,
    sizeBytes: mebibyte,
    toastBytes: 0,
    sequentialScans: 0,
    sequentialRows: 0,
    inserts: 0,
    updates: 0,
    hotUpdates: 0,
    deletes: 0,
    liveRows: 1000,
    deadRows: 0,
    changedSinceAnalyze: 0,
    analyzedAt: takenAt,
    vacuumedAt: takenAt,
    fillfactor: 100,
    autovacuum: true,
    transactionAge: 1000,
    multixactAge: 0,
    hasPrimaryKey: true,
    replicaIdentity: 'default',
    publishesChanges: false,
    notValidated: [],
    notNull: [],
    bloat: null,
    ...overrides,
  };
}

/** What is known of a column of integers that are all different. */
export function columnStatistics(column: string, overrides: Partial<ColumnStatistics> = {}): ColumnStatistics {
  return {
    schema: 'public',
    table: 't',
    column,
    averageBytes: 4,
    nullFraction: 0,
    distinct: 1000,
    correlation: 0,
    listedValues: 0,
    listedFraction: 0,
    rarestListedFraction: null,
    ...overrides,
  };
}

/** A sequence of whole numbers at its beginning, that fills `public.t.id`. */
export function sequence(overrides: Partial<Sequence> = {}): Sequence {
  return {
    schema: 'public',
    sequence: 't_id_seq',
    sql: 'public.t_id_seq',
    type: 'integer',
    column: { schema: 'public', table: 't', column: 'id', type: 'integer', sql: 'public.t', columnSql: 'id' },
    lastValue: 1,
    limit: 2_147_483_647,
    limitedBy: 'sequence',
    usedPercent: 0,
    ...overrides,
  };
}

export function foreignKey(columns: string[], overrides: Partial<ForeignKey> = {}): ForeignKey {
  return {
    schema: 'public',
    table: 't',
    name: 'fk',
    columns,
    toSchema: 'public',
    toTable: 'parent',
    inherited: false,
    ...overrides,
  };
}

export function indexSnapshot(indexes: Index[], overrides: Partial<IndexSnapshot> = {}): IndexSnapshot {
  return {
    takenAt,
    server: server(),
    tables: [],
    indexes,
    foreignKeys: [],
    columns: [],
    sequences: [],
    replicas: [],
    notes: [],
    ...overrides,
  };
}

/** A row of pg_stat_statements: ten calls of 1 ms. */
export function statementRow(overrides: Partial<StatementRow> = {}): StatementRow {
  return {
    queryId: '1',
    query: 'select 1',
    role: '10',
    since: null,
    calls: 10,
    totalMs: 10,
    minMs: 1,
    maxMs: 1,
    stddevMs: 0,
    plans: 0,
    planMs: 0,
    rows: 10,
    sharedBlocksHit: 0,
    sharedBlocksRead: 0,
    sharedBlocksDirtied: 0,
    tempBlocksRead: 0,
    tempBlocksWritten: 0,
    readMs: 0,
    writeMs: 0,
    walBytes: 0,
    jitMs: 0,
    ...overrides,
  };
}

/** A statement of ten calls of 1 ms each. */
export function statement(overrides: Partial<Statement> = {}): Statement {
  const { role: _, ...row } = statementRow();
  return {
    ...row,
    kind: 'select',
    fingerprint: null,
    roles: 1,
    meanMs: 1,
    timeSharePercent: 100,
    cacheHitPercent: null,
    window: null,
    ...overrides,
  };
}

export function querySnapshot(statements: Statement[], overrides: Partial<QuerySnapshot> = {}): QuerySnapshot {
  return {
    takenAt,
    server: server(),
    statements,
    resetAt: null,
    evictions: null,
    windowFrom: null,
    settings: plannerSettings(),
    relations: [],
    plans: [],
    transactions: [],
    notes: [],
    ...overrides,
  };
}

/** PostgreSQL's own defaults. */
export function plannerSettings(overrides: Partial<PlannerSettings> = {}): PlannerSettings {
  return {
    workMemKilobytes: 4_096,
    hashMemMultiplier: 2,
    effectiveCacheSizeKilobytes: 4_194_304,
    randomPageCost: 4,
    seqPageCost: 1,
    jit: true,
    jitAboveCost: 100_000,
    parallelWorkersPerGather: 2,
    parallelWorkers: 8,
    trackIoTiming: false,
    trackPlanning: false,
    statementsMax: 5_000,
    defaultStatisticsTarget: 100,
    ...overrides,
  };
}

/** A column of ten thousand different integers. */
export function column(name: string, overrides: Partial<Column> = {}): Column {
  return {
    name,
    type: 'integer',
    notNull: true,
    statistics: {
      distinct: 10_000,
      nullFraction: 0,
      averageBytes: 4,
      correlation: 0,
      commonestFraction: null,
      rarestListedFraction: null,
    },
    ...overrides,
  };
}

/** A valid b-tree over columns. */
export function tableIndex(name: string, columns: (string | null)[], overrides: Partial<TableIndex> = {}): TableIndex {
  return {
    name,
    method: 'btree',
    columns,
    expressions: columns.map((column) => (column === null ? 'lower(name)' : null)),
    descending: columns.map(() => false),
    operatorClasses: columns.map(() => 'int4_ops'),
    included: [],
    predicate: null,
    unique: false,
    primary: false,
    valid: true,
    sizeBytes: mebibyte,
    ...overrides,
  };
}

/** A table of ten thousand rows with a column `id`. */
export function relation(table: string, overrides: Partial<Relation> = {}): Relation {
  return {
    schema: 'public',
    table,
    kind: 'table',
    rows: 10_000,
    sizeBytes: mebibyte,
    columns: [column('id')],
    indexes: [],
    references: [],
    sequentialScans: 0,
    sequentialRows: 0,
    indexScans: 0,
    inserts: 0,
    updates: 0,
    hotUpdates: 0,
    deletes: 0,
    liveRows: 10_000,
    deadRows: 0,
    changedSinceAnalyze: 0,
    analyzedAt: takenAt,
    vacuumedAt: takenAt,
    allVisibleFraction: 1,
    ...overrides,
  };
}

/** A sequential scan of a thousand rows, or whatever else a node is to be. */
export function planNode(overrides: Partial<PlanNode> = {}): PlanNode {
  return {
    type: 'Seq Scan',
    parallelAware: false,
    estimate: { startupCost: 0, totalCost: 100, rows: 1_000, width: 8 },
    conditions: {},
    removed: {},
    children: [],
    ...overrides,
  };
}

/** The plan of the statement '1'. */
export function statementPlan(root: PlanNode, overrides: Partial<StatementPlan> = {}): StatementPlan {
  return {
    queryId: '1',
    explainedAs: 'itself',
    plan: { root },
    shape: 'shape',
    failure: null,
    parameterCosts: null,
    ...overrides,
  };
}

export function databaseSnapshot(overrides: Partial<DatabaseSnapshot> = {}): DatabaseSnapshot {
  const { server: _, ...indexes } = indexSnapshot([]);
  const { server: __, ...queries } = querySnapshot([]);
  return { takenAt, server: server(), indexes, queries, ...overrides };
}

/** A finding whose id follows from its rule and subject. */
export function finding(overrides: Partial<Finding> = {}): Finding {
  const { rule = 'indexes/unused', subject = { database: 'shop', schema: 'public', table: 't', index: 'i' } } =
    overrides;
  return {
    id: findingId(rule, subject),
    rule,
    severity: 'warning',
    subject,
    title: 'public.i is not used',
    detail: 'No scan.',
    evidence: { scans: 0 },
    ...overrides,
  };
}

/** A name as PostgreSQL's format('%I') writes it, but for keywords. */
function quoted(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
