import { afterAll, beforeAll, expect, test } from 'vitest';
import { routes } from '../../../../functions/routes.ts';
import { openHistory } from '../../../../lib/postgres/history.ts';
import { environment, sample } from '../../../unit/lib/resources/leak-series.ts';
import { type Api, configure, serveApi } from '../../api.ts';
import { createDatabase, type TestDatabase } from '../../database.ts';
import { auditFunctions } from './audit-functions.ts';

const now = Date.now();
const overFunctions = routes.filter(({ path }) => /\/(memory|cpu)\//.test(path));

let kept: TestDatabase;
let api: Api;

beforeAll(async () => {
  kept = await createDatabase({ extensions: false });
  await configure({ DATABASE_URL: kept.url, STREAMGATE_HISTORY_URL: kept.url });
  api = await serveApi();
}, 120_000);

afterAll(async () => {
  await api?.close();
  await kept?.drop();
});

test('before there are samples every answer about functions says so, and what to do', async () => {
  await auditFunctions(new Date(now - 120_000));
  for (const { path, response } of overFunctions) {
    const { status, body } = await api.get(path);
    expect(status).toBe(200);
    expect(response.parse(body)).toMatchObject({
      meta: { notes: [{ code: 'samples-missing', message: expect.stringContaining('monitor()') }] },
    });
  }
});

test('with the first samples the note is gone', async () => {
  const history = openHistory(kept.url);
  const samples = [sample(10, { at: new Date(now - 60_000).toISOString() })];
  await history.samples.append({ environment: environment({ function: 'cart' }), samples });
  await history.close();
  await auditFunctions(new Date(now));
  for (const { path } of overFunctions) {
    expect((await api.get(path)).body).toMatchObject({ meta: { notes: [] } });
  }
});
