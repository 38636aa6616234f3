/** Rules over the transactions that are open: sessions of every kind beside each other, the older ones by a second and more. */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../../../../lib/advice/finding.ts';
import type { OpenTransaction } from '../../../../../lib/queries/catalog.ts';
import { collectQueries } from '../../../../../lib/queries/collect.ts';
import type { QuerySnapshot } from '../../../../../lib/queries/snapshot.ts';
import { createDatabase, hold, type TestDatabase, withSession } from '../../../database.ts';
import { counted, findingsOf } from './judged.ts';

const rest = 'select pg_sleep(600)';
const change = (row: number) => `update u set a = a where a = 'secret ${row}'`;

let database: TestDatabase;
let snapshot: QuerySnapshot;
const sessions = new Map<string, { pid: number; client: pg.Client; end(): Promise<void> }>();

/** Opens a session, which runs the statements; it does not come back from the last one if it `stays` there. */
async function session(name: string, statements: string[], stays?: string): Promise<void> {
  const { client, end } = await hold(database.url, `set application_name = '${name}'`, ...statements);
  const { rows } = await client.query('select pg_backend_pid() as pid');
  sessions.set(name, { pid: rows[0].pid, client, end });
  if (stays) run(name, stays);
}

/** Sends a statement, whatever comes of it: most end with their connection. */
function run(name: string, statement: string): void {
  sessions
    .get(name)
    ?.client.query(statement)
    .catch(() => {});
}

/** By the server's own clock: until all of the sessions have done what they do now for more than a second. */
async function pass(...names: string[]): Promise<void> {
  await database.run(`do $$ begin
    while (select count(*) from pg_stat_activity where datname = current_database() and application_name = any ('{${names}}')
      and state_change < clock_timestamp() - interval '1.2 seconds') < ${names.length}
    loop perform pg_sleep(0.05); perform pg_stat_clear_snapshot(); end loop; end $$`);
}

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create table u (a text primary key)',
    `insert into u select 'secret ' || g from generate_series(1, 100) g`,
    `create procedure in_small_transactions() language plpgsql as
      'begin loop perform pg_sleep(0.01); commit; end loop; end'`,
  );
  await session('batches', [], 'call in_small_transactions()');
  await session('done', ['begin', change(3), 'commit']);
  await session('old', ['begin'], rest);
  await session('neighbour', ['begin', change(2)], rest);
  await session('holder', ['begin', change(1)]);
  await session('waiter', ['begin'], change(1));
  await session('next', ['begin'], change(1));
  await session('failed', ['begin', 'savepoint a'], 'select 1 / 0');
  // It has given everything back at once, and has no age any more.
  await session('failed as a whole', ['begin'], 'select 1 / 0');
  await session('chatty', ['begin']);
  await session('latecomer', ['begin']);
  await pass('old', 'neighbour', 'holder', 'waiter', 'next', 'failed', 'chatty', 'latecomer');
  await session('young', ['begin'], rest);
  run('latecomer', change(1));
  await sessions.get('chatty')?.client.query('select 1');
  await pass('young', 'latecomer', 'chatty');
  snapshot = await withSession(database.url, collectQueries);
});

afterAll(async () => {
  // Ends those that would not come back.
  await database?.drop();
  for (const { end } of sessions.values()) await end();
});

const of = (name: string): OpenTransaction => {
  const found = snapshot.transactions.find(({ application }) => application === name);
  if (!found) throw new Error(`The transaction of ${name} was not seen.`);
  return found;
};

/** The sessions that findings name. */
const named = (findings: readonly Finding[]) => {
  const pids = findings.flatMap(({ evidence }) => String(evidence.pids).split(', ').map(Number));
  return [...sessions].flatMap(([name, { pid }]) => (pids.includes(pid) ? [name] : [])).sort();
};

/** In seconds, between two times that are a second apart and more. */
const between = (a: number, b: number) => (a + b) / 2 / 1_000;

