import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectIndexes } from '../../../../lib/indexes/collect.ts';
import { type Index, IndexSnapshot } from '../../../../lib/indexes/snapshot.ts';
import { createDatabase, hold, rowsOf, settled, type TestDatabase, withSession } from '../../database.ts';
import { strangeIndex, strangeSchema, strangeTable, zoo } from './zoo.ts';

/** Nothing is measured here: to measure an index is to read it, which changes its block counters. */
const unmeasured = { budgetBytes: 0, minBytes: Number.MAX_SAFE_INTEGER, timeMs: 0 };

let database: TestDatabase;
let snapshot: IndexSnapshot;
let temporary: Awaited<ReturnType<typeof hold>>;

beforeAll(async () => {
  database = await createDatabase();
  await database.run(...zoo);
  // Fails half-way, and leaves the invalid index that people find in their databases.
  await expect(database.run('create unique index concurrently twins_a on twins (a)')).rejects.toThrow('could not');
  const [server] = await rowsOf<{ version: number }>(
    database,
    "select current_setting('server_version_num')::int as version",
  );
  if ((server?.version ?? 0) >= 150_000)
    await database.run('create unique index k_nulls on kinds (n) nulls not distinct');
  temporary = await hold(database.url, 'create temp table temporary (a int primary key)');
  await database.run('set enable_seqscan = off; select * from read where a = 7', 'select * from read where id = 3');
  await settled(
    database,
    `select from pg_stat_user_indexes i join pg_stat_user_tables t using (relid)
     where i.indexrelname = 'read_a' and i.idx_scan = 1 and t.n_tup_upd = 50 and t.n_tup_del = 10`,
  );
  snapshot = await withSession(database.url, (session, server) => collectIndexes(session, server, unmeasured));
});

afterAll(async () => {
  await temporary?.end();
  await database?.drop();
});

function index(name: string): Index {
  const found = snapshot.indexes.filter((candidate) => candidate.index === name);
  expect(found, name).toHaveLength(1);
  return found[0] as Index;
}

/** What matters of an element; the rest is PostgreSQL's default for an int column. */
const column = (name: string, rest: object = {}) => ({
  column: name,
  expression: null,
  operatorClass: 'int4_ops',
  parameters: [],
  collation: null,
  descending: false,
  nullsFirst: false,
  equality: true,
  ...rest,
});

