/** Where not everything can be seen: each note says what is missing, and all the rest is done. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge, notesOf, takeSnapshot } from '../../../../lib/audit.ts';
import { createDatabase, createRole, rolePassword, settled, type TestDatabase } from '../../database.ts';

const role = `monitor_${process.pid}`;
let dropRole: () => Promise<void>;
let database: TestDatabase;
let bare: TestDatabase;

/** One fault of each kind that needs no statistics of columns. */
const faults = [
  'create table t (id serial primary key, a int, b int)',
  'insert into t (a, b) select g, g from generate_series(1, 30000) g',
  'create index t_a on t (a)',
  'create index t_a2 on t (a)',
  'create index t_ab on t (a, b)',
  'create index t_flag on t ((a % 2))',
  'create table naked (a int)',
  'create table child (id int primary key, t int references t (id))',
  "select setval('t_id_seq', 2000000000)",
  'create table half (id bigint primary key, a int)',
  'insert into half select g, g % 2 from generate_series(1, 60000) g',
  'create index half_a on half (a)',
  'delete from half where id % 10 > 0',
];

const expected = [
  'indexes/duplicate',
  'indexes/missing-foreign-key',
  'indexes/redundant',
  'indexes/unused',
  'tables/no-primary-key',
];

beforeAll(async () => {
  dropRole = (await createRole(role, 'pg_monitor')).drop;
  database = await createDatabase();
  bare = await createDatabase({ extensions: false });
  for (const each of [database, bare]) {
    await each.run(...faults);
    await settled(each, "select from pg_stat_user_tables where relname = 't' and n_tup_ins = 30000");
    // By itself: the counters of the rows above are published when their connection ends.
    await each.run('vacuum analyze');
    await settled(each, "select from pg_stat_user_tables where relname = 'half' and n_mod_since_analyze = 0");
  }
});

afterAll(async () => {
  await database?.drop();
  await bare?.drop();
  await dropRole?.();
});

const rulesOf = async (url: string) => {
  const snapshot = await takeSnapshot(url);
  return { snapshot, notes: notesOf(snapshot), rules: [...new Set(judge(snapshot).map(({ rule }) => rule))] };
};

describe('an audit', () => {
  it('that may do all finds all', async () => {
    const { rules, notes } = await rulesOf(database.url);
    expect(rules).toEqual(expect.arrayContaining([...expected, 'indexes/fragmented', 'sequences/exhaustion']));
    expect(notes.filter(({ rules: blind }) => blind.some((rule) => rule.startsWith('indexes/')))).toEqual([]);
  });

  it('with pg_monitor alone measures, but sees neither values of sequences nor statistics of columns', async () => {
    const { rules, snapshot } = await rulesOf(database.as(role, rolePassword));
    expect(rules).toEqual(expect.arrayContaining([...expected, 'indexes/fragmented']));
    expect(rules).not.toContain('sequences/exhaustion');
    expect(snapshot.indexes.notes.map(({ code, rules: blind }) => [code, blind])).toEqual([
      ['statistics-permission', ['indexes/low-selectivity', 'indexes/oversized']],
      ['sequences-permission', ['sequences/exhaustion']],
    ]);
    for (const { message } of snapshot.indexes.notes) expect(message).toMatch(/GRANT .* TO/);
  });

  it('without pgstattuple and pg_stat_statements says so, and estimates', async () => {
    const { rules, notes, snapshot } = await rulesOf(bare.url);
    expect(rules).toEqual(expect.arrayContaining([...expected, 'sequences/exhaustion']));
    expect(notes.map(({ code }) => code)).toContain('pgstattuple-missing');
    expect(notes.some(({ rules: blind }) => blind.includes('queries/*'))).toBe(true);
    const half = snapshot.indexes.indexes.filter(({ table }) => table === 'half');
    const measured = (await takeSnapshot(database.url)).indexes.indexes.find(({ index }) => index === 'half_pkey');
    for (const { index, wasteEstimate, fragmentation } of half) {
      expect(fragmentation).toBeNull();
      // The one of a flag merges equal keys: its size says nothing.
      if (index === 'half_a') expect(wasteEstimate).toBeNull();
      else {
        const error = (wasteEstimate?.wastedPercent ?? 0) - (measured?.fragmentation?.wastedPercent ?? 0);
        expect(Math.abs(error)).toBeLessThan(5);
      }
    }
    const [found] = judge(snapshot).filter(({ rule }) => rule === 'indexes/fragmented');
    expect(found).toMatchObject({ severity: 'info', subject: { index: 'half_pkey' }, evidence: { measured: 'no' } });
  });
});
