import { describe, expect, test } from 'vitest';
import { duplicate } from '../../../../../lib/indexes/rules/duplicate.ts';
import type { Index } from '../../../../../lib/indexes/snapshot.ts';
import {
  constraint,
  descending,
  element,
  index,
  indexSnapshot,
  primaryKey,
  uniqueConstraint,
} from '../../../snapshots.ts';

const check = (indexes: Index[], options = {}) =>
  duplicate.check(indexSnapshot(indexes), duplicate.options.parse(options));
const reported = (indexes: Index[]) =>
  check(indexes)
    .map(({ subject }) => subject.index)
    .sort();

const on = (name: string, elements: Index['elements'], overrides: Partial<Index> = {}) =>
  index(name, { elements, ...overrides });
const a = element('a');
const b = element('b');
const brin = { method: 'brin', elements: [element('a', { operatorClass: 'int4_minmax_ops' })] };
const gin = { method: 'gin', elements: [element('a', { operatorClass: 'array_ops' })] };
const gist = (parameters: string[]) => [element('a', { operatorClass: 'gist_trgm_ops', parameters })];

/** Name of the case, the indexes, and which of them may be dropped. Among equals the first by name stays. */
const cases: [string, Index[], string[]][] = [
  ['two of the same column', [index('i1'), index('i2')], ['i2']],
  ['two of the same columns', [on('i1', [a, b]), on('i2', [a, b])], ['i2']],
  ['three that are equal', [index('i1'), index('i2'), index('i3')], ['i2', 'i3']],
  ['columns whose names begin alike', [on('i1', [a]), on('i2', [element('a1')])], []],
  ['columns whose names join to the same', [on('i1', [element('a,b')]), on('i2', [a, b])], []],
  ['columns in another order', [on('i1', [a, b]), on('i2', [b, a])], []],
  ['a prefix', [on('i1', [a]), on('i2', [a, b])], []],
  ['one direction turned round', [on('i1', [a, descending('b')]), on('i2', [a, b])], []],
  ['a column in reverse', [on('i1', [a]), on('i2', [descending('a')])], ['i2']],
  ['every direction turned round', [on('i1', [a, descending('b')]), on('i2', [descending('a'), b])], ['i2']],
  [
    'the mirror of nulls first',
    [on('i1', [element('a', { nullsFirst: true })]), on('i2', [element('a', { descending: true })])],
    ['i2'],
  ],
  [
    'a reverse that leaves the nulls where they were',
    [on('i1', [a]), on('i2', [element('a', { descending: true })])],
    [],
  ],
  ['nulls first against nulls last', [on('i1', [a]), on('i2', [element('a', { nullsFirst: true })])], []],
  [
    'another operator class',
    [
      on('i1', [element('a', { operatorClass: 'text_ops' })]),
      on('i2', [element('a', { operatorClass: 'text_pattern_ops' })]),
    ],
    [],
  ],
  [
    'other parameters of the operator class',
    [on('i1', gist(['siglen=32']), { method: 'gist' }), on('i2', gist(['siglen=64']), { method: 'gist' })],
    [],
  ],
  [
    'the same parameters of the operator class',
    [on('i1', gist(['siglen=32']), { method: 'gist' }), on('i2', gist(['siglen=32']), { method: 'gist' })],
    ['i2'],
  ],
  [
    'another collation',
    [on('i1', [element('a', { collation: 'C' })]), on('i2', [element('a', { collation: 'default' })])],
    [],
  ],
  ['a predicate on one side', [index('i1'), index('i2', { predicate: '(a > 0)' })], []],
  ['different predicates', [index('i1', { predicate: '(a > 1)' }), index('i2', { predicate: '(a > 0)' })], []],
  ['the same predicate', [index('i1', { predicate: '(a > 0)' }), index('i2', { predicate: '(a > 0)' })], ['i2']],
  [
    'the same expression',
    [on('i1', [element(null, { expression: 'lower(a)' })]), on('i2', [element(null, { expression: 'lower(a)' })])],
    ['i2'],
  ],
  [
    'different expressions',
    [on('i1', [element(null, { expression: 'lower(a)' })]), on('i2', [element(null, { expression: 'upper(a)' })])],
    [],
  ],
  ['a column and an expression of its name', [on('i1', [a]), on('i2', [element(null, { expression: 'a' })])], []],
  ['INCLUDE in another order', [index('i1', { included: ['x', 'y'] }), index('i2', { included: ['y', 'x'] })], ['i2']],
  ['INCLUDE on one side', [index('i1'), index('i2', { included: ['x'] })], []],
  ['INCLUDE against a key column', [on('i1', [a], { included: ['b'] }), on('i2', [a, b])], []],
  ['another method', [index('i1'), index('i2', { method: 'hash' })], []],
  ['two hash indexes', [index('i1', { method: 'hash' }), index('i2', { method: 'hash' })], ['i2']],
  ['two GIN indexes', [index('i1', gin), index('i2', { ...gin, options: ['fastupdate=off'] })], ['i2']],
  [
    'BRIN with other pages per range',
    [index('i1', brin), index('i2', { ...brin, options: ['pages_per_range=32'] })],
    [],
  ],
  [
    'BRIN with another autosummarize',
    [index('i1', brin), index('i2', { ...brin, options: ['autosummarize=true'] })],
    ['i2'],
  ],
  ['another fillfactor', [index('i1'), index('i2', { fillfactor: 70 })], ['i2']],
  ['a plain one beside a unique one', [index('i1'), index('i2', { unique: true })], ['i1']],
  ['a plain one beside the primary key', [index('i1', { scans: 99 }), primaryKey('t_pkey')], ['i1']],
  ['two unique indexes', [index('i1', { unique: true }), index('i2', { unique: true })], ['i2']],
  ['two unique constraints', [uniqueConstraint('i1'), uniqueConstraint('i2')], ['i2']],
  ['a unique index beside a unique constraint', [index('i1', { unique: true }), uniqueConstraint('i2')], ['i1']],
  ['a unique constraint beside the primary key', [uniqueConstraint('i1'), primaryKey('t_pkey')], ['i1']],
  [
    'a deferrable unique constraint beside an immediate one',
    [uniqueConstraint('i1', { constraint: constraint('unique', { deferrable: true }) }), uniqueConstraint('i2')],
    ['i1'],
  ],
  [
    'a unique index beside a deferrable primary key',
    [
      index('i1', { unique: true }),
      primaryKey('t_pkey', { constraint: constraint('primary key', { deferrable: true }) }),
    ],
    [],
  ],
  [
    'NULLS DISTINCT beside NULLS NOT DISTINCT',
    [index('i1', { unique: true }), index('i2', { unique: true, nullsNotDistinct: true })],
    ['i1'],
  ],
  [
    'a NULLS NOT DISTINCT index beside a constraint that lets nulls repeat',
    [index('i1', { unique: true, nullsNotDistinct: true }), uniqueConstraint('i2')],
    [],
  ],
  [
    'one that a foreign key leans on',
    [index('i1', { unique: true }), index('i2', { unique: true, referencedBy: 1 })],
    ['i1'],
  ],
  [
    'two that foreign keys lean on',
    [index('i1', { unique: true, referencedBy: 1 }), index('i2', { unique: true, referencedBy: 1 })],
    [],
  ],
  [
    'one that a foreign key leans on beside the primary key',
    [index('i1', { unique: true, referencedBy: 1 }), primaryKey('t_pkey')],
    [],
  ],
  [
    'the replica identity beside the primary key',
    [index('i1', { unique: true, replicaIdentity: true }), primaryKey('t_pkey')],
    [],
  ],
  [
    'a plain one beside an exclusion constraint',
    [
      on('i1', gist([]), { method: 'gist' }),
      on('i2', gist([]), { method: 'gist', exclusion: true, constraint: constraint('exclusion') }),
    ],
    ['i1'],
  ],
  [
    'two exclusion constraints',
    [
      index('i1', { exclusion: true, constraint: constraint('exclusion') }),
      index('i2', { exclusion: true, constraint: constraint('exclusion') }),
    ],
    [],
  ],
  ['an invalid one', [index('i1'), index('i2', { valid: false })], []],
  ['one that is not ready', [index('i1'), index('i2', { ready: false })], []],
  ['an invalid one that would have stayed', [index('i1', { unique: true, valid: false }), index('i2')], []],
  [
    'a free one beside a part of a partitioned index',
    [index('i1', { scans: 99 }), index('i2', { parent: 'public.whole' })],
    ['i1'],
  ],
  ['two parts of partitioned indexes', [index('i1', { parent: 'public.x' }), index('i2', { parent: 'public.y' })], []],
  ['two partitioned indexes', [index('i1', { partitioned: true }), index('i2', { partitioned: true })], ['i2']],
  ['a partitioned index and one that is not', [index('i1', { partitioned: true }), index('i2')], []],
  ['tables of the same name in different schemas', [index('i1'), index('i2', { schema: 'other' })], []],
  ['different tables', [index('i1'), index('i2', { table: 'u' })], []],
  ['the less read of two', [index('i1', { scans: 1 }), index('i2', { scans: 2 })], ['i1']],
  ['one that CLUSTER uses', [index('i1'), index('i2', { clustered: true })], ['i1']],
  ['one index alone', [index('i1')], []],
  ['no index', [], []],
];

