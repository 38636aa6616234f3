import { describe, expect, test } from 'vitest';
import { readJsonPlan } from '../../../../../lib/queries/plan/json.ts';
import {
  indexesUsed,
  misestimate,
  misestimateOrigin,
  rowsRead,
  scansOf,
  selfBlocks,
  selfTimes,
  totalRows,
} from '../../../../../lib/queries/plan/measures.ts';
import { readTextPlan } from '../../../../../lib/queries/plan/text.ts';
import { type Actual, type Buffers, nodesOf, type PlanNode } from '../../../../../lib/queries/plan/tree.ts';
import { planNode } from '../../../snapshots.ts';
import { jsonAnswers, textAnswers, versions } from './corpus.ts';

const ran = (totalMs: number | null, loops = 1, rows = 1): { actual: Actual } => ({
  actual: { rows, loops, startupMs: totalMs === null ? null : 0, totalMs },
});
const buffers = (sharedHit: number): { buffers: Buffers } => ({
  buffers: {
    sharedHit,
    sharedRead: 0,
    sharedDirtied: 0,
    sharedWritten: 0,
    localHit: 0,
    localRead: 0,
    tempRead: 0,
    tempWritten: 0,
  },
});
const relation = { name: 't', alias: 't' };
const expecting = (rows: number) => ({ estimate: { startupCost: 0, totalCost: 1, rows, width: 4 } });
const outer = (overrides: Partial<PlanNode>) => planNode({ relationship: 'Outer', ...overrides });
const inner = (overrides: Partial<PlanNode>) => planNode({ relationship: 'Inner', ...overrides });
const times = (root: PlanNode) => [...selfTimes({ root }).values()].map((ms) => Math.round(ms * 1000) / 1000);
const real = versions.flatMap((version) => jsonAnswers(version).map(readJsonPlan));

describe('the time of a node itself', () => {
  test('is its own in all loops without that of its children', () => {
    const root = planNode({ type: 'Nested Loop', ...ran(100), children: [outer(ran(10)), inner(ran(0.5, 40))] });
    expect(times(root)).toEqual([70, 10, 20]);
  });

  test('is not known without ANALYZE or with TIMING OFF', () => {
    expect(times(planNode({ children: [outer({})] }))).toEqual([]);
    expect(times(planNode(ran(null)))).toEqual([]);
  });

  test('is nothing where the node never ran, and never less than nothing', () => {
    const root = planNode({
      ...ran(1),
      children: [outer(ran(1.2)), inner({ actual: { rows: 0, loops: 0, startupMs: 0, totalMs: 0 } })],
    });
    expect(times(root)).toEqual([0, 1.2, 0]);
  });

  test('is shared out among the processes of a parallel part', () => {
    const scan = outer(ran(30, 3));
    const join = outer({ ...ran(90, 3), children: [scan, inner(ran(2, 60))] });
    const root = planNode({ ...ran(120), children: [outer({ type: 'Gather', ...ran(110), children: [join] })] });
    // 120 - 110, 110 - 90, 90 - 30 - 2 x 60 / 3, and the two below.
    expect(times(root)).toEqual([10, 20, 20, 30, 40]);
  });

  test('counts the processes that ran, with a Gather that is run again too', () => {
    const gather = inner({ type: 'Gather Merge', ...ran(10, 4), children: [outer(ran(5, 8))] });
    expect(times(planNode({ ...ran(50), children: [gather] }))).toEqual([10, 20, 20]);
  });

  test('of a CTE is taken from the scan that waited for it', () => {
    const cte = planNode({ relationship: 'InitPlan', subplan: 'CTE recent', ...ran(80) });
    const scan = (ms: number) => outer({ type: 'CTE Scan', cteName: 'recent', ...ran(ms) });
    expect(times(planNode({ ...ran(100), children: [cte, scan(85)] }))).toEqual([15, 80, 5]);
    expect(times(planNode({ ...ran(100), children: [cte, scan(4), scan(85)] }))).toEqual([11, 80, 4, 5]);
  });

  test.each([
    ['$0', 'InitPlan 1 (returns $0)'],
    ['(InitPlan 1).col1', 'InitPlan 1'],
  ])('of an InitPlan is taken from the node whose condition asks for %s', (asked, subplan) => {
    const init = planNode({ relationship: 'InitPlan', subplan, ...ran(50) });
    const scan = (filter?: string) => outer({ ...ran(60), conditions: filter ? { filter } : {} });
    expect(times(planNode({ ...ran(100), children: [init, scan(`(a = ${asked})`)] }))).toEqual([40, 50, 10]);
    expect(times(planNode({ ...ran(120), children: [init, scan()] }))).toEqual([10, 50, 60]);
    expect(times(planNode({ ...ran(60), conditions: { filter: `(a > ${asked})` }, children: [init] }))).toEqual([
      10, 50,
    ]);
  });

  test('adds up to the whole in every real plan', () => {
    for (const plan of real) {
      const loops = [...nodesOf(plan)].reduce((sum, { node }) => sum + (node.actual?.loops ?? 0), 0);
      const sum = [...selfTimes(plan).values()].reduce((total, ms) => total + ms, 0);
      // Each loop is told in microseconds.
      expect(Math.abs(sum - (plan.root.actual?.totalMs ?? 0))).toBeLessThan(0.003 + 0.001 * loops);
    }
  });
});

