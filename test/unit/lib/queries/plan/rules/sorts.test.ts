import { beforeAll, describe, expect, test } from 'vitest';
import { hashSpill } from '../../../../../../lib/queries/plan/rules/hash-spill.ts';
import { largeOffset } from '../../../../../../lib/queries/plan/rules/large-offset.ts';
import { largeSort } from '../../../../../../lib/queries/plan/rules/large-sort.ts';
import { limitNotPushed } from '../../../../../../lib/queries/plan/rules/limit-not-pushed.ts';
import { memoizeEvictions } from '../../../../../../lib/queries/plan/rules/memoize-evictions.ts';
import { sortSpill } from '../../../../../../lib/queries/plan/rules/sort-spill.ts';
import type { PlanNode } from '../../../../../../lib/queries/plan/tree.ts';
import { loadParser } from '../../../../../../lib/queries/text.ts';
import { tableIndex } from '../../../../snapshots.ts';
import { actual, check, estimate, orders, over, scan } from './plans.ts';

beforeAll(loadParser);

const relations = [orders()];
const external = { method: 'external merge', space: 'Disk' } as const;

describe('plans/sort-spill', () => {
  const sort = (sorts: PlanNode['sorts'], rows = 100_000) =>
    over([scan('orders', { actual: actual(rows, { totalMs: 10 }) })], {
      type: 'Sort',
      sorts,
      actual: actual(rows, { totalMs: 100 }),
    });

  test('tells how much went to disk, and how much memory would do', () => {
    expect(check(sortSpill, sort([{ ...external, kilobytes: 10_240 }]))).toMatchObject([
      {
        title: 'A sort of 100,000 rows writes 10 MB to disk',
        evidence: {
          diskKilobytes: 10_240,
          rows: 100_000,
          neededKilobytes: 14_147,
          workMemKilobytes: 4_096,
          sharePercent: 90,
        },
        action: { kind: 'config', sql: "SET LOCAL work_mem = '16MB';", undoSql: 'RESET work_mem;' },
      },
    ]);
  });

  test('adds up what several processes wrote, but each has memory of its own', () => {
    const found = check(
      sortSpill,
      sort([
        { ...external, kilobytes: 10_240 },
        { ...external, kilobytes: 9_000 },
      ]),
    );
    expect(found).toMatchObject([{ evidence: { diskKilobytes: 19_240, neededKilobytes: 14_147 } }]);
  });

  test('knows that rows took more memory before PostgreSQL 15', () => {
    const found = check(sortSpill, sort([{ ...external, kilobytes: 10_240 }]), { versionNumber: 140_000 });
    expect(found).toMatchObject([{ evidence: { neededKilobytes: 24_387 } }]);
  });

  test('asks for fewer rows where no memory would do', () => {
    expect(check(sortSpill, sort([{ ...external, kilobytes: 400_000 }]))).toMatchObject([{ action: { kind: 'code' } }]);
  });

  test('knows no memory of a server that it does not know', () => {
    const found = check(sortSpill, sort([{ ...external, kilobytes: 10_240 }]), { settings: null });
    expect(found[0]?.evidence).not.toHaveProperty('workMemKilobytes');
  });

  test.each([
    ['in memory', [{ method: 'quicksort', space: 'Memory', kilobytes: 10_240 } as const]],
    ['of a few blocks', [{ ...external, kilobytes: 1_000 }]],
    ['that was not run', undefined],
  ])('says nothing of a sort %s', (_, sorts) => {
    expect(check(sortSpill, sort(sorts))).toEqual([]);
  });
});

