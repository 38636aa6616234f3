import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readServer } from '../../../../../lib/postgres/server.ts';
import { openSession, type Session } from '../../../../../lib/postgres/session.ts';
import { explainWorkload } from '../../../../../lib/queries/explain/workload.ts';
import { createDatabase, createRole, hold, rolePassword, type TestDatabase } from '../../../database.ts';
import { explainText, explainTexts, openAuditor, statement } from './workload.ts';

let database: TestDatabase;
let auditor: { session: Session; drop(): Promise<void> };

beforeAll(async () => {
  database = await createDatabase();
  await database.run('create table t (id int primary key, c text)', 'create table u (id int)', 'analyze');
  auditor = await openAuditor(database);
});

afterAll(async () => {
  vi.restoreAllMocks();
  await auditor?.drop();
  await database?.drop();
});

describe('a statement has no plan, and a word says why', () => {
  it.each([
    ['missing-relation', 'select * from gone where id = $1'],
    ['missing-relation', 'select * from gone.t where id = $1'],
    ['missing-relation', 'select gone from t where id = $1'],
    ['missing-function', 'select gone(id) from t where id = $1'],
    ['missing-function', 'select id::gone from t where id = $1'],
    ['syntax', 'select from where $1'],
    ['syntax', ''],
    ['cut-off', 'select * from t where id = $1 and…'],
    ['utility', 'vacuum t'],
    ['utility', 'select 1; select 2'],
    ['nothing-to-plan', 'delete from t where current of c'],
    ['other', 'select id, count(*) from t where id = $1 group by c'],
  ])('%s: %s', async (code, text) => {
    expect(await explainText(auditor.session, text)).toMatchObject({ plan: null, shape: null, failure: { code } });
  });

  it('too-long: nobody looks at so many values', async () => {
    expect((await explainText(auditor.session, `select ${'1, '.repeat(50_000)} 1`)).failure?.code).toBe('too-long');
  });

  it('temporary-table: it is that of another session', async () => {
    const other = await hold(database.url, 'create temp table mine (id int)');
    expect((await explainText(auditor.session, 'select * from mine where id = $1')).failure?.code).toBe(
      'temporary-table',
    );
    await other.end();
  });

  it('permission: a role that may read nothing', async () => {
    await database.run('create schema closed', 'create table closed.secrets (id int)');
    const role = await createRole(`nobody_${database.name}`);
    const session = await openSession(database.as(`nobody_${database.name}`, rolePassword));
    try {
      const texts = [
        'select * from t where id = $1',
        'select * from secrets where id = $1',
        'select * from closed.secrets',
        'select 1',
      ];
      const plans = await explainTexts(session, texts);
      expect(plans.map(({ failure }) => failure?.code)).toEqual(['permission', 'permission', 'permission', undefined]);
      expect(plans[0]?.failure?.message).toMatch(/GRANT pg_read_all_data/);
    } finally {
      await session.close();
      await role.drop();
    }
  });

  it('locked: it does not wait, and explains the others', async () => {
    const other = await hold(database.url, 'begin', 'lock table t in access exclusive mode');
    try {
      const { plans, notes } = await workload(['select * from t where id = $1', 'select * from u where id = $1']);
      expect(plans.map(({ failure }) => failure?.code)).toEqual(['locked', undefined]);
      expect(notes).toMatchObject([
        {
          code: 'statements-not-explained',
          message: expect.stringMatching(/^1 statement with 50\.0 % .*\(locked: 1\)/),
        },
      ]);
    } finally {
      await other.end();
    }
  });

  it('locked: even a table of the catalog', async () => {
    const server = await readServer(auditor.session);
    const other = await hold(database.url, 'begin', 'lock table pg_catalog.pg_aggregate in access exclusive mode');
    // A session knows by heart what it has read of the catalog.
    const fresh = await openSession(database.url);
    try {
      const asked = [statement('select max(id) from t where id > $1'), statement('select 1')];
      const { plans } = await explainWorkload(fresh, server, asked, {
        deadline: Number.POSITIVE_INFINITY,
        shareCovered: 1,
      });
      expect(plans.map(({ failure }) => failure?.code)).toEqual(['locked', undefined]);
    } finally {
      await fresh.close();
      await other.end();
    }
  });

  it('and it works again when the lock is gone', async () => {
    expect(await explainText(auditor.session, 'select * from t where id = $1')).toMatchObject({ failure: null });
  });
});

