/** An index that was recommended is built, under a name of the user's own; audits notice it and hold the times against what was expected. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recommendations } from '../../../../functions/routes.ts';
import { type Effect, effectsOf } from '../../../../lib/advice/effect.ts';
import type { Recommendation } from '../../../../lib/advice/recommendation.ts';
import { runAudit } from '../../../../lib/audit.ts';
import { configure, serveApi } from '../../api.ts';
import { createDatabase, createHypopg, type TestDatabase } from '../../database.ts';
import { type Watched, watch, watchedName } from '../queries/watched.ts';

const scan = 'plans/selective-seq-scan';
const advisor = 'indexes/missing';
const slow = 'select sum(amount) from orders where customer = 7';
const gone = 'select max(amount) from letters where customer = 7';

let shop: TestDatabase;
let watched: Watched;
let hasHypopg = false;
let minute = 0;

const calls = (...statements: string[]) => shop.run(...statements.flatMap((each) => Array<string>(12).fill(each)));

async function auditIndexes() {
  minute += 1;
  await watched.audit(minute, { [scan]: { minRows: 100 } });
  await runAudit('indexes', { name: watchedName, url: shop.url }, new Date(), watched.history);
}

async function auditQueries(times: number, ...statements: string[]) {
  for (let i = 0; i < times; i++) {
    await calls(...statements);
    minute += 5;
    await watched.audit(minute, { [scan]: { minRows: 100 } });
  }
}

const adviceOn = async (table: string, rule: string): Promise<Recommendation | undefined> =>
  (await watched.recommendations(rule)).find(({ action }) => action?.sql?.includes(`"${table}"`));

beforeAll(async () => {
  shop = await createDatabase();
  hasHypopg = await createHypopg(shop);
  for (const table of ['orders', 'letters']) {
    await shop.run(
      `create table ${table} (id int, customer int, amount int) with (parallel_workers = 0)`,
      `insert into ${table} select g, g, g % 100 from generate_series(1, 200000) g`,
      `vacuum analyze ${table}`,
    );
  }
  // New indexes take a fifth of the database at most: both must fit.
  await shop.run('create table ballast as select repeat(md5(g::text), 30) from generate_series(1, 40000) g');
  await shop.run(
    'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)',
  );
  watched = await watch(shop.url);
  await auditQueries(7, slow, gone);
  await auditIndexes();
});

afterAll(async () => {
  await watched?.close();
  await shop?.drop();
});

/** What both rules must know of the index in the end. */
function expectMeasured(effect: Effect | undefined): void {
  expect(effect?.index).toBe('public."Mine"');
  expect(effect?.statements).toHaveLength(1);
  const [statement] = effect?.statements ?? [];
  expect(statement?.measuredRatio).toBeLessThan(0.5);
  expect(statement?.windowsAfter).toBeGreaterThanOrEqual(5);
}

describe('an index that was recommended', () => {
  it('is recommended, and nothing is known of its effect', async () => {
    const open = await adviceOn('orders', scan);
    expect(open).toMatchObject({ status: 'open' });
    expect(open).not.toHaveProperty('effect');
    if (!hasHypopg) return;
    const proposal = await adviceOn('orders', advisor);
    expect(proposal).toMatchObject({ status: 'open', expected: { statements: [{ queryId: open?.subject.queryId }] } });
    expect(await adviceOn('letters', advisor)).toMatchObject({ status: 'open' });
  });

  it('is noticed under another name, with its size', async () => {
    const sql = (await adviceOn('orders', hasHypopg ? advisor : scan))?.action?.sql ?? '';
    await shop.run(sql.replace(/"orders_\w+"/, '"Mine"'));
    await auditQueries(1, slow, gone);
    expect(await adviceOn('orders', scan)).toMatchObject({ status: 'applied' });
    await auditIndexes();
    if (!hasHypopg) return;
    const applied = await adviceOn('orders', advisor);
    expect(applied).toMatchObject({ status: 'applied', effect: { index: 'public."Mine"', measuredRatio: null } });
    const { sizeBytes = 0, expectedBytes } = applied?.effect ?? {};
    expect(sizeBytes).toBeGreaterThan(1_000_000);
    expect((expectedBytes ?? 0) / sizeBytes).toBeCloseTo(1, 1);
  });

  it('is measured once there are windows, by the rule over plans as well', async () => {
    // On a busy machine it takes more windows to tell.
    for (let i = 0; i < 30 && (await adviceOn('orders', scan))?.status === 'applied'; i++)
      await auditQueries(1, slow, gone);
    const verified = await adviceOn('orders', scan);
    expect(verified).toMatchObject({ status: 'verified', effect: { expectedBytes: null, expectedRatio: null } });
    // Another key than the one of the plan: the advisor may have covered the amount as well.
    expectMeasured(verified?.effect);
  });

  it('and what the advisor expected stands beside it', async (context) => {
    if (!hasHypopg) return context.skip();
    await auditIndexes();
    for (let i = 0; i < 10 && (await adviceOn('orders', advisor))?.status === 'applied'; i++) {
      await auditQueries(2, slow, gone);
      await auditIndexes();
    }
    const verified = await adviceOn('orders', advisor);
    expect(verified).toMatchObject({ status: 'verified', effect: { index: 'public."Mine"' } });
    expectMeasured(verified?.effect);
    const { expectedRatio, measuredRatio } = verified?.effect ?? {};
    expect(expectedRatio).toBeLessThan(0.1);
    const all = effectsOf(await watched.recommendations());
    expect(all?.measured).toBe(1);
    expect(all?.medianMeasuredToExpected).toBeCloseTo((measuredRatio ?? 0) / (expectedRatio ?? 1), 9);
  });
});

describe('the recommendations that the API answers', () => {
  it('have the effect, and a summary of all, whatever their status', async () => {
    const databases = JSON.stringify({ [watchedName]: shop.url });
    await configure({ STREAMGATE_DATABASES: databases, STREAMGATE_HISTORY_URL: watched.kept.url });
    const api = await serveApi();
    try {
      for (const status of ['open', 'verified']) {
        const { body } = await api.get(`/optimization/recommendations?status=${status}`);
        const { data, meta } = recommendations.response.parse(body);
        expect(meta.effects).toEqual(effectsOf(await watched.recommendations()));
        expect(meta.effects?.built).toBeGreaterThan(0);
        expect(data.some(({ effect }) => effect !== undefined)).toBe(status === 'verified');
      }
    } finally {
      await api.close();
    }
  });
});

describe('a proposal that is made no more', () => {
  it('is withdrawn where its index is not there, and not taken for applied', async (context) => {
    if (!hasHypopg) return context.skip();
    expect(await adviceOn('letters', advisor)).toMatchObject({ status: 'open' });
    await shop.run('drop table letters');
    await auditIndexes();
    expect(await adviceOn('letters', advisor)).toBeUndefined();
    expect(await adviceOn('orders', advisor)).toMatchObject({ status: 'verified' });
  });
});
