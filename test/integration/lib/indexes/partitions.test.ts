import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { duplicate } from '../../../../lib/indexes/rules/duplicate.ts';
import { unused } from '../../../../lib/indexes/rules/unused.ts';
import type { IndexSnapshot } from '../../../../lib/indexes/snapshot.ts';
import { collect, createDatabase, definitions, rowsOf, settled, type TestDatabase } from '../../database.ts';

let database: TestDatabase;
let snapshot: IndexSnapshot;

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create schema "Parts"',
    'create table "Parts"."Events" (day int, kind int, n int) partition by range (day)',
    'create table "Parts".week partition of "Parts"."Events" for values from (0) to (7) partition by list (kind)',
    'create table "Parts".week_a partition of "Parts".week for values in (1)',
    'create table "Parts".week_b partition of "Parts".week for values in (2, 3)',
    'create table "Parts"."Later" partition of "Parts"."Events" for values from (7) to (100)',
    'create index "By n" on "Parts"."Events" (n)',
    'create unique index by_key on "Parts"."Events" (day, kind, n)',
    // On one partition only, beside what the parent gave it.
    'create index own on "Parts".week_a (n)',
    'insert into "Parts"."Events" select g % 100, 1 + g % 3, g from generate_series(1, 20000) g',
    'set enable_seqscan = off; select * from "Parts"."Later" where n = 50',
    'set enable_seqscan = off; select * from "Parts".week_b where n = 51; select * from "Parts".week_b where n = 52',
  );
  await settled(database, 'select from pg_stat_user_indexes having sum(idx_scan) = 3');
  snapshot = await collect(database.url);
});

afterAll(() => database?.drop());

const named = (name: string) => {
  const found = snapshot.indexes.filter(({ index }) => index === name);
  expect(found, name).toHaveLength(1);
  return found[0] as IndexSnapshot['indexes'][number];
};

describe('sumPartitions, of partitions at two levels', () => {
  it('names the owner of every part, one level up', () => {
    const parents = Object.fromEntries(snapshot.indexes.map(({ index, parent }) => [index, parent]));
    expect(parents).toEqual({
      'By n': null,
      by_key: null,
      week_n_idx: '"Parts"."By n"',
      Later_n_idx: '"Parts"."By n"',
      week_a_n_idx: '"Parts".week_n_idx',
      week_b_n_idx: '"Parts".week_n_idx',
      week_day_kind_n_idx: '"Parts".by_key',
      Later_day_kind_n_idx: '"Parts".by_key',
      week_a_day_kind_n_idx: '"Parts".week_day_kind_n_idx',
      week_b_day_kind_n_idx: '"Parts".week_day_kind_n_idx',
      own: null,
    });
    expect(
      snapshot.indexes
        .filter(({ partitioned }) => partitioned)
        .map(({ index }) => index)
        .sort(),
    ).toEqual(['By n', 'by_key', 'week_day_kind_n_idx', 'week_n_idx'].sort());
  });

  it.each(['By n', 'week_n_idx', 'by_key'])('gives %s the size and the scans of all that is below it', async (name) => {
    const [hand] = await rowsOf<{ size: string; scans: string; fetched: string }>(
      database,
      `select sum(pg_relation_size(tree.relid)) as size, sum(idx_scan) as scans, sum(idx_tup_fetch) as fetched
       from pg_partition_tree('"Parts"."${name}"'::regclass) tree join pg_stat_user_indexes s on s.indexrelid = tree.relid`,
    );
    const { sizeBytes, scans, tuplesFetched } = named(name);
    expect({ sizeBytes, scans, tuplesFetched }).toEqual({
      sizeBytes: Number(hand?.size),
      scans: Number(hand?.scans),
      tuplesFetched: Number(hand?.fetched),
    });
    expect(sizeBytes).toBeGreaterThan(0);
  });

  it('reports a partitioned index once, and never a part of it', () => {
    const reported = unused.check(snapshot, unused.options.parse({})).map(({ subject }) => subject.index);
    expect(reported).not.toContain('By n');
    expect(reported).toEqual(['own']);
    const doubles = duplicate.check(snapshot, duplicate.options.parse({}));
    expect(doubles.map(({ subject }) => subject.index)).toEqual(['own']);
    expect(doubles[0]?.evidence.keep).toBe('week_a_n_idx');
  });

  it('drops and makes again a partitioned index with all its parts', async () => {
    const copy = await createDatabase();
    try {
      await copy.run(
        'create table "Big ""T""" (a int, b int) partition by range (a)',
        'create table part partition of "Big ""T""" for values from (0) to (100000)',
        'create index "I ON ONLY x" on "Big ""T""" (b desc) where a > 3',
        'insert into "Big ""T""" select g, g from generate_series(1, 9000) g',
      );
      const before = await collect(copy.url);
      const [finding, ...rest] = unused.check(before, unused.options.parse({}));
      expect(rest).toEqual([]);
      expect(finding?.subject.index).toBe('I ON ONLY x');
      await copy.run(finding?.action?.sql ?? '');
      expect((await collect(copy.url)).indexes).toEqual([]);
      await copy.run(finding?.action?.undoSql ?? '');
      expect(definitions(await collect(copy.url))).toEqual(definitions(before));
    } finally {
      await copy.drop();
    }
  });

  it('follows a partition that is detached and attached again', async () => {
    await database.run('alter table "Parts"."Events" detach partition "Parts"."Later"');
    const apart = await collect(database.url);
    const of = (from: IndexSnapshot, name: string) => from.indexes.find(({ index }) => index === name);
    expect(of(apart, 'Later_n_idx')).toMatchObject({ parent: null, scans: 1 });
    expect(of(apart, 'By n')?.sizeBytes).toBe(
      named('By n').sizeBytes - (of(apart, 'Later_n_idx')?.sizeBytes ?? Number.NaN),
    );
    await database.run('alter table "Parts"."Events" attach partition "Parts"."Later" for values from (7) to (100)');
    const again = await collect(database.url);
    expect(of(again, 'Later_n_idx')?.parent).toBe('"Parts"."By n"');
    expect(of(again, 'By n')?.sizeBytes).toBe(named('By n').sizeBytes);
  });
});
