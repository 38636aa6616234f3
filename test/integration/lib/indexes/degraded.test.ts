/** Where not everything can be seen: each note says what is missing, and all the rest is done. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge, notesOf, takeSnapshot } from '../../../../lib/audit.ts';
import { adviseDatabase } from '../../../../lib/indexes/advisor/advise-database.ts';
import { estimatePricing, hypopgPricing } from '../../../../lib/indexes/advisor/pricing.ts';
import { workloadOfDatabase } from '../../../../lib/indexes/advisor/workload.ts';
import {
  createDatabase,
  createHypopg,
  createRole,
  rolePassword,
  settled,
  type TestDatabase,
  withSession,
} from '../../database.ts';
import { type OwnServer, ownServer } from '../queries/servers.ts';

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

let hasHypopg = false;

beforeAll(async () => {
  dropRole = (await createRole(role, 'pg_monitor')).drop;
  database = await createDatabase();
  bare = await createDatabase({ extensions: false });
  hasHypopg = await createHypopg(database, bare);
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
    // The advisor asks HypoPG, which the embedded server does not have.
    const blind = notes.filter((note) => note.rules.some((rule) => rule.startsWith('indexes/')));
    expect(blind.map(({ code }) => code)).toEqual(hasHypopg ? [] : ['hypopg-missing']);
  });

  it('with pg_monitor alone measures, but sees neither values of sequences nor statistics of columns', async () => {
    const { rules, snapshot } = await rulesOf(database.as(role, rolePassword));
    expect(rules).toEqual(expect.arrayContaining([...expected, 'indexes/fragmented']));
    expect(rules).not.toContain('sequences/exhaustion');
    const { notes } = snapshot.indexes;
    expect(notes.map(({ code, rules: blind }) => [code, blind])).toEqual([
      ['statistics-permission', ['indexes/low-selectivity', 'indexes/oversized']],
      ['sequences-permission', ['sequences/exhaustion']],
      [hasHypopg ? 'advice-unexplained' : 'hypopg-missing', ['indexes/missing']],
    ]);
    for (const { message } of notes.slice(0, 2)) expect(message).toMatch(/GRANT .* TO/);
    if (hasHypopg) expect(notes.at(-1)?.message).toMatch(/permission: \d+.*GRANT pg_read_all_data/);
  });

  it('without pgstattuple and pg_stat_statements says so, and estimates', async () => {
    const { rules, notes, snapshot } = await rulesOf(bare.url);
    expect(rules).toEqual(expect.arrayContaining([...expected, 'sequences/exhaustion']));
    expect(notes.map(({ code }) => code)).toContain('pgstattuple-missing');
    expect(notes.some(({ rules: blind }) => blind.includes('queries/*'))).toBe(true);
    expect(notes.filter(({ rules: blind }) => blind.includes('indexes/missing')).map(({ code }) => code)).toEqual([
      hasHypopg ? 'advice-pg_stat_statements-missing' : 'hypopg-missing',
    ]);
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

describe('without HypoPG', () => {
  it('an audit says what it did not look at, and what would help', async () => {
    const plain = await createDatabase();
    try {
      const { notes, snapshot } = await rulesOf(plain.url);
      expect(snapshot.indexes).not.toHaveProperty('proposals');
      const [note, ...others] = notes.filter(({ rules: blind }) => blind.includes('indexes/missing'));
      expect(others).toEqual([]);
      expect(note).toMatchObject({ code: 'hypopg-missing', rules: ['indexes/missing'] });
      expect(note?.message).toMatch(/No index was proposed .* CREATE EXTENSION hypopg \(RDS, Aurora and Cloud SQL/);
    } finally {
      await plain.drop();
    }
  });
});

describe('the advisor', () => {
  const advised = (url: string, estimated: boolean) =>
    withSession(url, async (session, server) => {
      const workload = await workloadOfDatabase(session, server);
      const pricing = estimated ? estimatePricing() : hypopgPricing(session, server);
      if (!pricing) throw new Error('HypoPG is not there.');
      return adviseDatabase(session, server, { workload, pricing, budgetBytes: null });
    });
  const ways = () => (hasHypopg ? [true, false] : [true]);

  it('with pg_monitor alone says that it may explain nothing, and with pg_read_all_data it may', async () => {
    // What filled the tables would be nearly all of the time.
    await database.run(
      'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)',
      ...Array.from({ length: 20 }, (_, i) => `select * from t where b = ${i}`),
    );
    for (const estimated of ways()) {
      const blind = await advised(database.as(role, rolePassword), estimated);
      expect(blind.indexes).toEqual([]);
      expect(blind.notes).toMatchObject([{ code: 'advice-unexplained', rules: ['indexes/missing'] }]);
      expect(blind.notes[0]?.message).toMatch(/permission: \d+.*GRANT pg_read_all_data/);
    }
    await database.run(`grant select on all tables in schema public to ${role}`);
    for (const estimated of ways()) {
      const { queries } = await advised(database.as(role, rolePassword), estimated);
      expect(queries.map(({ sql }) => sql)).toContain('select * from t where b = $1');
    }
  });

  it('without pg_stat_statements says so', async () => {
    for (const estimated of ways()) {
      const { indexes, notes } = await advised(bare.url, estimated);
      expect(indexes).toEqual([]);
      expect(notes.map(({ message }) => message)).toContainEqual(
        expect.stringMatching(/pg_stat_statements is not installed\. .*CREATE EXTENSION/),
      );
    }
  });
});

describe('on a standby', () => {
  it('all that needs no write is done, and the advisor asks HypoPG as well', async () => {
    const primary = await ownServer({ shared_preload_libraries: 'pg_stat_statements' });
    let standby: OwnServer | undefined;
    try {
      await primary.run(...faults, 'create extension pg_stat_statements', 'create extension pgstattuple');
      if (hasHypopg) await primary.run('create extension hypopg');
      await primary.run('vacuum analyze');
      standby = await primary.copy();
      // The counters were copied as well.
      await standby.run(
        'select pg_stat_statements_reset()',
        ...Array.from({ length: 20 }, (_, i) => `select * from t where b = ${i}`),
      );
      const { notes, snapshot, rules } = await rulesOf(standby.url);
      expect(snapshot.server.isStandby).toBe(true);
      expect(rules).toEqual(
        expect.arrayContaining(['indexes/duplicate', 'indexes/missing-foreign-key', 'tables/no-primary-key']),
      );
      const [note] = notes.filter(({ rules: blind }) => blind.includes('indexes/missing'));
      if (!hasHypopg) expect(note?.message).toContain('CREATE EXTENSION hypopg on the primary');
      else {
        expect(note).toBeUndefined();
        expect(snapshot.indexes.proposals?.map(({ table, columns }) => [table, columns])).toEqual([['t', ['b']]]);
      }
    } finally {
      await standby?.remove();
      await primary.remove();
    }
  });
});
