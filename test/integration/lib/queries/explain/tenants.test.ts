import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../../../../../lib/postgres/session.ts';
import { nodesOf } from '../../../../../lib/queries/plan/tree.ts';
import { createDatabase, type TestDatabase } from '../../../database.ts';
import { explainText, openAuditor } from './workload.ts';

let database: TestDatabase;
let auditor: { session: Session; drop(): Promise<void> };

/** Policies as services with many tenants have them: they ask for settings that only the application makes. */
const policies: [string, string][] = [
  ['of_number', "tenant = current_setting('app.tenant')::int"],
  ['of_text', "name = current_setting('app.name')"],
  ['of_key', "owner = current_setting('app.owner')::uuid"],
  ['of_time', "at > current_setting('app.at')::timestamptz"],
  ['of_flag', "open = current_setting('app.open')::boolean"],
  ['of_small', "level = current_setting('app.level')::smallint"],
  ['of_claims', "owner = (current_setting('request.jwt.claims')::json ->> 'sub')::uuid"],
  ['of_nothing', "tenant = nullif(current_setting('app.tenant', true), '')::int"],
  [
    'of_several',
    "tenant = current_setting('app.tenant')::int and owner = current_setting('app.owner')::uuid and name <> current_setting('app.name')",
  ],
  ['of_function', 'tenant = current_tenant()'],
];

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    "create function current_tenant() returns int language plpgsql stable as $$begin return current_setting('app.tenant')::int; end$$",
    ...policies.flatMap(([name, using]) => [
      `create table ${name} (id int primary key, tenant int, name text, owner uuid, at timestamptz, open boolean, level smallint)`,
      `alter table ${name} enable row level security`,
      `create policy p on ${name} using (${using})`,
    ]),
    'create table closed (id int primary key)',
    'alter table closed enable row level security',
    'create table tasks (id int primary key, tenant int)',
    "create view odd as select * from tasks where point(current_setting('app.place')) <-> point '(0,0)' < tenant",
    'create view own_tasks as select * from tasks where tenant = current_tenant()',
  );
  auditor = await openAuditor(database);
});

afterAll(async () => {
  await auditor?.drop();
  await database?.drop();
});

async function tablesOf(text: string): Promise<string[]> {
  const { plan, failure } = await explainText(auditor.session, text);
  expect(failure).toBeNull();
  return [...nodesOf(plan as NonNullable<typeof plan>)].flatMap(({ node: { relation } }) => relation?.name ?? []);
}

describe('settings that the application makes', () => {
  it.each(policies.map(([name]) => name))('are made up where row-level security asks for them: %s', async (name) => {
    expect(await tablesOf(`select * from ${name} where id > $1`)).toEqual([name]);
    expect(await tablesOf(`update ${name} set at = now() - $1 where id = $2`)).toEqual([name]);
  });

  it('are made up where a function or a view asks for them', async () => {
    expect(await tablesOf('select * from tasks where tenant = current_tenant() and id = $1')).toEqual(['tasks']);
    expect(await tablesOf('select * from own_tasks where id = $1')).toEqual(['tasks']);
  });

  it('are not there when it is over', async () => {
    const [row] = await auditor.session.read<{ tenant: string | null }>(
      "select nullif(current_setting('app.tenant', true), '') as tenant",
    );
    expect(row?.tenant).toBeNull();
  });

  it('are no remedy where no value fits', async () => {
    expect((await explainText(auditor.session, 'select * from odd where id = $1')).failure?.code).toBe('other');
  });
});

describe('row-level security that hides everything', () => {
  it('is the failure, for the plan of nothing is nobody else’s', async () => {
    const { plan, failure } = await explainText(auditor.session, 'select * from closed where id = $1');
    expect([plan, failure?.code]).toEqual([null, 'row-security']);
    expect(failure?.message).toMatch(/BYPASSRLS/);
  });

  it('is not suspected where the statement itself looks for nothing', async () => {
    expect((await explainText(auditor.session, 'select * from tasks where false and id = $1')).failure).toBeNull();
  });
});
