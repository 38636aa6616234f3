import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAudit } from '../../../../lib/audit.ts';
import { type History, openHistory } from '../../../../lib/postgres/history.ts';
import { createDatabase, hold, type TestDatabase } from '../../database.ts';

let shop: TestDatabase;
let kept: TestDatabase;
let history: History;

beforeAll(async () => {
  [shop, kept] = [await createDatabase(), await createDatabase({ extensions: false })];
  await shop.run(
    'create table t (id int primary key, a int)',
    'insert into t select g, g from generate_series(1, 100) g',
    'create index one on t (a)',
    'create index two on t (a)',
  );
  history = openHistory(kept.url);
  await history.migrate();
});

afterAll(async () => {
  await history?.close();
  await shop?.drop();
  await kept?.drop();
});

const audit = (hour: number, configuration = {}) =>
  runAudit('indexes', { name: 'my shop', url: shop.url }, new Date(Date.UTC(2026, 5, 1, hour)), history, configuration);

const all = () => history.recommendations('my shop', undefined);

describe('the life of a recommendation, from audit to audit', () => {
  it('opens with the first audit that finds it', async () => {
    const { kept: stored, findings } = await audit(1);
    expect(stored).toBe(true);
    expect(findings).toMatchObject([{ rule: 'indexes/duplicate', subject: { database: 'my shop', index: 'two' } }]);
    const [first, ...rest] = await all();
    expect(rest).toEqual([]);
    expect(first).toMatchObject({ ...findings[0], status: 'open', appliedAt: null });
    expect(first?.lastSeenAt).toBe(first?.firstSeenAt);
  });

  it('is not touched by an audit of the same window', async () => {
    const before = await all();
    expect(await audit(1)).toEqual({ kept: false, findings: [] });
    expect(await all()).toEqual(before);
  });

  it('stays open while it is found', async () => {
    const [before] = await all();
    await audit(2);
    const [after] = await all();
    expect(after).toMatchObject({ id: before?.id, status: 'open', firstSeenAt: before?.firstSeenAt });
    expect(Date.parse(after?.lastSeenAt ?? '')).toBeGreaterThan(Date.parse(before?.lastSeenAt ?? ''));
  });

  it('stays open when the audit could not look, or the rule is off', async () => {
    const other = await hold(shop.url, 'begin', 'lock table t in access exclusive mode');
    expect((await audit(3)).findings).toEqual([]);
    await other.end();
    expect((await all()).map(({ status }) => status)).toEqual(['open']);
    expect((await audit(4, { 'indexes/duplicate': false })).findings).toEqual([]);
    expect((await all()).map(({ status }) => status)).toEqual(['open']);
  });

  it('is applied once an audit misses it', async () => {
    const [open] = await all();
    await shop.run(open?.action?.sql ?? '');
    expect((await audit(5)).findings).toEqual([]);
    const [applied] = await all();
    expect(applied).toMatchObject({ id: open?.id, status: 'applied', lastSeenAt: open?.lastSeenAt });
    const head = await history.latest('my shop', 'indexes');
    expect(applied?.appliedAt).toBe(head?.takenAt);
    expect(await history.recommendations('my shop', 'open')).toEqual([]);
    expect(await history.recommendations('my shop', 'applied')).toHaveLength(1);
  });

  it('opens again when the fault comes back', async () => {
    const [applied] = await all();
    await shop.run(applied?.action?.undoSql ?? '');
    await audit(6);
    expect(await all()).toMatchObject([
      { id: applied?.id, status: 'open', firstSeenAt: applied?.firstSeenAt, appliedAt: null },
    ]);
  });

  it('is not touched by an audit of another part', async () => {
    const before = await all();
    await runAudit('queries', { name: 'my shop', url: shop.url }, new Date(Date.UTC(2026, 5, 1, 7)), history);
    expect((await all()).filter(({ rule }) => rule === 'indexes/duplicate')).toEqual(before);
  });
});
