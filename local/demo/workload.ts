import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Choose, chooser, type Statement } from './statement.ts';
import { statements } from './statements.ts';

/** A workload that runs until it is stopped. */
export interface Workload {
  /** How often all statements that were due have run. From 1 on each has run, and the server's counters show it. */
  rounds(): number;
  /** Resolves after the first round of all. */
  firstRound: Promise<void>;
  /** Stops at once; a statement under way is given up. */
  stop(): Promise<void>;
}

/** How {@link startWorkload} runs. */
export interface WorkloadOptions {
  /** The rest between two rounds. */
  intervalMs?: number;
  /** Numbers from 0 to below 1, by which statements choose their parameters. */
  random?: () => number;
}

const connectTimeoutMs = 2_000;
/** Ends the wait for a server that went away without a word. */
const answerTimeoutMs = 60_000;
const shortestBackoffMs = 100;
const longestBackoffMs = 2_000;

/**
 * Uses the demo database as its service would: one connection, small statements many times a second,
 * slow ones now and then. When the database goes away it waits, silently, and connects again.
 *
 * @example
 * const workload = startWorkload(url);
 * …
 * await workload.stop();
 */
export function startWorkload(url: string, options: WorkloadOptions = {}): Workload {
  const { intervalMs = 250, random = Math.random } = options;
  const stopping = new AbortController();
  const stopped = once(stopping.signal, 'abort');
  let rounds = 0;
  const first = Promise.withResolvers<void>();
  let client: pg.Client | undefined;

  const rest = (ms: number) => delay(ms, undefined, { signal: stopping.signal }).catch(() => {});
  const serve = async (onRound: () => void) => {
    client = connection(url);
    // A client that is ended while it connects to a server that hangs never settles this, but for the timeout.
    await Promise.race([client.connect(), stopped]);
    const due = new Map<Statement, number>();
    while (!stopping.signal.aborted) {
      await round(client, due, random, stopping.signal);
      if (stopping.signal.aborted) return;
      rounds++;
      first.resolve();
      onRound();
      await rest(intervalMs);
    }
  };
  const run = async () => {
    let backoffMs = shortestBackoffMs;
    while (!stopping.signal.aborted) {
      await serve(() => (backoffMs = shortestBackoffMs)).catch(() => {});
      // Not awaited: a server that hangs does not say goodbye either.
      client?.end().catch(() => {});
      await rest(backoffMs);
      backoffMs = Math.min(2 * backoffMs, longestBackoffMs);
    }
  };
  const running = run();
  return {
    rounds: () => rounds,
    firstRound: first.promise,
    stop: () => {
      stopping.abort();
      // An end in the middle of a statement breaks the connection, and so the wait for it.
      client?.end().catch(() => {});
      return running;
    },
  };
}

/** Runs what is due. The first round of a connection runs everything, and makes the server count it at once. */
async function round(
  client: pg.Client,
  due: Map<Statement, number>,
  random: () => number,
  signal: AbortSignal,
): Promise<void> {
  const choose = chooser(random);
  const isFirst = due.size === 0;
  for (const statement of statements) {
    if (signal.aborted) return;
    if ((due.get(statement) ?? 0) > Date.now()) continue;
    await runOnce(client, statement, choose).catch((error: unknown) => {
      // Somebody may have changed a table under the demo. Its statement fails then, and the others go on.
      if (!isRefusal(error)) throw error;
    });
    // Never in step, or the slow ones would come all at once.
    due.set(statement, Date.now() + statement.everyMs * (0.75 + 0.5 * random()));
  }
  if (isFirst) await countNow(client);
}

/** Runs one statement of the mix. */
export async function runOnce(client: pg.Client, statement: Statement, choose: Choose): Promise<void> {
  await client.query({ text: statement.sql, values: statement.values?.(choose) ?? [], rowMode: 'array' });
}

/**
 * Runs every statement of the mix a number of times, one after the other and without a clock, and
 * makes the server count them at once.
 */
export async function runEach(client: pg.Client, times: number, random: () => number = Math.random): Promise<void> {
  const choose = chooser(random);
  for (let time = 0; time < times; time++) {
    for (const statement of statements) await runOnce(client, statement, choose);
  }
  await countNow(client);
}

/** A session tells the server its counters once a second, or after this with its next statement (PostgreSQL 15). */
async function countNow(client: pg.Client): Promise<void> {
  await client.query('select pg_stat_force_next_flush()');
}

/** Whether the server refused the statement and still serves the connection. */
function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR';
}

function connection(url: string): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'streaming',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
  });
  // A connection that breaks while idle would otherwise be an uncaught exception; the next statement reports it.
  client.on('error', () => {});
  return client;
}
