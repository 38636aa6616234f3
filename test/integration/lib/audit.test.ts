import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseSnapshot, judge, notesOf, takeSnapshot } from '../../../lib/audit.ts';
import { createDatabase, rowsOf, type TestDatabase } from '../database.ts';

describe('takeSnapshot and judge', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createDatabase();
    await database.run(
      'create table t (id int primary key, a int)',
      'insert into t select g, g from generate_series(1, 20000) g',
      'create index one on t (a)',
      'create index two on t (a)',
    );
    // By itself: the counters of the rows above are published when their connection ends.
    await database.run('analyze t');
    await database.run('select pg_sleep(0.11), count(*) from t where a * 2 > 5');
  });

  afterAll(() => database?.drop());

  it('gives a snapshot that can be written to a file and read again, and judged the same', async () => {
    const snapshot = await takeSnapshot(database.url, 'named');
    const read = DatabaseSnapshot.parse(JSON.parse(JSON.stringify(snapshot)));
    expect(read).toEqual(snapshot);
    expect(judge(read)).toEqual(judge(snapshot));
    expect(snapshot.server.database).toBe('named');
    // The embedded server does not have HypoPG.
    expect(notesOf(snapshot).filter(({ code }) => code !== 'hypopg-missing')).toEqual([]);
  });

  it('finds the faults of both parts, worst first', async () => {
    const findings = judge(await takeSnapshot(database.url));
    expect(findings.map(({ rule, severity }) => [severity, rule])).toEqual([
      ['warning', 'indexes/duplicate'],
      ['warning', 'queries/slow'],
      ['info', 'indexes/unused'],
      ['info', 'indexes/unused'],
    ]);
    const [, slow] = findings;
    expect(slow?.evidence).toMatchObject({ calls: 1, statement: expect.stringContaining('from t where a * $') });
    // The first step that it advises runs as it is, where PostgreSQL can plan without values.
    if ((await takeSnapshot(database.url)).server.versionNumber >= 160_000) await database.run(slow?.action?.sql ?? '');
  });

  it('runs only the rules that are on, with the options that are given', async () => {
    const snapshot = await takeSnapshot(database.url);
    const rules = (configuration: Parameters<typeof judge>[1]) =>
      judge(snapshot, configuration).map(({ rule }) => rule);
    expect(rules({ 'indexes/unused': false, 'queries/slow': { minMeanMs: 3_600_000 } })).toEqual(['indexes/duplicate']);
  });
});

describe('an audit of a thousand tables', () => {
  let database: TestDatabase;
  const tables = 1000;

  beforeAll(async () => {
    database = await createDatabase();
    for (let from = 1; from <= tables; from += 250) {
      await database.run(`do $$ begin
        for n in ${from}..${from + 249} loop
          execute format('create table many_%s (id int, parent int)', n);
          execute format('create unique index many_%1$s_id on many_%1$s (id)', n);
          execute format('create index many_%1$s_parent on many_%1$s (parent)', n);
          if n > 1 then
            execute format('alter table many_%s add constraint up foreign key (parent) references many_%s (id)', n, n - 1);
          end if;
        end loop; end $$`);
    }
    await database.run('create index many_7_again on many_7 (parent)');
  });

  afterAll(() => database?.drop());

  it('sees every one', async () => {
    const { indexes } = await takeSnapshot(database.url);
    expect(indexes.tables).toHaveLength(tables);
    expect(indexes.indexes).toHaveLength(2 * tables + 1);
    expect(indexes.foreignKeys).toHaveLength(tables - 1);
    expect(indexes.indexes.filter(({ referencedBy }) => referencedBy === 1)).toHaveLength(tables - 1);
    const [hand] = await rowsOf<{ size: string }>(
      database,
      `select sum(pg_relation_size(indexrelid)) as size from pg_stat_user_indexes`,
    );
    expect(indexes.indexes.reduce((all, { sizeBytes }) => all + sizeBytes, 0)).toBe(Number(hand?.size));
    expect(indexes.notes.filter(({ code }) => code !== 'hypopg-missing')).toEqual([]);
  });

  it('finds the one fault among them', async () => {
    const found = judge(await takeSnapshot(database.url)).filter(({ rule }) => rule.startsWith('indexes/'));
    expect(found.map(({ rule, subject }) => [rule, subject.index])).toEqual([['indexes/duplicate', 'many_7_parent']]);
  });
});
