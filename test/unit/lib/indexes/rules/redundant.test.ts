import { describe, expect, test } from 'vitest';
import { redundant } from '../../../../../lib/indexes/rules/redundant.ts';
import type { Index, IndexSnapshot } from '../../../../../lib/indexes/snapshot.ts';
import {
  constraint,
  descending,
  element,
  foreignKey,
  index,
  indexSnapshot,
  mebibyte,
  primaryKey,
  server,
  table,
  takenAt,
  uniqueConstraint,
} from '../../../snapshots.ts';

const young = { server: server({ statisticsResetAt: takenAt }) };
const check = (indexes: Index[], overrides: Partial<IndexSnapshot> = young, options = {}) =>
  redundant.check(indexSnapshot(indexes, overrides), redundant.options.parse(options));
const reported = (indexes: Index[], overrides?: Partial<IndexSnapshot>) =>
  check(indexes, overrides)
    .map(({ subject }) => subject.index)
    .sort();

const on = (name: string, keys: (string | Index['elements'][number])[], overrides: Partial<Index> = {}) =>
  index(name, { elements: keys.map((key) => (typeof key === 'string' ? element(key) : key)), ...overrides });
const unique = { unique: true };

/** Name of the case, the indexes, and which of them may be dropped. */
const cases: [string, Index[], string[]][] = [
  ['the first column', [on('x', ['a']), on('y', ['a', 'b'])], ['x']],
  ['the first two of three', [on('x', ['a', 'b']), on('y', ['a', 'b', 'c'])], ['x']],
  ['a chain: all but the longest', [on('x', ['a']), on('y', ['a', 'b']), on('z', ['a', 'b', 'c'])], ['x', 'y']],
  ['the second column', [on('x', ['b']), on('y', ['a', 'b'])], []],
  ['two in another order', [on('x', ['b', 'a']), on('y', ['a', 'b', 'c'])], []],
  ['a column whose name begins alike', [on('x', ['a']), on('y', ['a1', 'b'])], []],
  ['equal ones, which are duplicates', [on('x', ['a', 'b']), on('y', ['a', 'b'])], []],
  ['a prefix of duplicates', [on('x', ['a']), on('y', ['a', 'b']), on('z', ['a', 'b'])], ['x']],
  ['the mirror of the first column', [on('x', [descending('a')]), on('y', ['a', 'b'])], ['x']],
  ['the mirror of the first two', [on('x', [descending('a'), 'b']), on('y', ['a', descending('b'), 'c'])], ['x']],
  ['one direction turned', [on('x', ['a', descending('b')]), on('y', ['a', 'b', 'c'])], []],
  ['nulls elsewhere', [on('x', [element('a', { nullsFirst: true })]), on('y', ['a', 'b'])], []],
  ['another collation', [on('x', [element('a', { collation: 'C' })]), on('y', ['a', 'b'])], []],
  ['another operator class', [on('x', [element('a', { operatorClass: 'text_pattern_ops' })]), on('y', ['a', 'b'])], []],
  ['an expression and its column', [on('x', [element(null, { expression: 'a' })]), on('y', ['a', 'b'])], []],
  [
    'the same expression',
    [on('x', [element(null, { expression: 'f(a)' })]), on('y', [element(null, { expression: 'f(a)' }), 'b'])],
    ['x'],
  ],
  ['a predicate', [on('x', ['a'], { predicate: '(a > 0)' }), on('y', ['a', 'b'])], []],
  ['a predicate of the other', [on('x', ['a']), on('y', ['a', 'b'], { predicate: '(a > 0)' })], []],
  ['the same predicate', [on('x', ['a'], { predicate: 'p' }), on('y', ['a', 'b'], { predicate: 'p' })], ['x']],
  ['fewer INCLUDE columns', [on('x', ['a']), on('y', ['a'], { included: ['b'] })], ['x']],
  ['INCLUDE columns that are keys there', [on('x', ['a'], { included: ['b'] }), on('y', ['a', 'b'])], ['x']],
  ['INCLUDE columns that it lacks', [on('x', ['a'], { included: ['c'] }), on('y', ['a', 'b'])], []],
  ['a key that is only included there', [on('x', ['a', 'b']), on('y', ['a'], { included: ['b', 'c'] })], []],
  ['GIN', [on('x', ['a'], { method: 'gin' }), on('y', ['a', 'b'], { method: 'gin' })], []],
  ['GiST', [on('x', ['a'], { method: 'gist' }), on('y', ['a', 'b'], { method: 'gist' })], []],
  ['BRIN', [on('x', ['a'], { method: 'brin' }), on('y', ['a', 'b'], { method: 'brin' })], []],
  ['hash', [on('x', ['a'], { method: 'hash' }), on('y', ['a', 'b'])], []],
  ['an invalid one', [on('x', ['a'], { valid: false }), on('y', ['a', 'b'])], []],
  ['an invalid other', [on('x', ['a']), on('y', ['a', 'b'], { valid: false })], []],
  ['another table', [on('x', ['a']), on('y', ['a', 'b'], { table: 'u' })], []],
  ['a unique one', [on('x', ['a'], unique), on('y', ['a', 'b'])], []],
  ['a unique one before a unique one', [on('x', ['a'], { ...unique, scans: 1 }), on('y', ['a', 'b'])], []],
  [
    'a plain one before the primary key',
    [on('x', ['a']), primaryKey('y', { elements: [element('a'), element('b')] })],
    ['x'],
  ],
  ['the primary key', [primaryKey('x'), on('y', ['a', 'b'])], []],
  [
    'unique with fewer INCLUDE columns',
    [on('x', ['a'], unique), on('y', ['a'], { ...unique, included: ['b'] })],
    ['x'],
  ],
  [
    'unique beside a deferrable one with INCLUDE',
    [
      on('x', ['a'], unique),
      uniqueConstraint('y', { included: ['b'], constraint: constraint('unique', { deferrable: true }) }),
    ],
    [],
  ],
  [
    'NULLS NOT DISTINCT beside DISTINCT with INCLUDE',
    [on('x', ['a'], { ...unique, nullsNotDistinct: true }), on('y', ['a'], { ...unique, included: ['b'] })],
    [],
  ],
  ['one that CLUSTER uses', [on('x', ['a'], { clustered: true }), on('y', ['a', 'b'])], []],
  ['a part of a partitioned index', [on('x', ['a'], { parent: 'public.w' }), on('y', ['a', 'b'])], []],
  ['one beside a part of a partitioned index', [on('x', ['a']), on('y', ['a', 'b'], { parent: 'public.w' })], ['x']],
  ['a unique one that another implies', [on('x', ['a'], unique), on('y', ['b', 'a'], unique)], ['y']],
  ['one that is implied and read', [on('x', ['a'], unique), on('y', ['b', 'a'], { ...unique, scans: 1 })], []],
  [
    'one that is implied and referred to',
    [on('x', ['a'], unique), on('y', ['a', 'b'], { ...unique, referencedBy: 1 })],
    [],
  ],
  [
    'one that a partial one implies for some rows',
    [on('x', ['a'], { ...unique, predicate: 'p' }), on('y', ['a', 'b'], unique)],
    [],
  ],
  [
    'one that a deferrable one implies too late',
    [uniqueConstraint('x', { constraint: constraint('unique', { deferrable: true }) }), on('y', ['a', 'b'], unique)],
    [],
  ],
  [
    'NULLS NOT DISTINCT that DISTINCT does not imply',
    [on('x', ['a'], unique), on('y', ['a', 'b'], { ...unique, nullsNotDistinct: true })],
    [],
  ],
];

