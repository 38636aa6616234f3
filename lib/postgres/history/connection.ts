import type pg from 'pg';
import { databaseError } from '../errors.ts';
import { openPool } from '../pool.ts';
import { marked, plainTypes } from '../session.ts';
import { describeUrl } from '../url.ts';

/** The way to the database of the history. */
export interface HistoryConnection {
  readonly pool: pg.Pool;
  /** What messages call it. */
  readonly where: string;
  /** Runs a statement by itself, or on the connection of a transaction. @throws StreamGateError */
  run<Row>(sql: string, parameters?: unknown[], on?: pg.Pool | pg.PoolClient): Promise<Row[]>;
  /** Runs some statements, all or nothing. @throws StreamGateError */
  transaction<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** Opens it. Nothing is connected before the first statement. */
export function connectHistory(url: string): HistoryConnection {
  const where = `${describeUrl(url)} (the history)`;
  const pool = openPool(url, plainTypes);

  async function run<Row>(sql: string, parameters: unknown[] = [], on: pg.Pool | pg.PoolClient = pool): Promise<Row[]> {
    try {
      return (await on.query(marked(sql), parameters)).rows as Row[];
    } catch (error) {
      throw databaseError(error, where);
    }
  }

  async function transaction<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    const client = await pool.connect().catch((error) => {
      throw databaseError(error, where);
    });
    // While a client is out of the pool its own errors are nobody's but ours; the statement reports them.
    const quiet = () => {};
    client.on('error', quiet);
    let broken = false;
    try {
      await run('begin isolation level read committed', [], client);
      const result = await work(client);
      await run('commit', [], client);
      return result;
    } catch (error) {
      await client.query(marked('rollback')).catch(() => {
        broken = true;
      });
      throw error;
    } finally {
      client.off('error', quiet);
      client.release(broken);
    }
  }

  return { pool, where, run, transaction, close: () => pool.end() };
}
