import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { duplicate } from '../../../../../lib/indexes/rules/duplicate.ts';
import { collect, createDatabase, definitions, rowsOf, type TestDatabase } from '../../../database.ts';

interface Case {
  what: string;
  /** Makes the indexes of the table `t (id, a, b, c, d)`, in a schema of the case's own. */
  sql: string[];
  /** The indexes that may go, and no others. */
  drops: string[];
  /** The server version from which on the case exists. */
  from?: number;
}

const x = (definition: string) => `create index x on t ${definition}`;
const y = (definition: string) => `create index y on t ${definition}`;

const golden: Case[] = [
  { what: 'the same column twice', sql: [x('(a)'), y('(a)')], drops: ['y'] },
  { what: 'three copies', sql: [x('(a)'), y('(a)'), 'create index z on t (a)'], drops: ['y', 'z'] },
  { what: 'two columns in the same order', sql: [x('(a, b)'), y('(a, b)')], drops: ['y'] },
  { what: 'two columns in another order', sql: [x('(a, b)'), y('(b, a)')], drops: [] },
  { what: 'a prefix of a longer index', sql: [x('(a)'), y('(a, b)')], drops: [] },
  { what: 'the exact mirror', sql: [x('(a)'), y('(a desc)')], drops: ['y'] },
  { what: 'the mirror of two columns', sql: [x('(a desc, b)'), y('(a, b desc)')], drops: ['x'] },
  { what: 'one of two directions turned', sql: [x('(a, b)'), y('(a, b desc)')], drops: [] },
  { what: 'nulls elsewhere', sql: [x('(a)'), y('(a nulls first)')], drops: [] },
  { what: 'the mirror with nulls written out', sql: [x('(a nulls first)'), y('(a desc nulls last)')], drops: ['y'] },
  { what: 'another collation', sql: [x('(b)'), y('(b collate "POSIX")')], drops: [] },
  { what: 'another operator class', sql: [x('(b)'), y('(b text_pattern_ops)')], drops: [] },
  { what: 'another method', sql: [x('(a)'), y('using hash (a)')], drops: [] },
  { what: 'two hash indexes', sql: [x('using hash (a)'), y('using hash (a)')], drops: ['y'] },
  { what: 'other INCLUDE columns', sql: [x('(a) include (b)'), y('(a)')], drops: [] },
  { what: 'INCLUDE in another order', sql: [x('(a) include (b, c)'), y('(a) include (c, b)')], drops: ['y'] },
  { what: 'INCLUDE against a key column', sql: [x('(a) include (b)'), y('(a, b)')], drops: [] },
  { what: 'another predicate', sql: [x('(a) where c > 0'), y('(a) where c > 1')], drops: [] },
  { what: 'a predicate against none', sql: [x('(a) where c > 0'), y('(a)')], drops: [] },
  { what: 'the same predicate', sql: [x('(a) where c > 0'), y('(a) where (c) > 0')], drops: ['y'] },
  { what: 'the same expression', sql: [x('(lower(b))'), y('(lower( b ))')], drops: ['y'] },
  { what: 'another expression', sql: [x('(lower(b))'), y('(upper(b))')], drops: [] },
  { what: 'an expression of a column against the column', sql: [x('((a + 0))'), y('(a)')], drops: [] },
  { what: 'a copy of the primary key', sql: [x('(id)'), 'create unique index y on t (id)'], drops: ['x', 'y'] },
  { what: 'a unique index and a plain one', sql: ['create unique index x on t (a)', y('(a)')], drops: ['y'] },
  {
    what: 'two unique indexes',
    sql: ['create unique index x on t (a)', 'create unique index y on t (a)'],
    drops: ['y'],
  },
  {
    what: 'a constraint and a unique index',
    sql: ['alter table t add constraint x unique (a)', 'create unique index y on t (a)'],
    drops: ['y'],
  },
  {
    what: 'two constraints',
    sql: ['alter table t add constraint "X y" unique (a)', 'alter table t add constraint y unique (a)'],
    drops: ['y'],
  },
  {
    what: 'a deferrable constraint and one that is not',
    sql: ['alter table t add constraint x unique (a) deferrable', 'alter table t add constraint y unique (a)'],
    drops: ['x'],
  },
  {
    what: 'two constraints that foreign keys lean on',
    sql: [
      'alter table t add constraint x unique (a)',
      'create table r1 (a int references t (a))',
      'alter table t add constraint y unique (a)',
      'create table r2 (a int references t (a))',
    ],
    drops: ['y'],
  },
  {
    what: 'unique with INCLUDE and plain unique',
    sql: ['create unique index x on t (a) include (b)', 'create unique index y on t (a)'],
    drops: [],
  },
  {
    what: 'nulls distinct against not distinct',
    sql: ['create unique index x on t (a)', 'create unique index y on t (a) nulls not distinct'],
    drops: ['x'],
    from: 150_000,
  },
  {
    what: 'an exclusion constraint and the index it has',
    sql: ['alter table t add constraint x exclude using gist (d with &&)', y('using gist (d)')],
    drops: ['y'],
  },
  {
    what: 'two gin indexes',
    sql: [
      x('using gin (string_to_array(b, $$ $$))'),
      y('using gin (string_to_array(b, $$ $$)) with (fastupdate = off)'),
    ],
    drops: ['y'],
  },
  {
    what: 'brin of another granularity',
    sql: [x('using brin (a)'), y('using brin (a) with (pages_per_range = 16)')],
    drops: [],
  },
  { what: 'other fillfactors', sql: [x('(a)'), y('(a) with (fillfactor = 50)')], drops: ['y'] },
  {
    what: 'a replica identity',
    sql: [
      'alter table t alter a set not null',
      'create unique index x on t (a)',
      'create unique index y on t (a)',
      'alter table t replica identity using index y',
    ],
    drops: ['x'],
  },
  {
    what: 'quoted names',
    sql: ['create index "X ""1"" 😀" on t (a)', 'create index "Y \'2\' \\ $& %s" on t (a)'],
    drops: ["Y '2' \\ $& %s"],
  },
];

