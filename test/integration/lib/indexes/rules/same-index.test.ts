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
  const rule = 'indexes/missing-foreign-key';
  const runAll = async (statements: string | undefined) => {
    for (const statement of (statements ?? '').split(';\n')) await database.run(statement);
  };

  it('the same is asked for, by all who asked, and what is left is taken away first', async () => {
    const before = await proposed('parent_id');
    const [first] = ofRule(rule, await collect(database.url));
    const writer = await hold(database.url, 'begin', `update child set email = 'x' where id = 1`);
    const builder = await hold(database.url, `set statement_timeout = '300ms'`);
    await expect(builder.client.query(first?.action?.sql ?? '')).rejects.toThrow(/timeout/);
    await writer.end();
    await builder.end();
    // The words of before are taken for done now: that is what the caution warns of.
    expect(first?.action?.caution).toContain('drop the invalid index that it leaves');
    await runAll(first?.action?.sql);

    const failed = await collect(database.url);
    const [again] = ofRule(rule, failed);
    expect(again?.id).toBe(first?.id);
    expect(again?.action?.sql).toMatch(
      /^DROP INDEX CONCURRENTLY IF EXISTS .*;\nCREATE INDEX CONCURRENTLY IF NOT EXISTS/,
    );
    const actions = await proposed('parent_id');
    expect(actions.length).toBe(before.length);
    for (const { sql: mend } of actions) expect(mend?.split(';\n')[0]).toBe(again?.action?.sql?.split(';\n')[0]);
    expect(actions.map(({ undoSql }) => undoSql)).toEqual(before.map(({ undoSql }) => undoSql));

    // Whoever follows all of them, and the rule over what is left, has one index, which is valid.
    const [left] = ofRule('indexes/invalid', failed);
    for (const { sql: mend } of [left?.action ?? {}, ...actions, left?.action ?? {}]) await runAll(mend);
    const mended = await collect(database.url);
    expect(mended.indexes).toHaveLength(failed.indexes.length);
    for (const each of [rule, 'indexes/invalid', 'indexes/duplicate']) expect(ofRule(each, mended)).toEqual([]);
    await runAll(first?.action?.undoSql);
  });

  it('what is left of a unique index stays, and another name is chosen', async () => {
    const [first] = ofRule(rule, await collect(database.url));
    const name = first?.subject.index ?? '';
    await database.run('update child set parent_id = 1');
    await expect(database.run(`create unique index concurrently ${name} on child (parent_id)`)).rejects.toThrow(
      /unique/,
    );
    const [again] = ofRule(rule, await collect(database.url));
    expect(again?.subject.index).toBe(`${name}1`);
    expect(again?.action?.sql).toMatch(/^CREATE INDEX/);
  });
});
