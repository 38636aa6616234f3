import { describe, expect, test } from 'vitest';
import type { IndexSnapshot } from '../../../../../lib/indexes/snapshot.ts';
import { autovacuumDisabled } from '../../../../../lib/tables/rules/autovacuum-disabled.ts';
import { bloat } from '../../../../../lib/tables/rules/bloat.ts';
import { exhaustion } from '../../../../../lib/tables/rules/exhaustion.ts';
import { noPrimaryKey } from '../../../../../lib/tables/rules/no-primary-key.ts';
import { notValidated } from '../../../../../lib/tables/rules/not-validated.ts';
import { sequentialScans } from '../../../../../lib/tables/rules/sequential-scans.ts';
import { staleStatistics } from '../../../../../lib/tables/rules/stale-statistics.ts';
import { wraparound } from '../../../../../lib/tables/rules/wraparound.ts';
import type { Table } from '../../../../../lib/tables/snapshot.ts';
import { index, indexSnapshot, mebibyte, sequence, server, table, uniqueConstraint } from '../../../snapshots.ts';

const of = (tables: Partial<Table>[], overrides: Partial<IndexSnapshot> = {}) =>
  indexSnapshot([], { tables: tables.map((each) => table(each)), ...overrides });
const inOrder = of([{}]);

describe('tables/no-primary-key', () => {
  const check = (snapshot: IndexSnapshot, options = {}) =>
    noPrimaryKey.check(snapshot, noPrimaryKey.options.parse(options));
  const naked: Partial<Table> = { hasPrimaryKey: false };

  test('a table without a key is reported, and one with a key is not', () => {
    expect(check(of([naked]))).toMatchObject([
      { severity: 'warning', subject: { table: 't' }, action: { kind: 'code' } },
    ]);
    expect(check(inOrder)).toEqual([]);
  });

  test('a partition follows its parent, and a materialized view has none', () => {
    expect(check(of([{ ...naked, parent: 'public.w' }]))).toEqual([]);
    expect(check(of([{ ...naked, kind: 'materialized view' }]))).toEqual([]);
    expect(check(of([{ ...naked, kind: 'partitioned table' }]))).toHaveLength(1);
  });

  test('a unique index over columns that are not null can become the key', () => {
    const snapshot = of([{ ...naked, notNull: ['a'] }], { indexes: [index('i', { unique: true })] });
    expect(check(snapshot)).toMatchObject([
      { severity: 'info', action: { sql: 'ALTER TABLE public.t ADD CONSTRAINT i PRIMARY KEY USING INDEX i;' } },
    ]);
  });

  test.each([
    ['can be null', index('i', { unique: true }), []],
    ['is partial', index('i', { unique: true, predicate: '(a > 0)' }), ['a']],
    ['is invalid', index('i', { unique: true, valid: false }), ['a']],
    ['is not unique', index('i'), ['a']],
  ])('one that %s cannot', (_, candidate, notNull) => {
    expect(check(of([{ ...naked, notNull }], { indexes: [candidate] }))).toMatchObject([{ severity: 'warning' }]);
  });

  test('one that a constraint holds needs more than a statement', () => {
    const snapshot = of([{ ...naked, notNull: ['a'] }], { indexes: [uniqueConstraint('i')] });
    expect(check(snapshot)).toMatchObject([{ severity: 'info', action: { kind: 'code' } }]);
  });

  test.each([
    ['default', 'critical'],
    ['nothing', 'critical'],
    ['full', 'warning'],
    ['index', 'warning'],
  ] as const)('published, with the replica identity %s, it is %s', (replicaIdentity, severity) => {
    expect(check(of([{ ...naked, publishesChanges: true, replicaIdentity }]))).toMatchObject([{ severity }]);
  });
});

describe('tables/stale-statistics', () => {
  const check = (snapshot: IndexSnapshot) => staleStatistics.check(snapshot, staleStatistics.options.parse({}));

  test.each([
    [249, 0],
    [250, 1],
  ])('%d of 1,000 rows changed', (changedSinceAnalyze, found) => {
    expect(check(of([{ changedSinceAnalyze }]))).toHaveLength(found);
  });

  test('a table that was never analyzed', () => {
    const never: Partial<Table> = { rows: null, analyzedAt: null };
    expect(check(of([never]))).toMatchObject([{ severity: 'warning', action: { sql: 'ANALYZE public.t;' } }]);
    expect(check(of([{ ...never, kind: 'partitioned table' }]))).toMatchObject([{ severity: 'info' }]);
    expect(check(of([{ ...never, liveRows: 999 }]))).toEqual([]);
    // Before 14 zero rows could mean either.
    expect(check(of([never], { server: server({ versionNumber: 130_020 }) }))).toEqual([]);
  });

  test('an unlogged table of a standby holds nothing', () => {
    expect(check(of([{ rows: null, sizeBytes: 0 }]))).toEqual([]);
  });
});

