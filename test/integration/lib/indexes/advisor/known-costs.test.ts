/** What the advisor learns in one audit the next one need not ask for. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Recommendation } from '../../../../../lib/advice/recommendation.ts';
import { runAudit } from '../../../../../lib/audit.ts';
import { type History, openHistory } from '../../../../../lib/postgres/history.ts';
import { createDatabase, createHypopg, forgetStatements, rowsOf, type TestDatabase } from '../../../database.ts';

let shop: TestDatabase;
let kept: TestDatabase;
let history: History;
let hasHypopg = false;
let hour = 0;

beforeAll(async () => {
  shop = await createDatabase();
  kept = await createDatabase({ extensions: false });
  history = openHistory(kept.url);
  await history.migrate();
  hasHypopg = await createHypopg(shop);
  for (const table of ['orders', 'letters']) {
    await shop.run(
      `create table ${table} (id int, customer int, day int) with (autovacuum_enabled = off)`,
      `insert into ${table} select g, g % 5000, g % 300 from generate_series(1, 100000) g`,
      `vacuum analyze ${table}`,
    );
  }
  // New indexes take a fifth of the database at most.
  await shop.run('create table ballast as select repeat(md5(g::text), 30) from generate_series(1, 40000) g');
  await shop.run(
    forgetStatements,
    ...['orders', 'letters'].flatMap((table) => [
      `select * from ${table} where customer = 7`,
      `select * from ${table} where customer = 7 and day > 10 order by day limit 5`,
      `select count(*) from ${table} where day = 3`,
    ]),
  );
});

afterAll(async () => {
  await history?.close();
  await kept?.drop();
  await shop?.drop();
});

/** Audits the indexes. Returns how many were pretended for it, and the advice. */
async function audit(): Promise<{ pretended: number; advice: string[] }> {
  const pretended = async () => {
    const [row] = await rowsOf<{ calls: number }>(
      shop,
      `select coalesce(sum(calls), 0)::int as calls from pg_stat_statements s join pg_database d on d.oid = s.dbid
       where d.datname = current_database() and query like '%hypopg_create_index%' and query not like '%pg_stat_statements%'`,
    );
    return row?.calls ?? 0;
  };
  const before = await pretended();
  await runAudit('indexes', { name: 'shop', url: shop.url }, new Date(Date.UTC(2026, 5, 1, hour++)), history);
  const open: Recommendation[] = await history.recommendations('shop', 'open');
  const advice = open.filter(({ rule }) => rule === 'indexes/missing').map(({ title }) => title);
  return { pretended: (await pretended()) - before, advice };
}

it('costs are asked for once, and again where a table was analyzed', async (context) => {
  if (!hasHypopg) return context.skip();
  const first = await audit();
  expect(first.pretended).toBeGreaterThan(0);
  expect(first.advice.length).toBeGreaterThan(0);
  expect(await audit()).toEqual({ pretended: 0, advice: first.advice });
  await shop.run('analyze orders');
  const third = await audit();
  expect(third.pretended).toBeGreaterThan(0);
  expect(third.pretended).toBeLessThan(first.pretended);
  expect(third.advice).toEqual(first.advice);
});

it('is no part of what is kept of the snapshot, and holds no text of an index', async (context) => {
  if (!hasHypopg) return context.skip();
  const costs = await history.knownCosts('shop');
  expect(costs?.costs.length).toBeGreaterThan(0);
  expect(JSON.stringify(costs)).not.toMatch(/orders|customer/);
});
