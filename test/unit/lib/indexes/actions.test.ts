import { describe, expect, test } from 'vitest';
import { createIndex, dropIndex, subjectOf } from '../../../../lib/indexes/actions.ts';
import { constraint, index, indexSnapshot, mebibyte, server, table, uniqueConstraint } from '../../snapshots.ts';

describe('dropping an index', () => {
  test('takes no lock that stops anybody, and can be undone the same way', () => {
    expect(dropIndex(index('i'), 'Careful.')).toEqual({
      kind: 'sql',
      sql: 'DROP INDEX CONCURRENTLY IF EXISTS public.i;',
      undoSql: 'CREATE INDEX CONCURRENTLY i ON public.t USING btree (a);',
      caution: 'Careful. Reads and writes go on meanwhile; it waits for transactions that are open.',
    });
  });

  test('that is unique is undone as unique', () => {
    expect(dropIndex(index('i', { unique: true }), '').undoSql).toBe(
      'CREATE UNIQUE INDEX CONCURRENTLY i ON public.t USING btree (a);',
    );
  });

  test('quotes names as SQL needs them', () => {
    const odd = index('Drop "it"; --', { schema: 'My Schema' });
    expect(dropIndex(odd, '')).toMatchObject({
      sql: 'DROP INDEX CONCURRENTLY IF EXISTS "My Schema"."Drop ""it""; --";',
      undoSql: 'CREATE INDEX CONCURRENTLY "Drop ""it""; --" ON "My Schema".t USING btree (a);',
    });
  });

  test('whose name holds replacement patterns keeps the name', () => {
    const odd = index('$& $1 $$', {
      partitioned: true,
      definition: 'CREATE INDEX "$& $1 $$" ON ONLY public.t USING btree (a)',
    });
    expect(dropIndex(odd, '').undoSql).toBe('CREATE INDEX "$& $1 $$" ON public.t USING btree (a);');
  });

  test('of a constraint drops the constraint, which locks the table for a moment', () => {
    const made = uniqueConstraint('t_a_key', {
      constraint: constraint('unique', { name: 't_a_key', definition: 'UNIQUE (a) DEFERRABLE' }),
    });
    expect(dropIndex(made, 'Careful.')).toEqual({
      kind: 'sql',
      sql: 'ALTER TABLE public.t DROP CONSTRAINT IF EXISTS t_a_key;',
      undoSql: 'ALTER TABLE public.t ADD CONSTRAINT t_a_key UNIQUE (a) DEFERRABLE;',
      caution: 'Careful. Takes an ACCESS EXCLUSIVE lock on public.t for a moment: set lock_timeout first.',
    });
  });

  test('of a partitioned table cannot be concurrent, and is undone with all its parts', () => {
    const whole = index('i', { partitioned: true, definition: 'CREATE INDEX i ON ONLY public.t USING btree (a)' });
    expect(dropIndex(whole, 'Careful.')).toEqual({
      kind: 'sql',
      sql: 'DROP INDEX IF EXISTS public.i;',
      undoSql: 'CREATE INDEX i ON public.t USING btree (a);',
      caution: expect.stringMatching(/^Careful\. Takes an ACCESS EXCLUSIVE lock on public\.t/),
    });
  });

  test('of a partitioned table keeps a name that says ON ONLY itself', () => {
    const name = 'x ON ONLY y';
    const whole = index(name, {
      partitioned: true,
      definition: `CREATE UNIQUE INDEX "${name}" ON ONLY public."t ON ONLY u" USING btree (a)`,
    });
    expect(dropIndex(whole, '').undoSql).toBe(`CREATE UNIQUE INDEX "${name}" ON public."t ON ONLY u" USING btree (a);`);
  });
});

describe('undoing the drop of an index outside of the default tablespace', () => {
  const elsewhere = { tablespace: '"Fast disk"' };

  test('names the tablespace, which PostgreSQL does not print', () => {
    expect(dropIndex(index('i', elsewhere), '').undoSql).toBe(
      'CREATE INDEX CONCURRENTLY i ON public.t USING btree (a) TABLESPACE "Fast disk";',
    );
  });

  test('before the condition', () => {
    const partial = index('i', {
      ...elsewhere,
      predicate: '(a > 0)',
      definition: "CREATE INDEX i ON public.t USING btree (a) WITH (fillfactor='70') WHERE (a > 0)",
    });
    expect(dropIndex(partial, '').undoSql).toBe(
      'CREATE INDEX CONCURRENTLY i ON public.t USING btree (a) WITH (fillfactor=\'70\') TABLESPACE "Fast disk" WHERE (a > 0);',
    );
  });

  test('also for a constraint', () => {
    expect(dropIndex(uniqueConstraint('c', elsewhere), '').undoSql).toBe(
      'CREATE UNIQUE INDEX c ON public.t USING btree (a) TABLESPACE "Fast disk";\nALTER TABLE public.t ADD CONSTRAINT c UNIQUE USING INDEX c;',
    );
  });
});

describe('making an index', () => {
  const key = { name: 't_a_idx', keys: ['a', '"B c"'], expectedBytes: 20 * mebibyte };

  test('lets writes go on, and says what it needs', () => {
    const action = createIndex(table({ sizeBytes: 200e6 }), key, [], 'Careful.');
    expect(action).toMatchObject({
      kind: 'sql',
      sql: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "t_a_idx" ON public.t (a, "B c");',
      undoSql: 'DROP INDEX CONCURRENTLY IF EXISTS "public"."t_a_idx";',
    });
    expect(action.caution).toMatch(/^Careful\. About 20 MB and 2 s to build\. Takes a SHARE UPDATE EXCLUSIVE lock/);
  });

  test('of a partitioned table makes every part by itself, each after the one that owns it, and attaches it', () => {
    const whole = table({ table: 'w', kind: 'partitioned table' });
    const tables = [
      table({ table: 'leaf', parent: 'public.middle' }),
      whole,
      table({ table: 'middle', kind: 'partitioned table', parent: 'public.w' }),
      table({ table: 'part', parent: 'public.w' }),
      table({ table: 'other' }),
    ];
    const { sql, undoSql } = createIndex(whole, { ...key, name: 'w_a_idx', keys: ['a'] }, tables, '');
    expect(sql?.split('\n')).toEqual([
      'CREATE INDEX IF NOT EXISTS "w_a_idx" ON ONLY public.w (a);',
      'CREATE INDEX IF NOT EXISTS "middle_w_a_idx" ON ONLY public.middle (a);',
      'ALTER INDEX "public"."w_a_idx" ATTACH PARTITION "public"."middle_w_a_idx";',
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "part_w_a_idx" ON public.part (a);',
      'ALTER INDEX "public"."w_a_idx" ATTACH PARTITION "public"."part_w_a_idx";',
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "leaf_w_a_idx" ON public.leaf (a);',
      'ALTER INDEX "public"."middle_w_a_idx" ATTACH PARTITION "public"."leaf_w_a_idx";',
    ]);
    expect(undoSql).toBe('DROP INDEX IF EXISTS "public"."w_a_idx";');
  });
});

test('the subject of a finding is the index under the configured name of its database', () => {
  const snapshot = indexSnapshot([], { server: server({ database: 'billing' }) });
  expect(subjectOf(snapshot, index('i', { schema: 's', table: 'u' }))).toEqual({
    database: 'billing',
    schema: 's',
    table: 'u',
    index: 'i',
  });
});