describe('which index is redundant', () => {
  test.each(cases)('%s', (_, indexes, expected) => {
    expect(reported(indexes)).toEqual(expected);
    expect(reported([...indexes].reverse())).toEqual(expected);
  });
});

describe('the one that stays', () => {
  test('is the smallest of several', () => {
    const [found] = check([
      on('x', ['a']),
      on('y', ['a', 'b'], { sizeBytes: 2 * mebibyte }),
      on('z', ['a', 'c'], { sizeBytes: 3 * mebibyte }),
    ]);
    expect(found).toMatchObject({ subject: { index: 'x' }, evidence: { keep: 'y', because: 'covered' } });
  });

  const narrow = on('x', ['a'], { scans: 7 });
  const wide = on('y', ['a', 'b']);

  test('is not one that nobody has read for long: indexes/unused drops that one', () => {
    expect(reported([narrow, wide], {})).toEqual([]);
    expect(reported([narrow, { ...wide, scans: 1 }], {})).toEqual(['x']);
    expect(reported([narrow, { ...wide, unique: true }], {})).toEqual(['x']);
  });

  test('may be one that nobody reads but a foreign key needs', () => {
    expect(reported([narrow, wide], { foreignKeys: [foreignKey(['a', 'b'])] })).toEqual(['x']);
  });
});

describe('reads that would take many pages more', () => {
  const wide = on('y', ['a', 'b'], { sizeBytes: 90 * mebibyte, scans: 1 });
  const read = (rowsPerScan: number) =>
    reported([on('x', ['a'], { sizeBytes: 10 * mebibyte, scans: 10, tuplesRead: 10 * rowsPerScan }), wide], {
      ...young,
      tables: [table({ rows: 1_000_000 })],
    });

  test('keep the narrow index: 80 MB more for a million rows are ten pages more for a thousand of them', () => {
    expect(read(970)).toEqual(['x']);
    expect(read(980)).toEqual([]);
  });

  test('keep it where the rows are not known and the other is more than twice as large', () => {
    const sized = (sizeBytes: number) => reported([on('x', ['a'], { scans: 1 }), { ...wide, sizeBytes }]);
    expect(sized(2 * mebibyte)).toEqual(['x']);
    expect(sized(2 * mebibyte + 1)).toEqual([]);
  });
});

test('the finding names both, and how to undo the drop', () => {
  expect(check([on('x', ['a'], { scans: 2 }), on('y', ['a', 'b'])])).toMatchObject([
    {
      severity: 'warning',
      title: 'public.y does the work of public.x, too',
      detail: expect.stringMatching(
        /^Its key is the first one of public\.y \(0 scans, 1 MB\)\. This one has 2 scans; it takes 1 MB\.$/,
      ),
      impact: { bytes: mebibyte },
      action: {
        sql: 'DROP INDEX CONCURRENTLY IF EXISTS public.x;',
        undoSql: 'CREATE INDEX CONCURRENTLY x ON public.t USING btree (a);',
      },
    },
  ]);
  expect(check([on('x', ['a'], unique), on('y', ['b', 'a'], unique)])).toMatchObject([
    { severity: 'info', title: 'The uniqueness of public.y follows from public.x' },
  ]);
});