describe('the blocks of a node itself', () => {
  test('are those that its children did not ask for', () => {
    const root = planNode({ ...ran(1), ...buffers(10), children: [outer({ ...ran(1), ...buffers(7) })] });
    expect([...selfBlocks({ root }).values()]).toEqual([3, 7]);
    expect(selfBlocks({ root: planNode(ran(1)) }).size).toBe(0);
  });

  test('count what was read from disk and from temporary tables, and no temporary files', () => {
    const all = {
      ...buffers(1).buffers,
      sharedRead: 20,
      localHit: 300,
      localRead: 4_000,
      tempRead: 50_000,
      sharedDirtied: 9,
    };
    expect([...selfBlocks({ root: planNode({ ...ran(1), buffers: all }) }).values()]).toEqual([4_321]);
  });

  test('add up to the whole in every real plan', () => {
    for (const plan of real) {
      const { sharedHit, sharedRead } = plan.root.buffers ?? buffers(-1).buffers;
      expect([...selfBlocks(plan).values()].reduce((total, blocks) => total + blocks, 0)).toBe(sharedHit + sharedRead);
    }
  });
});

describe('the rows of a node', () => {
  test('are those of all loops and processes, or else what is expected', () => {
    expect(totalRows(planNode(ran(1, 3, 6_666.67)))).toBeCloseTo(20_000, 0);
    expect(totalRows(planNode(expecting(42)))).toBe(42);
    expect(totalRows(planNode({ ...expecting(42), ...ran(0, 0, 0) }))).toBe(0);
  });

  test('that a scan read are those it gave and those it threw away', () => {
    const scan = planNode({ ...ran(1, 10, 3), removed: { filter: 96, recheck: 1 } });
    expect(rowsRead(scan)).toBe(1_000);
    expect(rowsRead(planNode({ removed: {} }))).toBeUndefined();
    expect(rowsRead({ ...scan, type: 'Hash Join' })).toBeUndefined();
    expect(rowsRead(planNode(ran(0, 0, 0)))).toBe(0);
  });
});

