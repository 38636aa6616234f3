import { describe, expect, test } from 'vitest';
import { unused } from '../../../../../lib/indexes/rules/unused.ts';
import type { Index, IndexSnapshot } from '../../../../../lib/indexes/snapshot.ts';
import {
  constraint,
  element,
  foreignKey,
  index,
  indexSnapshot,
  primaryKey,
  server,
  table,
  takenAt,
} from '../../../snapshots.ts';

const check = (indexes: Index[], overrides: Partial<IndexSnapshot> = {}, options = {}) =>
  unused.check(indexSnapshot(indexes, overrides), unused.options.parse(options));
const reported = (indexes: Index[], overrides: Partial<IndexSnapshot> = {}, options = {}) =>
  check(indexes, overrides, options)
    .map(({ subject }) => subject.index)
    .sort();
const daysBefore = (days: number) => new Date(Date.parse(takenAt) - days * 86_400_000).toISOString();
const resetBefore = (days: number) => ({ server: server({ statisticsResetAt: daysBefore(days) }) });

describe('an index is unused', () => {
  test('when it has no scan', () => {
    expect(reported([index('i', { scans: 0 }), index('used', { scans: 1 })])).toEqual(['i']);
  });

  test('when it has at most maxScans scans', () => {
    const indexes = [index('i5', { scans: 5 }), index('i6', { scans: 6 })];
    expect(reported(indexes, {}, { maxScans: 5 })).toEqual(['i5']);
    expect(check(indexes, {}, { maxScans: 5 })[0]?.detail).toMatch(/^Only 5 scans since/);
  });

  test('when it is more than a meta page and one leaf', () => {
    expect(reported([index('empty', { sizeBytes: 16_384 }), index('larger', { sizeBytes: 16_385 })])).toEqual([
      'larger',
    ]);
    expect(reported([index('i', { sizeBytes: 999 }), index('j', { sizeBytes: 1000 })], {}, { minBytes: 1000 })).toEqual(
      ['j'],
    );
  });

  test('also when it is partitioned, and then it is the whole that goes', () => {
    const whole = index('whole', {
      partitioned: true,
      definition: 'CREATE INDEX whole ON ONLY public.t USING btree (a)',
    });
    const part = index('part', { table: 't_2026', parent: 'public.whole' });
    expect(check([whole, part])).toMatchObject([
      { subject: { index: 'whole' }, action: { sql: 'DROP INDEX IF EXISTS public.whole;' } },
    ]);
  });

  test.each<[string, Partial<Index>]>([
    ['it is unique', { unique: true }],
    ['it is the primary key', primaryKey('i')],
    ['it implements a constraint', { constraint: constraint('unique') }],
    ['it is an exclusion constraint', { exclusion: true, constraint: constraint('exclusion') }],
    ['a foreign key leans on it', { referencedBy: 1 }],
    ['it is the replica identity', { replicaIdentity: true }],
    ['CLUSTER uses it', { clustered: true }],
    ['it is one partition’s part', { parent: 'public.whole' }],
    ['it is invalid', { valid: false }],
    ['it is not ready', { ready: false }],
  ])('but never reported when %s', (_, overrides) => {
    expect(reported([index('i', overrides)])).toEqual([]);
  });
});

