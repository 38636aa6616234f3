import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IndexSnapshot } from '../../../../lib/indexes/snapshot.ts';
import { collect, createDatabase, hold, settled, type TestDatabase } from '../../database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create schema "Sch ema"',
    'create table "Sch ema"."Busy" (id int primary key, a int)',
    'create index busy_a on "Sch ema"."Busy" (a)',
    'create table free (id int primary key, busy int references "Sch ema"."Busy" (id))',
    'create table whole (a int) partition by range (a)',
    'create table low partition of whole for values from (0) to (10)',
    'create table high partition of whole for values from (10) to (20)',
    'create index on whole (a)',
    'create materialized view view as select * from free',
    'create unique index on view (id)',
  );
});

afterAll(() => database?.drop());

const tablesOf = ({ indexes }: IndexSnapshot) => [...new Set(indexes.map(({ table }) => table))].sort();

async function auditUnder(...statements: string[]): Promise<IndexSnapshot> {
  const other = await hold(database.url, 'begin', ...statements);
  try {
    return await collect(database.url);
  } finally {
    await other.end();
  }
}

describe('an audit beside ACCESS EXCLUSIVE locks', () => {
  it('looks at every table when there are none', async () => {
    const snapshot = await collect(database.url);
    expect(tablesOf(snapshot)).toEqual(['Busy', 'free', 'high', 'low', 'view', 'whole']);
    expect(snapshot.notes).toEqual([]);
  });

  it('leaves a locked table out and names it', async () => {
    const snapshot = await auditUnder('lock table "Sch ema"."Busy" in access exclusive mode');
    expect(tablesOf(snapshot)).toEqual(['free', 'high', 'low', 'view', 'whole']);
    expect(snapshot.tables.map(({ table }) => table)).not.toContain('Busy');
    expect(snapshot.notes).toMatchObject([{ code: 'tables-locked', rules: ['indexes/*', 'tables/*'] }]);
    expect(snapshot.notes[0]?.message).toContain('left out: "Sch ema"."Busy".');
  });

  it('leaves a table out whose lock somebody waits for', async () => {
    const reader = await hold(database.url, 'begin', 'select * from "Sch ema"."Busy"');
    const waiting = await hold(database.url);
    const queued = waiting.client.query('alter table "Sch ema"."Busy" alter a drop default');
    try {
      await settled(database, "select from pg_locks where mode = 'AccessExclusiveLock' and not granted");
      const snapshot = await collect(database.url);
      expect(tablesOf(snapshot)).not.toContain('Busy');
      expect(snapshot.notes).toMatchObject([{ code: 'tables-locked' }]);
    } finally {
      await reader.end();
      await queued;
      await waiting.end();
    }
  });

  it.each([
    ['an index that is being rebuilt', 'reindex index "Sch ema".busy_a'],
    ['a table that is being rewritten', 'alter table "Sch ema"."Busy" alter a type bigint'],
    ['a table that is being emptied', 'truncate "Sch ema"."Busy" cascade'],
    ['an index that is being dropped', 'drop index "Sch ema".busy_a'],
  ])('leaves out the table of %s', async (_, statement) => {
    const snapshot = await auditUnder(statement);
    expect(tablesOf(snapshot)).not.toContain('Busy');
    expect(snapshot.notes[0]?.message).toContain('"Sch ema"."Busy"');
  });

  it('leaves out a locked materialized view, and all of a table with a locked partition', async () => {
    const snapshot = await auditUnder('refresh materialized view view', 'lock table low in access exclusive mode');
    expect(tablesOf(snapshot)).toEqual(['Busy', 'free']);
    expect(snapshot.notes[0]?.message).toContain('left out: public.low, public.view, public.whole.');
  });

  it('names five of many', async () => {
    const names = [1, 2, 3, 4, 5, 6, 7].map((n) => `many_${n}`);
    await database.run(...names.map((name) => `create table ${name} (id int primary key)`));
    const snapshot = await auditUnder(`lock table ${names.join()} in access exclusive mode`);
    expect(snapshot.notes[0]?.message).toContain(
      'public.many_1, public.many_2, public.many_3, public.many_4, public.many_5 and 2 more.',
    );
    await database.run(`drop table ${names.join()}`);
  });

  it('does not mind weaker locks, nor those of another database', async () => {
    const elsewhere = await createDatabase({ extensions: false });
    await elsewhere.run('create table there (id int primary key)');
    const other = await hold(elsewhere.url, 'begin', 'lock table there in access exclusive mode');
    try {
      const snapshot = await auditUnder('lock table "Sch ema"."Busy" in exclusive mode', 'update free set busy = null');
      expect(tablesOf(snapshot)).toContain('Busy');
      expect(snapshot.notes).toEqual([]);
    } finally {
      await other.end();
      await elsewhere.drop();
    }
  });
});

describe('an audit of a database without tables', () => {
  it('finds nothing, and has nothing to note', async () => {
    const empty = await createDatabase({ extensions: false });
    try {
      expect(await collect(empty.url)).toMatchObject({ tables: [], indexes: [], foreignKeys: [], notes: [] });
    } finally {
      await empty.drop();
    }
  });
});
