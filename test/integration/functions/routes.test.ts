import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handler as indexes } from '../../../functions/audits/indexes.ts';
import { handler as queries } from '../../../functions/audits/queries.ts';
import { handler as resources } from '../../../functions/audits/resources.ts';
import { cache } from '../../../functions/environment.ts';
import { watcher } from '../../../functions/monitoring.ts';
import { cacheStats, routes } from '../../../functions/routes.ts';
import type { Finding } from '../../../lib/advice/finding.ts';
import type { CacheStatistics } from '../../../lib/cache/snapshot.ts';
import { errorCodes } from '../../../lib/errors.ts';
import { Problem } from '../../../lib/http/problem.ts';
import type { Index } from '../../../lib/indexes/snapshot.ts';
import { openHistory } from '../../../lib/postgres/history.ts';
import { StatementHistory } from '../../../lib/queries/history.ts';
import type { Statement } from '../../../lib/queries/snapshot.ts';
import type { QueryStatistics } from '../../../lib/queries/statistics.ts';
import type { MemoryPoint } from '../../../lib/resources/snapshot.ts';
import { type Api, configure, serveApi, tokens } from '../api.ts';
import { createDatabase, rowsOf, type TestDatabase } from '../database.ts';

interface List<Row> {
  data: Row[];
  meta: { database: string; total: number; limit: number; takenAt: string; notes: { code: string }[] };
}

let shop: TestDatabase;
let bills: TestDatabase;
let kept: TestDatabase;
let api: Api;

const guarded = routes.filter(({ scope }) => scope === 'read');

/** What is answered out of the history, and may be kept. */
const ofAudits = guarded.map(({ path }) => path).filter((path) => path !== cacheStats.path);

beforeAll(async () => {
  shop = await createDatabase({ name: `shop "q" 😀 ${process.pid}` });
  bills = await createDatabase({ extensions: false });
  kept = await createDatabase({ extensions: false });
  await shop.run(
    'create table "T 😀" (id int primary key, a int, b int)',
    'insert into "T 😀" select g, g, g from generate_series(1, 30000) g',
    'create index one on "T 😀" (a)',
    'create index "two ""2""" on "T 😀" (a)',
    'delete from "T 😀" where a % 5 <> 0',
    'vacuum "T 😀"',
    `select count(*), pg_sleep(0.11) from "T 😀" where b * 2 = 7`,
    'select count(*) from "T 😀" where b * 3 = 7',
  );
  await configure({
    STREAMGATE_DATABASES: JSON.stringify({ 'my shop 😀': shop.url, bills: bills.url, later: bills.url }),
    STREAMGATE_HISTORY_URL: kept.url,
  });
  api = await serveApi();
});

afterAll(async () => {
  await api?.close();
  for (const database of [shop, bills, kept]) await database?.drop();
});

async function refusal(path: string, init?: RequestInit): Promise<Problem> {
  const { status, headers, body } = await api.get(path, init);
  expect(headers.get('content-type')).toBe('application/problem+json');
  const problem = Problem.parse(body);
  expect(problem.status).toBe(status);
  expect(errorCodes).toHaveProperty([problem.code]);
  expect(problem.type).toBe(`urn:streamgate:error:${problem.code}`);
  return problem;
}

describe('before the first audit', () => {
  beforeAll(async () => {
    const history = openHistory(kept.url);
    await history.migrate();
    await history.close();
  });

  it.each(ofAudits)('%s asks to come again', async (path) => {
    expect(await refusal(path)).toMatchObject({ status: 503, code: 'history-empty' });
    expect((await api.get(path)).headers.get('retry-after')).toMatch(/^\d+$/);
  });
});

