import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../../../lib/advice/finding.ts';
import { collectQueries } from '../../../../lib/queries/collect.ts';
import { counterRules } from '../../../../lib/queries/rules/counters/index.ts';
import type { QuerySnapshot } from '../../../../lib/queries/snapshot.ts';
import { readText } from '../../../../lib/queries/text.ts';
import { createDatabase, type TestDatabase, withSession } from '../../database.ts';

/** A statement with the settings that it is run with, and a look-alike that the rule leaves alone. */
interface Behaviour {
  fires: string;
  silent: string;
  settings?: string[];
}

const behaviours: Record<string, Behaviour> = {
  'queries/temp-files': {
    settings: ['work_mem = 64'],
    fires: 'select * from t order by b offset 19999',
    silent: 'select * from t order by id limit 5',
  },
  'queries/many-rows-per-call': {
    fires: 'select id from t where id > 0',
    silent: 'select count(id) from t where id > 0',
  },
  'queries/blocks-per-row': {
    fires: `select a from t where b = 'gone' and a > 0`,
    silent: 'select a from t where id = 5',
  },
  'queries/jit-time': {
    settings: ['jit = on', 'jit_above_cost = 0', 'jit_inline_above_cost = 0', 'jit_optimize_above_cost = 0'],
    fires: 'select sum(a + id) from t where id < 3',
    silent: 'select min(a) from u',
  },
};

/** A test runs a statement a few times on small tables. */
const lowered: Record<string, object> = {
  'queries/temp-files': { minBytesPerCall: 1_000 },
  'queries/blocks-per-row': { minBlocksPerRow: 50 },
  'queries/jit-time': { minJitMs: 0.5 },
  'queries/long-transaction': { minMinutes: 0.01 },
  'queries/idle-in-transaction': { minSeconds: 0.5 },
  'queries/blocked': { minSeconds: 0.5 },
};

let database: TestDatabase;
let snapshot: QuerySnapshot;
let hasJit: boolean;
const clients: pg.Client[] = [];

async function connect(name: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url, application_name: name });
  await client.connect();
  // Some are ended by the server.
  client.on('error', () => {});
  clients.push(client);
  return client;
}

const found = (rule: string): Finding[] => {
  const { check, options } = counterRules.find(({ id }) => id === rule) ?? {};
  return check?.(snapshot, options?.parse(lowered[rule] ?? {})) ?? [];
};

const idOf = (text: string) =>
  snapshot.statements.find(({ fingerprint }) => fingerprint === readText(text).fingerprint)?.queryId;

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create table t (id int primary key, a int not null, b text not null)',
    `insert into t select g, g % 7, md5(g::text) from generate_series(1, 20000) g`,
    'create table u (a int)',
    'insert into u select g from generate_series(1, 100) g',
  );
  await database.run('analyze');
  const client = await connect('shop');
  const { rows } = await client.query('select pg_jit_available() as has');
  hasJit = rows[0].has;
  await client.query('set jit = off');
  for (const { fires, silent, settings = [] } of Object.values(behaviours)) {
    for (let call = 0; call < 30; call++) await client.query(silent);
    for (const setting of settings) await client.query(`set ${setting}`);
    for (let call = 0; call < 30; call++) await client.query(fires);
    await client.query('reset all');
    await client.query('set jit = off');
  }
  const holder = await connect('holder');
  await holder.query('begin');
  await holder.query('update u set a = a where a = 1');
  const waiter = await connect('waiter');
  await waiter.query('begin');
  // Ended with its connection.
  waiter.query('update u set a = a where a = 1').catch(() => {});
  const busy = await connect('busy');
  await busy.query('begin');
  busy.query('select pg_sleep(60)').catch(() => {});
  // By the server's own clock: until all three have been there for so long.
  await client.query(`do $$ begin
    while (select count(*) from pg_stat_activity where application_name in ('holder', 'waiter', 'busy')
      and datname = current_database() and state_change < clock_timestamp() - interval '1.2 seconds') < 3
    loop perform pg_sleep(0.05); perform pg_stat_clear_snapshot(); end loop; end $$`);
  snapshot = await withSession(database.url, collectQueries);
});

afterAll(async () => {
  await database?.run(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name in ('holder', 'waiter', 'busy')`);
  for (const client of clients) await client.end().catch(() => {});
  await database?.drop();
});

describe.each(Object.entries(behaviours))('%s', (rule, { fires, silent }) => {
  test('finds the statement, and leaves the one that looks like it alone', () => {
    if (rule === 'queries/jit-time' && (!hasJit || snapshot.server.versionNumber < 150_000)) return;
    const ids = found(rule).map(({ subject }) => subject.queryId);
    expect(ids).toContain(idOf(fires));
    expect(ids).not.toContain(idOf(silent));
  });
});

test.each(['queries/long-transaction', 'queries/idle-in-transaction', 'queries/blocked'])(
  '%s finds what is open, and tells no constant of it',
  (rule) => {
    const findings = found(rule);
    expect(findings.length).toBeGreaterThan(0);
    expect(JSON.stringify(findings)).not.toContain('a = 1');
  },
);
