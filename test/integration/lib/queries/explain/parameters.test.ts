import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../../../../../lib/postgres/session.ts';
import type { ParameterCosts } from '../../../../../lib/queries/snapshot.ts';
import { createDatabase, type TestDatabase } from '../../../database.ts';
import { explainTexts, openAuditor } from './workload.ts';

let database: TestDatabase;
let auditor: { session: Session; drop(): Promise<void> };

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create table jobs (id int primary key, status text, queue int, tenant uuid, made date, many int, "Odd Kind" text)',
    // Nearly all jobs are done; a queue is as good as another.
    `insert into jobs select g, case when g % 1000 = 0 then 'failed' else 'done' end, g % 50,
      ('00000000-0000-0000-0000-' || lpad((case when g % 10 < 9 then 1 else g end)::text, 12, '0'))::uuid,
      case when g % 20 = 0 then date '2026-01-01' + g % 300 else date '2025-01-01' end, g % 3,
      case when g % 500 = 0 then 'b' else 'a' end from generate_series(1, 20000) g`,
    'create index on jobs (status)',
    'create index on jobs (queue)',
    'create index on jobs (tenant)',
    'create index on jobs ("Odd Kind")',
    'create table owners (id int primary key, job int, status text)',
    "insert into owners select g, g, 'ok' from generate_series(1, 2000) g",
    'create schema other',
    'create table other.jobs (id int, status text)',
    'create table parts (id int, kind text) partition by range (id)',
    'create table parts_1 partition of parts for values from (0) to (10000)',
    "insert into parts select g, case when g % 500 = 0 then 'b' else 'a' end from generate_series(1, 9999) g",
    'create index on parts (kind)',
    'analyze',
  );
  auditor = await openAuditor(database);
});

afterAll(async () => {
  await auditor?.drop();
  await database?.drop();
});

async function costsOf(text: string): Promise<ParameterCosts | null> {
  const [plan] = await explainTexts(auditor.session, [text], { maxSensitive: 1 });
  expect(plan?.failure).toBeNull();
  return plan?.parameterCosts ?? null;
}

describe('parameterCosts', () => {
  it.each([
    ['select * from jobs where status = $1', 1, 'status'],
    ['select * from jobs where $1 = status', 1, 'status'],
    ['select * from jobs j where queue = $1 and j.status = $2', 2, 'status'],
    ['select * from jobs where status in ($1)', 1, 'status'],
    ['select * from jobs where status = any ($1)', 1, 'status'],
    ['select * from jobs where tenant = $1::uuid and made > $2', 1, 'tenant'],
    ['select * from jobs where "Odd Kind" = $1', 1, 'Odd Kind'],
    ['select o.id from owners o join jobs j on j.id = o.job and j.status = $3 where o.status = $1', 3, 'status'],
    ['select * from (select id from jobs where status = $1) x where id > $2', 1, 'status'],
    ['with x as (select id from jobs where status = $2) select * from x order by id limit $1', 2, 'status'],
    ['select * from owners where job in (select id from jobs where status = $1)', 1, 'status'],
    ['update jobs set queue = $1 where status = $2', 2, 'status'],
    ['delete from jobs where status = $1', 1, 'status'],
    ['select * from parts where kind = $1', 1, 'kind'],
  ])('tells that the cost depends on a skewed column: %s', async (text, parameter, column) => {
    const costs = await costsOf(text);
    expect(costs).toMatchObject({ parameter, column });
    expect(costs?.common).toBeGreaterThan(2 * (costs?.rare ?? 0));
  });

  it('tries one value of a list', async () => {
    const costs = await costsOf('select * from jobs where status in ($1, $2, $3)');
    expect(costs).toMatchObject({ parameter: 1, column: 'status' });
    expect(costs?.common).toBeGreaterThan(costs?.rare ?? 0);
  });

  it('tells that the plan itself differs', async () => {
    expect(await costsOf('select * from jobs where status = $1')).toMatchObject({ shapesDiffer: true });
  });

  it.each([
    'select * from jobs where queue = $1',
    'select * from jobs where id = $1',
    'select * from jobs where many = $1',
    'select * from jobs where status > $1',
    'select * from jobs where status <> $1',
    'select * from owners where status = $1',
    'select * from jobs where lower(status) = $1',
    'select $1 = $2, count(*) from jobs',
    'select status from jobs where queue = $1 and exists (select from owners where owners.status = $2)',
  ])('has nothing to tell where values are equally common, or none is looked for: %s', async (text) => {
    expect(await costsOf(text)).toBeNull();
  });

  it('asks only for the statements that take most time', async () => {
    const texts = [
      'select 1 from jobs where status = $1',
      'select 2 from jobs where status = $1',
      'select 3 from jobs where status = $1',
    ];
    const plans = await explainTexts(auditor.session, texts, { maxSensitive: 2 });
    expect(plans.map(({ parameterCosts }) => parameterCosts !== null)).toEqual([true, true, false]);
  });
});
