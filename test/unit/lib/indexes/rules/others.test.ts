import { describe, expect, test } from 'vitest';
import { invalid } from '../../../../../lib/indexes/rules/invalid.ts';
import { lowSelectivity } from '../../../../../lib/indexes/rules/low-selectivity.ts';
import { oversized } from '../../../../../lib/indexes/rules/oversized.ts';
import { writeHeavy } from '../../../../../lib/indexes/rules/write-heavy.ts';
import type { Index, IndexSnapshot } from '../../../../../lib/indexes/snapshot.ts';
import {
  columnStatistics,
  element,
  foreignKey,
  index,
  indexSnapshot,
  mebibyte,
  primaryKey,
  server,
  table,
  takenAt,
} from '../../../snapshots.ts';

describe('indexes/invalid', () => {
  const check = (indexes: Index[], overrides: Partial<IndexSnapshot> = {}) =>
    invalid.check(indexSnapshot(indexes, { tables: [table()], ...overrides }), {});
  const broken = (name: string, overrides: Partial<Index> = {}) => index(name, { valid: false, ...overrides });

  test('an index that failed is rebuilt', () => {
    expect(check([broken('i')])).toMatchObject([
      { subject: { index: 'i' }, action: { sql: 'REINDEX INDEX CONCURRENTLY public.i;' } },
    ]);
    expect(check([index('i')])).toEqual([]);
  });

  test('one at which somebody is at work is not reported', () => {
    expect(check([broken('i', { building: true })])).toEqual([]);
  });

  test('a unique one says that rows break it', () => {
    expect(check([broken('i', { unique: true })])[0]?.detail).toMatch(/rows break its uniqueness/);
  });

  test.each(['i_ccnew', 'i_ccold', 'i_ccnew1'])('%s is what REINDEX left, and is dropped', (name) => {
    expect(check([broken(name)])[0]?.action?.sql).toBe(`DROP INDEX CONCURRENTLY IF EXISTS public.${name};`);
  });

  test('one with a valid twin is dropped', () => {
    expect(check([broken('i'), index('twin')])[0]?.action?.sql).toMatch(/^DROP INDEX/);
    expect(check([broken('i'), index('other', { elements: [element('b')] })])[0]?.action?.sql).toMatch(/^REINDEX/);
  });

  test('a partitioned one gets the parts that it lacks', () => {
    const whole = broken('w_a', {
      table: 'w',
      partitioned: true,
      definition: 'CREATE INDEX w_a ON ONLY public.w USING btree (a) WHERE (a > 0)',
    });
    const tables = [
      table({ table: 'w', kind: 'partitioned table' }),
      table({ table: 'p', parent: 'public.w' }),
      table({ table: 'q', parent: 'public.w' }),
    ];
    const part = index('p_a', { table: 'p', parent: 'public.w_a' });
    const [found] = check([whole, part], { tables });
    expect(found?.action?.sql?.split('\n')).toEqual([
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "q_w_a" ON public.q USING btree (a) WHERE (a > 0);',
      'ALTER INDEX public.w_a ATTACH PARTITION "public"."q_w_a";',
    ]);
  });
});

describe('indexes/low-selectivity', () => {
  const flag = { distinct: 2, listedValues: 2, listedFraction: 1, rarestListedFraction: 0.4 };
  const check = (column: object = {}, overrides: Partial<Index> = {}, more: Partial<IndexSnapshot> = {}) =>
    lowSelectivity.check(
      indexSnapshot([index('i', overrides)], {
        tables: [table({ rows: 20_000 })],
        columns: [columnStatistics('a', { ...flag, ...column })],
        ...more,
      }),
      lowSelectivity.options.parse({}),
    );

  test('every value of the column is common', () => {
    expect(check()).toMatchObject([{ severity: 'info', evidence: { values: 2, rarestPercent: 40 } }]);
  });

  test.each<[string, object, Partial<Index>]>([
    ['a value is rare', { rarestListedFraction: 0.001 }, {}],
    ['null is rare', { nullFraction: 0.001, listedFraction: 0.999 }, {}],
    ['not all values are listed', { distinct: 3 }, {}],
    ['the listed values are not all rows', { listedFraction: 0.9 }, {}],
    ['it has more columns', {}, { elements: [element('a'), element('b')] }],
    ['it is partial', {}, { predicate: '(a = 1)' }],
    ['it holds others by INCLUDE', {}, { included: ['b'] }],
    ['it is unique', {}, { unique: true }],
    ['it answers counts by itself', {}, { scans: 10, tuplesRead: 80_000, tuplesFetched: 0 }],
    ['it finds few rows nevertheless', {}, { scans: 10, tuplesRead: 20, tuplesFetched: 20 }],
  ])('but not reported when %s', (_, column, overrides) => {
    expect(check(column, overrides)).toEqual([]);
  });

  test('reported also when its scans fetch half of the table', () => {
    expect(check({}, { scans: 10, tuplesRead: 80_000, tuplesFetched: 80_000 })).toHaveLength(1);
  });

  test('nor of a small table, nor behind a foreign key', () => {
    expect(check({}, {}, { tables: [table({ rows: 9_999 })] })).toEqual([]);
    expect(check({}, {}, { foreignKeys: [foreignKey(['a'])] })).toEqual([]);
  });
});

