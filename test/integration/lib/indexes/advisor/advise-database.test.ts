import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { takeSnapshot } from '../../../../../lib/audit.ts';
import {
  adviseDatabase,
  type DatabaseAdvice,
  type DatabaseTask,
  type Pricing,
} from '../../../../../lib/indexes/advisor/advise-database.ts';
import { copyPricing, estimatePricing, hypopgPricing } from '../../../../../lib/indexes/advisor/pricing.ts';
import { realSource } from '../../../../../lib/indexes/advisor/real.ts';
import { workloadOfDatabase, workloadOfFile } from '../../../../../lib/indexes/advisor/workload.ts';
import { readServer, type Server } from '../../../../../lib/postgres/server.ts';
import { type Session, withSession } from '../../../../../lib/postgres/session.ts';
import {
  createDatabase,
  createHypopg,
  createRole,
  forgetStatements,
  rolePassword,
  rowsOf,
  type TestDatabase,
} from '../../../database.ts';

let database: TestDatabase;
let hasHypopg = false;

const secret = 'topsecret@example.org';
const workload = `
  select * from orders where customer_id = $1;
  select id from orders where customer_id = 42 and created_at > '2026-01-03' order by created_at desc limit 10;
  select count(*) from orders where deleted_at is not null;
  select * from people where lower(email) = '${secret}';
  update orders set total = 1 where number = 77;
  insert into orders (id, customer_id, number) values (1, 2, 3);
  select 1`;

beforeAll(async () => {
  database = await createDatabase();
  hasHypopg = await createHypopg(database);
  await database.run(
    `create table orders (id int, customer_id int, number int, total numeric, created_at timestamptz default now(), deleted_at timestamptz)`,
    `insert into orders select i, i % 2000, i, i % 100, timestamptz '2026-01-01' + i * interval '1 minute', case when i % 500 = 0 then now() end from generate_series(1, 60000) i`,
    'create index orders_customer on orders (customer_id)',
    'create unique index orders_number on orders (number)',
    `create table people (id int primary key, email text)`,
    `insert into people select i, 'Person' || i || '@example.org' from generate_series(1, 20000) i`,
    'vacuum analyze',
  );
});

afterAll(async () => {
  await database?.drop();
});

function on<Result>(work: (session: Session, server: Server) => Promise<Result>): Promise<Result> {
  return withSession(database.url, async (session) => work(session, await readServer(session)));
}

async function advised(pricing: Pricing, rest: Partial<DatabaseTask> = {}): Promise<DatabaseAdvice> {
  return on(async (session, server) =>
    adviseDatabase(session, server, { workload: await workloadOfFile(workload), pricing, budgetBytes: null, ...rest }),
  );
}

const indexes = () => rowsOf(database, 'select indexname from pg_indexes order by 1');

