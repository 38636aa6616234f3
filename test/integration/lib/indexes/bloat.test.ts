import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fragmented } from '../../../../lib/indexes/rules/fragmented.ts';
import type { IndexSnapshot } from '../../../../lib/indexes/snapshot.ts';
import { collect, createDatabase, createRole, rolePassword, rowsOf, type TestDatabase } from '../../database.ts';

/** Deterministic, and in no order. */
const shuffled = (n: number) => `select (g * 48271::bigint) % 2147483647 as k, g from generate_series(1, ${n}) g`;

/** Indexes of different shapes, and how each came about. */
const shapes: Record<string, string[]> = {
  appended: [
    'create table appended (k bigint)',
    'create index on appended (k)',
    'insert into appended select generate_series(1, 60000)',
  ],
  random: [
    'create table random (k bigint)',
    'create index on random (k)',
    `insert into random select k from (${shuffled(60_000)}) s`,
  ],
  deleted: [
    'create table deleted (k bigint)',
    'create index on deleted (k)',
    'insert into deleted select generate_series(1, 60000)',
    'delete from deleted where k % 10 <> 0',
    'vacuum deleted',
  ],
  half: [
    'create table half (k bigint)',
    'insert into half select generate_series(1, 60000)',
    'create index on half (k) with (fillfactor = 50)',
  ],
  few: [
    'create table few (k int)',
    'insert into few select g % 20 from generate_series(1, 80000) g',
    'create index on few (k)',
  ],
  text: [
    'create table text (k text)',
    'create index on text (k)',
    `insert into text select md5(k::text) from (${shuffled(40_000)}) s`,
    "delete from text where k < '6'",
    'vacuum text',
  ],
  unique: [
    'create table "unique" (k bigint)',
    'create unique index unique_k_idx on "unique" (k)',
    `insert into "unique" select k from (${shuffled(60_000)}) s`,
    'delete from "unique" where k % 3 = 0',
    'vacuum "unique"',
  ],
  fresh: [
    'create table fresh (k bigint, l text)',
    `insert into fresh select k, md5(k::text) from (${shuffled(40_000)}) s`,
    'create index fresh_k_idx on fresh (k, l)',
  ],
  emptied: [
    'create table emptied (k bigint)',
    'create index on emptied (k)',
    'insert into emptied select generate_series(1, 40000)',
    'delete from emptied',
    'vacuum emptied',
  ],
};

const excluded = [
  'create table excluded (k int, exclude using btree (k with =))',
  'insert into excluded select generate_series(1, 40000)',
  'delete from excluded where k % 5 <> 0',
  'vacuum excluded',
];

let database: TestDatabase;
let snapshot: IndexSnapshot;
const role = `measurer "q" ${process.pid}`;
let dropRole: () => Promise<void>;

beforeAll(async () => {
  database = await createDatabase();
  for (const statements of Object.values(shapes)) await database.run(...statements);
  await database.run(...excluded);
  snapshot = await collect(database.url);
  dropRole = (await createRole(role)).drop;
});

afterAll(async () => {
  await database?.drop();
  await dropRole?.();
});

const truth: Record<string, number> = {};

const judge = (from: IndexSnapshot) => fragmented.check(from, fragmented.options.parse({}));

describe('wastedSpace, against the size after a real REINDEX', () => {
  it.each(Object.keys(shapes))('%s: within 3 points', async (shape) => {
    const index = snapshot.indexes.find(({ table }) => table === shape);
    await database.run(`reindex index ${index?.sql.index}`);
    const [after] = await rowsOf<{ size: string }>(database, `select pg_relation_size('${index?.sql.index}') as size`);
    const before = index?.sizeBytes ?? 0;
    truth[shape] = 100 * (1 - Number(after?.size) / before);
    expect(Math.abs((index?.fragmentation?.wastedPercent ?? Number.NaN) - truth[shape])).toBeLessThan(3);
  });

  it('is right about the 30 % threshold on each of them', () => {
    const reported = judge(snapshot).map(({ subject }) => subject.table);
    const wasteful = Object.keys(truth).filter((shape) => (truth[shape] ?? 0) > 30);
    expect(reported.filter((table) => table !== 'excluded').sort()).toEqual(wasteful.sort());
    expect(wasteful.sort()).toEqual(['deleted', 'emptied', 'text', 'unique']);
  });

  it('finds nothing wasted after the rebuild', async () => {
    const rebuilt = await collect(database.url);
    for (const index of rebuilt.indexes.filter(({ table }) => table !== 'excluded' && table !== 'emptied')) {
      // The last leaf page is rarely full, which in a small index is more than a little.
      const onePage = (100 * 8192) / index.sizeBytes;
      expect(index.fragmentation?.wastedPercent, index.table).toBeLessThanOrEqual(Math.max(3, onePage));
    }
  });
});