describe('which index is a duplicate', () => {
  test.each(cases)('%s', (_, indexes, expected) => {
    expect(reported(indexes)).toEqual(expected);
    expect(reported([...indexes].reverse())).toEqual(expected);
  });
});

describe('the finding', () => {
  test('names both indexes and concerns the one to drop', () => {
    expect(check([index('i1', { scans: 5 }), index('i2', { sizeBytes: 2048, scans: 3 })])).toMatchObject([
      {
        severity: 'warning',
        subject: { database: 'shop', schema: 'public', table: 't', index: 'i2' },
        title: 'public.i2 duplicates public.i1',
        detail: expect.stringMatching(/Keep public\.i1 \(5 scans\); this one \(3 scans\) takes 2 kB/),
        evidence: { keep: 'i1', sizeBytes: 2048, scans: 3, keptScans: 5 },
        impact: { bytes: 2048 },
        action: { sql: 'DROP INDEX CONCURRENTLY IF EXISTS public.i2;' },
      },
    ]);
  });

  test('says that a mirror is one', () => {
    const [found] = check([on('i1', [a]), on('i2', [descending('a')])]);
    expect(found?.detail).toMatch(/in reverse/);
    expect(check([index('i1'), index('i2')])[0]?.detail).not.toMatch(/in reverse/);
  });

  test.each<[string, Index, RegExp]>([
    ['the primary key', primaryKey('k'), /the primary key/],
    ['a constraint', uniqueConstraint('k'), /which the constraint k needs/],
    ['a unique index', index('k', { unique: true }), /which is unique/],
    ['a part of a partitioned index', index('k', { parent: 'public.whole' }), /a part of a partitioned index/],
  ])('says why %s stays', (_, kept, words) => {
    expect(check([index('i'), kept])[0]?.detail).toMatch(words);
  });

  test('warns of ON CONFLICT ON CONSTRAINT when a constraint goes', () => {
    const [found] = check([uniqueConstraint('k1'), uniqueConstraint('k2')]);
    expect(found?.action).toMatchObject({
      sql: 'ALTER TABLE public.t DROP CONSTRAINT IF EXISTS k2;',
      caution: expect.stringMatching(/ON CONFLICT ON CONSTRAINT k2/),
    });
  });

  test('is left out for indexes smaller than minBytes', () => {
    const twins = [index('i1'), index('i2', { sizeBytes: 999 })];
    expect(check(twins, { minBytes: 1000 })).toEqual([]);
    expect(check(twins, { minBytes: 999 })).toHaveLength(1);
  });
});