/** What every way to learn costs must come to. */
function expectSound(advice: DatabaseAdvice): void {
  expect(advice.isComplete).toBe(true);
  expect(advice.workload.costAfter).toBeLessThan(0.8 * advice.workload.costBefore);
  const keys = advice.indexes.map(({ table, columns }) => `${table} (${columns.join(', ')})`);
  expect(keys).toContain('people (lower("email"))');
  for (const { sql, helps, why, sizeBytes } of advice.indexes) {
    expect(sql).toMatch(/^CREATE INDEX CONCURRENTLY IF NOT EXISTS ".*;$/);
    expect(helps.length).toBeGreaterThan(0);
    expect(why.length).toBeGreaterThan(0);
    expect(sizeBytes).toBeGreaterThan(0);
  }
  const total = advice.queries.reduce((sum, { weight, costBefore }) => sum + weight * costBefore, 0);
  expect(total).toBeCloseTo(advice.workload.costBefore, 3);
  expect(JSON.stringify({ ...advice, learned: null })).not.toContain(secret);
}

/** What is proposed can be built, is used, and can be taken back. */
async function expectReal({ indexes: proposed }: DatabaseAdvice): Promise<void> {
  const before = await indexes();
  await database.run(...proposed.map(({ sql }) => sql), 'analyze');
  const [plan] = await rowsOf<{ 'QUERY PLAN': unknown }>(
    database,
    `explain (format json) select * from people where lower(email) = 'x'`,
  );
  expect(JSON.stringify(plan)).toContain('people_lower_idx');
  await database.run(...proposed.map(({ undoSql }) => undoSql));
  expect(await indexes()).toEqual(before);
}

describe('without HypoPG', () => {
  test('an estimate proposes what can be built and is used', async () => {
    const advice = await advised(estimatePricing());
    expect(advice.method).toBe('estimate');
    expectSound(advice);
    await expectReal(advice);
  });
});

describe('on a copy', () => {
  const onCopy = async <Result>(work: (pricing: Pricing) => Promise<Result>) => {
    const pricing = await copyPricing(database.url, 'a copy', { databaseIsACopy: true });
    try {
      return await work(pricing);
    } finally {
      await pricing.close();
    }
  };

  test('indexes are built, looked at, and taken back', async () => {
    const before = await indexes();
    const advice = await onCopy((pricing) => advised(pricing));
    expect(await indexes()).toEqual(before);
    expectSound(advice);
    await expectReal(advice);
  });

  test('an existing index that a chosen one begins with may go, once the planner has done without it', async () => {
    const sql = `select id from orders where customer_id = 42 and number > 50000;`.repeat(50);
    const advice = await onCopy(async (pricing) => advised(pricing, { workload: await workloadOfFile(sql) }));
    expect(advice.indexes.map(({ columns }) => columns.slice(0, 2))).toEqual([['customer_id', 'number']]);
    expect(advice.removals).toMatchObject([
      {
        index: 'orders_customer',
        sql: 'DROP INDEX CONCURRENTLY IF EXISTS "public"."orders_customer";',
        undoSql: 'CREATE INDEX CONCURRENTLY orders_customer ON public.orders USING btree (customer_id);',
        isVerified: true,
      },
    ]);
  });

  test('that nobody said is one, nothing is built', async () => {
    const untold = { where: '', plan: async () => null } as unknown as Parameters<typeof realSource>[1];
    const connection = { query: () => expect.unreachable() };
    await expect(realSource(connection, untold)).rejects.toThrow(TypeError);
  });
});

describe('with HypoPG', () => {
  beforeAll(() => {
    if (!hasHypopg) console.warn('Not tested: this PostgreSQL has no HypoPG (Debian: postgresql-NN-hypopg).');
  });
  const pricing = (work: (pricing: Pricing) => Promise<void>) =>
    on(async (session, server) => {
      const found = hypopgPricing(session, server);
      if (hasHypopg) await work(found as Pricing);
      else expect(found).toBeNull();
    });

  test('nothing is built, and what is proposed is used', () =>
    pricing(async (found) => {
      const before = await indexes();
      const advice = await advised(found);
      expect(await indexes()).toEqual(before);
      expectSound(advice);
      expect(advice.indexes.map(({ predicate }) => predicate)).toContain('"deleted_at" IS NOT NULL');
      await expectReal(advice);
    }));

  test('a budget is kept, and a budget of nothing is answered with nothing', () =>
    pricing(async (found) => {
      const budgetBytes = 700_000;
      const { indexes: chosen, workload: costs } = await advised(found, { budgetBytes });
      expect(chosen.length).toBeGreaterThan(0);
      expect(costs.sizeBytes).toBeLessThanOrEqual(budgetBytes);
      expect((await advised(found, { budgetBytes: 0 })).indexes).toEqual([]);
    }));

  test('at its deadline it answers with what it has, and later goes on from there', () =>
    pricing(async (found) => {
      let looks = 12;
      const part = await advised(found, { isOver: () => looks-- <= 0 });
      expect(part.isComplete).toBe(false);
      expect(part.notes.map(({ code }) => code)).toContain('advice-out-of-time');
      const whole = await advised(found);
      const resumed = await advised(found, { resume: part.learned });
      expect(resumed.plannerCalls).toBeLessThan(whole.plannerCalls);
      expect(resumed.indexes).toEqual(whole.indexes);
    }));
});

test('the workload of pg_stat_statements is weighed by its calls, and what it writes has a price', async () => {
  await database.run(
    forgetStatements,
    ...Array.from({ length: 20 }, (_, i) => `select * from orders where id = ${i}`),
    'update orders set id = 70000 where number = 9',
  );
  const advice = await on(async (session, server) =>
    adviseDatabase(session, server, {
      workload: await workloadOfDatabase(session, server),
      pricing: estimatePricing(),
      budgetBytes: null,
    }),
  );
  const query = advice.queries.find(({ sql }) => sql.startsWith('select * from orders where id'));
  expect(query?.calls).toBe(20);
  const index = advice.indexes.find(({ columns }) => columns[0] === 'id');
  expect(index?.write.entries).toBe(1);
});

test('an audit proposes indexes where HypoPG is there, and is as it was where it is not', async () => {
  await database.run(
    forgetStatements,
    ...Array.from({ length: 20 }, (_, i) => `select * from people where lower(email) = '${secret}${i}'`),
  );
  const { indexes: snapshot } = await takeSnapshot(database.url);
  if (!hasHypopg) return expect(snapshot).not.toHaveProperty('proposals');
  expect(snapshot.proposals).toMatchObject([{ table: 'people', columns: ['lower("email")'] }]);
  expect(snapshot.proposals?.[0]?.savedPercent).toBeGreaterThan(50);
});

test('a role that may not call HypoPG gets the rest of the audit, and a note', async () => {
  if (!hasHypopg) return;
  await database.run('revoke execute on function hypopg_reset() from public');
  const role = await createRole(`advised_${database.name}`, 'pg_monitor', 'pg_read_all_data');
  try {
    const { indexes: snapshot } = await takeSnapshot(database.as(`advised_${database.name}`, rolePassword));
    expect(snapshot.indexes.length).toBeGreaterThan(0);
    expect(snapshot.notes.map(({ code }) => code)).toContain('advice-failed');
  } finally {
    await database.run(`drop owned by ${`advised_${database.name}`}`);
    await role.drop();
  }
});
