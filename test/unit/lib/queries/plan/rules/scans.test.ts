import { beforeAll, describe, expect, test } from 'vitest';
import { bitmapAnd } from '../../../../../../lib/queries/plan/rules/bitmap-and.ts';
import { expressionHidesIndex } from '../../../../../../lib/queries/plan/rules/expression-hides-index.ts';
import { heapFetches } from '../../../../../../lib/queries/plan/rules/heap-fetches.ts';
import { lossyBitmap } from '../../../../../../lib/queries/plan/rules/lossy-bitmap.ts';
import { partitionPruning } from '../../../../../../lib/queries/plan/rules/partition-pruning.ts';
import { rowsRemoved } from '../../../../../../lib/queries/plan/rules/rows-removed.ts';
import { selectiveSeqScan } from '../../../../../../lib/queries/plan/rules/selective-seq-scan.ts';
import { seqScanLargeTable } from '../../../../../../lib/queries/plan/rules/seq-scan-large-table.ts';
import type { PlanNode } from '../../../../../../lib/queries/plan/tree.ts';
import { loadParser } from '../../../../../../lib/queries/text.ts';
import { tableIndex, takenAt } from '../../../../snapshots.ts';
import { actual, check, estimate, orders, over, scan } from './plans.ts';

beforeAll(loadParser);

const relations = [orders()];
const filter = (text: string) => ({ conditions: { filter: text } });

