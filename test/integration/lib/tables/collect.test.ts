/** What is collected of tables, and the faults of tables that the rules find in it, each beside one that only looks alike. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRules } from '../../../../lib/advice/configuration.ts';
import type { Finding } from '../../../../lib/advice/finding.ts';
import type { IndexSnapshot } from '../../../../lib/indexes/snapshot.ts';
import { tableRules } from '../../../../lib/tables/rules/index.ts';
import { collect, createDatabase, rowsOf, settled, type TestDatabase } from '../../database.ts';

const mebibyte = 1024 ** 2;
/** Every table of a page is measured. */
const all = { budgetBytes: 1024 * mebibyte, minBytes: 8192, timeMs: 60_000 };

let database: TestDatabase;
let snapshot: IndexSnapshot;
let findings: Finding[];

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create table plain (id int primary key, a int)',
    'insert into plain select g, g from generate_series(1, 20000) g',
    'create table emptied (id int primary key, filler text)',
    "insert into emptied select g, repeat('x', 500) from generate_series(1, 60000) g",
    'delete from emptied where id % 10 <> 0',
    'vacuum emptied',
    'create table dead (id int primary key, filler text)',
    "insert into dead select g, repeat('x', 500) from generate_series(1, 60000) g",
    'delete from dead where id % 10 <> 0',
    'create table loose (id int primary key, filler text) with (fillfactor = 30)',
    "insert into loose select g, repeat('x', 500) from generate_series(1, 30000) g",
    'create table off (id int primary key) with (autovacuum_enabled = off)',
    'create table checked (id int primary key, a int)',
    'alter table checked add constraint "Ok?" check (a > 0) not valid',
    'alter table checked add constraint fine check (id > 0)',
    'alter table checked add constraint k foreign key (a) references plain (id) not valid',
    'create table whole (id int, a int, primary key (id)) partition by range (id)',
    'create table part_1 partition of whole for values from (0) to (5000)',
    'create table part_2 partition of whole for values from (5000) to (100000)',
    'insert into whole select g, g from generate_series(1, 9000) g',
    'create table published (a int)',
    'create table published_whole (a int)',
    'alter table published_whole replica identity full',
    'create publication p for table published, published_whole',
  );
  // By itself: the counters of the rows above are published when their connection ends.
  await database.run(
    'analyze',
    'create table fresh (id int primary key)',
    'insert into fresh select generate_series(1, 5000)',
  );
  await database.run('update plain set a = a + 1 where id <= 6000');
  await database.run('do $$ begin for n in 1..110 loop perform count(*) from plain; end loop; end $$');
  await settled(
    database,
    "select from pg_stat_user_tables where relname = 'plain' and seq_scan >= 110 and n_tup_upd = 6000",
  );
  await settled(database, "select from pg_stat_user_tables where relname = 'fresh' and n_live_tup = 5000");
  snapshot = await collect(database.url, all, all);
  findings = runRules(tableRules, snapshot);
});

afterAll(() => database?.drop());

const table = (name: string) => snapshot.tables.find((each) => each.table === name);
const reported = (rule: string) =>
  findings
    .filter((finding) => finding.rule === rule)
    .map(({ subject }) => subject.table)
    .sort();
const finding = (rule: string, name: string) =>
  findings.find((each) => each.rule === rule && each.subject.table === name);