describe('the only index behind a foreign key stays', () => {
  const on = (name: string, columns: string[], overrides: Partial<Index> = {}) =>
    index(name, { elements: columns.map((column) => element(column)), ...overrides });

  test('and one behind no foreign key goes', () => {
    expect(reported([on('i', ['a']), on('other', ['b'])], { foreignKeys: [foreignKey(['a'])] })).toEqual(['other']);
  });

  test('where the key is another table’s, it does not count', () => {
    const keys = [foreignKey(['a'], { table: 'u' }), foreignKey(['a'], { schema: 'other' })];
    expect(reported([on('i', ['a'])], { foreignKeys: keys })).toEqual(['i']);
  });

  test.each<[string, string[], string[]]>([
    ['it begins with the column', ['a', 'x'], ['a']],
    ['it has the columns in another order', ['b', 'a', 'x'], ['a', 'b']],
  ])('also when %s', (_, columns, key) => {
    expect(reported([on('i', columns)], { foreignKeys: [foreignKey(key)] })).toEqual([]);
  });

  test.each<[string, Index]>([
    ['the column comes second', on('i', ['x', 'a'])],
    ['it has but a part of the key', on('i', ['a'])],
    ['it is partial', on('i', ['a', 'b'], { predicate: '(x > 0)' })],
    ['it is BRIN', on('i', ['a', 'b'], { method: 'brin' })],
    ['it begins with an expression', index('i', { elements: [element(null, { expression: 'a' }), element('b')] })],
    ['it has the columns in INCLUDE alone', on('i', ['x'], { included: ['a', 'b'] })],
  ])('but not when %s', (_, candidate) => {
    expect(reported([candidate], { foreignKeys: [foreignKey(['a', 'b'])] })).toEqual(['i']);
  });

  test('of two that would do exactly one stays: the narrower', () => {
    const indexes = [on('a_wide', ['a', 'x']), on('narrow', ['a'])];
    expect(reported(indexes, { foreignKeys: [foreignKey(['a'])] })).toEqual(['a_wide']);
    expect(reported([...indexes].reverse(), { foreignKeys: [foreignKey(['a'])] })).toEqual(['a_wide']);
  });

  test('of two that are equal exactly one stays', () => {
    expect(reported([on('i2', ['a']), on('i1', ['a'])], { foreignKeys: [foreignKey(['a'])] })).toEqual(['i2']);
  });

  test('neither stays where one that is used does it', () => {
    const indexes = [on('i', ['a']), on('used', ['a', 'x'], { scans: 1 })];
    expect(reported(indexes, { foreignKeys: [foreignKey(['a'])] })).toEqual(['i']);
  });

  test('neither stays where the primary key does it', () => {
    const key = primaryKey('t_pkey', { elements: [element('a'), element('x')] });
    expect(reported([on('i', ['a']), key], { foreignKeys: [foreignKey(['a'])] })).toEqual(['i']);
  });

  test('an invalid one is no support', () => {
    const indexes = [on('broken', ['a'], { valid: false }), on('i', ['a', 'x'])];
    expect(reported(indexes, { foreignKeys: [foreignKey(['a'])] })).toEqual([]);
  });

  test('a trigram index is no support, however much it is used', () => {
    const trigrams = { method: 'gin', elements: [element('a', { equality: false })], scans: 99 };
    const indexes = [on('i', ['a']), on('trigrams', ['a'], trigrams)];
    expect(reported(indexes, { foreignKeys: [foreignKey(['a'])] })).toEqual([]);
  });

  test('an index that has one column twice is no support for two columns', () => {
    const indexes = [on('i', ['a', 'b']), on('twice', ['a', 'a'], { scans: 99 })];
    expect(reported(indexes, { foreignKeys: [foreignKey(['a', 'b'])] })).toEqual([]);
  });

  test('for each of several foreign keys', () => {
    const indexes = [on('a', ['a']), on('b', ['b']), on('ab', ['a', 'b']), on('c', ['c'])];
    const keys = [foreignKey(['a']), foreignKey(['b']), foreignKey(['b', 'a'])];
    // (a, b) does the work of (a), too.
    expect(reported(indexes, { foreignKeys: keys })).toEqual(['a', 'c']);
  });
});

describe('how sure the finding is', () => {
  test.each([
    [34.9, 'info'],
    [35, 'warning'],
  ])('counters of %d days make it %s', (days, severity) => {
    expect(check([index('i')], resetBefore(days))).toMatchObject([{ severity, evidence: { countersAgeDays: days } }]);
  });

  test('young counters are cautioned about', () => {
    expect(check([index('i')], resetBefore(1))[0]?.action?.caution).toMatch(/^The counters are young/);
    expect(check([index('i')], resetBefore(99))[0]?.action?.caution).toMatch(/^Counters are per server/);
  });

  test('the patience can be tuned', () => {
    expect(check([index('i')], resetBefore(2), { confidentAfterDays: 2 })).toMatchObject([{ severity: 'warning' }]);
  });

  test('without a reset the start of the server bounds the age', () => {
    const started = { server: server({ statisticsResetAt: null, startedAt: daysBefore(10) }) };
    expect(check([index('i')], started)).toMatchObject([
      {
        severity: 'info',
        evidence: { countersAgeDays: 10 },
        detail: expect.stringMatching(/at the latest when the server started \(10 days\)/),
      },
    ]);
  });

  test.each([
    ['in the future', daysBefore(-1)],
    ['no time at all', 'never'],
  ])('a reset that is %s makes it information, with no age', (_, statisticsResetAt) => {
    const [found] = check([index('i')], { server: server({ statisticsResetAt }) });
    expect(found?.severity).toBe('info');
    expect(found?.evidence).not.toHaveProperty('countersAgeDays');
  });
});