describe('indexes/oversized', () => {
  const large = 100 * mebibyte;
  const measured = (wastedPercent: number) => ({ wasteEstimate: { wastedPercent, wastedBytes: 0 } });
  const check = (overrides: Partial<Index>, ofTable: object = {}, column: object = {}) =>
    oversized.check(
      indexSnapshot([index('i', { sizeBytes: large, ...overrides })], {
        tables: [table({ sizeBytes: large / 2, rows: 1_000_000, ...ofTable })],
        columns: [columnStatistics('a', column)],
      }),
      oversized.options.parse({}),
    );

  test('an index that is larger than its table', () => {
    expect(check(measured(10))).toMatchObject([
      { title: 'public.i is larger than its table', action: { kind: 'code' } },
    ]);
  });

  test('of one column says what makes that smaller, and of several which ones may go', () => {
    const [single] = check(measured(10));
    expect(single?.detail).toMatch(/it holds 1 key and 0 more columns/);
    expect(single?.action?.caution).toMatch(/^Where statements search by equality alone, a hash index/);
    for (const several of [{ included: ['b'] }, { unique: true }]) {
      expect(check({ ...measured(10), ...several })[0]?.action?.caution).toMatch(/^Take out of it the columns/);
    }
  });

  test.each<[string, Partial<Index>, object]>([
    ['is fragmented', measured(31), {}],
    ['may be fragmented', {}, {}],
    ['is small', { ...measured(10), sizeBytes: 10 * mebibyte }, { sizeBytes: mebibyte }],
    ['has a table with much TOAST', measured(10), { toastBytes: large }],
  ])('but not one that %s', (_, overrides, ofTable) => {
    expect(check(overrides, ofTable)).toEqual([]);
  });

  describe('a b-tree where BRIN would do', () => {
    const ranges = { scans: 10, tuplesRead: 1_000_000 };
    const ordered = { correlation: 0.999 };
    const brin = (overrides: Partial<Index> = {}, ofTable: object = {}, column: object = {}) =>
      check({ ...ranges, ...overrides }, { sizeBytes: 10 * large, ...ofTable }, { ...ordered, ...column });

    test('is told, with the statements that make one', () => {
      expect(brin()).toMatchObject([
        {
          action: {
            sql: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "t_a_idx_46387f" ON public.t USING brin ("a");',
            undoSql: 'DROP INDEX CONCURRENTLY IF EXISTS "public"."t_a_idx_46387f";',
          },
        },
      ]);
    });

    test.each<[string, Partial<Index>, object, object]>([
      ['lies in no order', {}, {}, { correlation: 0.9 }],
      ['is searched for single rows', { tuplesRead: 10 }, {}, {}],
      ['is not read', { scans: 0, tuplesRead: 0 }, {}, {}],
      ['is updated', {}, { updates: 20_000 }, {}],
      ['is unique', { unique: true }, {}, {}],
      ['has two columns', { elements: [element('a'), element('b')] }, {}, {}],
    ])('but not when it %s', (_, overrides, ofTable, column) => {
      expect(brin(overrides, ofTable, column)).toEqual([]);
    });
  });
});

describe('indexes/write-heavy', () => {
  const heavy = { writes: 1_000_000, scans: 100, tuplesRead: 1_000 };
  const check = (indexes: Index[], overrides: Partial<IndexSnapshot> = {}) =>
    writeHeavy.check(indexSnapshot(indexes, overrides), writeHeavy.options.parse({}));

  test('an index that is written a thousand times for each read', () => {
    expect(check([index('i', { ...heavy, usedBy: ['7'] })])).toMatchObject([
      { severity: 'info', evidence: { ...heavy, statements: '7' }, action: { kind: 'code' } },
    ]);
  });

  test.each<[string, Partial<Index>]>([
    ['is not read at all', { scans: 0, tuplesRead: 0 }],
    ['is read more often', { scans: 1_001 }],
    ['gives many rows', { tuplesRead: 1_001 }],
    ['is written seldom', { writes: 99_999, scans: 1, tuplesRead: 1 }],
    ['is unique', { unique: true }],
  ])('but not one that %s', (_, overrides) => {
    expect(check([index('i', { ...heavy, ...overrides })])).toEqual([]);
  });

  test('nor one that another rule reports, or a foreign key needs', () => {
    expect(check([index('i', heavy), primaryKey('k')])).toEqual([]);
    expect(check([index('i', heavy)], { foreignKeys: [foreignKey(['a'])] })).toEqual([]);
  });

  test('nor anything with young counters, or on a standby', () => {
    expect(check([index('i', heavy)], { server: server({ statisticsResetAt: takenAt }) })).toEqual([]);
    expect(check([index('i', heavy)], { server: server({ isStandby: true }) })).toEqual([]);
  });
});
