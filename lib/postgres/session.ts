import pg from 'pg';
import { databaseError } from './errors.ts';
import { checkDatabaseUrl, clientConfig, describeUrl } from './url.ts';

/** Bounds on everything that is run on a monitored database, in milliseconds. */
export interface SessionLimits {
  connectMs: number;
  statementMs: number;
  lockMs: number;
}

/** Short enough that an audit never queues behind a migration, nor makes one queue behind it. */
export const defaultLimits: SessionLimits = { connectMs: 5_000, statementMs: 10_000, lockMs: 250 };

/** Runs one statement and gives its rows. */
export type Read = Session['read'];

/**
 * Runs statements without parameters in one message, and gives the rows of each. The server parses all of them before it runs the
 * first, and runs none behind one that fails.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
 *
 * @throws StreamGateError as `Session.read`
 */
export type ReadAll = (statements: readonly string[]) => Promise<object[][]>;

/**
 * One connection to a monitored database that can only read. Each `read` is a transaction of its
 * own: `SET LOCAL` works behind RDS Proxy and PgBouncer (which would pin or leak a `SET`), and no
 * lock outlives its statement.
 */
export interface Session {
  /** `user@host:port/database`, for messages. */
  readonly where: string;
  /** Runs one statement. @throws StreamGateError with what went wrong and what to do. */
  read<Row>(sql: string, parameters?: unknown[]): Promise<Row[]>;
  /**
   * Runs several statements in one transaction, which is read-only as any and is over when `work` is. After a failed statement
   * it takes nothing but a ROLLBACK TO SAVEPOINT. `work` waits for one statement before it runs the next.
   *
   * @throws StreamGateError as `read`; what `work` throws
   */
  transaction<Result>(work: (read: Read, readAll: ReadAll) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** Marks StreamGate's own statements in pg_stat_statements and pg_stat_activity, so that it does not judge itself. */
export const statementMark = '/* streamgate */';

/** Puts the mark behind the first word of a statement: from PostgreSQL 18 on a comment before it is not kept. */
export function marked(sql: string): string {
  return sql.replace(/^\s*\w+/, (word) => `${word} ${statementMark}`);
}

/**
 * Opens a session.
 *
 * @example
 * const session = await openSession('postgres://auditor@db/shop');
 * const [row] = await session.read<{ n: number }>('select count(*) as n from pg_class');
 * await session.close();
 */
export async function openSession(url: string, limits: SessionLimits = defaultLimits): Promise<Session> {
  const where = describeUrl(checkDatabaseUrl(url));
  let client: pg.Client | undefined;
  try {
    client = new pg.Client({
      ...clientConfig(url),
      application_name: 'streamgate',
      connectionTimeoutMillis: limits.connectMs,
      // The server's own timeout answers first; this one is for a server that does not answer at all.
      query_timeout: limits.statementMs + 5_000,
      keepAlive: true,
      types: plainTypes,
    });
    // A connection that breaks while idle would otherwise be an uncaught exception; the next read reports it.
    client.on('error', () => {});
    await client.connect();
  } catch (error) {
    // A login that was given up half-way leaves the socket open, and with it the process alive.
    void client?.end().catch(() => {});
    throw databaseError(error, where);
  }
  const open = client;
  const begin = [
    'begin isolation level read committed read only',
    `set local statement_timeout = ${limits.statementMs}`,
    `set local lock_timeout = ${limits.lockMs}`,
    `set local idle_in_transaction_session_timeout = ${limits.statementMs}`,
    // What a database or role may be set to, and what our reading of the answers depends on.
    "set local datestyle = 'ISO, YMD'",
    "set local timezone = 'UTC'",
    'set local jit = off',
    'set local search_path = pg_catalog, pg_temp',
    // And how our texts are read.
    'set local standard_conforming_strings = on',
  ]
    .map(marked)
    .join('; ');
  const send = async (sql: string, parameters: unknown[] = []) => {
    try {
      return await open.query(sql, parameters);
    } catch (error) {
      throw databaseError(error, where);
    }
  };
  const read = async <Row>(sql: string, parameters?: unknown[]) => (await send(marked(sql), parameters)).rows as Row[];
  const readAll: ReadAll = async (statements) => {
    // On lines of their own: a statement may end with a comment.
    const answers: pg.QueryResult | pg.QueryResult[] = await send(statements.map(marked).join('\n;\n'));
    return [answers].flat().map(({ rows }) => rows);
  };
  const transaction = async <Result>(work: (read: Read, readAll: ReadAll) => Promise<Result>) => {
    try {
      await send(begin);
      const result = await work(read, readAll);
      await send(marked('commit'));
      return result;
    } catch (error) {
      // A server that has not answered this will not answer a rollback.
      if (isReadTimeout(error)) void open.end().catch(() => {});
      else await open.query(marked('rollback')).catch(() => {});
      throw error;
    }
  };
  return {
    where,
    transaction,
    read: (sql, parameters) => transaction(() => read(sql, parameters)),
    close: () => open.end().catch(() => {}),
  };
}

/** Opens a session, gives it to `work`, and closes it however that ends. */
export async function withSession<Result>(url: string, work: (session: Session) => Promise<Result>): Promise<Result> {
  const session = await openSession(url);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

function isReadTimeout(error: unknown): boolean {
  return ((error as Error).cause as Error | undefined)?.message === 'Query read timeout';
}

/** PostgreSQL types as plain JSON values: bigint and numeric as numbers (sizes and counters stay below 2^53), times as ISO 8601. */
export const plainTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC) return Number;
    if (oid === pg.types.builtins.TIMESTAMPTZ) return (text: string) => new Date(text).toISOString();
    return pg.types.getTypeParser(oid, format);
  }) as pg.CustomTypesConfig['getTypeParser'],
};