describe('what the finding tells', () => {
  test('the day of the reset', () => {
    expect(check([index('i')], resetBefore(59))[0]?.detail).toMatch(
      /^No scan since the counters were reset on 2026-01-01 \(59 days\)/,
    );
    expect(check([index('i')], resetBefore(0.5))[0]?.detail).toMatch(/\(less than a day\)/);
  });

  test('the writes that it cost', () => {
    const [found] = check([index('i', { writes: 1100 })]);
    expect(found?.evidence.tableWrites).toBe(1100);
    expect(found?.detail).toMatch(/written to up to 1,100 times/);
    expect(check([index('i')])[0]?.evidence).not.toHaveProperty('tableWrites');
  });

  test('on a standby, that the primary counts for itself', () => {
    expect(check([index('i')], { server: server({ isStandby: true }) })[0]?.detail).toMatch(
      /standby: the scans of the primary/,
    );
    expect(check([index('i')])[0]?.detail).not.toMatch(/standby/);
  });

  test('in whole sentences', () => {
    const told = [check([index('i')])[0]?.detail, check([index('i')], { tables: [table()] })[0]?.detail];
    expect(told.join()).not.toMatch(/ {2}| \./);
  });

  test('the space that dropping it frees', () => {
    expect(check([index('i', { sizeBytes: 123_456 })])).toMatchObject([
      { impact: { bytes: 123_456 }, evidence: { sizeBytes: 123_456, scans: 0 } },
    ]);
  });
});

describe('what speaks against dropping an index at once', () => {
  const old = resetBefore(100);

  test('replicas that stream from the server: it may be read there', () => {
    const [found] = check([index('i')], { ...old, replicas: ['reader_1'] });
    expect(found).toMatchObject({ severity: 'info', evidence: { confidence: 'medium' } });
    expect(found?.detail).toMatch(/1 replica \(reader_1\) may have read it/);
    expect(check([index('i')], old)).toMatchObject([{ severity: 'warning', evidence: { confidence: 'high' } }]);
  });

  test('statements whose plans would use it', () => {
    expect(check([index('i', { usedBy: ['7'] })], old)).toMatchObject([{ severity: 'info' }]);
    expect(check([index('i', { usedBy: [] })], old)).toMatchObject([{ severity: 'warning' }]);
  });

  test('an expression, whose statistics go with it', () => {
    const [found] = check([index('i', { elements: [element(null, { expression: 'lower(a)' })] })], old);
    expect(found?.action?.caution).toMatch(/CREATE STATISTICS ON \(expression\) FROM public\.t/);
  });
});

describe('what the audits before have seen', () => {
  const observed = (from: number, lastUse: number | null) => ({
    observed: { from: daysBefore(from), lastUseAt: lastUse === null ? null : daysBefore(lastUse) },
  });

  test('makes sure of what young counters say', () => {
    expect(check([index('i', observed(60, null))], resetBefore(1))).toMatchObject([
      { severity: 'warning', evidence: { confidence: 'high', countersAgeDays: 60 } },
    ]);
  });

  test('a use that the counters forgot keeps it', () => {
    expect(reported([index('i', observed(60, 20))], resetBefore(1))).toEqual([]);
    expect(reported([index('i', observed(60, 40))], resetBefore(1))).toEqual(['i']);
  });

  test.each([
    [179, []],
    [181, ['i']],
  ])('an index that was last read %d days ago', (days, expected) => {
    expect(reported([index('i', { scans: 5, lastScanAt: daysBefore(days) })], resetBefore(900))).toEqual(expected);
    expect(reported([index('i', { scans: 5, ...observed(900, days) })], resetBefore(900))).toEqual(expected);
  });

  test('is not sure of an index that was read before: there are yearly jobs', () => {
    const [found] = check([index('i', { scans: 5, lastScanAt: daysBefore(200) })], resetBefore(900));
    expect(found).toMatchObject({ severity: 'info', evidence: { confidence: 'low', scans: 5 } });
    expect(found?.detail).toMatch(/^No scan since 2025-08-13 \(200 days\)/);
  });

  test('scans of which nobody knows when they were keep it', () => {
    expect(reported([index('i', { scans: 5, ...observed(900, null) })], resetBefore(900))).toEqual([]);
  });
});

test('an index that is to do the work of a redundant one is not called unused', () => {
  const narrow = index('narrow', { scans: 9 });
  const wide = index('wide', { elements: [element('a'), element('b')] });
  expect(reported([narrow, wide], resetBefore(1))).toEqual([]);
  // Where the counters are old enough to tell, the wide one is the one to go.
  expect(reported([narrow, wide], resetBefore(99))).toEqual(['wide']);
});
