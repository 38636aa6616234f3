/** The advice is followed to the letter, and taken back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRules } from '../../../../../lib/advice/configuration.ts';
import { indexRules } from '../../../../../lib/indexes/rules/index.ts';
import type { IndexSnapshot } from '../../../../../lib/indexes/snapshot.ts';
import { collect, createDatabase, definitions, hold, rowsOf, settled, type TestDatabase } from '../../../database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(() => database?.drop());

const findings = (snapshot: IndexSnapshot, rule: string, schema: string) =>
  runRules(indexRules, snapshot).filter((found) => found.rule === rule && found.subject.schema === schema);

/** Each statement by itself, as psql runs them. */
const runAll = async (sql: string | undefined) => {
  for (const statement of (sql ?? '').split(';\n')) await database.run(statement);
};

describe('indexes/missing-foreign-key', () => {
  it('makes the index, of a partitioned table part by part, and drops it again', async () => {
    await database.run(
      'create schema "F k"',
      'create table "F k".parent (id int primary key)',
      'create table "F k"."Child ""x""" (id int primary key, "To" int references "F k".parent (id))',
      'create table "F k".whole (id int, p int references "F k".parent (id), primary key (id)) partition by range (id)',
      'create table "F k".part_1 partition of "F k".whole for values from (0) to (10)',
      'create table "F k"."Part 2" partition of "F k".whole for values from (10) to (20) partition by range (id)',
      'create table "F k".leaf partition of "F k"."Part 2" for values from (10) to (20)',
    );
    const before = await collect(database.url);
    const found = findings(before, 'indexes/missing-foreign-key', 'F k');
    expect(found.map(({ subject }) => subject.table).sort()).toEqual(['Child "x"', 'whole']);
    for (const { action } of found) await runAll(action?.sql);
    const after = await collect(database.url);
    expect(findings(after, 'indexes/missing-foreign-key', 'F k')).toEqual([]);
    expect(findings(after, 'indexes/invalid', 'F k')).toEqual([]);
    for (const { subject } of found) expect(after.indexes.map(({ index }) => index)).toContain(subject.index);
    for (const { action } of found) await runAll(action?.undoSql);
    expect(definitions(await collect(database.url))).toEqual(definitions(before));
  });

  it('goes on where the statements of a partitioned table were left', async () => {
    const [first] = findings(await collect(database.url), 'indexes/missing-foreign-key', 'F k').filter(
      ({ subject }) => subject.table === 'whole',
    );
    const steps = first?.action?.sql?.split('\n') ?? [];
    expect(steps.length).toBeGreaterThan(4);
    for (const step of steps.slice(0, 3)) await database.run(step);
    const left = findings(await collect(database.url), 'indexes/missing-foreign-key', 'F k');
    const again = left.find(({ id }) => id === first?.id);
    expect(again?.action).toEqual(first?.action);
    await runAll(again?.action?.sql);
    const after = await collect(database.url);
    expect(findings(after, 'indexes/missing-foreign-key', 'F k').map(({ id }) => id)).not.toContain(first?.id);
    expect(findings(after, 'indexes/invalid', 'F k')).toEqual([]);
    await runAll(again?.action?.undoSql);
  });
});

describe('indexes/invalid', () => {
  it('rebuilds what failed once its cause is gone, and completes a partitioned index', async () => {
    await database.run(
      'create schema inv',
      'create table inv.t (id int primary key, a int)',
      'insert into inv.t values (1, 1), (2, 1)',
      'create table inv.w (id int, a int, primary key (id)) partition by range (id)',
      'create table inv.w1 partition of inv.w for values from (0) to (10)',
      'create table inv.w2 partition of inv.w for values from (10) to (20)',
      'create index w_a on only inv.w (a) where a > 3',
      'create index w1_a on inv.w1 (a) where a > 3',
      'alter index inv.w_a attach partition inv.w1_a',
    );
    await expect(database.run('create unique index concurrently t_a on inv.t (a)')).rejects.toThrow();
    const found = findings(await collect(database.url), 'indexes/invalid', 'inv');
    expect(found.map(({ subject }) => subject.index).sort()).toEqual(['t_a', 'w_a']);
    await database.run('delete from inv.t where id = 2');
    for (const { action } of found) await runAll(action?.sql);
    const after = await collect(database.url);
    expect(findings(after, 'indexes/invalid', 'inv')).toEqual([]);
    expect(after.indexes.filter(({ schema }) => schema === 'inv').every(({ valid }) => valid)).toBe(true);
  });

  it('says nothing of an index that is being built', async () => {
    await database.run(
      'create schema busy',
      'create table busy.t (id int primary key, a int)',
      'insert into busy.t values (1, 1)',
    );
    // The build waits for this transaction, which is older than it.
    const reader = await hold(database.url, 'begin', 'update busy.t set a = 2');
    const builder = await hold(database.url);
    const built = builder.client.query('create index concurrently t_a on busy.t (a)');
    try {
      await settled(
        database,
        "select from pg_class c join pg_index i on i.indexrelid = c.oid where relname = 't_a' and not indisvalid",
      );
      const snapshot = await collect(database.url);
      expect(snapshot.indexes.find(({ schema, index }) => schema === 'busy' && index === 't_a')).toMatchObject({
        valid: false,
        building: true,
      });
      expect(findings(snapshot, 'indexes/invalid', 'busy')).toEqual([]);
    } finally {
      await reader.client.query('commit');
      await built;
      await reader.end();
      await builder.end();
    }
    expect(
      (await collect(database.url)).indexes.find(({ schema, index }) => schema === 'busy' && index === 't_a'),
    ).toMatchObject({
      valid: true,
      building: false,
    });
  });
});