describe('plans/selective-seq-scan', () => {
  const seqScan = (overrides: Partial<PlanNode> = {}) =>
    scan('orders', { ...filter('(customer_id = $1)'), estimate: estimate(20), ...overrides });

  test('tells of a big table that is read for few rows, and suggests an index', () => {
    expect(check(selectiveSeqScan, seqScan(), { relations })).toMatchObject([
      {
        severity: 'warning',
        subject: { database: 'shop', queryId: '1', schema: 'public', table: 'orders' },
        title: 'A sequential scan of public.orders keeps less than 0.01 % of what it reads',
        detail: 'It is expected to read 1,000,000 rows to keep 20 rows.',
        evidence: { rowsRead: 1_000_000, rowsKept: 20, columns: 'customer_id' },
        action: { sql: expect.stringContaining('("customer_id")'), undoSql: expect.stringContaining('DROP INDEX') },
      },
    ]);
  });

  test('goes by what was measured, where that is known', () => {
    const measured = (kept: number, removed: number) =>
      check(selectiveSeqScan, seqScan({ actual: actual(kept), removed: { filter: removed } }), { relations });
    expect(measured(600_000, 400_000)).toEqual([]);
    expect(measured(10, 999_990)).toMatchObject([
      { detail: 'It read 1,000,000 rows to keep 10 rows.', evidence: { figures: 'measured' } },
    ]);
  });

  test('knows a plan that was run without its database', () => {
    const found = check(selectiveSeqScan, seqScan({ actual: actual(10), removed: { filter: 999_990 } }));
    expect(found).toMatchObject([{ subject: { table: 'orders' }, evidence: { rowsKept: 10 } }]);
    expect(found[0]?.action).toBeUndefined();
    expect(check(selectiveSeqScan, seqScan())).toEqual([]);
  });

  test.each([
    ['is small', seqScan(), [orders({ rows: 9_999 })]],
    ['keeps many rows', seqScan({ estimate: estimate(60_000) }), relations],
    ['never ran', seqScan({ actual: actual(0, { loops: 0 }) }), relations],
    ['was never analyzed', seqScan(), [orders({ rows: null })]],
    ['is read by an index', seqScan({ type: 'Index Scan' }), relations],
  ])('says nothing of a table that %s', (_, node, tables) => {
    expect(check(selectiveSeqScan, node, { relations: tables })).toEqual([]);
  });

  test('says nothing of a scan that a LIMIT stops early', () => {
    const limit = (rows: number) =>
      over([seqScan({ estimate: estimate(50_000) })], { type: 'Limit', estimate: estimate(rows) });
    expect(check(selectiveSeqScan, limit(10), { relations })).toEqual([]);
    expect(check(selectiveSeqScan, limit(40_000), { relations })).toHaveLength(1);
    // The planner guesses a tenth; the calls returned ten rows.
    expect(check(selectiveSeqScan, limit(5_000), { relations, statement: { calls: 10, rows: 100 } })).toEqual([]);
  });

  test('counts the processes of a parallel scan together', () => {
    const gather = over([seqScan({ parallelAware: true, estimate: estimate(20_000) })], {
      type: 'Gather',
      workers: { planned: 2 },
    });
    // 2.4 processes' worth of 20,000 rows are 4.8 %, 2.6 would be 5.2 %.
    expect(check(selectiveSeqScan, gather, { relations })).toMatchObject([{ evidence: { rowsKept: 48_000 } }]);
    const workers = { ...gather, children: [seqScan({ parallelAware: true, estimate: estimate(22_000) })] };
    expect(check(selectiveSeqScan, workers, { relations })).toEqual([]);
  });

  test('tells of all partitions of a table at once', () => {
    const partition = (n: number) =>
      scan(`orders_${n}`, { ...filter('(customer_id = $1)'), estimate: estimate(2, { totalCost: 500 }) });
    const append = over([1, 2, 3, 4].map(partition), { type: 'Append' });
    const children = [1, 2, 3, 4].map((n) => orders({ table: `orders_${n}`, rows: 5_000 }));
    const parent = orders({ kind: 'partitioned table', rows: 20_000 });
    expect(check(selectiveSeqScan, append, { relations: [...children, parent] })).toMatchObject([
      { subject: { table: 'orders' }, evidence: { rowsRead: 20_000, rowsKept: 8, sharePercent: 20 } },
    ]);
  });

  test('says why an index that is there may not have been chosen', () => {
    const indexed = [orders({ indexes: [tableIndex('by_customer', ['customer_id'])] })];
    expect(check(selectiveSeqScan, seqScan(), { relations: indexed })).toMatchObject([
      { detail: expect.stringContaining('by_customer could answer it'), action: { kind: 'code' } },
    ]);
  });

  test.each([
    ['(email ~~ $1)', /pg_trgm/],
    ['((customer_id = $1) OR (email = $2))', /UNION/],
  ])('knows other ways for %s', (text, caution) => {
    const found = check(selectiveSeqScan, seqScan(filter(text)), { relations });
    expect(found).toMatchObject([{ action: { kind: 'code', caution: expect.stringMatching(caution) } }]);
  });

  test('suggests nothing for what no index answers', () => {
    const found = check(selectiveSeqScan, seqScan(filter('((customer_id % 7) = 3)')), { relations });
    expect(found[0]).not.toHaveProperty('action');
  });

  test('never tells a literal of the condition', () => {
    const found = check(selectiveSeqScan, seqScan(filter("(email = 'hunter2'::text)")), { relations });
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
});

describe('plans/expression-hides-index', () => {
  const indexes = [tableIndex('by_email', ['email']), tableIndex('by_time', ['created_at'])];
  const hidden = (text: string, overrides = {}) =>
    check(expressionHidesIndex, scan('orders', { ...filter(text), estimate: estimate(20) }), {
      relations: [orders({ indexes, ...overrides })],
    });

  test('tells of a function of an indexed column, and suggests an index on it', () => {
    expect(hidden('(lower(email) = $1)')).toMatchObject([
      {
        title: 'lower(email) keeps by_email from being used',
        evidence: { hiddenIndex: 'by_email', expression: 'lower(email)' },
        action: { kind: 'sql', sql: expect.stringContaining('(lower("email"))') },
      },
    ]);
  });

  test.each([
    ['((created_at)::date = $1)', 'created_at::date'],
    ["(date_trunc('day'::text, created_at) = $1)", 'date_trunc(created_at)'],
  ])('tells how else to write %s', (text, expression) => {
    expect(hidden(text)).toMatchObject([{ evidence: { expression }, action: { kind: 'code' } }]);
  });

  test.each(['(email = $1)', '((email)::text = $1)', '(lower(status) = $1)', '(email ~~ $1)'])(
    'says nothing of a column that stands alone, has no index, or could not use it: %s',
    (text) => {
      const varchar = orders().columns.map((column) =>
        column.name === 'email' ? { ...column, type: 'character varying(80)' } : column,
      );
      expect(hidden(text, { columns: varchar })).toEqual([]);
    },
  );

  test('leaves plans/selective-seq-scan nothing to say', () => {
    const node = scan('orders', { ...filter('(lower(email) = $1)'), estimate: estimate(20) });
    expect(check(selectiveSeqScan, node, { relations: [orders({ indexes })] })).toEqual([]);
  });
});

describe('plans/seq-scan-large-table', () => {
  const hours = (count: number) => new Date(Date.parse(takenAt) - count * 3_600_000).toISOString();
  const often = { calls: 1_200, rows: 1_200, since: hours(10) };
  const counting = (below: PlanNode) => over([below], { type: 'Aggregate' });
  const whole = counting(scan('orders', { estimate: estimate(1_000_000) }));

  test('tells of a count that is asked for often', () => {
    expect(check(seqScanLargeTable, whole, { relations, statement: often })).toMatchObject([
      { evidence: { rowsRead: 1_000_000, rowsPerCall: 1, callsPerHour: 120 }, action: { kind: 'code' } },
    ]);
  });

  test.each([
    ['is seldom asked for', whole, { ...often, calls: 599 }],
    ['returns many rows', whole, { ...often, rows: 1_200_000 }],
    ['began to be counted nobody knows when', whole, { ...often, since: null }],
    [
      'keeps few rows, which another rule tells',
      counting(scan('orders', { ...filter('(id = 1)'), estimate: estimate(1) })),
      often,
    ],
    ['is a join', over([scan('orders', { estimate: estimate(1_000_000) }), scan('x')], { type: 'Hash Join' }), often],
  ])('says nothing of a statement that %s', (_, root, statement) => {
    expect(check(seqScanLargeTable, root, { relations, statement })).toEqual([]);
  });

  test('goes by the last window where there is one', () => {
    const window = { calls: 1, rows: 1 } as never;
    expect(
      check(seqScanLargeTable, whole, { relations, statement: { ...often, window }, windowFrom: hours(1) }),
    ).toEqual([]);
  });
});

describe('plans/rows-removed', () => {
  const indexScan = (overrides: Partial<PlanNode> = {}) =>
    scan('orders', {
      type: 'Index Scan',
      index: 'by_status',
      conditions: { index: '(status = $1)', filter: '(customer_id = $2)' },
      estimate: estimate(4),
      ...overrides,
    });
  const measured = (kept: number, removed: number, loops = 1) =>
    indexScan({ actual: actual(kept, { loops }), removed: { filter: removed } });

  test('tells of rows that were found in vain, and suggests an index that leads to the others', () => {
    expect(check(rowsRemoved, measured(4, 200_000), { relations })).toMatchObject([
      {
        detail: 'The scan of by_status found 200,004 rows, of which the filter kept 4 rows.',
        evidence: { rowsFound: 200_004, rowsKept: 4, indexUsed: 'by_status', filterColumns: 'customer_id' },
        action: { sql: expect.stringContaining('("customer_id")') },
      },
    ]);
  });

  test('expects them where all columns of the index have a value', () => {
    expect(check(rowsRemoved, indexScan(), { relations })).toMatchObject([
      { evidence: { rowsFound: 200_000, rowsKept: 4 } },
    ]);
    const range = indexScan({ conditions: { index: '(created_at > $1)', filter: '(customer_id = $2)' } });
    expect(check(rowsRemoved, range, { relations })).toEqual([]);
  });

  test('counts all rounds', () => {
    expect(check(rowsRemoved, measured(0, 9, 200), { relations })).toMatchObject([{ evidence: { rowsFound: 1_800 } }]);
  });

  test.each([
    ['few rows', measured(0, 900)],
    ['a filter that keeps a fifth', measured(20_000, 80_000)],
    ['no filter', indexScan({ conditions: { index: '(status = $1)' } })],
    ['a scan that never ran', measured(0, 0, 0)],
  ])('says nothing of %s', (_, node) => {
    expect(check(rowsRemoved, node, { relations })).toEqual([]);
  });

  test('reads the condition of a bitmap scan', () => {
    const bitmap = scan('orders', {
      type: 'Bitmap Heap Scan',
      conditions: { recheck: '(status = $1)', filter: '(customer_id = $2)' },
      actual: actual(4),
      removed: { filter: 200_000 },
    });
    expect(check(rowsRemoved, bitmap, { relations })).toMatchObject([
      { detail: expect.stringContaining('The bitmap scan found') },
    ]);
  });
});

describe('plans/heap-fetches', () => {
  const only = (overrides: Partial<PlanNode> = {}) =>
    scan('orders', { type: 'Index Only Scan', index: 'by_status', estimate: estimate(20_000), ...overrides });

  test('tells how often the table was visited, and vacuums it', () => {
    const found = check(heapFetches, only({ actual: actual(20_000), heapFetches: 15_000 }), { relations });
    expect(found).toMatchObject([
      { evidence: { heapFetches: 15_000, rows: 20_000 }, action: { kind: 'sql', sql: 'VACUUM "public"."orders";' } },
    ]);
  });

  test('expects visits of pages that are not all-visible', () => {
    expect(check(heapFetches, only(), { relations: [orders({ allVisibleFraction: 0.4 })] })).toMatchObject([
      { evidence: { heapFetches: 12_000, allVisiblePercent: 40 } },
    ]);
    expect(check(heapFetches, only(), { relations: [orders({ allVisibleFraction: 0.9 })] })).toEqual([]);
    expect(check(heapFetches, only())).toEqual([]);
  });

  test.each([
    ['few of the rows', only({ actual: actual(20_000), heapFetches: 2_000 })],
    ['few rows', only({ actual: actual(900), heapFetches: 900 })],
    ['a plain index scan', only({ type: 'Index Scan', actual: actual(20_000), heapFetches: 20_000 })],
  ])('says nothing of %s', (_, node) => {
    expect(check(heapFetches, node, { relations })).toEqual([]);
  });
});

describe('plans/lossy-bitmap', () => {
  const bitmap = (exact: number, lossy: number) =>
    scan('orders', {
      type: 'Bitmap Heap Scan',
      actual: actual(10),
      removed: { recheck: 500 },
      heapBlocks: { exact, lossy },
    });

  test('tells of pages that are remembered as a whole, and how much memory would do', () => {
    expect(check(lossyBitmap, bitmap(100_000, 100_000))).toMatchObject([
      {
        evidence: { lossyBlocks: 100_000, rowsRemovedByRecheck: 500 },
        action: { sql: "SET LOCAL work_mem = '16MB';" },
      },
    ]);
  });

  test('says nothing of an exact bitmap, nor of a few pages', () => {
    expect(check(lossyBitmap, bitmap(100_000, 0))).toEqual([]);
    expect(check(lossyBitmap, bitmap(10, 90))).toEqual([]);
    expect(check(lossyBitmap, bitmap(100_000, 1_000))).toEqual([]);
    expect(check(lossyBitmap, scan('orders', { type: 'Bitmap Heap Scan' }))).toEqual([]);
  });
});

describe('plans/bitmap-and', () => {
  const both = (entries: number, rows: number, condition = '(customer_id = $2)') => {
    const part = (text: string, index: string) =>
      scan('', { type: 'Bitmap Index Scan', index, conditions: { index: text }, estimate: estimate(entries) });
    const and = over([part('(status = $1)', 'by_status'), part(condition, 'by_customer')], { type: 'BitmapAnd' });
    return over([and], {
      type: 'Bitmap Heap Scan',
      relation: { name: 'orders', alias: 'orders' },
      estimate: estimate(rows, { totalCost: 20_000 }),
    });
  };
  const few = [orders({ columns: orders().columns.map((column) => ({ ...column, statistics: null })) })];

  test('suggests one index on the columns of both', () => {
    expect(check(bitmapAnd, both(100_000, 100), { relations: few })).toMatchObject([
      {
        severity: 'info',
        evidence: { indexEntries: 200_000, rows: 100, indexes: 'by_status and by_customer' },
        action: { sql: expect.stringContaining('("customer_id", "status")') },
      },
    ]);
  });

  test.each([
    ['few entries', both(4_000, 10), few],
    ['most of what the indexes give', both(100_000, 50_000), few],
    ['conditions of which one is enough', both(100_000, 100), relations],
    ['a condition that no b-tree answers', both(100_000, 100, '(email ~~ $2)'), few],
    ['an unknown table', both(100_000, 100), []],
  ])('says nothing of %s', (_, root, tables) => {
    expect(check(bitmapAnd, root, { relations: tables })).toEqual([]);
  });
});

describe('plans/partition-pruning', () => {
  const searched = (rows: number[]) =>
    over(
      rows.map((count, i) =>
        scan(`orders_p${i}`, {
          relation: { name: `orders_p${i}`, alias: `orders_${i + 1}` },
          actual: actual(count),
          removed: { filter: 100 },
        }),
      ),
      { type: 'Append', actual: actual(1) },
    );
  const parent = orders({ kind: 'partitioned table' });
  const known = [parent, ...Array.from({ length: 12 }, (_, i) => orders({ table: `orders_p${i}` }))];
  const oneOf = (count: number) => Array.from({ length: count }, (_, i) => (i === 3 ? 5 : 0));

  test('tells how many partitions were searched in vain', () => {
    expect(check(partitionPruning, searched(oneOf(12)), { relations: known })).toMatchObject([
      {
        subject: { table: 'orders' },
        title: '11 of 12 partitions of public.orders were searched in vain',
        evidence: { partitionsSearched: 12, partitionsEmpty: 11 },
      },
    ]);
  });

  const changed = (change: (child: PlanNode, i: number) => Partial<PlanNode>) => {
    const root = searched(oneOf(12));
    return { ...root, children: root.children.map((child, i) => ({ ...child, ...change(child, i) })) };
  };

  test.each([
    ['few partitions', searched(oneOf(9))],
    ['partitions that had rows', searched(Array(12).fill(5))],
    ['a plan that was not run', changed(() => ({ actual: undefined }))],
    ['partitions that were left out', changed((_, i) => (i > 1 ? { actual: actual(0, { loops: 0 }) } : {}))],
    ['a UNION ALL of tables', changed((_, i) => ({ relation: { name: `t${i}`, alias: `t${i}` } }))],
    ['a table that is read twelve times', changed((_, i) => ({ relation: { name: 'orders', alias: `orders_${i}` } }))],
  ])('says nothing of %s', (_, root) => {
    expect(check(partitionPruning, root, { relations: known })).toEqual([]);
  });
});
