import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readServer } from '../../../../../lib/postgres/server.ts';
import type { Session } from '../../../../../lib/postgres/session.ts';
import { explainWorkload } from '../../../../../lib/queries/explain/workload.ts';
import { nodesOf } from '../../../../../lib/queries/plan/tree.ts';
import type { Statement } from '../../../../../lib/queries/snapshot.ts';
import { readText } from '../../../../../lib/queries/text.ts';
import { createDatabase, type TestDatabase } from '../../../database.ts';
import { explainText, openAuditor, statement } from './workload.ts';

let database: TestDatabase;
let auditor: { session: Session; drop(): Promise<void> };

beforeAll(async () => {
  database = await createDatabase();
  await database.run('create table t (id int primary key, c text, at timestamptz)', 'create table u (id int)');
  auditor = await openAuditor(database);
});

afterAll(async () => {
  await auditor?.drop();
  await database?.drop();
});

const holding: [string, string[]][] = [
  [`DECLARE "_django_curs_1" NO SCROLL CURSOR WITH HOLD FOR SELECT "t"."id" FROM "t" WHERE "t"."c" = 'x'`, ['t']],
  ['declare c cursor for select * from t where id = $1 for update', ['t']],
  [
    "declare c binary insensitive cursor for with x as (select * from t where c like 'a%') select * from x for read only",
    ['t'],
  ],
  ['prepare p as select * from t where id = $1', ['t']],
  ['prepare p (int, text) as update t set c = $2 from u where t.id = $1', ['t', 'u']],
  ["create table v as select * from t where at > now() - interval '1 day' with no data", ['t']],
  [
    'create temporary table if not exists v (a, b) with (fillfactor = 70) on commit drop as (select id, c from t) with data;',
    ['t'],
  ],
  ['create materialized view v as with x as (select 1 as n) select t.* from t, x where t.id = x.n', ['t']],
  ["copy (select * from t where c = 'x' order by id limit 10) to stdout with (format csv, header)", ['t']],
  ["copy (delete from t where c = 'x' returning *) to '/tmp/x'", ['t']],
];

describe('a query inside of another statement', () => {
  it.each(holding)('is explained: %s', async (text, tables) => {
    const { plan, failure } = await explainText(auditor.session, readText(text).text);
    expect(failure).toBeNull();
    const found = [...nodesOf(plan as NonNullable<typeof plan>)].flatMap(
      ({ node: { relation } }) => relation?.name ?? [],
    );
    expect(found.sort()).toEqual(tables);
  });

  it.each([
    'copy t to stdout',
    'copy t from stdin',
    'create table v (id int)',
    'create view v as select 1',
    'create table v as execute p(1)',
    'prepare p as values (1); select 1',
    'fetch 10 from c',
    'execute p(1)',
    'explain select * from t',
  ])('is not looked for where there is none: %s', async (text) => {
    expect((await explainText(auditor.session, text)).failure?.code).toBe('utility');
  });

  it('is found in a workload, whose other utility statements are left out', async () => {
    const utility = (query: string) => ({ ...statement(query), kind: 'utility' }) as Statement;
    const statements = ['vacuum t', 'declare c cursor for select * from t', 'set work_mem = $1'].map(utility);
    const { plans, notes } = await explainWorkload(auditor.session, await readServer(auditor.session), statements, {
      deadline: Number.POSITIVE_INFINITY,
      shareCovered: 1,
    });
    expect(plans).toMatchObject([{ queryId: 'declare c cursor for select * from t', failure: null }]);
    expect(notes).toEqual([]);
  });
});