describe('after an audit', () => {
  beforeAll(async () => {
    const time = new Date().toISOString();
    await queries({ time });
    await indexes({ time });
    await resources({ time });
    await forgetLater();
  });

  /** "later" shares its database with "bills", but no audit of it was kept. */
  async function forgetLater() {
    await kept.run("delete from streamgate.audits where database = 'later'");
    await (await cache()).invalidate({ tags: ['audit:indexes:later', 'audit:queries:later'] });
  }

  const list = async <Row>(path: string) => (await api.get(path)).body as List<Row>;

  it.each(routes)('$path answers what it promises', async ({ method, path, response, scope }) => {
    const token = { read: `Bearer ${tokens.reader}`, operate: `Bearer ${tokens.operator}` };
    const authorization = scope === null ? '' : token[scope];
    const { status, headers, body } = await api.get(path, { method, headers: { authorization } });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    if (!ofAudits.includes(path)) expect(headers.get('cache-control')).toBe('no-store');
    expect(response.parse(body)).toEqual(body);
  });

  it.each(ofAudits)('%s may be kept for whoever sends the same token, and is not sent twice', async (path) => {
    const { headers } = await api.get(path);
    expect(headers.get('cache-control')).toMatch(
      /^public, max-age=0, s-maxage=2\d\d, stale-while-revalidate=60, stale-if-error=60$/,
    );
    expect(headers.get('vary')).toBe('authorization');
    const again = await fetch(`http://127.0.0.1:${api.port}${path}`, {
      headers: { authorization: `Bearer ${tokens.reader}`, 'if-none-match': headers.get('etag') ?? '' },
    });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('answers what the next audit finds, at once', async () => {
    const before = await list('/optimization/indexes/metrics');
    await indexes({ time: new Date().toISOString() });
    await forgetLater();
    const after = await list('/optimization/indexes/metrics');
    expect(Date.parse(after.meta.takenAt)).toBeGreaterThan(Date.parse(before.meta.takenAt));
  });

  it('answers from memory what was asked for before', async () => {
    await list('/optimization/indexes/unused');
    const before = (await cache()).stats();
    await list('/optimization/indexes/unused');
    const { l1, loads } = (await cache()).stats();
    expect({ fresh: l1.fresh, loads: loads.ok }).toEqual({ fresh: before.l1.fresh + 1, loads: before.loads.ok });
  });

  it('answers what the cache did', async () => {
    const { data } = (await api.get('/optimization/cache/stats')).body as { data: CacheStatistics };
    expect(data).toMatchObject({
      targetHitRate: 0.98,
      l1: { maxEntries: 1_000 },
      l2: { maxEntries: 10_000, store: 'postgres' },
    });
    expect(data.gets).toBeGreaterThan(0);
    expect(data.l2.entries).toBeGreaterThan(0);
    expect(data.loads.ok).toBeGreaterThan(0);
  });

  it('answers the indexes that SQL shows, largest first', async () => {
    const { data, meta } = await list<Index>('/optimization/indexes/metrics');
    const hand = await rowsOf<{ index: string; size: string }>(
      shop,
      `select indexrelname as index, pg_relation_size(indexrelid) as size from pg_stat_user_indexes order by 2 desc, 1`,
    );
    expect(data.map(({ index, sizeBytes }) => ({ index, size: String(sizeBytes) }))).toEqual(
      hand.sort((a, b) => Number(b.size) - Number(a.size)),
    );
    expect(meta).toMatchObject({ database: 'my shop 😀', total: 3, limit: 50 });
    // The embedded server does not have HypoPG.
    expect(meta.notes.filter(({ code }) => code !== 'hypopg-missing')).toEqual([]);
  });

  it('answers the findings about indexes', async () => {
    const of = async (path: string) =>
      (await list<Finding>(`/optimization/indexes/${path}`)).data.map(({ subject }) => subject.index);
    expect(await of('duplicates')).toEqual(['two "2"']);
    expect((await of('unused')).sort()).toEqual(['one', 'two "2"']);
    expect((await of('fragmented')).sort()).toEqual(['T 😀_pkey', 'one', 'two "2"']);
  });

  it('answers the statements, their sums and the slow ones', async () => {
    const { data: statements, meta } = await list<Statement>('/optimization/queries/metrics?limit=500');
    const { data: stats } = (await api.get('/optimization/queries/stats')).body as { data: QueryStatistics };
    const { data: slow } = await list<Finding>('/optimization/queries/slow');
    expect(meta.total).toBe(statements.length);
    expect(stats.statements).toBe(statements.length);
    expect(stats.calls).toBe(statements.reduce((all, { calls }) => all + calls, 0));
    const [hand] = await rowsOf<{ calls: string; total: number; id: string }>(
      shop,
      `select calls, total_exec_time as total, queryid::text as id from pg_stat_statements where query like 'select count(*), pg_sleep%'`,
    );
    expect(statements.find(({ queryId }) => queryId === hand?.id)).toMatchObject({
      calls: Number(hand?.calls),
      totalMs: hand?.total,
    });
    expect(slow.map(({ subject }) => subject.queryId)).toContain(hand?.id);
  });

  it('answers the recommendations that are open, or those of another status', async () => {
    const total = async (query: string) => (await list(`/optimization/recommendations${query}`)).meta.total;
    const findings = await Promise.all(
      ['indexes/duplicates', 'indexes/unused', 'indexes/fragmented', 'queries/slow'].map(
        async (path) => (await list(`/optimization/${path}`)).meta.total,
      ),
    );
    const listed = ['indexes/duplicate', 'indexes/unused', 'indexes/fragmented', 'queries/slow'];
    const { data } = await list<Finding>('/optimization/recommendations');
    expect(data.filter(({ rule }) => listed.includes(rule))).toHaveLength(findings.reduce((all, n) => all + n, 0));
    expect(await total('?status=open')).toBe(await total('?status=all'));
    for (const status of ['applied', 'verified', 'dismissed']) expect(await total(`?status=${status}`)).toBe(0);
    expect(await refusal('/optimization/recommendations?status=Open')).toMatchObject({ code: 'parameter-invalid' });
  });

  it('sorts, searches and pages the statements', async () => {
    const texts = async (query: string) => {
      const { data, meta } = await list<Statement>(`/optimization/queries/metrics?${query}`);
      return { texts: data.map((each) => each.query), data, total: meta.total };
    };
    const all = await texts('limit=500');
    expect(await texts('limit=500&sort=totalMs&order=desc')).toEqual(all);
    const calls = (await texts('limit=500&sort=calls&order=asc')).data.map((each) => each.calls);
    expect(calls).toEqual(calls.toSorted((a, b) => a - b));
    expect((await texts('limit=2&offset=1')).texts).toEqual(all.texts.slice(1, 3));
    expect(await texts(`limit=2&sort=calls&offset=${all.total}`)).toMatchObject({
      texts: [],
      total: all.total,
    });
    const found = await texts('search=PG_SLEEP');
    expect(found).toMatchObject({ texts: [expect.stringContaining('pg_sleep')], total: 1 });
    expect(await texts('search=no+such+text')).toEqual({ texts: [], data: [], total: 0 });
    for (const wrong of ['sort=query', 'order=down', 'offset=-1', 'window=now', 'search=', 'window=last&sort=maxMs']) {
      expect(await refusal(`/optimization/queries/metrics?${wrong}`), wrong).toMatchObject({
        code: 'parameter-invalid',
      });
    }
  });

  it('tells one statement over time', async () => {
    const { data } = await list<Statement>('/optimization/queries/metrics?search=pg_sleep');
    const { queryId } = data[0] as Statement;
    const { body } = (await api.get(`/optimization/queries/stats?queryId=${queryId}`)) as {
      body: { data: StatementHistory };
    };
    expect(StatementHistory.parse(body.data)).toEqual(body.data);
    expect(body.data.statement).toEqual(data[0]);
    // There was one audit: nothing lies between two.
    expect(body.data.windows).toEqual([]);
    expect(body.data.plans).toMatchObject([{ queryId, plan: { root: expect.any(Object) } }]);
    expect(body.data.findings.map(({ rule }) => rule)).toContain('queries/slow');
    expect(await refusal('/optimization/queries/stats?queryId=1')).toMatchObject({
      code: 'statement-unknown',
      status: 404,
    });
    expect(await refusal('/optimization/queries/stats?queryId=x')).toMatchObject({ code: 'parameter-invalid' });
  });

  it('cuts lists at the limit, and says how long they are', async () => {
    const { data, meta } = await list<Index>('/optimization/indexes/metrics?limit=1');
    expect([data.length, meta.total, meta.limit]).toEqual([1, 3, 1]);
    expect((await list('/optimization/indexes/metrics?limit=500')).meta).toMatchObject({ total: 3, limit: 500 });
    expect((await list('/optimization/recommendations?limit=2')).data).toHaveLength(2);
    expect((await list('/optimization/indexes/unused?limit=1')).meta).toMatchObject({ total: 2, limit: 1 });
  });

  it.each([
    'limit=0',
    'limit=501',
    'limit=abc',
    'limit=-1',
    'limit=1.5',
    'limit=',
    'limit=1&limit=2',
    'limit=%00',
    'limit=%EF%BC%91',
    'unknown=1',
    '__proto__=1',
    'database=',
    'Limit=1',
  ])('refuses ?%s', async (query) => {
    const { detail, ...rest } = await refusal(`/optimization/indexes/metrics?${query}`);
    expect(rest).toMatchObject({ status: 400, code: 'parameter-invalid' });
    expect(detail.toLowerCase()).toContain(query.split('=')[0]?.toLowerCase());
  });

  it('chooses the database', async () => {
    const name = encodeURIComponent('my shop 😀');
    expect((await list(`/optimization/indexes/metrics?database=${name}`)).meta).toMatchObject({ total: 3 });
    expect((await list('/optimization/indexes/metrics?database=bills')).meta).toMatchObject({
      database: 'bills',
      total: 0,
    });
    const { data, meta } = await list('/optimization/queries/metrics?database=bills');
    expect([data, meta.notes]).toMatchObject([[], [{ code: 'pg_stat_statements-missing' }]]);
    for (const { path } of guarded) {
      expect(await refusal(`${path}?database=none`)).toMatchObject({ status: 404, code: 'database-unknown' });
    }
    for (const path of ofAudits.filter((each) => !/memory|cpu/.test(each))) {
      expect(await refusal(`${path}?database=later`)).toMatchObject({ status: 503, code: 'history-empty' });
    }
  });

  it.each(guarded.map(({ path }) => path))('%s wants a token that may read', async (path) => {
    const as = (authorization: string) => refusal(path, { headers: { authorization } });
    expect(await as('')).toMatchObject({ status: 401, code: 'token-missing' });
    expect(await as(`Basic ${tokens.reader}`)).toMatchObject({ status: 401, code: 'token-missing' });
    expect(await as('Bearer nobody-knows')).toMatchObject({ status: 401, code: 'token-unknown' });
    expect(await as(`Bearer ${tokens.operator}`)).toMatchObject({ status: 403, code: 'scope-missing' });
    expect((await api.get(path, { headers: { authorization: '' } })).headers.get('www-authenticate')).toBe('Bearer');
  });

  it('describes itself to everybody', async () => {
    const { body } = await api.get('/openapi.json', { headers: { authorization: '' } });
    const { openapi, paths } = body as { openapi: string; paths: Record<string, object> };
    expect(openapi).toMatch(/^3\.1/);
    expect(Object.keys(paths).sort()).toEqual(routes.map(({ path }) => path).sort());
  });

  it('answers HEAD like GET, without the body', async () => {
    for (const { path } of routes.filter(({ method }) => method === 'GET')) {
      const [head, get] = [await api.get(path, { method: 'HEAD' }), await api.get(path)];
      expect([head.status, head.text, head.headers.get('content-type')]).toEqual([
        200,
        '',
        get.headers.get('content-type'),
      ]);
    }
  });

  it('tells of functions under whatever database', async () => {
    const { meta } = await list('/optimization/memory/stats?database=bills');
    expect(meta.database).toBe('my shop 😀');
  });

  it('tells of the samples of its own functions, one by one and summed up', async () => {
    for (let request = 0; request < 40; request++) await list('/optimization/indexes/unused');
    const history = openHistory(kept.url);
    const at = new Date();
    // The samples are brought to the history when the handler has answered, and at most every ten seconds.
    const series = watcher.series();
    await history.samples.append(series);
    await history.close();
    await resources({ time: at.toISOString() });
    const { data, meta } = await list<MemoryPoint>('/optimization/memory/metrics?function=local&limit=2');
    expect(meta.total).toBe(series.samples.length);
    expect(data).toMatchObject(
      series.samples
        .slice(-2)
        .reverse()
        .map(({ invocation, rssBytes }) => ({ function: 'local', invocation, rssBytes })),
    );
    expect((await list(`/optimization/cpu/metrics?since=${data[0]?.at}`)).data).toHaveLength(1);
    expect((await list('/optimization/cpu/metrics?function=none')).data).toEqual([]);
    for (const path of ['memory/stats', 'memory/trends', 'cpu/stats', 'cpu/trends']) {
      const { body } = await api.get(`/optimization/${path}?function=local`);
      expect((body as { data: { functions: object[] } }).data.functions).toMatchObject([{ function: 'local' }]);
    }
    expect(await refusal('/optimization/memory/metrics?since=yesterday')).toMatchObject({ code: 'parameter-invalid' });
  });

  it('collects garbage when it is told to, but not again at once', async () => {
    const order = { method: 'POST', headers: { authorization: `Bearer ${tokens.operator}` } };
    const force = (query: string) => refusal(`/optimization/gc/force${query}`, order);
    expect(await force('')).toMatchObject({ status: 409, code: 'collection-too-soon' });
    expect(await force('?scope=everything')).toMatchObject({ status: 400, code: 'parameter-invalid' });
    expect(await refusal('/optimization/gc/force', { method: 'POST' })).toMatchObject({ status: 403 });
    const { body } = await api.get('/optimization/gc/force?scope=fleet', order);
    expect(body).toMatchObject({ data: { scope: 'fleet', function: null } });
    expect(await force('?scope=fleet')).toMatchObject({ status: 409, code: 'collection-too-soon' });
    const floors = () => watcher.series().samples.filter(({ floor }) => floor !== null).length;
    const before = floors();
    await list('/optimization/indexes/unused');
    expect(floors()).toBe(before + 1);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('does not take %s', async (method) => {
    expect(await refusal('/optimization/indexes/metrics', { method })).toMatchObject({
      status: 405,
      code: 'method-not-allowed',
    });
    const { headers } = await api.get('/optimization/indexes/metrics', { method });
    expect(headers.get('allow')).toBe('GET');
  });

  it.each([
    '/optimization',
    '/optimization/indexes/metrics/',
    '/optimization/nothing',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/constructor',
    '/__proto__',
  ])('has nothing at %s', async (path) => {
    expect(await refusal(path)).toMatchObject({ status: 404, code: 'path-unknown' });
  });

  it('does not read the body of a method that it does not take', async () => {
    const body = 'x'.repeat(300_000);
    expect(await refusal('/optimization/indexes/metrics', { method: 'POST', body })).toMatchObject({ status: 405 });
  });
});
