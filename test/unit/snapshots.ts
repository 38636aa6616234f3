/** Values for tests, each with the overrides that the test is about: what is not said is plain and harmless. */
import { type Finding, findingId } from '../../lib/advice/finding.ts';
import type { DatabaseSnapshot } from '../../lib/audit.ts';
import type { Element, ForeignKey, Index, IndexSnapshot, Table } from '../../lib/indexes/snapshot.ts';
import type { Server } from '../../lib/postgres/server.ts';
import type { QuerySnapshot, Statement } from '../../lib/queries/snapshot.ts';
import type { StatementRow } from '../../lib/queries/statements.sql.ts';

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
    replicaIdentity: false,
    clustered: false,
    fillfactor: 90,
    options: [],
    partitioned: false,
    parent: null,
    fragmentation: null,
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

export function table(overrides: Partial<Table> = {}): Table {
  return {
    schema: 'public',
    table: 't',
    rows: 1000,
    sizeBytes: mebibyte,
    sequentialScans: 0,
    inserts: 0,
    updates: 0,
    hotUpdates: 0,
    deletes: 0,
    ...overrides,
  };
}

export function foreignKey(columns: string[], overrides: Partial<ForeignKey> = {}): ForeignKey {
  return { schema: 'public', table: 't', name: 'fk', columns, ...overrides };
}

export function indexSnapshot(indexes: Index[], overrides: Partial<IndexSnapshot> = {}): IndexSnapshot {
  return { takenAt, server: server(), tables: [], indexes, foreignKeys: [], notes: [], ...overrides };
}

/** A row of pg_stat_statements: ten calls of 1 ms. */
export function statementRow(overrides: Partial<StatementRow> = {}): StatementRow {
  return {
    queryId: '1',
    query: 'select 1',
    since: null,
    calls: 10,
    totalMs: 10,
    minMs: 1,
    maxMs: 1,
    stddevMs: 0,
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
    ...overrides,
  };
}

/** A statement of ten calls of 1 ms each. */
export function statement(overrides: Partial<Statement> = {}): Statement {
  return {
    ...statementRow(),
    kind: 'select',
    meanMs: 1,
    timeSharePercent: 100,
    cacheHitPercent: null,
    ...overrides,
  };
}

export function querySnapshot(statements: Statement[], overrides: Partial<QuerySnapshot> = {}): QuerySnapshot {
  return { takenAt, server: server(), statements, resetAt: null, evictions: null, notes: [], ...overrides };
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
