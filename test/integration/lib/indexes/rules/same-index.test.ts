/** Rules that want the same index are both followed; and one of them once more, after a build that failed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRules } from '../../../../../lib/advice/configuration.ts';
import { adviseDatabase } from '../../../../../lib/indexes/advisor/advise-database.ts';
import { estimatePricing } from '../../../../../lib/indexes/advisor/pricing.ts';
import { workloadOfFile } from '../../../../../lib/indexes/advisor/workload.ts';
import { indexRules } from '../../../../../lib/indexes/rules/index.ts';
import type { IndexSnapshot } from '../../../../../lib/indexes/snapshot.ts';
import { collectQueries } from '../../../../../lib/queries/collect.ts';
import { queryRules } from '../../../../../lib/queries/rules/index.ts';
import { collect, createDatabase, definitions, hold, type TestDatabase, withSession } from '../../../database.ts';

let database: TestDatabase;
const sql = 'select * from child where parent_id = 7';

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create table parent (id int primary key)',
    'create table child (id int primary key, parent_id int references parent, email text)',
    'insert into parent select generate_series(1, 2000)',
    `insert into child select i, 1 + i % 2000, 'Person' || i from generate_series(1, 60000) i`,
    'vacuum analyze',
    'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)',
    ...Array.from({ length: 10 }, () => sql),
    ...Array.from({ length: 10 }, () => `select * from child where lower(email) = 'person7'`),
  );
});

afterAll(async () => {
  await database?.drop();
});

const ofRule = (rule: string, snapshot: IndexSnapshot) =>
  runRules(indexRules, snapshot).filter((finding) => finding.rule === rule);

/** What three kinds of rules propose for a table, by the column. */
async function proposed(column: string) {
  return withSession(database.url, async (session, server) => {
    const workload = await workloadOfFile(`${sql}; select * from child where lower(email) = 'person7'`);
    const advice = await adviseDatabase(session, server, { workload, pricing: estimatePricing(), budgetBytes: null });
    const queries = runRules(queryRules, { ...(await collectQueries(session, server)), past: undefined });
    const all = [
      ...advice.indexes,
      ...ofRule('indexes/missing-foreign-key', await collect(database.url)).flatMap(({ action }) => action ?? []),
      ...queries.flatMap(({ action }) => action ?? []),
    ];
    return all.filter((action) => action.sql?.includes('CREATE INDEX') && action.sql.includes(column));
  });
}

describe('the same index of several rules', () => {
  it.each([
    ['parent_id', 3],
    ['lower("email")', 2],
  ])('on %s has one name, is made once, and is taken back once', async (column, least) => {
    const actions = await proposed(column);
    expect(actions.length).toBeGreaterThanOrEqual(least);
    expect(new Set(actions.map(({ undoSql }) => undoSql)).size).toBe(1);
    const before = await collect(database.url);
    for (const action of actions) await database.run(action.sql ?? '');
    expect((await collect(database.url)).indexes).toHaveLength(before.indexes.length + 1);
    for (const { undoSql } of actions) await database.run(undoSql ?? '');
    expect(definitions(await collect(database.url))).toEqual(definitions(before));
  });
});

describe('after a build that failed', () => {
  it('the index is asked for under another name, which what is left does not stand for', async () => {
    const [first] = ofRule('indexes/missing-foreign-key', await collect(database.url));
    const writer = await hold(database.url, 'begin', `update child set email = 'x' where id = 1`);
    const builder = await hold(database.url, `set statement_timeout = '300ms'`);
    await expect(builder.client.query(first?.action?.sql ?? '')).rejects.toThrow(/timeout/);
    await writer.end();
    await builder.end();
    // The words of before are taken for done now: that is what the caution warns of.
    expect(first?.action?.caution).toContain('drop the invalid index that it leaves');
    await database.run(first?.action?.sql ?? '');

    const failed = await collect(database.url);
    const [again] = ofRule('indexes/missing-foreign-key', failed);
    expect(again?.subject.index).toBe(`${first?.subject.index}1`);
    expect(ofRule('indexes/invalid', failed)[0]?.action?.sql).toMatch(/^REINDEX INDEX CONCURRENTLY/);

    await database.run(again?.action?.sql ?? '');
    const mended = await collect(database.url);
    expect(ofRule('indexes/missing-foreign-key', mended)).toEqual([]);
    const [left] = ofRule('indexes/invalid', mended);
    expect(left?.action?.sql).toMatch(/^DROP INDEX CONCURRENTLY IF EXISTS/);
    await database.run(left?.action?.sql ?? '');
    expect(ofRule('indexes/invalid', await collect(database.url))).toEqual([]);
  });
});
