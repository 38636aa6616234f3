/** What one audit of indexes hands to the next, and what it takes from that of the queries. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runAudit } from '../../../../lib/audit.ts';
import type { Index } from '../../../../lib/indexes/snapshot.ts';
import { type History, openHistory } from '../../../../lib/postgres/history.ts';
import { createDatabase, forgetStatements, settled, type TestDatabase } from '../../database.ts';

let database: TestDatabase;
let kept: TestDatabase;
let history: History;
const start = Date.now() - 10 * 3_600_000;

beforeAll(async () => {
  database = await createDatabase();
  kept = await createDatabase({ extensions: false });
  history = openHistory(kept.url);
  await history.migrate();
  await database.run(
    'create table t (id int primary key, a int, b int)',
    'insert into t select g, g, g from generate_series(1, 20000) g',
    'create index t_a on t (a)',
    'create index t_b on t (b)',
    'vacuum analyze t',
  );
});

afterAll(async () => {
  await history?.close();
  await database?.drop();
  await kept?.drop();
});

let audits = 0;
async function audit(part: 'indexes' | 'queries') {
  await runAudit(part, { name: 'shop', url: database.url }, new Date(start + audits++ * 60_000), history);
  const head = await history.latest('shop', part);
  if (!head) throw new Error('nothing was kept');
  return history.rows<Index>(head, { limit: 50 });
}
const named = ({ rows }: { rows: Index[] }, name: string) => rows.find(({ index }) => index === name);

it('remembers the use of an index beyond a reset of the counters', async () => {
  const first = await audit('indexes');
  const from = named(first, 't_a')?.observed?.from;
  expect(named(first, 't_a')?.observed).toEqual({ from, lastUseAt: null });

  await database.run('select * from t where a = 7');
  await settled(database, "select from pg_stat_user_indexes where indexrelname = 't_a' and idx_scan = 1");
  const second = await audit('indexes');
  const lastUseAt = named(second, 't_a')?.observed?.lastUseAt;
  expect(lastUseAt).not.toBeNull();
  expect(named(second, 't_b')?.observed).toEqual({ from, lastUseAt: null });

  await database.run('select pg_stat_reset()');
  await settled(database, "select from pg_stat_user_indexes where indexrelname = 't_a' and idx_scan = 0");
  const third = await audit('indexes');
  expect(named(third, 't_a')?.observed).toEqual({ from, lastUseAt });
});

it('knows the statements that use an index by their plans', async () => {
  expect(named(await audit('indexes'), 't_a')?.usedBy).toBeNull();
  // Only those that take most of the time are explained.
  await database.run(forgetStatements);
  await database.run(...Array.from({ length: 20 }, (_, at) => `select * from t where a = ${at}`));
  const statements = (await audit('queries')).rows as unknown as { queryId: string; query: string }[];
  const queryId = statements.find(({ query }) => query.includes('from t where a = $1'))?.queryId;
  const rows = await audit('indexes');
  expect(named(rows, 't_b')?.usedBy).toEqual([]);
  expect(named(rows, 't_a')?.usedBy).toEqual([queryId]);
});
