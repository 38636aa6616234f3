/** A plan that changes between two audits: news if the statement became slower with it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../database.ts';
import { type Watched, watch, watchedName } from './watched.ts';

let shop: TestDatabase;
let watched: Watched;
let minute = 0;

const statements = {
  slower: 'select sum(amount) from orders where customer = 7',
  faster: 'select sum(amount) from letters where customer = 7',
  steady: 'select sum(amount) from visits where customer = 7',
};
type Name = keyof typeof statements;

async function audits(times: number) {
  for (let i = 0; i < times; i++) {
    await shop.run(...Object.values(statements).flatMap((statement) => Array.from({ length: 24 }, () => statement)));
    minute += 5;
    await watched.audit(minute);
  }
}

const idOf = async (name: Name) => (await watched.statement(statements[name].replace(/ = 7$/, '')))?.queryId ?? '';

const changed = async () => {
  const { findings } = await watched.audit(minute + 1);
  minute += 1;
  return findings.filter(({ rule }) => rule === 'plans/changed');
};

const shapes = async (name: Name) => {
  const id = await idOf(name);
  return (await watched.history.past(watchedName, [id], new Date(0))).plans.get(id)?.map(({ shape }) => shape) ?? [];
};

beforeAll(async () => {
  shop = await createDatabase();
  await shop.run(
    ...['orders', 'letters', 'visits'].flatMap((table) => [
      `create table ${table} (id int primary key, customer int, amount int)`,
      `insert into ${table} select g, g, g % 100 from generate_series(1, ${table === 'orders' ? 60_000 : 5_000}) g`,
    ]),
    'create index of_customer on orders (customer)',
    'create index visits_of_customer on visits (customer)',
    'analyze orders',
    'analyze letters',
    'analyze visits',
    // What filled the tables would be nearly all of the time, and of that alone there would be plans.
    'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)',
  );
  watched = await watch(shop.url);
  await audits(4);
});

afterAll(async () => {
  await watched?.close();
  await shop?.drop();
});

describe('a plan', () => {
  it('has one shape as long as nothing changes', async () => {
    for (const name of Object.keys(statements) as Name[]) expect(await shapes(name), name).toHaveLength(1);
    expect(await changed()).toEqual([]);
  });

  it('that changed is reported when the statement became slower, and only then', async () => {
    await shop.run(
      'drop index of_customer',
      'create index on letters (customer)',
      'alter index visits_of_customer rename to another',
    );
    await audits(2);
    expect(await shapes('slower')).toHaveLength(2);
    expect(await shapes('faster')).toHaveLength(2);
    const found = await changed();
    expect(found.map(({ subject }) => subject.queryId)).toEqual([await idOf('slower')]);
    const { meanMsBefore = 0, meanMsSince = 0 } = (found[0]?.evidence ?? {}) as Record<string, number>;
    expect(meanMsSince).toBeGreaterThan(1.5 * meanMsBefore);
    expect(found[0]?.evidence).toMatchObject({ callsSince: expect.any(Number), shape: (await shapes('slower'))[1] });
  });

  it('that is as it was before is no change', async () => {
    await shop.run('create index of_customer on orders (customer)');
    await audits(3);
    expect(await shapes('slower')).toHaveLength(2);
    expect(await changed()).toEqual([]);
    const [advice] = await watched.recommendations('plans/changed');
    expect(advice).toMatchObject({ subject: { queryId: await idOf('slower') }, status: 'applied' });
  });
});