describe('collectTables', () => {
  it('reads the counters that pg_stat_user_tables shows', async () => {
    const rows = await rowsOf<Record<string, string>>(
      database,
      `select relname, seq_scan, seq_tup_read, n_live_tup, n_dead_tup, n_mod_since_analyze, last_analyze is not null as analyzed
       from pg_stat_user_tables where relname not in ('whole')`,
    );
    const hand = Object.fromEntries(
      rows.map(({ relname, analyzed, ...numbers }) => [relname, [...Object.values(numbers).map(Number), analyzed]]),
    );
    const ours = Object.fromEntries(
      snapshot.tables
        .filter(({ kind }) => kind === 'table')
        .map((t) => [
          t.table,
          [t.sequentialScans, t.sequentialRows, t.liveRows, t.deadRows, t.changedSinceAnalyze, t.analyzedAt !== null],
        ]),
    );
    expect(ours).toEqual(hand);
  });

  it('gives a partitioned table what its partitions have', () => {
    const parts = ['part_1', 'part_2'].map((name) => table(name));
    expect(parts.map((part) => part?.parent)).toEqual(['public.whole', 'public.whole']);
    const sum = (key: 'sizeBytes' | 'inserts') => parts.reduce((total, part) => total + (part?.[key] ?? 0), 0);
    expect(table('whole')).toMatchObject({
      kind: 'partitioned table',
      parent: null,
      inserts: 9000,
      sizeBytes: sum('sizeBytes'),
      transactionAge: null,
    });
    expect(sum('sizeBytes')).toBeGreaterThan(0);
  });

  it('tells keys, identities, columns and settings', () => {
    expect(table('plain')).toMatchObject({ hasPrimaryKey: true, notNull: ['id'], fillfactor: 100, autovacuum: true });
    expect(table('loose')).toMatchObject({ fillfactor: 30 });
    expect(table('published')).toMatchObject({
      publishesChanges: true,
      replicaIdentity: 'default',
      hasPrimaryKey: false,
    });
    expect(table('published_whole')).toMatchObject({ publishesChanges: true, replicaIdentity: 'full' });
    expect(table('checked')?.notValidated).toEqual(['"Ok?"', 'k']);
    expect(table('plain')?.transactionAge).toBeGreaterThan(0);
  });

  it('measures the bloat of tables', async () => {
    const [hand] = await rowsOf<{ free: number }>(
      database,
      "select (free_space + dead_tuple_len)::float8 as free from pgstattuple('emptied')",
    );
    const bloat = table('emptied')?.bloat;
    expect(Math.abs((bloat?.wastedBytes ?? 0) - (hand?.free ?? 0))).toBeLessThan(
      0.05 * (table('emptied')?.sizeBytes ?? 0),
    );
    expect(bloat?.wastedPercent).toBeGreaterThan(80);
    expect(table('plain')?.bloat?.wastedPercent).toBeLessThan(30);
  });

  it('knows of columns how many values there are and how they lie, and no value', () => {
    const of = (name: string, column: string) =>
      snapshot.columns.find((each) => each.table === name && each.column === column);
    expect(of('plain', 'id')).toMatchObject({ averageBytes: 4, nullFraction: 0, distinct: 20_000, correlation: 1 });
    expect(JSON.stringify(snapshot.columns)).not.toContain('xxxx');
  });
});

describe('the rules over tables, on a real server', () => {
  it('find tables that hold little, but not those whose fillfactor wants it', async () => {
    expect(reported('tables/bloat')).toEqual(['dead', 'emptied']);
    expect(finding('tables/bloat', 'dead')?.action?.sql).toBe('VACUUM (ANALYZE) public.dead;');
    await database.run(finding('tables/bloat', 'emptied')?.action?.sql ?? '', 'vacuum dead');
    expect(
      runRules(tableRules, await collect(database.url, all, all)).filter(
        ({ rule, subject }) => rule === 'tables/bloat' && subject.table === 'emptied',
      ),
    ).toEqual([]);
  });

  it('find statistics that are old or were never there', () => {
    expect(reported('tables/stale-statistics')).toEqual(['fresh', 'plain']);
  });

  it('find what is often read as a whole', () => {
    expect(reported('tables/sequential-scans')).toEqual(['plain']);
  });

  it('find what has no key, worst where it is published', () => {
    expect(reported('tables/no-primary-key')).toEqual(['published', 'published_whole']);
    expect(finding('tables/no-primary-key', 'published')?.severity).toBe('critical');
    expect(finding('tables/no-primary-key', 'published_whole')?.severity).toBe('warning');
  });

  it('find autovacuum switched off, and switch it on and off again', async () => {
    expect(reported('tables/autovacuum-disabled')).toEqual(['off']);
    const { action } = finding('tables/autovacuum-disabled', 'off') ?? {};
    const isOff = async () =>
      (await collect(database.url)).tables.filter(({ autovacuum }) => !autovacuum).map((each) => each.table);
    await database.run(action?.sql ?? '');
    expect(await isOff()).toEqual([]);
    await database.run(action?.undoSql ?? '');
    expect(await isOff()).toEqual(['off']);
  });

  it('find constraints that were never validated, and validate them', async () => {
    expect(reported('tables/not-validated')).toEqual(['checked']);
    await database.run(finding('tables/not-validated', 'checked')?.action?.sql ?? '');
    expect((await collect(database.url)).tables.every(({ notValidated }) => notValidated.length === 0)).toBe(true);
  });

  it('find no table near the end of its transactions', () => {
    expect(reported('tables/wraparound')).toEqual([]);
  });
});