let database: TestDatabase;
let version: number;

beforeAll(async () => {
  database = await createDatabase();
  const [row] = await rowsOf<{ version: number }>(
    database,
    "select current_setting('server_version_num')::int as version",
  );
  version = row?.version ?? 0;
});

afterAll(() => database?.drop());

/** A schema with a name that needs quoting, for each case. */
const schemaOf = (at: number) => `case "${at}" $&`;

const inSchema = (at: number) => `set search_path = "case ""${at}"" $&"`;

async function findings(at: number) {
  const snapshot = await collect(database.url);
  const indexes = snapshot.indexes.filter(({ schema }) => schema === schemaOf(at));
  return {
    snapshot: { ...snapshot, indexes },
    found: duplicate.check({ ...snapshot, indexes }, duplicate.options.parse({})),
  };
}

describe('indexes/duplicate, golden cases', () => {
  it.each(golden.map((example, at) => ({ ...example, at })))('$what', async ({ sql, drops, from, at }) => {
    if (version < (from ?? 0)) return;
    await database.run(
      `create schema "case ""${at}"" $&"`,
      inSchema(at),
      'create table t (id int primary key, a int, b text, c int, d int4range)',
      `insert into t select g, g, 'b' || g, g, int4range(g, g + 1) from generate_series(1, 1000) g`,
      ...sql,
    );
    const before = await findings(at);
    expect(before.found.map(({ subject }) => subject.index).sort()).toEqual(drops);

    // The advice is followed to the letter: what it drops goes, nothing of it is found again.
    for (const { action } of before.found) await database.run(action?.sql ?? '');
    const after = await findings(at);
    expect(after.found).toEqual([]);
    expect(after.snapshot.indexes.map(({ index }) => index)).toEqual(
      before.snapshot.indexes.map(({ index }) => index).filter((index) => !drops.includes(index)),
    );

    // And it can be taken back: each index is there again, as it was.
    for (const { action } of before.found) await database.run(action?.undoSql ?? '');
    expect(definitions((await findings(at)).snapshot)).toEqual(definitions(before.snapshot));
  });

  it('keeps the copy that is read', async () => {
    const copy = await createDatabase();
    try {
      await copy.run(
        'create table t (a int, b int)',
        'insert into t select g, g from generate_series(1, 5000) g',
        'create index first on t (a)',
        'set enable_seqscan = off; select * from t where a = 1',
        'create index second on t (a)',
      );
      const snapshot = await collect(copy.url);
      // PostgreSQL reads the newer one of two equals.
      const read = snapshot.indexes.map((index) => ({ ...index, scans: index.index === 'second' ? 3 : 0 }));
      const [finding] = duplicate.check({ ...snapshot, indexes: read }, duplicate.options.parse({}));
      expect(finding?.subject.index).toBe('first');
      expect(finding?.evidence).toMatchObject({ keep: 'second', keptScans: 3, scans: 0 });
    } finally {
      await copy.drop();
    }
  });
});
