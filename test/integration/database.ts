import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { readServer, type Server } from '../../lib/postgres/server.ts';
import { openSession, type Session } from '../../lib/postgres/session.ts';

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
      other.username = user;
      other.password = password;
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