describe('plans/hash-spill', () => {
  const join = (hash: PlanNode['hash'], overrides: Partial<PlanNode> = {}) => {
    const hashed = over([scan('orders', { estimate: estimate(200_000) })], {
      type: 'Hash',
      hash,
      estimate: estimate(200_000),
      ...(hash ? { actual: actual(200_000, { totalMs: 40 }) } : {}),
      ...overrides,
    });
    return over([scan('items'), hashed], {
      type: 'Hash Join',
      estimate: estimate(1_000, { totalCost: 30_000 }),
      ...(hash ? { actual: actual(1, { totalMs: 100 }) } : {}),
    });
  };
  const batches = (count: number) => ({
    buckets: 1_024,
    batches: count,
    originalBatches: count,
    memoryKilobytes: 8_000,
  });

  test('tells of the batches of a join, with the time of the join', () => {
    expect(check(hashSpill, join(batches(4)))).toMatchObject([
      {
        title: 'The hash table of a join goes over the disk in 4 batches',
        evidence: { batches: 4, neededKilobytes: 32_000, allowedKilobytes: 8_192, sharePercent: 100 },
        action: { sql: "SET LOCAL work_mem = '16MB';" },
      },
    ]);
  });

  test('asks for as much as the planner expects to need, where that is more', () => {
    const found = check(hashSpill, join(batches(2), { estimate: estimate(600_000) }));
    expect(found).toMatchObject([
      { evidence: { neededKilobytes: 51_562.5 }, action: { sql: "SET LOCAL work_mem = '32MB';" } },
    ]);
  });

  test('says where the planner expected fewer batches', () => {
    const found = check(hashSpill, join({ ...batches(8), originalBatches: 1 }));
    expect(found).toMatchObject([
      { detail: expect.stringContaining('planned for 1 batch:'), evidence: { plannedBatches: 1 } },
    ]);
  });

  test('knows that the processes of a parallel hash share their memory', () => {
    const found = check(
      hashSpill,
      join(batches(4), { parallelAware: true, actual: actual(1_000, { loops: 4 }), estimate: estimate(1) }),
    );
    expect(found).toMatchObject([{ evidence: { neededKilobytes: 8_000 } }]);
  });

  test('tells of groups that did not fit', () => {
    const groups = (diskKilobytes: number) =>
      over([scan('orders')], {
        type: 'Aggregate',
        strategy: 'Hashed',
        actual: actual(100_000),
        hashAggregate: { batches: 9, memoryKilobytes: 8_192, diskKilobytes },
      });
    expect(check(hashSpill, groups(6_000))).toMatchObject([
      { title: 'A hashed aggregate goes over the disk in 9 batches', evidence: { neededKilobytes: 15_625 } },
    ]);
    expect(check(hashSpill, groups(0))).toEqual([]);
  });

  test('expects a spill only where the statement writes temporary files', () => {
    const statement = (tempBlocksWritten: number) => ({ statement: { calls: 10, tempBlocksWritten } });
    expect(check(hashSpill, join(undefined), statement(9_000))).toMatchObject([
      { title: 'The hash table of a join is expected to go over the disk in 4 batches', evidence: { batches: 4 } },
    ]);
    expect(check(hashSpill, join(undefined), statement(0))).toEqual([]);
    expect(check(hashSpill, join(undefined, { estimate: estimate(50_000) }), statement(9_000))).toEqual([]);
    expect(check(hashSpill, join(undefined), { ...statement(9_000), settings: null })).toEqual([]);
  });

  test('says nothing of a hash table in memory', () => {
    expect(check(hashSpill, join(batches(1)))).toEqual([]);
  });
});