test('all sessions were seen but those without a transaction, or with a new one every moment', () => {
  const unseen = ['done', 'failed as a whole', 'batches'];
  const seen = snapshot.transactions.map(({ application }) => application).filter((name) => name !== 'batches');
  expect(seen.sort()).toEqual([...sessions.keys()].filter((name) => !unseen.includes(name)).sort());
});

describe('queries/long-transaction', () => {
  test('names the old transactions at work, and no younger one, none that rests, and none of many short ones', () => {
    const minMinutes = between(of('latecomer').ageMs, of('young').ageMs) / 60;
    const findings = findingsOf(snapshot, 'queries/long-transaction', { minMinutes });
    expect(named(findings)).toEqual(['latecomer', 'neighbour', 'next', 'old', 'waiter']);
  });

  test('says nothing of transactions as short as these by default', () => {
    expect(findingsOf(snapshot, 'queries/long-transaction')).toEqual([]);
  });
});

describe('queries/idle-in-transaction', () => {
  test('names who is silent, after an error as well, and nobody who talks, works or holds nothing', () => {
    const minSeconds = between(of('failed').stateMs, of('chatty').stateMs);
    const findings = findingsOf(snapshot, 'queries/idle-in-transaction', { minSeconds });
    expect(named(findings)).toEqual(['failed', 'holder']);
    expect(of('chatty').ageMs).toBeGreaterThan(minSeconds * 1_000);
  });

  test('is critical where others wait for the lock', () => {
    const findings = findingsOf(snapshot, 'queries/idle-in-transaction', { minSeconds: 0.5 });
    const severities = findings.filter((finding) => named([finding]).includes('holder')).map((each) => each.severity);
    expect(severities).toEqual(['critical']);
  });
});

describe('queries/blocked', () => {
  const blocked = () =>
    findingsOf(snapshot, 'queries/blocked', { minSeconds: between(of('next').stateMs, of('latecomer').stateMs) });

  test('names the head of the queue, and nobody who waits in it or works beside it', () => {
    expect(named(blocked())).toEqual(['holder']);
  });

  test('counts those that have waited for long, and not the one that has just come', () => {
    expect(blocked()).toMatchObject([{ evidence: { waiting: 2 } }]);
    expect(of('latecomer').blockedBy).not.toEqual([]);
  });

  test('finds nothing once the lock was given back', async () => {
    await sessions.get('holder')?.client.query('commit');
    // In whatever order they get it.
    await Promise.all(['waiter', 'next', 'latecomer'].map((name) => sessions.get(name)?.client.query('commit')));
    await pass('holder', 'waiter', 'next', 'latecomer');
    const later = await withSession(database.url, collectQueries);
    expect(findingsOf(later, 'queries/blocked', { minSeconds: 0.001 })).toEqual([]);
    expect(later.transactions.map(({ application }) => application)).toContain('neighbour');
  });
});

describe('the findings', () => {
  const all = () => [
    ...findingsOf(snapshot, 'queries/long-transaction', { minMinutes: 0.001 }),
    ...findingsOf(snapshot, 'queries/idle-in-transaction', { minSeconds: 0.001 }),
    ...findingsOf(snapshot, 'queries/blocked', { minSeconds: 0.001 }),
  ];

  test('tell no constant', () => {
    expect(all().length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify(all())).not.toContain('secret');
  });

  test('are about the statement, where the server tells which one runs', ({ skip }) => {
    skip(snapshot.server.versionNumber < 140_000, 'pg_stat_activity has no query_id before PostgreSQL 14.');
    const [finding] = findingsOf(snapshot, 'queries/blocked', { minSeconds: 0.5 });
    // The last one that the holder ran was not the one that took the lock.
    expect(finding?.subject.queryId).toBe(counted(snapshot, 'select pg_backend_pid() as pid').queryId);
  });
});
