/** Costs by HypoPG on a real server, where it is installed (Debian: postgresql-NN-hypopg). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Candidate, candidateOn } from '../../../../../lib/indexes/advisor/candidate.ts';
import { hypopgSource, type Planner } from '../../../../../lib/indexes/advisor/hypopg.ts';
import { type Prepared, prepare } from '../../../../../lib/indexes/advisor/prepare.ts';
import { workloadOfFile } from '../../../../../lib/indexes/advisor/workload.ts';
import { readServer } from '../../../../../lib/postgres/server.ts';
import { type Session, withSession } from '../../../../../lib/postgres/session.ts';
import { createDatabase, createHypopg, forgetStatements, rowsOf, type TestDatabase } from '../../../database.ts';

let database: TestDatabase;
let hasHypopg = false;

const statements = [
  'select * from orders where customer_id = $1 and status = $2',
  "select id from orders where note = 'it''s \\ -- no comment' and number > 7 -- a comment",
  'select o.id from orders o join people p on p.id = o.customer_id where lower(p.email) = $1 order by o.number limit 5',
];

beforeAll(async () => {
  database = await createDatabase();
  hasHypopg = await createHypopg(database);
  if (!hasHypopg) return console.warn('Not tested: this PostgreSQL has no HypoPG (Debian: postgresql-NN-hypopg).');
  await database.run(
    'create table orders (id int, customer_id int, number int, status text, note text)',
    `insert into orders select i, i % 2000, i, 'state ' || i % 5, md5(i::text) from generate_series(1, 40000) i`,
    'create table people (id int primary key, email text)',
    `insert into people select i, 'Person' || i || '@example.org' from generate_series(1, 20000) i`,
    'vacuum analyze',
    // A database may be set to this, whatever we send.
    `do $$ begin execute format('alter database %I set standard_conforming_strings = off', current_database()); end $$`,
  );
});

afterAll(async () => {
  await database?.drop();
});

interface Bench {
  session: Session;
  prepared: Prepared;
  queryIds: string[];
  sets: Candidate[][];
}

/** A few sets of the candidates of each statement. */
function on(work: (bench: Bench) => Promise<void>): Promise<void> {
  return withSession(database.url, async (session) => {
    if (!hasHypopg) return;
    const workload = await workloadOfFile(statements.join('\n;'));
    const prepared = await prepare(session, await readServer(session), workload, { valuesAllowed: true });
    const candidates = prepared.task.proposals.map(({ candidate }) => candidate);
    const sets = [[], candidates, ...candidates.slice(0, 8).map((candidate) => [candidate]), candidates.slice(2, 9)];
    await work({ session, prepared, queryIds: workload.statements.map(({ queryId }) => queryId), sets });
  });
}

/** Plans that are asked for one by one. */
const alone = ({ plan }: Planner): Planner => ({ plan, sqlFor: () => undefined });

async function expectNothingLeft(session: Session): Promise<void> {
  expect(await session.read('select from public.hypopg()')).toEqual([]);
  expect(await session.read('select from pg_prepared_statements')).toEqual([]);
}

describe('costs that are asked for together', () => {
  test('are those that are asked for one by one, and leave nothing behind', () =>
    on(async ({ session, prepared: { planner, known }, queryIds, sets }) => {
      expect(queryIds).toHaveLength(statements.length);
      const [together, single] = [planner, alone(planner)].map((each) => hypopgSource(session, 'public', each));
      const found = await Promise.all(queryIds.map((queryId) => together?.costs(queryId, sets)));
      for (const [i, queryId] of queryIds.entries()) {
        expect(found[i]).toEqual(await single?.costs(queryId, sets));
        expect(found[i]?.[0]).toEqual({ total: known.plans.get(queryId)?.root.estimate.totalCost, used: [] });
        expect(found[i]?.[1]?.used?.length).toBeGreaterThan(0);
      }
      await expectNothingLeft(session);
    }));

  test('are those without an index that HypoPG refuses', () =>
    on(async ({ session, prepared: { planner }, queryIds: [queryId = ''], sets }) => {
      const refused = [candidateOn('public', 'orders', ['no_such_column']), candidateOn('public', 'gone', ['id'])];
      const source = hypopgSource(session, 'public', planner);
      const whole = await source.costs(queryId, sets);
      const others = hypopgSource(session, 'public', planner);
      expect(
        await others.costs(
          queryId,
          sets.map((set) => [...refused, ...set]),
        ),
      ).toEqual(whole);
      await expectNothingLeft(session);
    }));

  test('are there although one of the statements has no plan any more', () =>
    on(async ({ session, prepared: { planner }, queryIds, sets }) => {
      const [bad = '', good = ''] = queryIds;
      const broken: Planner = {
        ...planner,
        plan: (inside, queryId) =>
          queryId === bad ? inside.read('select 1 / 0').then(() => null) : planner.plan(inside, queryId),
        sqlFor: (queryId) => {
          const sql = planner.sqlFor(queryId);
          return sql && queryId === bad ? { ...sql, explain: 'select 1 / 0' } : sql;
        },
      };
      const source = hypopgSource(session, 'public', broken);
      const [none, some] = await Promise.all([source.costs(bad, sets), source.costs(good, sets)]);
      expect(none.every(({ total }) => Number.isNaN(total))).toBe(true);
      expect(some).toEqual(await hypopgSource(session, 'public', planner).costs(good, sets));
      await expectNothingLeft(session);
    }));

  test('are not asked for in ways of which pg_stat_statements keeps one for each set, or a definition', () =>
    on(async ({ session, prepared: { planner }, queryIds, sets }) => {
      await database.run(forgetStatements);
      const source = hypopgSource(session, 'public', planner);
      await Promise.all(queryIds.map((queryId) => source.costs(queryId, sets)));
      const kept = await rowsOf<{ query: string }>(
        database,
        'select query from pg_stat_statements where dbid = (select oid from pg_database where datname = current_database())',
      );
      expect(kept.filter(({ query }) => query.includes('hypopg_create_index'))).toHaveLength(1);
      expect(kept.filter(({ query }) => query.includes('CREATE INDEX'))).toEqual([]);
    }));
});

test('several statements in one message change nothing either', () =>
  withSession(database.url, async (session) => {
    const change = session.transaction((_, readAll) => readAll(['select 1', 'create table made ()']));
    await expect(change).rejects.toThrow();
    const answers = await session.transaction((_, readAll) =>
      readAll(['select 1 as n -- one', 'select 2 as n', 'select']),
    );
    expect(answers).toEqual([[{ n: 1 }], [{ n: 2 }], [{}]]);
  }));