describe('plans/large-sort', () => {
  const sort = (overrides: Partial<PlanNode> = {}, below: Partial<PlanNode> = {}) =>
    over([scan('orders', { estimate: estimate(100_000), ...below })], {
      type: 'Sort',
      sortKey: ['orders.created_at'],
      estimate: estimate(100_000, { totalCost: 20_000 }),
      ...overrides,
    });
  const writes = { statement: { calls: 10, tempBlocksWritten: 5_000 } };

  test('tells of a sort that will not fit, and how much memory would do', () => {
    expect(check(largeSort, sort(), { ...writes, relations })).toMatchObject([
      {
        severity: 'warning',
        evidence: { expectedRows: 100_000, neededKilobytes: 7_813, workMemKilobytes: 4_096, tempBlocksPerCall: 500 },
        action: { sql: "SET LOCAL work_mem = '8MB';" },
      },
    ]);
  });

  test('suggests an index where the filter leads to the part of it that is sorted', () => {
    const found = check(largeSort, sort({}, { conditions: { filter: '(status = $1)' } }), { ...writes, relations });
    expect(found).toMatchObject([
      { subject: { table: 'orders' }, action: { sql: expect.stringContaining('("status", "created_at")') } },
    ]);
  });

  test('is less sure without counters', () => {
    expect(check(largeSort, sort(), { statement: null })).toMatchObject([{ severity: 'info' }]);
  });

  test.each([
    ['that fits', sort({ estimate: estimate(50_000, { totalCost: 20_000 }) }), writes],
    ['below a LIMIT', over([sort()], { type: 'Limit' }), writes],
    ['that was run', sort({ actual: actual(100_000) }), writes],
    ['of a statement that never wrote a temporary file', sort(), { statement: { calls: 10, tempBlocksWritten: 0 } }],
    ['on an unknown server', sort(), { ...writes, settings: null }],
  ])('says nothing of a sort %s', (_, root, given) => {
    expect(check(largeSort, root, { relations, ...given })).toEqual([]);
  });
});

describe('plans/limit-not-pushed', () => {
  const limited = (below: PlanNode, rows = 20) => over([below], { type: 'Limit', estimate: estimate(rows) });
  const sorted = (overrides: Partial<PlanNode> = {}, sortKey = ['orders.created_at DESC']) =>
    over([scan('orders', { estimate: estimate(200_000), conditions: { filter: '(status = $1)' }, ...overrides })], {
      type: 'Sort',
      sortKey,
      estimate: estimate(200_000, { totalCost: 20_000 }),
    });

  test('suggests an index on the filter and the order', () => {
    expect(check(limitNotPushed, limited(sorted()), { relations })).toMatchObject([
      {
        subject: { table: 'orders' },
        title: 'A LIMIT reads 200,000 rows of public.orders for 20 rows',
        evidence: { rowsRead: 200_000, rowsWanted: 20, orderedBy: 'created_at', filterColumns: 'status' },
        action: { sql: expect.stringContaining('("status", "created_at")') },
      },
    ]);
  });

  test('knows how many rows a LIMIT that nobody knows lets through', () => {
    expect(check(limitNotPushed, limited(sorted(), 20_000), { relations })).toEqual([]);
    const statement = { calls: 10, rows: 250 };
    expect(check(limitNotPushed, limited(sorted(), 20_000), { relations, statement })).toMatchObject([
      { evidence: { rowsWanted: 25 } },
    ]);
  });

  test('goes by what was measured', () => {
    const run = (rows: number) =>
      over([{ ...sorted({ actual: actual(rows) }), actual: actual(20, { totalMs: 50 }) }], {
        type: 'Limit',
        actual: actual(20, { totalMs: 50 }),
      });
    expect(check(limitNotPushed, run(50_000), { relations })).toMatchObject([{ evidence: { rowsRead: 50_000 } }]);
    expect(check(limitNotPushed, run(5_000), { relations })).toEqual([]);
  });

  test('sees through a parallel sort', () => {
    const gather = over([sorted({ parallelAware: true, estimate: estimate(50_000) })], {
      type: 'Gather Merge',
      workers: { planned: 2 },
    });
    expect(check(limitNotPushed, limited(gather), { relations })).toMatchObject([{ evidence: { rowsRead: 120_000 } }]);
  });

  test('takes a range of what it is ordered by for a help', () => {
    const recent = (text: string) => limited(sorted({ estimate: estimate(50_000), conditions: { filter: text } }));
    expect(check(limitNotPushed, recent('(created_at > $1)'), { relations })).toHaveLength(1);
    // In the order of the time, most rows would be read in vain for it.
    expect(check(limitNotPushed, recent('(id > $1)'), { relations })).toEqual([]);
  });

  test.each([
    ['few rows', limited(sorted({ estimate: estimate(5_000) }))],
    ['many that are wanted', limited(sorted(), 50_000)],
    ['an order of groups', limited(sorted({}, ['(count(*)) DESC']))],
    [
      'the rows of a join',
      limited(
        over([over([scan('orders'), scan('x')], { type: 'Hash Join' })], { type: 'Sort', sortKey: ['orders.id'] }),
      ),
    ],
    ['a sort without a LIMIT', sorted()],
  ])('says nothing of %s', (_, root) => {
    expect(check(limitNotPushed, root, { relations })).toEqual([]);
  });

  test('says nothing where the index is there and was not chosen', () => {
    const indexed = [orders({ indexes: [tableIndex('i', ['status', 'created_at'])] })];
    expect(check(limitNotPushed, limited(sorted()), { relations: indexed })).toEqual([]);
  });

  describe('in the order of an index', () => {
    const indexed = [orders({ indexes: [tableIndex('by_time', ['created_at'])] })];
    const ordered = (rows: number, overrides: Partial<PlanNode> = {}) =>
      limited(
        scan('orders', {
          type: 'Index Scan',
          index: 'by_time',
          conditions: { filter: '(customer_id = $1)' },
          estimate: estimate(rows),
          ...overrides,
        }),
      );

    test('tells how much of it is read until the filter has let enough rows through', () => {
      expect(check(limitNotPushed, ordered(400), { relations: indexed })).toMatchObject([
        { evidence: { rowsRead: 50_000 }, action: { sql: expect.stringContaining('("customer_id", "created_at")') } },
      ]);
      // Never more than there is.
      expect(check(limitNotPushed, ordered(1), { relations: indexed })).toMatchObject([
        { evidence: { rowsRead: 1_000_000 } },
      ]);
    });

    test.each([
      ['soon has enough', ordered(20_000)],
      [
        'has what it looks for in the index',
        ordered(400, { conditions: { index: '(created_at > $1)', filter: '(customer_id = $1)' } }),
      ],
      ['has no filter', ordered(400, { conditions: {} })],
    ])('says nothing of a scan that %s', (_, root) => {
      expect(check(limitNotPushed, root, { relations: indexed })).toEqual([]);
    });
  });
});