describe('the scans of a plan', () => {
  test('tell how a table is read, what was wasted and what it cost', () => {
    const answer = textAnswers(13).get('sub plan below a join') ?? '';
    const scans = scansOf(readTextPlan(answer)).map(({ node: _, ...scan }) => scan);
    expect(scans).toEqual([
      {
        relation: { schema: 'public', name: 'customers' },
        indexes: [],
        method: 'sequential',
        rowsRead: 500,
        rowsReturned: 500,
        wastedFraction: 0,
        heapFetches: undefined,
        blocks: 3,
        loops: 1,
      },
      {
        relation: { schema: 'public', name: 'orders' },
        indexes: [],
        method: 'sequential',
        rowsRead: 20_000,
        rowsReturned: 20_000,
        wastedFraction: 0,
        heapFetches: undefined,
        blocks: 148,
        loops: 1,
      },
      // The InitPlan that its filter waits for has blocks of its own.
      {
        relation: { schema: 'public', name: 'customers' },
        indexes: [],
        method: 'sequential',
        rowsRead: 500,
        rowsReturned: 67,
        wastedFraction: 1 - 67 / 500,
        heapFetches: undefined,
        blocks: 3,
        loops: 1,
      },
      {
        relation: { schema: 'public', name: 'orders' },
        indexes: ['orders_customer'],
        method: 'bitmap',
        rowsRead: 107_200,
        rowsReturned: 107_200,
        wastedFraction: 0,
        heapFetches: undefined,
        blocks: 112_560,
        loops: 2_680,
      },
    ]);
  });

  test.each([
    ['Seq Scan', 'sequential'],
    ['Sample Scan', 'other'],
    ['Index Scan', 'index'],
    ['Index Only Scan', 'index only'],
    ['Bitmap Heap Scan', 'bitmap'],
    ['Tid Scan', 'tid'],
    ['Tid Range Scan', 'tid'],
    ['Foreign Scan', 'other'],
    ['Custom Scan', 'other'],
  ])('%s: %s', (type, method) => {
    expect(scansOf({ root: planNode({ type, relation }) })).toMatchObject([{ method }]);
  });

  test('are no changes, no joins at another server, and no scans of functions', () => {
    const children = [planNode({ type: 'Foreign Scan' }), planNode({ type: 'Function Scan', functionName: 'f' })];
    expect(scansOf({ root: planNode({ type: 'ModifyTable', relation, children }) })).toEqual([]);
  });

  test('know of no waste where the plan was not run, and of none where nothing was read', () => {
    const [planned] = scansOf({ root: planNode({ relation, ...expecting(42) }) });
    expect(planned).toMatchObject({ rowsRead: undefined, rowsReturned: 42, wastedFraction: undefined, loops: 1 });
    expect(scansOf({ root: planNode({ relation, ...ran(0, 0, 0) }) })).toMatchObject([{ wastedFraction: 0, loops: 0 }]);
  });

  test('know all indexes of a bitmap, and their blocks', () => {
    const bitmap = (index: string, hit: number) =>
      planNode({ type: 'Bitmap Index Scan', relationship: 'Member', index, ...ran(1), ...buffers(hit) });
    const or = outer({
      type: 'BitmapOr',
      ...ran(1),
      ...buffers(5),
      children: [bitmap('i', 2), bitmap('j', 2), bitmap('i', 1)],
    });
    const root = planNode({ type: 'Bitmap Heap Scan', relation, ...ran(1), ...buffers(12), children: [or] });
    expect(scansOf({ root })).toMatchObject([{ indexes: ['i', 'j'], method: 'bitmap', blocks: 12 }]);
    expect(indexesUsed({ root })).toEqual([
      { relation: { name: 't' }, index: 'i' },
      { relation: { name: 't' }, index: 'j' },
    ]);
  });

  test('name an index once, however often it is read', () => {
    const scan = planNode({ type: 'Index Only Scan', relation, index: 'i', heapFetches: 7 });
    const root = planNode({ type: 'Nested Loop', children: [scan, scan] });
    expect(indexesUsed({ root })).toEqual([{ relation: { name: 't' }, index: 'i' }]);
    expect(scansOf({ root })).toMatchObject([{ heapFetches: 7 }, { heapFetches: 7 }]);
  });
});

