import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openHistory } from '../../../../lib/postgres/history.ts';
import { openPool } from '../../../../lib/postgres/pool.ts';
import { postgresSamples } from '../../../../lib/resources/store/postgres.ts';
import { environment, sample } from '../../../unit/lib/resources/leak-series.ts';
import { createDatabase, type TestDatabase } from '../../database.ts';
import { storeContract } from './store-contract.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createDatabase({ extensions: false });
  pool = openPool(database.url);
  const history = openHistory(database.url);
  await history.migrate();
  await history.close();
});

afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

storeContract('PostgreSQL', {
  open: (limits) => postgresSamples(pool, 'the test database', limits),
  close: async () => {
    await pool.query('delete from streamgate.environments');
  },
});

describe('samples in PostgreSQL', () => {
  test('can come from several environments and connections at once', async () => {
    const pools = [openPool(database.url), openPool(database.url)];
    const stores = pools.map((one) => postgresSamples(one, 'the test database', { environments: 5 }));
    await Promise.all(
      Array.from({ length: 40 }, (_, place) =>
        stores[place % 2]?.append({
          environment: environment({ id: `e${place % 8}` }),
          samples: [sample(place + 1, { at: new Date(Date.UTC(2026, 0, 1, 0, place)).toISOString() })],
        }),
      ),
    );
    const found = await stores[0]?.read();
    expect(found?.length).toBeLessThanOrEqual(5);
    expect(found?.length).toBeGreaterThan(0);
    for (const one of pools) await one.end();
  });

  test('are none where the history has no tables yet, and cannot be kept there', async () => {
    const empty = await createDatabase({ extensions: false });
    const other = openPool(empty.url);
    const store = postgresSamples(other, 'an empty database');
    expect(await store.read()).toEqual([]);
    await expect(store.append({ environment: environment(), samples: [sample(1)] })).rejects.toMatchObject({
      name: 'StreamGateError',
      message: expect.stringContaining('an empty database'),
    });
    await other.end();
    await empty.drop();
  });
});
