import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../../../functions/audits/audit.ts';
import { handler as indexes } from '../../../../functions/audits/indexes.ts';
import { handler as queries } from '../../../../functions/audits/queries.ts';
import { freePort } from '../../../../local/process.ts';
import { configure, letGo } from '../../api.ts';
import { createDatabase, rowsOf, type TestDatabase } from '../../database.ts';

let shop: TestDatabase;
let bills: TestDatabase;
let kept: TestDatabase;
let unreachable: string;

beforeAll(async () => {
  shop = await createDatabase({ name: `shop 😀 ${process.pid}` });
  bills = await createDatabase();
  await shop.run('create table t (a int)', 'create index one on t (a)', 'create index two on t (a)');
  await bills.run('create table b (a int primary key)');
  const url = new URL(shop.url);
  url.port = String(await freePort());
  url.password = 'gone-s3cret';
  unreachable = url.href;
});

afterEach(async () => {
  await letGo();
  await kept?.drop();
});

afterAll(async () => {
  await shop?.drop();
  await bills?.drop();
});

async function withDatabases(databases: Record<string, string>, more: Record<string, string> = {}) {
  kept = await createDatabase({ extensions: false });
  await configure({ STREAMGATE_DATABASES: JSON.stringify(databases), STREAMGATE_HISTORY_URL: kept.url, ...more });
}

const audits = () =>
  rowsOf<{ database: string; part: string; window: Date }>(
    kept,
    'select database, part, window_start as "window" from streamgate.audits order by 1, 2, 3',
  );

const time = '2026-05-04T03:00:00Z';

describe('the scheduled audits', () => {
  it('audit every configured database', async () => {
    await withDatabases({ 'my 😀 shop': shop.url, bills: bills.url });
    const report = await indexes({ time });
    expect(report).toMatchObject({
      'my 😀 shop': { kept: true, findings: 2 },
      bills: { kept: true, findings: 0 },
    });
    expect(await queries({ time })).toMatchObject({ 'my 😀 shop': { kept: true }, bills: { kept: true } });
    expect((await audits()).map(({ database, part }) => [database, part])).toEqual([
      ['bills', 'indexes'],
      ['bills', 'queries'],
      ['my 😀 shop', 'indexes'],
      ['my 😀 shop', 'queries'],
    ]);
    expect((await audits())[0]?.window.toISOString()).toBe('2026-05-04T03:00:00.000Z');
  });

  it('name a database by its URL when it has no other name', async () => {
    kept = await createDatabase({ extensions: false });
    await configure({ DATABASE_URL: shop.url, STREAMGATE_HISTORY_URL: kept.url });
    expect(Object.keys(await indexes({ time }))).toEqual([shop.name]);
  });

  it('audit the others when one cannot be reached, and fail with the reason', async () => {
    await withDatabases({ a: unreachable, shop: shop.url });
    const error = (await indexes({ time }).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'database-unreachable' });
    expect(error.message).toContain('Nothing listens at');
    expect(error.message).not.toContain('gone-s3cret');
    expect((await audits()).map(({ database }) => database)).toEqual(['shop']);
  });

  it('tell of every failure when there are several', async () => {
    const missing = new URL(shop.url);
    missing.pathname = '/not-there';
    await withDatabases({ a: unreachable, b: missing.href, shop: shop.url });
    const error = (await indexes({ time }).catch((thrown: unknown) => thrown)) as AggregateError;
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.errors).toMatchObject([{ code: 'database-unreachable' }, { code: 'database-missing' }]);
    expect(error.message).toMatch(/Nothing listens at .* no such database at/);
    expect(error.message).not.toContain('gone-s3cret');
    expect(await audits()).toHaveLength(1);
  });

  it('do an event once, and what failed again', async () => {
    await withDatabases({ a: unreachable, shop: shop.url });
    await expect(indexes({ time })).rejects.toThrow('Nothing listens');
    await configure({
      STREAMGATE_DATABASES: JSON.stringify({ a: bills.url, shop: shop.url }),
      STREAMGATE_HISTORY_URL: kept.url,
    });
    expect(await indexes({ time })).toEqual({ a: { kept: true, findings: 0 }, shop: { kept: false, findings: 0 } });
    expect(await audits()).toHaveLength(2);
  });

  it('keep an event once when it comes twice at a time', async () => {
    await withDatabases({ shop: shop.url });
    const reports = await Promise.all([indexes({ time }), indexes({ time }), indexes({ time })]);
    expect(reports.filter((report) => report.shop?.kept)).toHaveLength(1);
    expect(await audits()).toHaveLength(1);
  });

  it('forget what is older than the retention', async () => {
    await withDatabases({ shop: shop.url }, { STREAMGATE_RETENTION_DAYS: '30' });
    await indexes({ time: new Date().toISOString() });
    await kept.run(
      `insert into streamgate.audits (database, part, window_start, taken_at, notes, summary, snapshot, row_count)
       select 'shop', 'indexes', at, at, '[]', '{}', '{}', 0 from unnest(array[now() - interval '31 days', now() - interval '29 days']) at`,
    );
    expect(await audits()).toHaveLength(3);
    await queries({ time: new Date().toISOString() });
    const left = await audits();
    expect(left).toHaveLength(3);
    expect(left.every(({ window }) => window.getTime() > Date.now() - 30 * 86_400_000)).toBe(true);
  });

  it.each(['', 'yesterday', '2026-13-01T00:00:00Z', undefined])('refuse the time %j', async (bad) => {
    await withDatabases({ shop: shop.url });
    const event = { time: bad } as AuditEvent;
    await expect(indexes(event)).rejects.toMatchObject({
      code: 'configuration-invalid',
      message: expect.stringContaining('Send the time for which it was scheduled: {"time"'),
    });
    await expect(queries(event)).rejects.toMatchObject({ code: 'configuration-invalid' });
  });

  it('fail with a message about the history when that cannot be reached', async () => {
    kept = await createDatabase({ extensions: false });
    await configure({ DATABASE_URL: shop.url, STREAMGATE_HISTORY_URL: unreachable });
    const error = (await indexes({ time }).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'database-unreachable' });
    expect(error.message).toContain('(the history)');
    expect(error.message).not.toContain('gone-s3cret');
  });
});
