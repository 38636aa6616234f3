import { setTimeout as delay } from 'node:timers/promises';
import { CacheError } from '../errors.ts';
import type { Position } from '../store.ts';
import { identifier, preparation } from './sql.ts';

/** What is used of a pool: a `pg.Pool` has it. https://node-postgres.com/apis/pool */
export interface PostgresPool {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** So often a statement is tried again when something was missing. */
const maxRetries = 50;

/**
 * So often, in about 8 s, when others were in its way. Where the isolation is serializable that is the rule while many
 * write the same key: one in a thousand statements was refused more than 30 times in a row.
 */
const maxCollisions = 500;

/** What PostgreSQL says when a table, a function or the schema is not there, or goes while it is used. */
const missing = new Set(['42P01', '42883', '3F000']);
const vanished = /^(could not open relation with OID|cache lookup failed for|schema with OID)/;

/** What it says when others were in the way, and trying again is right: serialization failures and deadlocks. */
const collisions = new Set(['40001', '40P01']);

/** What it says when somebody else makes or drops the same things, not being one of us. */
const rivals = new Set([...missing, '42P06', '42P07', '42723', '23505']);

/** Runs statements: makes what is missing, tries again where others were in the way, explains what is wrong. */
export class Client {
  /** The highest position that this process has seen: a new log begins after it. */
  known: Position = 0;
  readonly #pool: PostgresPool;
  readonly #schema: string;
  #preparing: Promise<void> | undefined;

  constructor(pool: PostgresPool, schema: string) {
    this.#pool = pool;
    this.#schema = schema;
  }

  /**
   * The rows of a statement that answers none where the log has not begun.
   *
   * @throws CacheError `level-unreachable`, `option-invalid`
   */
  async ask<Row>(text: string, values: unknown[]): Promise<[Row, ...Row[]]> {
    for (let retries = 0; ; retries++) {
      const [first, ...others] = await this.run<Row>(text, values);
      if (first !== undefined) return [first, ...others];
      if (retries === maxRetries) {
        throw new CacheError(
          'level-unreachable',
          `The table ${identifier(this.#schema)}.state is emptied again and again. Find out by whom.`,
        );
      }
      await this.#prepare();
    }
  }

  /**
   * The rows of a statement.
   *
   * @throws CacheError `level-unreachable`, `option-invalid`
   */
  async run<Row>(text: string, values: unknown[]): Promise<Row[]> {
    for (let retries = 0; ; retries++) {
      try {
        return (await this.#pool.query(text, values)).rows as Row[];
      } catch (error) {
        const isMissing = missing.has(codeOf(error)) || vanished.test(messageOf(error));
        const isCollision = collisions.has(codeOf(error));
        if (isMissing && retries < maxRetries) await this.#prepare();
        else if (isCollision && retries < maxCollisions) await letPass(retries);
        else throw explained(error, this.#schema);
      }
    }
  }

  /** Makes what is missing, once for all calls that wait for it. */
  #prepare(): Promise<void> {
    this.#preparing ??= this.#make().finally(() => {
      this.#preparing = undefined;
    });
    return this.#preparing;
  }

  async #make(): Promise<void> {
    for (let retries = 0; ; retries++) {
      try {
        await this.#pool.query(preparation(this.#schema, this.known));
        return;
      } catch (error) {
        const code = codeOf(error);
        const isPassing = collisions.has(code) || rivals.has(code) || vanished.test(messageOf(error));
        if (retries === maxRetries || !isPassing) throw explained(error, this.#schema);
        await letPass(retries);
      }
    }
  }
}

/** Waits for up to 32 ms at random, so that of many who are in each other's way not all come back at once. */
function letPass(retries: number): Promise<void> {
  return delay(Math.random() * 2 ** Math.min(retries, 5));
}

/** Any failure as one with a code and a remedy. */
function explained(error: unknown, schema: string): CacheError {
  if (error instanceof CacheError) return error;
  const name = identifier(schema);
  const said = messageOf(error);
  const { hint } = error as { hint?: unknown };
  switch (codeOf(error)) {
    case '42501':
      return new CacheError(
        'level-unreachable',
        typeof hint === 'string'
          ? `The cache cannot be kept in the schema ${name}: ${said}. Let an administrator run: ${hint}`
          : `The cache cannot be kept in the schema ${name}: ${said}. Let all processes log in with the role that made it, or grant theirs USAGE on the schema and SELECT, INSERT, UPDATE and DELETE on its tables.`,
        { cause: error },
      );
    case '25006':
    case '0A000':
      return new CacheError(
        'level-unreachable',
        `This PostgreSQL only reads, so that no cache can be kept in it: ${said}. Connect to the primary server, and without default_transaction_read_only.`,
        { cause: error },
      );
    case '55P03':
      return new CacheError(
        'level-unreachable',
        `Somebody holds a lock on the tables of the cache in the schema ${name}: ${said}. Try again later.`,
        { cause: error },
      );
    case '42703':
    case '42804':
    case '42809':
    case '42P10':
    case '42P13':
    case '42846':
      return new CacheError(
        'option-invalid',
        `The schema ${name} has tables in it that are not this cache's: ${said}. Name another one with the option "schema".`,
        { cause: error },
      );
    default:
      return new CacheError('level-unreachable', `PostgreSQL did not answer the cache: ${said}`, { cause: error });
  }
}

/**
 * The SQLSTATE of an error, or what the network calls it.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code ?? '');
}

/** What an error says. That of several addresses that were tried says nothing by itself. */
function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)) || codeOf(error) || 'no reason was given';
}
