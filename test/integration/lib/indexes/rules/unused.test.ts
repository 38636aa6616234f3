import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unused } from '../../../../../lib/indexes/rules/unused.ts';
import { collect, createDatabase, definitions, settled, type TestDatabase } from '../../../database.ts';

const rows = 5000;

/** Indexes that stay, each for its own reason, and those that nothing speaks for. */
const setup = [
  'create table t (id int primary key, a int, b text, u int unique, e int4range)',
  `insert into t select g, g, 'b' || g, g, int4range(g, g + 1) from generate_series(1, ${rows}) g`,
  'alter table t add constraint excluded exclude using gist (e with &&)',
  'create unique index strict on t (a)',
  'create index used on t (b)',
  'create index clustered on t (a, b)',
  'alter table t cluster on clustered',
  'create table child (id int primary key, one int references t (id), two int, three text)',
  `insert into child select g, g, g, 'x' from generate_series(1, ${rows}) g`,
  'create index behind_key on child (one)',
  'create index "Unused ""1"" 🐌" on child (two desc nulls last, lower(three)) include (three) where two > 0',
  'create index narrow on child (two)',
  'create table small (a int)',
  'create index too_small on small (a)',
  'create materialized view view as select * from child',
  'create index of_view on view (two)',
  'create table replicated (k int not null)',
  'create unique index identity on replicated (k)',
  'alter table replicated replica identity using index identity',
  'set enable_seqscan = off; select * from t where b = $$b7$$',
];

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await database.run(...setup);
  await settled(database, "select from pg_stat_user_indexes where indexrelname = 'used' and idx_scan = 1");
  await settled(database, `select from pg_stat_user_tables where relname = 'child' and n_tup_ins = ${rows}`);
});

afterAll(() => database?.drop());

const check = async () => {
  const snapshot = await collect(database.url);
  return { snapshot, found: unused.check(snapshot, unused.options.parse({})) };
};

describe('indexes/unused, on a real server', () => {
  it('reports what nobody reads and nothing needs', async () => {
    const { snapshot, found } = await check();
    expect(found.map(({ subject }) => subject.index).sort()).toEqual(['Unused "1" 🐌', 'narrow', 'of_view']);
    const size = snapshot.indexes.find(({ index }) => index === 'narrow')?.sizeBytes ?? 0;
    const narrow = found.find(({ subject }) => subject.index === 'narrow');
    expect(narrow).toMatchObject({
      severity: 'info',
      subject: { schema: 'public', table: 'child' },
      evidence: { scans: 0, tableWrites: rows },
      impact: { bytes: size },
    });
    // Before PostgreSQL 15 the first connection counts as a reset.
    const since = snapshot.server.versionNumber >= 150_000 ? 'counting began' : 'the counters were reset on';
    expect(narrow?.detail).toContain(`No scan since ${since}`);
  });

  it('dates the counters by their reset', async () => {
    await database.run('select pg_stat_reset()');
    // Before PostgreSQL 15 the counters of a database have a reset from the beginning.
    await settled(database, "select from pg_stat_user_indexes where indexrelname = 'used' and idx_scan = 0");
    const { snapshot, found } = await check();
    const day = snapshot.server.statisticsResetAt?.slice(0, 10);
    expect(found.find(({ subject }) => subject.index === 'narrow')?.detail).toContain(
      `since the counters were reset on ${day} (less than a day)`,
    );
    const late = { ...snapshot, takenAt: new Date(Date.parse(snapshot.takenAt) + 40 * 86_400_000).toISOString() };
    expect(unused.check(late, unused.options.parse({})).every(({ severity }) => severity === 'warning')).toBe(true);
  });

  it('drops and makes again each index that it reports', async () => {
    const { snapshot, found } = await check();
    expect(found.length).toBeGreaterThan(2);
    for (const { action } of found) await database.run(action?.sql ?? '');
    const gone = await check();
    expect(gone.found).toEqual([]);
    expect(gone.snapshot.indexes).toHaveLength(snapshot.indexes.length - found.length);
    for (const { action } of found) await database.run(action?.undoSql ?? '');
    expect(definitions((await check()).snapshot)).toEqual(definitions(snapshot));
  });
});