describe('collectIndexes', () => {
  it('has the shape that the endpoints promise, and survives JSON', () => {
    expect(IndexSnapshot.parse(JSON.parse(JSON.stringify(snapshot)))).toEqual(snapshot);
  });

  it('finds exactly the indexes that psql shows, with their definitions and sizes', async () => {
    const [, result] = await database.run(
      'set search_path = pg_catalog',
      `select schemaname as schema, tablename as table, indexname as index, indexdef as definition,
         pg_relation_size(format('%I.%I', schemaname, indexname)::regclass) as size
       from pg_indexes
       where schemaname not in ('pg_catalog', 'pg_toast', 'streamgate') and schemaname !~ '^pg_temp' and tablename <> 'owned'`,
    );
    const hand = (result?.rows ?? []).map(({ size, ...row }) => ({ ...row, sizeBytes: Number(size) }));
    const ours = snapshot.indexes.map(({ schema, table, index: name, definition, sizeBytes }) => ({
      schema,
      table,
      index: name,
      definition,
      sizeBytes,
    }));
    const byName = (a: { index: string }, b: { index: string }) => (a.index < b.index ? -1 : 1);
    expect(ours.sort(byName)).toEqual(hand.sort(byName));
    expect(ours.length).toBeGreaterThan(25);
    expect(snapshot.indexes.map(({ sizeBytes }) => sizeBytes)).toEqual(
      [...snapshot.indexes].map(({ sizeBytes }) => sizeBytes).sort((a, b) => b - a),
    );
  });

  it('reads the counters that pg_stat_user_indexes and pg_statio_user_indexes show', async () => {
    const rows = await rowsOf<Record<string, string>>(
      database,
      `select i.schemaname || '/' || i.indexrelname as name, idx_scan, idx_tup_read, idx_tup_fetch, idx_blks_read, idx_blks_hit
       from pg_stat_user_indexes i join pg_statio_user_indexes using (indexrelid)
       where i.schemaname <> 'streamgate' and i.schemaname !~ '^pg_' and i.relname <> 'owned'`,
    );
    const hand = Object.fromEntries(
      rows.map((row) => [
        row.name,
        [row.idx_scan, row.idx_tup_read, row.idx_tup_fetch, row.idx_blks_read, row.idx_blks_hit].map(Number),
      ]),
    );
    const ours = Object.fromEntries(
      snapshot.indexes.map((i) => [
        `${i.schema}/${i.index}`,
        [i.scans, i.tuplesRead, i.tuplesFetched, i.blocksRead, i.blocksHit],
      ]),
    );
    expect(ours).toEqual(hand);
    expect(index('read_a').scans).toBe(1);
  });

  it('knows when an index was last read, from PostgreSQL 16 on', () => {
    const { lastScanAt } = index('read_a');
    if (snapshot.server.versionNumber < 160_000) expect(lastScanAt).toBeNull();
    else expect(Date.parse(lastScanAt ?? '')).not.toBeNaN();
    expect(index('read_never').lastScanAt).toBeNull();
  });

  it('reads the counters and sizes of tables that psql shows', async () => {
    const rows = await rowsOf<Record<string, string>>(
      database,
      `select s.schemaname, s.relname, pg_relation_size(s.relid), seq_scan, n_tup_ins, n_tup_upd, n_tup_hot_upd, n_tup_del
       from pg_stat_user_tables s where s.schemaname <> 'streamgate' and s.schemaname !~ '^pg_' and s.relname <> 'owned'`,
    );
    const hand = Object.fromEntries(
      rows.map(({ schemaname, relname, ...numbers }) => [
        `${schemaname}/${relname}`,
        Object.values(numbers).map(Number),
      ]),
    );
    const ours = Object.fromEntries(
      snapshot.tables.map((t) => [
        `${t.schema}/${t.table}`,
        [t.sizeBytes, t.sequentialScans, t.inserts, t.updates, t.hotUpdates, t.deletes],
      ]),
    );
    expect(ours).toEqual(hand);
    const read = snapshot.tables.find(({ table }) => table === 'read');
    expect(read).toMatchObject({ rows: 4990, inserts: 5000, updates: 50, deletes: 10 });
  });

  it('keeps names as they are, and quotes them where SQL needs it', async () => {
    const strange = index(strangeIndex);
    expect(strange).toMatchObject({
      schema: strangeSchema,
      table: strangeTable,
      elements: [{ column: 'sp ace' }, { column: 'emoji 🐘', descending: true, nullsFirst: false }],
      included: ['back\\slash', 'select'],
      predicate: '("Key" > 0)',
    });
    for (const { sql, schema, table, index: name } of snapshot.indexes) {
      const [row] = await rowsOf<{ schema: string; table: string; index: string }>(
        database,
        `select n.nspname as schema, t.relname as table, c.relname as index
         from pg_class c join pg_index i on i.indexrelid = c.oid join pg_class t on t.oid = i.indrelid
         join pg_namespace n on n.oid = t.relnamespace
         where c.oid = ${literal(sql.index)}::regclass and t.oid = ${literal(sql.table)}::regclass`,
      );
      expect(row).toEqual({ schema, table, index: name });
    }
  });

  it('tells expressions, predicates, INCLUDE, collations, operator classes and directions', () => {
    expect(index('k_expression').elements).toMatchObject([
      { column: null, expression: 'lower(b)', operatorClass: 'text_ops', collation: 'default' },
      { column: null, expression: '((a + n))', operatorClass: 'int4_ops', collation: null },
    ]);
    expect(index('k_partial').predicate).toBe(`((a > 10) AND (b <> 'it''s "quoted" \\'::text))`);
    expect(index('k_include')).toMatchObject({ elements: [column('a')], included: ['n', 'b'] });
    expect(index('k_collation').elements).toEqual([
      // A search by the column's own collation cannot use it.
      column('b', { operatorClass: 'text_ops', collation: 'C', equality: false }),
    ]);
    expect(index('k_pattern').elements).toMatchObject([{ operatorClass: 'text_pattern_ops', collation: 'default' }]);
    expect(index('k_desc').elements).toEqual([
      column('a', { descending: true, nullsFirst: true }),
      column('n', { nullsFirst: true }),
      column('u', { descending: true }),
    ]);
    expect(index('k_foreign').elements).toMatchObject([
      { operatorClass: '"Ça ""va"" 😀".my_ops' },
      { operatorClass: 'text_ops', collation: '"Ça ""va"" 😀".My Collation' },
    ]);
    expect(index('k_siglen').elements).toMatchObject([
      { column: 'b', operatorClass: 'public.gist_trgm_ops', parameters: ['siglen=32'] },
    ]);
  });

  it('tells methods, fillfactors and storage parameters', () => {
    const of = (name: string) => {
      const { method, fillfactor, options } = index(name);
      return { method, fillfactor, options };
    };
    expect(of('k_hash')).toEqual({ method: 'hash', fillfactor: 75, options: [] });
    expect(of('k_gin')).toEqual({ method: 'gin', fillfactor: 100, options: ['fastupdate=off'] });
    expect(of('k_brin')).toEqual({
      method: 'brin',
      fillfactor: 100,
      options: ['autosummarize=on', 'pages_per_range=32'],
    });
    expect(of('k_spgist')).toEqual({ method: 'spgist', fillfactor: 80, options: [] });
    expect(of('k_siglen')).toEqual({ method: 'gist', fillfactor: 90, options: [] });
    expect(of('k_unique')).toEqual({ method: 'btree', fillfactor: 55, options: [] });
    expect(of('k_desc')).toEqual({ method: 'btree', fillfactor: 90, options: [] });
  });

  it('tells what an index enforces', () => {
    expect(index('kinds_pkey')).toMatchObject({
      primary: true,
      unique: true,
      constraint: { name: 'kinds_pkey', type: 'primary key', deferrable: false, definition: 'PRIMARY KEY (id)' },
      sql: { constraint: 'kinds_pkey' },
    });
    expect(index('k_deferrable')).toMatchObject({
      unique: true,
      constraint: { type: 'unique', deferrable: true, definition: 'UNIQUE (u) DEFERRABLE INITIALLY DEFERRED' },
    });
    expect(index('k_excluded')).toMatchObject({
      unique: false,
      exclusion: true,
      constraint: { type: 'exclusion', definition: 'EXCLUDE USING gist (a WITH =, e WITH &&)' },
    });
    expect(index('k_unique')).toMatchObject({ unique: true, constraint: null, nullsNotDistinct: false });
    if (snapshot.server.versionNumber >= 150_000) expect(index('k_nulls').nullsNotDistinct).toBe(true);
    expect(index('parent_pkey')).toMatchObject({ referencedBy: 2, replicaIdentity: false });
    expect(index('parent_code')).toMatchObject({ referencedBy: 1, replicaIdentity: true, primary: false });
    expect(snapshot.indexes.filter(({ replicaIdentity }) => replicaIdentity)).toHaveLength(1);
    expect(snapshot.indexes.filter(({ clustered }) => clustered)).toEqual([index('child_q')]);
  });

  it('tells a failed CREATE INDEX CONCURRENTLY from a valid index', () => {
    expect(index('twins_a')).toMatchObject({ valid: false, ready: false, unique: true });
    expect(snapshot.indexes.filter(({ valid }) => !valid)).toHaveLength(1);
  });

  it('tells the columns of foreign keys', () => {
    const toParent = { schema: 'public', toSchema: 'public', toTable: 'parent', inherited: false };
    expect(snapshot.foreignKeys).toEqual([
      { table: 'child', name: 'child_p_fkey', columns: ['p'], ...toParent },
      { table: 'child', name: 'child_q_fkey', columns: ['q'], ...toParent },
      { table: 'other', name: 'other fk', columns: ['p'], ...toParent },
    ]);
  });

  it('looks at materialized views and unlogged tables, and at nothing else', () => {
    expect(index('view_id')).toMatchObject({ table: 'view', unique: true });
    expect(index('unlogged_a').method).toBe('btree');
    const tables = snapshot.tables.map(({ table }) => table);
    for (const name of ['temporary', 'owned', 'mine', 'pg_class']) expect(tables).not.toContain(name);
    expect(snapshot.notes).toEqual([]);
  });
});

function literal(text: string): string {
  return ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
