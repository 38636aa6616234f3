import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handler as indexes } from '../../../../functions/audits/indexes.ts';
import { cacheStats, health, routes } from '../../../../functions/routes.ts';
import { Problem } from '../../../../lib/http/problem.ts';
import { freePort } from '../../../../local/process.ts';
import { type Api, configure, serveApi, tokens } from '../../api.ts';
import { createDatabase, type TestDatabase } from '../../database.ts';

let shop: TestDatabase;
let kept: TestDatabase;
let api: Api;

beforeAll(async () => {
  shop = await createDatabase();
  kept = await createDatabase({ extensions: false });
  await shop.run('create table t (id int primary key, a text)', 'drop extension pg_stat_statements');
  await configure({ STREAMGATE_DATABASES: JSON.stringify({ shop: shop.url }), STREAMGATE_HISTORY_URL: kept.url });
  api = await serveApi();
  await indexes({ time: '2026-05-04T03:00:00Z' });
});

afterAll(async () => {
  await api?.close();
  await shop?.drop();
  await kept?.drop();
});

const path = '/optimization/health';
const stranger = { headers: { authorization: '' } };

describe('GET /optimization/health', () => {
  it('tells a stranger that it is up, and nothing else', async () => {
    const { status, text, headers } = await api.get(path, stranger);
    expect(status).toBe(200);
    expect(text).toBe('{"data":{"status":"up"},"meta":{}}');
    expect(headers.get('cache-control')).toBe('no-store');
    for (const token of [tokens.nothing, tokens.operator, 'unknown-token']) {
      const other = await api.get(path, { headers: { authorization: `Bearer ${token}` } });
      expect([other.status, other.text]).toEqual([status, text]);
    }
  });

  it('tells the bearer of a token what was audited when', async () => {
    const { status, body } = await api.get(path);
    expect(status).toBe(200);
    const { data } = health.response.parse(body) as { data: { details: Record<string, unknown> } };
    expect(data.details).toMatchObject({
      history: { status: 'up' },
      audits: [
        {
          database: 'shop',
          part: 'indexes',
          takenAt: expect.any(String),
          ageSeconds: expect.any(Number),
          notes: expect.any(Array),
        },
        { database: 'shop', part: 'queries', takenAt: null, ageSeconds: null, notes: [] },
        { database: 'shop', part: 'cache', takenAt: null, ageSeconds: null, notes: [] },
        { database: 'shop', part: 'resources', takenAt: null, ageSeconds: null, notes: [] },
      ],
    });
  });

  describe('when the history is gone', () => {
    beforeAll(async () => {
      const gone = new URL(kept.url);
      gone.port = String(await freePort());
      gone.password = 'gone-s3cret';
      await configure({ STREAMGATE_DATABASES: JSON.stringify({ shop: shop.url }), STREAMGATE_HISTORY_URL: gone.href });
    });

    it('tells a stranger that it is down, and not why', async () => {
      const { status, text } = await api.get(path, stranger);
      expect(status).toBe(503);
      expect(text).toBe('{"data":{"status":"down"},"meta":{}}');
    });

    it('tells the bearer of a token why, without a secret', async () => {
      const { status, body, text } = await api.get(path);
      expect(status).toBe(503);
      expect(health.response.parse(body)).toMatchObject({
        data: {
          status: 'down',
          details: { history: { status: 'down', message: expect.stringContaining('(the history)') }, audits: [] },
        },
      });
      expect(text).not.toContain('gone-s3cret');
    });

    it.each(routes.filter(({ scope }) => scope === 'read').map((route) => route.path))(
      '%s says 503 and when to come again',
      async (each) => {
        const { status, body, text, headers } = await api.get(each);
        expect(status).toBe(503);
        expect(headers.get('content-type')).toBe('application/problem+json');
        expect(headers.get('retry-after')).toMatch(/^\d+$/);
        expect(Problem.parse(body)).toMatchObject({
          status: 503,
          code: each === cacheStats.path ? 'cache-unreachable' : 'database-unreachable',
        });
        expect(text).not.toContain('gone-s3cret');
      },
    );
  });
});
