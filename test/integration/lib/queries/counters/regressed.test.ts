/** `queries/regressed` on a server whose statements really have more to do from a day on: audits of six days, eight a day. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Finding } from '../../../../../lib/advice/finding.ts';
import { type OwnServer, ownServer } from '../servers.ts';
import { type Watched, watch } from '../watched.ts';
import { about, counted } from './judged.ts';

const perDay = 8;
const windowMinutes = (24 * 60) / perDay;
// Long enough that two windows in which the machine did something else are no habit.
const daysBefore = 5;
const windowsAfter = 6;

/** What is counted is read so many times over. */
const read = (table: string, times = 1) => `select count(*) from ${table}, generate_series(1, ${times}) where a > 0`;
const find = `select count(a) from indexed where id between 1001 and 3000`;
const nightly = (rows: number) => `select sum(g) from generate_series(1, ${rows}) g`;

let server: OwnServer;
let watched: Watched;
let findings: Finding[];
let atFirst: Finding[];
let minute = 0;

const repeat = (calls: number, statement: string): string[] => Array(calls).fill(statement);

/** A window of ordinary work, and an audit at its end. */
async function window(hour: number, oftenCalled: number): Promise<void> {
  await server.run(
    ...repeat(30, read('grown')),
    ...repeat(60, find),
    ...repeat(oftenCalled, read('steady')),
    ...repeat(12, read('incident')),
    // Once a day there is more to do.
    ...repeat(12, nightly(hour === 3 ? 20_000 : 200)),
  );
  minute += windowMinutes;
  ({ findings } = await watched.audit(minute));
}

const fill = (table: string, from: number, to: number) =>
  `insert into ${table} select g, g from generate_series(${from}, ${to}) g`;

beforeAll(async () => {
  // On a server that others use, they would take processors and forget statements.
  server = await ownServer();
  const rows = { grown: 4_000, indexed: 200_000, steady: 500, incident: 500 };
  await server.run(
    'create extension pg_stat_statements',
    ...Object.entries(rows).flatMap(([table, to]) => [`create table ${table} (id int, a int)`, fill(table, 1, to)]),
    'create index of_id on indexed (id)',
    'analyze',
    // The slowest calls of all come first: where counters have no date, it is they who tell that those count on.
    ...['grown', 'steady', 'incident'].map((table) => read(table, table === 'grown' ? 500 : 4_000)),
    'set enable_indexscan = off',
    'set enable_bitmapscan = off',
    ...repeat(3, find),
    'reset all',
    nightly(3_000_000),
  );
  watched = await watch(server.url);
  await watched.audit(minute);
  for (let i = 0; i < daysBefore * perDay; i++) await window(i % perDay, 12);
  atFirst = findings;
  await server.run(fill('grown', 4_001, 200_000), 'drop index of_id', fill('incident', 501, 100_000), 'analyze');
  for (let i = 0; i < windowsAfter; i++) {
    await window(i % perDay, 600);
    if (i === 0) await server.run('delete from incident where id > 500', 'vacuum full incident', 'analyze incident');
  }
});

afterAll(async () => {
  await watched?.close();
  await server?.remove();
});

const regressed = async (text: string) =>
  about(findings, counted(await watched.newest(), text)).filter(({ rule }) => rule === 'queries/regressed');

test('nothing is slower than before as long as nothing changes', () => {
  expect(atFirst.filter(({ rule }) => rule === 'queries/regressed')).toEqual([]);
});

test('a statement is that reads a table which has grown fifty times', async () => {
  const [finding, ...others] = await regressed(read('grown'));
  expect(others).toEqual([]);
  const { blocksPerCallBefore, blocksPerCallAfter } = (finding?.evidence ?? {}) as Record<string, number>;
  expect(blocksPerCallAfter).toBeGreaterThan(10 * (blocksPerCallBefore ?? Number.NaN));
});

test('a statement is that has lost its index, and its new plan is told', async () => {
  expect(await regressed(find)).toMatchObject([{ evidence: { planChangedAt: expect.any(String) } }]);
});

test.for([
  ['is called fifty times as often, and is as quick as before', read('steady')],
  ['had much to do for the time of one audit, and has no more', read('incident')],
  ['has much to do once a day, as ever', nightly(1)],
])('a statement is not that %s', async ([, text = '']) => {
  expect(await regressed(text)).toEqual([]);
});
