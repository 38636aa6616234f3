/** Rules that see a fault in what the calls of a statement cost, since counting began. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectQueries } from '../../../../../lib/queries/collect.ts';
import type { QuerySnapshot } from '../../../../../lib/queries/snapshot.ts';
import { createDatabase, hold, type TestDatabase, withSession } from '../../../database.ts';
import { about, counted, findingsOf } from './judged.ts';

/** A statement, how it is called, and what is set meanwhile. */
interface Run {
  text: string;
  /** The value of its one parameter in each call, if it has one. Without them it is called 30 times. */
  values?: number[];
  settings?: string[];
  /** Whether its plan is kept for the connection. */
  prepared?: boolean;
  /** Options of the rule besides those of all statements. */
  options?: object;
}

interface Behaviour {
  fires: Run[];
  /** Statements that look alike. */
  silent: Run[];
  /** A test runs a statement a few times on small tables. */
  options?: object;
  schema?: string[];
  /** Whether the server counts what the rule is about. */
  isCounted?: (snapshot: QuerySnapshot, hasJit: boolean) => boolean;
}

const often = (times: number, value: number): number[] => Array(times).fill(value);

const compile = ['jit = on', 'jit_inline_above_cost = 0', 'jit_optimize_above_cost = 0'];
const track = ['pg_stat_statements.track_planning = on', 'join_collapse_limit = 12', 'geqo = off'];
const joined = (what: string) =>
  `select ${what} from j1 ${Array.from({ length: 8 }, (_, i) => `join j${i + 2} using (a)`).join(' ')}`;

const behaviours: Record<string, Behaviour> = {
  'queries/slow': {
    options: { minMeanMs: 5, minP95Ms: 4 },
    schema: [
      'create materialized view sums as select g % 7 as a, count(*) from generate_series(1, 600000) g group by 1',
    ],
    fires: [
      { text: 'select count(*) from generate_series(1, $1) g', values: often(5, 500_000) },
      // One call in twenty, whatever they all take on average.
      {
        text: 'select avg(g) from generate_series(1, $1) g',
        values: [...often(190, 1), ...often(10, 800_000)],
        options: { minMeanMs: 3_600_000 },
      },
    ],
    silent: [
      { text: 'select max(g) from generate_series(1, $1) g', values: often(100, 10) },
      // One call in a thousand: the longest, and not the usual.
      { text: 'select min(g) from generate_series(1, $1) g', values: [...often(999, 1), 200_000] },
      // It takes as long as it takes.
      { text: 'refresh materialized view sums', values: often(5, 0) },
    ],
  },
  'queries/temp-files': {
    options: { minBytesPerCall: 100_000 },
    fires: [{ text: 'select * from t order by b offset 19999', settings: ['work_mem = 64'] }],
    silent: [
      { text: 'select id, b from t order by b offset 19999', settings: [`work_mem = '64MB'`] },
      { text: 'select a, b from t order by b limit 5', settings: ['work_mem = 64'] },
    ],
  },
  'queries/many-rows-per-call': {
    fires: [{ text: 'select id from t where id > 0' }],
    silent: [
      { text: 'select count(id) from t where id > 0' },
      { text: 'select id from t where id > 0 order by id limit 100' },
      { text: 'insert into copied select id from t where id > 0' },
    ],
  },
  'queries/blocks-per-row': {
    options: { minBlocksPerRow: 50 },
    fires: [{ text: `select a from t where b = 'gone' and a > 0` }, { text: `delete from t where b = 'gone'` }],
    silent: [
      { text: 'select a from t where id = 5' },
      // It reads as much, and returns what it reads.
      { text: 'select b, a from t' },
      // The rows that it sums up are those that it needs: its plan tells.
      { text: 'select sum(a) from t where id > 0' },
    ],
  },
  'queries/jit-time': {
    options: { minJitMs: 0.5 },
    isCounted: ({ server }, hasJit) => hasJit && server.versionNumber >= 150_000,
    fires: [{ text: 'select sum(a + id) from t where id < 3', settings: [...compile, 'jit_above_cost = 0'] }],
    silent: [
      // As the rule advises.
      { text: 'select sum(a - id) from t where id < 3', settings: [...compile, 'jit_above_cost = 100000'] },
      { text: 'select sum(a * id) from t where id < 3' },
    ],
  },
  'queries/planning-time': {
    options: { minPlanMs: 5, minRatio: 3, minCalls: 5 },
    schema: Array.from({ length: 9 }, (_, i) => `create table j${i + 1} as select g as a from generate_series(1, 9) g`),
    fires: [{ text: joined('count(*)'), settings: track, values: often(10, 0) }],
    silent: [
      // Planned once for all calls: what the rule advises.
      { text: joined('max(a)'), settings: track, values: often(400, 0), prepared: true },
      // Planned as often, and there is nothing to find out.
      { text: 'select a from t where id = $1', settings: track, values: often(30, 5) },
      // Planned for as long, and it takes as long to run.
      {
        text: joined('(select sum(g) from generate_series(1, $1) g), sum(a)'),
        settings: track,
        values: often(5, 1_500_000),
      },
      // Nobody counts.
      { text: joined('min(a)') },
    ],
  },
  'queries/unstable-time': {
    options: { minMaxMs: 1, minSlowCalls: 1.5 },
    fires: [
      { text: 'select count(*) from generate_series(1, $1) g', values: [...often(2_000, 1), ...often(60, 200_000)] },
    ],
    silent: [
      // As slow, and always.
      { text: 'select sum(g) from generate_series(1, $1) g', values: often(100, 200_000) },
      // As often slow as quick: the mean tells.
      { text: 'select max(g) from generate_series(1, $1) g', values: [...often(50, 1), ...often(50, 200_000)] },
      // Once, as a cold start is.
      { text: 'select avg(g) from generate_series(1, $1) g', values: [...often(2_000, 1), 4_000_000] },
    ],
  },
};

describe.each(Object.entries(behaviours))('%s', (rule, { fires, silent, options, schema = [], isCounted }) => {
  let database: TestDatabase;
  let snapshot: QuerySnapshot;
  let hasJit: boolean;

  beforeAll(async () => {
    database = await createDatabase();
    await database.run(
      'create table t (id int primary key, a int not null, b text not null)',
      'insert into t select g, g % 7, md5(g::text) from generate_series(1, 20000) g',
      'create table copied (id int)',
      ...schema,
    );
    await database.run('analyze');
    const { client, end } = await hold(database.url);
    ({ hasJit } = (await client.query('select pg_jit_available() as "hasJit"')).rows[0]);
    for (const { text, values, settings = [], prepared } of [...fires, ...silent]) {
      await client.query('reset all');
      for (const setting of ['jit = off', ...settings]) await client.query(`set ${setting}`);
      for (const value of values ?? often(30, 0)) {
        const parameters = text.includes('$1') ? [value] : [];
        await client.query({ text, values: parameters, ...(prepared ? { name: 'kept' } : {}) });
      }
    }
    await end();
    snapshot = await withSession(database.url, collectQueries);
  });

  afterAll(() => database?.drop());

  const findings = ({ text, options: more }: Run) =>
    about(findingsOf(snapshot, rule, { ...options, ...more }), counted(snapshot, text));

  test.for(fires)('fires: $text', (run, { skip }) => {
    skip(isCounted?.(snapshot, hasJit) === false, 'This server does not count it.');
    expect(findings(run)).toHaveLength(1);
  });

  test.for(silent)('is silent: $text', (run) => {
    expect(findings(run)).toEqual([]);
  });
});