describe('an index outside of the default tablespace', () => {
  it('is made there again', async () => {
    const [version] = await rowsOf<{ number: number }>(
      database,
      "select current_setting('server_version_num')::int as number",
    );
    // Before 15 a tablespace needs a directory of its own.
    if ((version?.number ?? 0) < 150_000) return;
    const space = `Fast ${process.pid}`;
    await database.run('set allow_in_place_tablespaces = on', `create tablespace "${space}" location ''`);
    try {
      await database.run(
        'create schema ts',
        'create table ts.t (id int primary key, a int, b int)',
        `create index x on ts.t (a) tablespace "${space}" where a > 3`,
        'create index y on ts.t (a, b) where a > 3',
        `alter table ts.t add constraint u1 unique (a) using index tablespace "${space}"`,
        'alter table ts.t add constraint u0 unique (a)',
      );
      const before = await collect(database.url);
      const found = ['indexes/redundant', 'indexes/duplicate'].flatMap((rule) => findings(before, rule, 'ts'));
      expect(found.map(({ subject }) => subject.index).sort()).toEqual(['u1', 'x']);
      for (const { action } of found) await database.run(action?.sql ?? '');
      for (const { action } of found) await database.run(action?.undoSql ?? '');
      const after = await collect(database.url);
      expect(definitions(after)).toEqual(definitions(before));
      const spaces = ({ indexes }: IndexSnapshot) =>
        indexes
          .filter(({ tablespace }) => tablespace !== null)
          .map(({ index, tablespace }) => [index, tablespace])
          .sort();
      expect(spaces(after)).toEqual(spaces(before));
      expect(spaces(after)).toEqual([
        ['u1', `"${space}"`],
        ['x', `"${space}"`],
      ]);
    } finally {
      await database.run('drop schema if exists ts cascade', `drop tablespace "${space}"`);
    }
  });
});

describe('indexes of flags, of ranges, and of what is only written', () => {
  it('are found beside those that look alike', async () => {
    const other = await createDatabase();
    try {
      await other.run(
        'create table t (id int primary key, flag bool, rare bool, n int, at timestamptz)',
        `insert into t select g, g % 2 = 0, g % 1000 = 0, g % 7000, timestamptz '2026-01-01' + g * interval '1 minute'
         from generate_series(1, 50000) g`,
        'create index t_flag on t (flag)',
        'create index t_rare on t (rare)',
        'create index t_n on t (n)',
        'create index t_at on t (at)',
        'analyze t',
      );
      await other.run(
        "set enable_seqscan = off; set enable_bitmapscan = off; select * from t where at > timestamptz '2026-01-05'",
      );
      await settled(other, "select from pg_stat_user_indexes where indexrelname = 't_at' and idx_scan = 1");
      const snapshot = await collect(other.url);
      const found = runRules(indexRules, snapshot, { 'indexes/oversized': { minBytes: 8192 } });
      const of = (rule: string) => found.filter((each) => each.rule === rule).map(({ subject }) => subject.index);
      expect(of('indexes/low-selectivity')).toEqual(['t_flag']);
      expect(of('indexes/oversized')).toEqual(['t_at']);
      const brin = found.find(({ rule }) => rule === 'indexes/oversized');
      await other.run(brin?.action?.sql ?? '');
      expect((await collect(other.url)).indexes.map(({ method }) => method)).toContain('brin');
      await other.run(brin?.action?.undoSql ?? '');
      // As if it had been so for a month.
      const later = {
        ...snapshot,
        takenAt: new Date(Date.parse(snapshot.takenAt) + 40 * 86_400_000).toISOString(),
        indexes: snapshot.indexes.map((index) =>
          index.index === 't_n' ? { ...index, scans: 1, tuplesRead: 3 } : index,
        ),
      };
      const heavy = runRules(indexRules, later, { 'indexes/write-heavy': { minWrites: 50_000 } });
      expect(heavy.filter(({ rule }) => rule === 'indexes/write-heavy').map(({ subject }) => subject.index)).toEqual([
        't_n',
      ]);
    } finally {
      await other.drop();
    }
  });
});
