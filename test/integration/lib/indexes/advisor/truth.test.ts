/** Statements at random: the advisor proposes an index for the tables that lack one, and for no other, with HypoPG and by its estimate. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge, takeSnapshot } from '../../../../../lib/audit.ts';
import { adviseDatabase } from '../../../../../lib/indexes/advisor/advise-database.ts';
import { estimatePricing } from '../../../../../lib/indexes/advisor/pricing.ts';
import { workloadOfDatabase } from '../../../../../lib/indexes/advisor/workload.ts';
import { createDatabase, createHypopg, forgetStatements, type TestDatabase, withSession } from '../../../database.ts';
import { choose, compare, type Played, playStep, seed, versionNumberOf } from '../themes/play.ts';
import { missing } from '../themes/statements.ts';

let database: TestDatabase;
let hasHypopg = false;
let scenes: Played[];

beforeAll(async () => {
  database = await createDatabase();
  hasHypopg = await createHypopg(database);
  scenes = choose(missing, { perKind: 1, versionNumber: await versionNumberOf(database) });
  await playStep(database, scenes, 0);
  // New indexes take a fifth of the database at most: all must fit.
  await database.run(
    'create table ballast as select repeat(md5(g::text), 30) from generate_series(1, 60000) g',
    'vacuum analyze',
  );
  await database.run(forgetStatements);
  await playStep(database, scenes, 1);
});

afterAll(() => database?.drop());

describe(`statements at random (seed ${seed})`, () => {
  it('an audit proposes what is lacking and nothing else, where HypoPG is there', async ({ skip }) => {
    skip(!hasHypopg, 'This PostgreSQL has no HypoPG.');
    const findings = judge(await takeSnapshot(database.url)).filter(({ rule }) => rule === missing.rule);
    expect(compare(missing, scenes, findings)).toEqual({ wrong: [], precision: 1, recall: 1 });
  });

  it('the estimate proposes most of what is lacking, and nothing else', async () => {
    const { indexes } = await withSession(database.url, async (session, server) =>
      adviseDatabase(session, server, {
        workload: await workloadOfDatabase(session, server),
        pricing: estimatePricing(),
        budgetBytes: null,
      }),
    );
    const found = indexes.map(({ table, sql }) => ({ subject: { database: database.name, table }, title: sql }));
    const estimated = { ...missing, rule: `${missing.rule}, estimated` };
    const { precision, recall } = compare(estimated, scenes, found);
    expect(precision).toBe(1);
    // It takes every range for a third of the rows.
    expect(recall).toBeGreaterThanOrEqual(0.7);
  });
});
