import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, inject, vi } from 'vitest';
import { collectIndexes } from '../../lib/indexes/collect.ts';
import type { MeasureLimits } from '../../lib/indexes/measure.ts';
import type { IndexSnapshot } from '../../lib/indexes/snapshot.ts';
import { readServer, type Server } from '../../lib/postgres/server.ts';
import { openSession, type Session } from '../../lib/postgres/session.ts';
import type { PostgresBinaries } from '../../local/binaries.ts';

/** A database of a test's own on the shared server. */
export interface TestDatabase {
  name: string;
  url: string;
  /**
   * Runs statements, separated as psql would separate them, on a connection that is closed
   * afterwards: PostgreSQL publishes a connection's counters when it ends.
   */
  run(...statements: string[]): Promise<pg.QueryResult[]>;
  /** A URL of the same database for another role. */
  as(user: string, password: string): string;
  drop(): Promise<void>;
}

/** Makes an empty database with pg_stat_statements and pgstattuple in it. */
export async function createDatabase({
  extensions = true,
  name = `t_${randomBytes(5).toString('hex')}`,
} = {}): Promise<TestDatabase> {
  const admin = inject('postgresUrl');
  const url = new URL(admin);
  url.pathname = `/${encodeURIComponent(name)}`;
  await runAt(admin, `create database ${pg.escapeIdentifier(name)}`);
  const database: TestDatabase = {
    name,
    url: url.href,
    run: (...statements) => runAt(url.href, ...statements),
    as(user, password) {
      const other = new URL(url);
      other.username = encodeURIComponent(user);
      other.password = encodeURIComponent(password);
      return other.href;
    },
    drop: async () => {
      await runAt(admin, `drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
    },
  };
  if (extensions) await database.run('create extension pg_stat_statements', 'create extension pgstattuple');
  return database;
}

/** Opens a read-only session, gives it to `work` with the server's description, and closes it. */
export async function withSession<Result>(
  url: string,
  work: (session: Session, server: Server) => Promise<Result>,
): Promise<Result> {
  const session = await openSession(url);
  try {
    return await work(session, await readServer(session));
  } finally {
    await session.close();
  }
}

/** The indexes of a database as they are now. */
export function collect(url: string, limits?: MeasureLimits, tableLimits?: MeasureLimits): Promise<IndexSnapshot> {
  return withSession(url, (session, server) => collectIndexes(session, server, limits, tableLimits));
}

/** What an index must have again after its drop was undone, by its name. */
export function definitions({ indexes }: IndexSnapshot): object {
  return Object.fromEntries(
    indexes.map(({ sql, definition, constraint, valid, parent }) => [
      sql.index,
      { definition, constraint, valid, parent },
    ]),
  );
}

/** The PostgreSQL that the run is with, as an option for `startPostgres`. */
export async function binaries(): Promise<{ binaries?: PostgresBinaries }> {
  const installed = process.env.TEST_POSTGRES;
  return installed ? { binaries: (await import(installed)) as PostgresBinaries } : {};
}

/** Forgets the statements of one database: the server is shared, and others are counting. */
export const forgetStatements =
  'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)';

/** A login role of a test's own. Drop its databases first: what it was granted there keeps it alive. */
export async function createRole(name: string, ...grants: string[]): Promise<{ drop(): Promise<void> }> {
  const admin = inject('postgresUrl');
  const role = pg.escapeIdentifier(name);
  await runAt(admin, `create role ${role} login password ${pg.escapeLiteral(rolePassword)}`);
  for (const grant of grants) await runAt(admin, `grant ${grant} to ${role}`);
  return {
    drop: async () => {
      await runAt(admin, `drop role if exists ${role}`);
    },
  };
}

/** The password of every role that {@link createRole} makes; its characters mean something in URLs. */
export const rolePassword = 'p@ss:w/o%rd?#😀';

/** Runs statements on a connection that stays open, and with it its transaction and its locks, until `end`. */
export async function hold(url: string, ...statements: string[]): Promise<{ client: pg.Client; end(): Promise<void> }> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  for (const statement of statements) await client.query(statement);
  return { client, end: () => client.end().catch(() => {}) };
}

/** The rows of one statement. */
export async function rowsOf<Row>(database: { url: string }, sql: string): Promise<Row[]> {
  const [result] = await runAt(database.url, sql);
  return (result?.rows ?? []) as Row[];
}

/** Makes HypoPG in databases of the tests' server, which share what it has. False where it has no HypoPG. */
export async function createHypopg(...databases: readonly TestDatabase[]): Promise<boolean> {
  for (const database of databases) {
    const offered = await rowsOf(database, `select from pg_available_extensions where name = 'hypopg'`);
    if (offered.length === 0) return false;
    await database.run('create extension hypopg');
  }
  return true;
}

/**
 * Waits until a statement answers a row. Before PostgreSQL 15 a process of its own gathers the
 * counters that connections publish, and takes its time.
 */
export async function settled(database: { url: string }, sql: string): Promise<void> {
  await vi.waitFor(async () => expect(await rowsOf(database, sql)).not.toEqual([]), { timeout: 20_000, interval: 50 });
}

async function runAt(url: string, ...statements: string[]): Promise<pg.QueryResult[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const results: pg.QueryResult[] = [];
    for (const statement of statements) results.push(await client.query(statement));
    return results;
  } finally {
    await client.end();
  }
}