describe('a broken connection is no fault of the statement', () => {
  it('is thrown', async () => {
    const session = await openSession(database.url);
    const [row] = await session.read<{ pid: number }>('select pg_backend_pid() as pid');
    const server = await readServer(session);
    const ask = vi.spyOn(session, 'transaction');
    ask.mockImplementationOnce(async (work) => {
      await database.run(`select pg_terminate_backend(${row?.pid})`);
      return session.transaction(work);
    });
    await expect(
      explainWorkload(session, server, [statement('select * from t where id = $1')], {
        deadline: Number.POSITIVE_INFINITY,
      }),
    ).rejects.toMatchObject({ code: 'database-unreachable' });
    await session.close();
  });
});

describe('the deadline', () => {
  const texts = Array.from({ length: 10 }, (_, i) =>
    `select ${i} from t where id = $1`.replace(` ${i} `, ` id as x${i} `),
  );

  it('that has passed leaves everything out, and says so', async () => {
    expect(await workload(texts, 0)).toEqual({
      plans: [],
      notes: [
        expect.objectContaining({
          code: 'explain-unfinished',
          message:
            '10 statements with 100.0 % of the time were not explained: the time was up. The next audit tries again.',
        }),
      ],
    });
  });

  it('ends it with what it has by then', async () => {
    const { plans, notes } = await slowly(1_000, () => workload(texts, 3_500));
    expect(plans.map(({ queryId }) => queryId)).toEqual(texts.slice(0, 4));
    expect(notes).toMatchObject([
      { code: 'explain-unfinished', message: expect.stringMatching(/^6 statements with 60\.0 %/) },
    ]);
  });

  it('ends the search for types in the middle, and counts the statement among those that are left', async () => {
    // Each parameter is told apart from the others, one after the other.
    const hard = 'select to_json($1), to_json($2), to_json($3), to_json($4), to_json($5), to_json($6) from t';
    const whole = await slowly(1_000, () => workload([hard], 60_000));
    expect(whole.plans).toMatchObject([{ failure: null }]);
    const cut = await slowly(1_000, () => workload([hard, ...texts], 2_500));
    expect(cut.plans).toEqual([]);
    expect(cut.notes).toMatchObject([{ code: 'explain-unfinished', message: expect.stringMatching(/^11 statements/) }]);
  });

  it('leaves out what the plans cost with other values', async () => {
    await database.run(
      "create table skewed as select case when g % 500 = 0 then 'b' else 'a' end as kind from generate_series(1, 5000) g",
      'analyze skewed',
      `grant select on skewed to "auditor_${database.name}"`,
    );
    const asked = ['select 1 from skewed where kind = $1', 'select 2 from skewed where kind = $1'];
    expect((await workload(asked)).plans.map(({ parameterCosts }) => parameterCosts !== null)).toEqual([true, true]);
    const late = await slowly(1_000, () => workload(asked, 2_500));
    expect(late.plans.map(({ parameterCosts }) => parameterCosts !== null)).toEqual([true, false]);
  });

  /** Each question that is asked about a plan takes so long, as the clock tells it. */
  async function slowly<Result>(ms: number, work: () => Promise<Result>): Promise<Result> {
    let now = 0;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now);
    const { transaction } = auditor.session;
    const ask = vi.spyOn(auditor.session, 'transaction').mockImplementation((inside) => {
      now += ms;
      return transaction(inside);
    });
    try {
      return await work();
    } finally {
      clock.mockRestore();
      ask.mockRestore();
    }
  }
});

async function workload(texts: readonly string[], deadline = Number.POSITIVE_INFINITY) {
  return explainWorkload(
    auditor.session,
    await readServer(auditor.session),
    texts.map((text) => statement(text)),
    { deadline, shareCovered: 1 },
  );
}
