import { describe, expect, test } from 'vitest';
import { dropIndex, subjectOf } from '../../../../lib/indexes/actions.ts';
import { constraint, index, indexSnapshot, server, uniqueConstraint } from '../../snapshots.ts';

describe('dropping an index', () => {
  test('takes no lock that stops anybody, and can be undone the same way', () => {
    expect(dropIndex(index('i'), 'Careful.')).toEqual({
      kind: 'sql',
      sql: 'DROP INDEX CONCURRENTLY IF EXISTS public.i;',
      undoSql: 'CREATE INDEX CONCURRENTLY i ON public.t USING btree (a);',
      caution: 'Careful.',
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

test('the subject of a finding is the index under the configured name of its database', () => {
  const snapshot = indexSnapshot([], { server: server({ database: 'billing' }) });
  expect(subjectOf(snapshot, index('i', { schema: 's', table: 'u' }))).toEqual({
    database: 'billing',
    schema: 's',
    table: 'u',
    index: 'i',
  });
});
