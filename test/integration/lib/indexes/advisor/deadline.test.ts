import { afterAll, beforeAll, expect, test } from 'vitest';
import { adviseDatabase } from '../../../../../lib/indexes/advisor/advise-database.ts';
import { prepare } from '../../../../../lib/indexes/advisor/prepare.ts';
import { estimatePricing } from '../../../../../lib/indexes/advisor/pricing.ts';
import { workloadOfFile } from '../../../../../lib/indexes/advisor/workload.ts';
import { readServer } from '../../../../../lib/postgres/server.ts';
import { withSession } from '../../../../../lib/postgres/session.ts';
import { createDatabase, type TestDatabase } from '../../../database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create table notes (id int, title text)',
    'insert into notes select i, i::text from generate_series(1, 5000) i',
    'analyze notes',
    // PostgreSQL runs it while it plans.
    'create function public.ponder() returns int language sql immutable as $$ select 1 from pg_sleep(1.5) $$',
  );
});

afterAll(async () => {
  await database?.drop();
});

const slow = () => workloadOfFile('select * from notes where id = ponder()');

test('PostgreSQL gives up a plan at the deadline, and nobody says that the statement has none', () =>
  withSession(database.url, async (session) => {
    const server = await readServer(session);
    const deadline = Date.now() + 200;
    const options = { valuesAllowed: false, deadline, isOver: () => Date.now() >= deadline };
    const { questions } = await prepare(session, server, await slow(), options);
    expect({ ...questions, answers: questions.answers.size, failures: questions.failures.size }).toEqual({
      answers: 0,
      failures: 0,
      left: 1,
    });
    // With time enough it has one.
    const unhurried = await prepare(session, server, await slow(), { valuesAllowed: false });
    expect(unhurried.questions.answers.size).toBe(1);
  }));

test('the deadline of the advisor is that of all that it asks', () =>
  withSession(database.url, async (session) => {
    const advice = await adviseDatabase(session, await readServer(session), {
      workload: await slow(),
      pricing: estimatePricing(),
      budgetBytes: null,
      deadline: Date.now() + 200,
    });
    expect(advice.isComplete).toBe(false);
    expect(advice.notes.map(({ code }) => code)).toEqual(['advice-out-of-time']);
    expect(advice.indexes).toEqual([]);
  }));