describe('the advice to rebuild', () => {
  it('works for an index, and for one of an exclusion constraint', async () => {
    const copy = await createDatabase();
    try {
      await copy.run(...(shapes.deleted ?? []), ...excluded);
      const findings = judge(await collect(copy.url));
      expect(findings.map(({ action }) => action?.sql).sort()).toEqual([
        'REINDEX INDEX CONCURRENTLY public.deleted_k_idx;',
        'REINDEX INDEX public.excluded_k_excl;',
      ]);
      for (const { action } of findings) await copy.run(action?.sql ?? '');
      expect(judge(await collect(copy.url))).toEqual([]);
    } finally {
      await copy.drop();
    }
  });
});

describe('collectIndexes, where not everything can be measured', () => {
  it('leaves small indexes alone', async () => {
    const least = 400 * 1024;
    const { indexes, notes } = await collect(database.url, { budgetBytes: 2 ** 40, minBytes: least, timeMs: 60_000 });
    for (const index of indexes) expect(index.fragmentation !== null, index.index).toBe(index.sizeBytes >= least);
    expect(notes).toEqual([]);
  });

  it('spends its budget on the largest that fit, and says how many it left', async () => {
    const [first, second, third] = (await collect(database.url)).indexes;
    const budgetBytes = (first?.sizeBytes ?? 0) + (third?.sizeBytes ?? 0);
    const { indexes, notes } = await collect(database.url, { budgetBytes, minBytes: 8192, timeMs: 60_000 });
    const measured = indexes.filter(({ fragmentation }) => fragmentation !== null);
    expect(measured[0]?.index).toBe(first?.index);
    expect(measured.reduce((all, { sizeBytes }) => all + sizeBytes, 0)).toBeLessThanOrEqual(budgetBytes);
    expect(second?.sizeBytes).toBeGreaterThanOrEqual(third?.sizeBytes ?? 0);
    expect(notes).toMatchObject([{ code: 'fragmentation-budget', rules: ['indexes/fragmented'] }]);
    expect(notes[0]?.message).toContain(`of ${indexes.length - measured.length} large`);
  });

  it('notes that pgstattuple is missing, with the statement that installs it', async () => {
    await database.run('drop extension pgstattuple');
    const { indexes, notes } = await collect(database.url);
    expect(indexes.every(({ fragmentation }) => fragmentation === null)).toBe(true);
    expect(notes).toMatchObject([{ code: 'pgstattuple-missing', rules: ['indexes/fragmented'] }]);
    await database.run(/CREATE EXTENSION \w+/.exec(notes[0]?.message ?? '')?.[0] ?? '');
    expect((await collect(database.url)).notes).toEqual([]);
  });

  it('notes that the role may not measure, and what to grant', async () => {
    const url = database.as(role, rolePassword);
    const { indexes, notes } = await collect(url);
    expect(indexes).toHaveLength(snapshot.indexes.length);
    expect(indexes.every(({ fragmentation }) => fragmentation === null)).toBe(true);
    expect(notes).toMatchObject([
      { code: 'pgstattuple-permission', rules: ['indexes/fragmented'] },
      { code: 'statistics-permission', rules: ['indexes/low-selectivity', 'indexes/oversized'] },
    ]);
    expect(notes[0]?.message).toContain('GRANT pg_stat_scan_tables TO');
    await database.run(`grant pg_stat_scan_tables to "${role.replaceAll('"', '""')}"`);
    const allowed = await collect(url);
    expect(allowed.notes).toMatchObject([{ code: 'statistics-permission' }]);
    for (const { fragmentation, sizeBytes, index } of allowed.indexes) {
      expect(fragmentation !== null, index).toBe(sizeBytes >= 64 * 1024);
    }
  });

  it('finds pgstattuple in a schema of any name', async () => {
    await database.run(
      'create schema "Ext ""Schema"" 😀"',
      'alter extension pgstattuple set schema "Ext ""Schema"" 😀"',
    );
    const { indexes, notes } = await collect(database.url);
    expect(notes).toEqual([]);
    expect(indexes.some(({ fragmentation }) => fragmentation !== null)).toBe(true);
  });
});