describe('a misestimate', () => {
  test.each([
    [100, 1_000, 10],
    [1_000, 100, 10],
    [1, 0, 1],
    [0, 0.4, 1],
    [50, 0, 50],
    [100, 100, 1],
  ])('of %d rows where there were %d is one by %d', (expected, found, factor) => {
    expect(misestimate(planNode({ ...expecting(expected), ...ran(1, 1, found) }))).toBe(factor);
  });

  test('is one of a loop', () => {
    expect(misestimate(planNode({ ...expecting(10), ...ran(1, 1_000, 10) }))).toBe(1);
  });

  test.each<[string, Partial<PlanNode>]>([
    ['a plan that was not run', {}],
    ['a node that never ran', ran(0, 0, 0)],
    ['bitmaps that are combined', { type: 'BitmapAnd', ...ran(1, 1, 0) }],
    ['a change', { type: 'ModifyTable', ...ran(1, 1, 0) }],
  ])('is not known of %s', (_, overrides) => {
    expect(misestimate(planNode({ ...expecting(1_000), ...overrides }))).toBeUndefined();
  });
});

describe('a misestimate begins', () => {
  const wrong = (factor: number, overrides: Partial<PlanNode> = {}) =>
    outer({ ...expecting(100), ...ran(1, 1, 100 * factor), ...overrides });
  const right = (overrides: Partial<PlanNode> = {}) => wrong(1, overrides);
  const origin = (root: PlanNode, least?: number) => misestimateOrigin({ root }, least);

  test('where the children are right', () => {
    const scan = wrong(20);
    expect(origin(wrong(20, { children: [wrong(20, { type: 'Hash', children: [scan] })] }))).toEqual({
      node: scan,
      factor: 20,
    });
    const join = wrong(30, { type: 'Hash Join', children: [right(), right()] });
    expect(origin(join)).toEqual({ node: join, factor: 30 });
    expect(origin(right({ children: [wrong(9.9)] }))).toBeUndefined();
    expect(origin(right({ children: [wrong(9.9)] }), 5)).toMatchObject({ factor: 9.9 });
  });

  test('at the worst of several', () => {
    expect(origin(right({ children: [wrong(20), wrong(50), wrong(30)] }))).toMatchObject({ factor: 50 });
  });

  test.each<[string, PlanNode]>([
    ['below a LIMIT', right({ type: 'Limit', children: [wrong(0.01)] })],
    [
      'further below a LIMIT',
      right({ type: 'Limit', children: [right({ type: 'Nested Loop', children: [wrong(0.01)] })] }),
    ],
    ['in what EXISTS asks for', right({ children: [wrong(0.01, { relationship: 'SubPlan' })] })],
    [
      'on the inner side of a semi join',
      right({ type: 'Nested Loop', joinType: 'Semi', children: [right(), wrong(0.01, { relationship: 'Inner' })] }),
    ],
    [
      'on a side of a merge join',
      right({ type: 'Merge Join', children: [wrong(0.01, { type: 'Sort', children: [right()] })] }),
    ],
  ])('nowhere, if fewer rows were read because no more were wanted: %s', (_, root) => {
    expect(origin(root)).toBeUndefined();
  });

  test('nowhere, if a merge join went back for more', () => {
    expect(
      origin(right({ type: 'Merge Join', children: [right(), wrong(50, { relationship: 'Inner' })] })),
    ).toBeUndefined();
  });

  test.each<[string, PlanNode]>([
    ['more rows than expected below a LIMIT', right({ type: 'Limit', children: [wrong(50)] })],
    [
      'fewer rows below a sort, which reads all',
      right({ type: 'Limit', children: [right({ type: 'Sort', children: [wrong(0.02)] })] }),
    ],
    [
      'fewer row pointers in a bitmap, which is read as a whole',
      right({
        type: 'Limit',
        children: [right({ type: 'Bitmap Heap Scan', children: [wrong(0.02, { type: 'Bitmap Index Scan' })] })],
      }),
    ],
    [
      'fewer rows of a group by hash',
      right({
        type: 'Merge Join',
        children: [right({ type: 'Aggregate', strategy: 'Hashed', children: [wrong(0.02)] })],
      }),
    ],
  ])('all the same with %s', (_, root) => {
    expect(origin(root)).toMatchObject({ factor: 50 });
  });
});
