import { describe, expect, test } from 'vitest';
import { missingForeignKey } from '../../../../../lib/indexes/rules/missing-foreign-key.ts';
import type { ForeignKey, Index, IndexSnapshot } from '../../../../../lib/indexes/snapshot.ts';
import { element, foreignKey, index, indexSnapshot, table } from '../../../snapshots.ts';

const check = (foreignKeys: ForeignKey[], indexes: Index[] = [], overrides: Partial<IndexSnapshot> = {}) =>
  missingForeignKey.check(
    indexSnapshot(indexes, { tables: [table()], foreignKeys, ...overrides }),
    missingForeignKey.options.parse({}),
  );
const on = (name: string, columns: string[], overrides: Partial<Index> = {}) =>
  index(name, { elements: columns.map((column) => element(column)), ...overrides });

describe('a foreign key', () => {
  test.each<[string, Index[]]>([
    ['has no index', []],
    ['has its column second', [on('i', ['b', 'a'])]],
    ['has a partial one', [on('i', ['a'], { predicate: '(x > 0)' })]],
    ['has BRIN', [on('i', ['a'], { method: 'brin' })]],
    ['has an invalid one', [on('i', ['a'], { valid: false })]],
    ['has one that does not know its equality', [index('i', { elements: [element('a', { equality: false })] })]],
    ['has its column in INCLUDE', [on('i', ['b'], { included: ['a'] })]],
    ['has an index of another table', [on('i', ['a'], { table: 'u' })]],
  ])('that %s is reported', (_, indexes) => {
    expect(check([foreignKey(['a'])], indexes)).toHaveLength(1);
  });

  test.each<[string, Index[]]>([
    ['has an index', [on('i', ['a'])]],
    ['has a wider one', [on('i', ['a', 'b'])]],
    ['has hash', [on('i', ['a'], { method: 'hash' })]],
    ['has GiST that knows equality', [on('i', ['a', 'b'], { method: 'gist' })]],
    ['has one of all that is not null', [on('i', ['a'], { predicate: '(a IS NOT NULL)' })]],
  ])('that %s is not', (_, indexes) => {
    expect(check([foreignKey(['a'])], indexes)).toEqual([]);
  });

  test('of two columns may have them in any order, or a unique index of one', () => {
    const key = [foreignKey(['a', 'b'])];
    expect(check(key, [on('i', ['b', 'a', 'c'])])).toEqual([]);
    expect(check(key, [on('i', ['b'], { unique: true })])).toEqual([]);
    expect(check(key, [on('i', ['b'])])).toHaveLength(1);
    expect(check(key, [on('i', ['b', 'c'], { unique: true })])).toHaveLength(1);
  });

  test('of a partition belongs to that of the whole', () => {
    expect(check([foreignKey(['a'], { inherited: true })])).toEqual([]);
  });

  test('of a locked table, which was left out, is not judged', () => {
    expect(check([foreignKey(['a'])], [], { tables: [] })).toEqual([]);
  });
});

describe('a partitioned table', () => {
  const tables = [
    table({ kind: 'partitioned table' }),
    table({ table: 'p', parent: 'public.t' }),
    table({ table: 'q', parent: 'public.t' }),
  ];
  const ofParts = (...names: string[]) =>
    check(
      [foreignKey(['a'])],
      names.map((name) => on(`${name}_a`, ['a'], { table: name })),
      { tables },
    );

  test('is covered when each of its partitions is', () => {
    expect(ofParts('p', 'q')).toEqual([]);
    expect(ofParts('p')).toHaveLength(1);
    expect(ofParts('t')).toEqual([]);
  });

  test('gets its index part by part, without stopping writes', () => {
    const [found] = ofParts();
    expect(found?.action?.sql?.split('\n')[0]).toBe('CREATE INDEX IF NOT EXISTS "t_a_idx" ON ONLY public.t ("a");');
    expect(found?.action?.sql?.match(/CONCURRENTLY/g)).toHaveLength(2);
    expect(found?.action?.caution).toMatch(/one by one, outside of a transaction/);
  });
});

describe('several foreign keys of a table', () => {
  test('that one index serves are one finding, the narrowest first in the index', () => {
    const keys = [foreignKey(['a', 'b'], { name: 'wide' }), foreignKey(['b'], { name: 'narrow' })];
    expect(check(keys)).toMatchObject([
      {
        subject: { table: 't', index: 't_b_a_idx' },
        evidence: { foreignKeys: 'wide, narrow', columns: 'b, a' },
        action: { sql: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "t_b_a_idx" ON public.t ("b", "a");' },
      },
    ]);
  });

  test('that no one index serves are as many findings', () => {
    const keys = [
      foreignKey(['a', 'b'], { name: '1' }),
      foreignKey(['b'], { name: '2' }),
      foreignKey(['a'], { name: '3' }),
    ];
    expect(
      check(keys)
        .map(({ evidence }) => evidence.foreignKeys)
        .sort(),
    ).toEqual(['1, 2', '3']);
  });

  test('of the same column to two tables need one index', () => {
    expect(check([foreignKey(['a'], { name: '1' }), foreignKey(['a'], { name: '2', toTable: 'q' })])).toHaveLength(1);
  });
});

describe('the finding', () => {
  test('chooses a name that is free, and quotes', () => {
    const [found] = check([foreignKey(['Ref "x"'])], [on('t_Ref "x"_idx', ['z'])]);
    expect(found).toMatchObject({
      subject: { index: 't_Ref "x"_idx1' },
      action: {
        sql: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "t_Ref ""x""_idx1" ON public.t ("Ref ""x""");',
        undoSql: 'DROP INDEX CONCURRENTLY IF EXISTS "public"."t_Ref ""x""_idx1";',
      },
    });
  });

  const left = { valid: false, building: false };

  test.each([
    ['on its table, which gives its name back and is taken away first', left, 't_a_idx', 1],
    ['on its table, at which somebody is at work', { ...left, building: true }, 't_a_idx1', 0],
    ['on its table, and unique', { ...left, unique: true }, 't_a_idx1', 0],
    ['on another table', { ...left, table: 'other' }, 't_a_idx1', 0],
    ['in another schema', { schema: 'other', table: 't' }, 't_a_idx', 0],
  ])('has its name beside an index of that name %s', (_, overrides, name, drops) => {
    const [found] = check([foreignKey(['a'])], [on('t_a_idx', ['z'], overrides)]);
    expect(found?.subject.index).toBe(name);
    expect(found?.action?.sql?.match(/DROP INDEX/g) ?? []).toHaveLength(drops);
  });

  test.each([
    [9_999, 'info'],
    [10_000, 'warning'],
  ])('of a table of %d rows is %s', (rows, severity) => {
    expect(check([foreignKey(['a'])], [], { tables: [table({ rows, liveRows: rows })] })).toMatchObject([{ severity }]);
  });

  test('says how often it was needed', () => {
    const tables = [table(), table({ table: 'parent', deletes: 1234 })];
    expect(check([foreignKey(['a'])], [], { tables })[0]).toMatchObject({
      detail: expect.stringContaining('1,234 rows were deleted'),
      evidence: { references: 'public.parent', deletesOfReferenced: 1234 },
    });
  });
});