describe('tables/bloat', () => {
  const check = (snapshot: IndexSnapshot) => bloat.check(snapshot, bloat.options.parse({}));
  const big: Partial<Table> = { sizeBytes: 100 * mebibyte };
  const waste = (percent: number, dead: number) => ({
    ...big,
    bloat: {
      wastedPercent: percent,
      wastedBytes: percent * mebibyte,
      deadBytes: dead * mebibyte,
      freeBytes: (percent - dead) * mebibyte,
    },
  });

  test('free space is given back by a rewrite, dead rows are vacuumed', () => {
    expect(check(of([waste(60, 10)]))[0]?.action?.sql).toBe('VACUUM (FULL, ANALYZE) public.t;');
    expect(check(of([waste(60, 40)]))[0]?.action?.sql).toBe('VACUUM (ANALYZE) public.t;');
  });

  test('half of a table is no fault, nor is a small one', () => {
    expect(check(of([waste(50, 0)]))).toEqual([]);
    expect(
      check(of([{ ...waste(90, 0), sizeBytes: mebibyte, bloat: { ...waste(90, 0).bloat, wastedBytes: mebibyte } }])),
    ).toEqual([]);
  });

  test('without a measure the counters tell of dead rows, and the finding says so', () => {
    const [found, ...others] = check(of([{ ...big, liveRows: 100, deadRows: 300 }]));
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      title: expect.stringContaining('probably wastes about 75 %'),
      evidence: { measured: 'no' },
    });
    expect(check(of([{ ...big, liveRows: 100, deadRows: 100 }]))).toEqual([]);
  });
});

describe('tables/sequential-scans', () => {
  const check = (snapshot: IndexSnapshot) => sequentialScans.check(snapshot, sequentialScans.options.parse({}));
  const scanned: Partial<Table> = { rows: 20_000, liveRows: 20_000, sequentialScans: 100, sequentialRows: 2_000_000 };

  test('a large table that is often read as a whole', () => {
    expect(check(of([scanned]))).toMatchObject([
      { evidence: { sequentialScans: 100, rowsPerScan: 20_000, rows: 20_000 } },
    ]);
  });

  test.each([
    ['small', { rows: 9_999, liveRows: 9_999 }],
    ['seldom read', { sequentialScans: 99 }],
    ['read from its beginning only', { sequentialRows: 900_000 }],
    ['a partition', { parent: 'public.w' }],
  ])('but not one that is %s', (_, overrides) => {
    expect(check(of([{ ...scanned, ...overrides }]))).toEqual([]);
  });

  test('nor one that is read by its indexes twenty times as often', () => {
    expect(check(of([scanned], { indexes: [index('i', { scans: 1_901 })] }))).toEqual([]);
    expect(check(of([scanned], { indexes: [index('i', { scans: 1_900 })] }))).toHaveLength(1);
  });
});

describe('tables/wraparound', () => {
  const check = (snapshot: IndexSnapshot) => wraparound.check(snapshot, wraparound.options.parse({}));

  test.each([
    [600_000_000, undefined],
    [600_000_001, 'warning'],
    [1_200_000_001, 'critical'],
  ])('at an age of %d it is %s', (age, severity) => {
    expect(check(of([{ transactionAge: age }]))[0]?.severity).toBe(severity);
    expect(check(of([{ multixactAge: age }]))[0]?.severity).toBe(severity);
  });

  test('a partitioned table has no rows of its own', () => {
    expect(check(of([{ kind: 'partitioned table', transactionAge: null, multixactAge: null }]))).toEqual([]);
  });
});

test('tables/autovacuum-disabled reports what is switched off, and how to switch it on', () => {
  const check = (snapshot: IndexSnapshot) => autovacuumDisabled.check(snapshot, {});
  expect(check(inOrder)).toEqual([]);
  expect(check(of([{ autovacuum: false }]))).toMatchObject([
    {
      action: {
        sql: 'ALTER TABLE public.t RESET (autovacuum_enabled);',
        undoSql: 'ALTER TABLE public.t SET (autovacuum_enabled = false);',
      },
    },
  ]);
});

test('tables/not-validated reports every such constraint of a table at once', () => {
  const check = (snapshot: IndexSnapshot) => notValidated.check(snapshot, {});
  expect(check(inOrder)).toEqual([]);
  const [found] = check(of([{ notValidated: ['one', '"Two"'] }]));
  expect(found).toMatchObject({ title: '2 constraints of public.t were never validated' });
  expect(found?.action?.sql?.split('\n')).toEqual([
    'ALTER TABLE public.t VALIDATE CONSTRAINT one;',
    'ALTER TABLE public.t VALIDATE CONSTRAINT "Two";',
  ]);
});

describe('sequences/exhaustion', () => {
  const check = (overrides: object) =>
    exhaustion.check(indexSnapshot([], { sequences: [sequence(overrides)] }), exhaustion.options.parse({}));

  test.each([
    [70, undefined],
    [70.1, 'warning'],
    [90.1, 'critical'],
  ])('at %d percent it is %s', (usedPercent, severity) => {
    expect(check({ usedPercent })[0]?.severity).toBe(severity);
  });

  test('two sequences of one table are two findings', () => {
    const ids = ['a', 'b'].map((name) => check({ usedPercent: 99, sequence: name })[0]?.id);
    expect(new Set(ids).size).toBe(2);
  });

  test('where the column is wide enough the sequence alone is widened', () => {
    const column = { ...sequence().column, type: 'bigint' };
    expect(check({ usedPercent: 99, column })[0]?.action?.sql).toBe('ALTER SEQUENCE public.t_id_seq AS bigint;');
    const own = { usedPercent: 99, column, type: 'bigint' };
    expect(check({ ...own, limit: 1000 })[0]?.action?.sql).toBe('ALTER SEQUENCE public.t_id_seq NO MAXVALUE;');
    expect(check({ ...own, limit: -1000 })[0]?.action?.sql).toBe('ALTER SEQUENCE public.t_id_seq NO MINVALUE;');
    expect(check({ usedPercent: 99 })[0]?.action).toMatchObject({ kind: 'code' });
  });
});