describe('plans/large-offset', () => {
  const page = (found: number, returned: number) =>
    over([scan('orders', { actual: actual(found) })], { type: 'Limit', actual: actual(returned) });

  test('tells how many rows were found for nothing', () => {
    expect(check(largeOffset, page(20_050, 50))).toMatchObject([
      { title: 'An OFFSET throws away 20,000 rows for 50 rows', evidence: { rowsSkipped: 20_000, rowsReturned: 50 } },
    ]);
  });

  test('says nothing of a first page, nor of a plan that was not run', () => {
    expect(check(largeOffset, page(50, 50))).toEqual([]);
    expect(check(largeOffset, over([scan('orders', { estimate: estimate(90_000) })], { type: 'Limit' }))).toEqual([]);
  });
});

describe('plans/memoize-evictions', () => {
  const memoize = (figures: Partial<NonNullable<PlanNode['memoize']>>) =>
    over([scan('orders', { actual: actual(1, { loops: 9_000, totalMs: 0.01 }) })], {
      type: 'Memoize',
      actual: actual(1, { loops: 10_000, totalMs: 0.02 }),
      memoize: { hits: 1_000, misses: 9_000, evictions: 8_000, overflows: 0, memoryKilobytes: 4_096, ...figures },
    });

  test('tells what was forgotten, and how much memory would hold all', () => {
    expect(check(memoizeEvictions, memoize({}))).toMatchObject([
      {
        severity: 'info',
        evidence: { evictions: 8_000, neededKilobytes: 36_864 },
        action: { sql: "SET LOCAL work_mem = '32MB';" },
      },
    ]);
  });

  test.each([
    ['forgot little', { evictions: 4_000 }],
    ['answered most', { hits: 90_000 }],
    ['was asked little', { misses: 900, evictions: 900 }],
  ])('says nothing of one that %s', (_, figures) => {
    expect(check(memoizeEvictions, memoize(figures))).toEqual([]);
  });
});
