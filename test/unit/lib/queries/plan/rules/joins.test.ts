import { beforeAll, describe, expect, test } from 'vitest';
import { cartesianProduct } from '../../../../../../lib/queries/plan/rules/cartesian-product.ts';
import { correlatedSubplan } from '../../../../../../lib/queries/plan/rules/correlated-subplan.ts';
import { cteFence } from '../../../../../../lib/queries/plan/rules/cte-fence.ts';
import { foreignKeyJoin } from '../../../../../../lib/queries/plan/rules/foreign-key-join.ts';
import { functionScanEstimate } from '../../../../../../lib/queries/plan/rules/function-scan-estimate.ts';
import { nestedLoopMany } from '../../../../../../lib/queries/plan/rules/nested-loop-many.ts';
import { orAcrossTables } from '../../../../../../lib/queries/plan/rules/or-across-tables.ts';
import type { PlanNode } from '../../../../../../lib/queries/plan/tree.ts';
import { loadParser } from '../../../../../../lib/queries/text.ts';
import { relation, tableIndex } from '../../../../snapshots.ts';
import { actual, check, estimate, orders, over, scan, withValues } from './plans.ts';

beforeAll(loadParser);

const customers = relation('customers', { rows: 50_000, columns: [withValues('id', 50_000), withValues('zip', 500)] });
const relations = [orders(), customers];
const alias = (name: string, short: string) => ({ relation: { name, alias: short } });
const o = alias('orders', 'o');
const c = alias('customers', 'c');

describe('plans/nested-loop-many', () => {
  const loop = (outer: Partial<PlanNode>, inner: Partial<PlanNode>, join: Partial<PlanNode> = {}) =>
    over([scan('customers', { ...c, ...outer }), scan('orders', { ...o, ...inner })], {
      type: 'Nested Loop',
      conditions: { joinFilter: '(o.customer_id = c.id)' },
      estimate: estimate(100, { totalCost: 1e6 }),
      ...join,
    });

  test('tells of a table that is read in each round, and suggests an index', () => {
    const root = loop({ estimate: estimate(50) }, { estimate: estimate(1_000_000, { totalCost: 20_000 }) });
    expect(check(nestedLoopMany, root, { relations })).toMatchObject([
      {
        subject: { table: 'orders' },
        title: 'A nested loop reads public.orders 50 times',
        evidence: { rounds: 50, innerRowsRead: 50_000_000 },
        action: { sql: expect.stringContaining('("customer_id")') },
      },
    ]);
  });

  test('counts what was measured, also of a table that was kept in memory', () => {
    const materialized = over([scan('orders', { ...o, actual: actual(1_000) })], {
      type: 'Materialize',
      actual: actual(1_000, { loops: 2_000, totalMs: 0.1 }),
    });
    const root = over([scan('customers', { ...c, actual: actual(2_000) }), materialized], {
      type: 'Nested Loop',
      conditions: { joinFilter: '(o.amount > c.limit)' },
      actual: actual(5, { totalMs: 200 }),
    });
    expect(check(nestedLoopMany, root, { relations })).toMatchObject([
      { evidence: { rounds: 2_000, innerRowsRead: 2_000_000 } },
    ]);
  });

  test('tells of rounds that nobody expected', () => {
    const inner = {
      type: 'Index Scan',
      actual: actual(1, { loops: 20_000, totalMs: 0.01 }),
      conditions: { index: '(o.id = c.id)' },
    };
    const rounds = (expected: number) =>
      loop({ estimate: estimate(expected), actual: actual(20_000, { totalMs: 10 }) }, inner, {
        actual: actual(20_000, { totalMs: 220 }),
        conditions: {},
      });
    expect(check(nestedLoopMany, rounds(100), { relations })).toMatchObject([
      { title: 'A nested loop makes 20,000 rounds where 100 were expected', action: { kind: 'code' } },
    ]);
    expect(check(nestedLoopMany, rounds(15_000), { relations })).toEqual([]);
  });

  test.each([
    ['few rows in all', loop({ estimate: estimate(50) }, { estimate: estimate(10) }), [orders({ rows: 1_000 })]],
    ['one round', loop({ estimate: estimate(1) }, {}), relations],
    ['an index', loop({ estimate: estimate(50) }, { type: 'Index Scan' }), relations],
    ['no condition, which another rule tells', loop({ estimate: estimate(50) }, {}, { conditions: {} }), relations],
    ['a table of unknown size', loop({ estimate: estimate(50) }, {}), []],
    ['a hash join', loop({ estimate: estimate(50) }, {}, { type: 'Hash Join' }), relations],
  ])('says nothing of %s', (_, root, tables) => {
    expect(check(nestedLoopMany, root, { relations: tables })).toEqual([]);
  });
});

describe('plans/cartesian-product', () => {
  const product = (left: Partial<PlanNode>, right: Partial<PlanNode>, join: Partial<PlanNode> = {}) =>
    over([scan('orders', { ...o, ...left }), scan('customers', { ...c, ...right })], {
      type: 'Nested Loop',
      joinType: 'Inner',
      estimate: estimate(1_000_000),
      ...join,
    });
  const many = { estimate: estimate(1_000) };

  test('tells of two tables without a condition between them', () => {
    expect(check(cartesianProduct, product(many, many))).toMatchObject([
      { evidence: { pairs: 1_000_000, outer: 'orders', inner: 'customers' }, action: { kind: 'code' } },
    ]);
  });

  test('counts the rows that there were', () => {
    const run = product(
      { actual: actual(500) },
      { actual: actual(400, { loops: 500, totalMs: 0.1 }) },
      { actual: actual(200_000) },
    );
    expect(check(cartesianProduct, run)).toMatchObject([
      { evidence: { pairs: 200_000, outerRows: 500, innerRows: 400 } },
    ]);
  });

  test.each([
    ['a condition of the join', product(many, many, { conditions: { joinFilter: '(o.a > c.b)' } })],
    [
      'a look-up of the outer row',
      product(many, { ...many, type: 'Index Scan', conditions: { index: '(id = o.customer_id)' } }),
    ],
    ['a filter that knows the outer row', product(many, { ...many, conditions: { filter: '(c.zip > o.id)' } })],
    [
      'the same value on both sides',
      product({ ...many, conditions: { filter: '(o.zip = $1)' } }, { ...many, conditions: { filter: '(c.zip = $2)' } }),
    ],
    [
      'the same parameter on both sides',
      product({ ...many, conditions: { filter: '(o.a = $1)' } }, { ...many, conditions: { filter: '(c.b = $1)' } }),
    ],
    ['a condition that cannot be read', product(many, { ...many, conditions: { filter: '(hashed SubPlan 1)' } })],
    ['a function, which may use the outer row', product(many, { ...many, type: 'Function Scan', relation: undefined })],
    ['few rows on one side', product(many, { estimate: estimate(9) })],
    ['few pairs', product({ estimate: estimate(300) }, { estimate: estimate(300) })],
    ['a semi join', product(many, many, { joinType: 'Semi' })],
  ])('says nothing of %s', (_, root) => {
    expect(check(cartesianProduct, root)).toEqual([]);
  });
});

describe('plans/or-across-tables', () => {
  const join = (joinFilter: string, overrides: Partial<PlanNode> = {}) =>
    over(
      [scan('orders', { ...o, estimate: estimate(10_000) }), scan('customers', { ...c, estimate: estimate(1_000) })],
      {
        type: 'Nested Loop',
        conditions: { joinFilter },
        estimate: estimate(500),
        ...overrides,
      },
    );
  const across = '((o.customer_id = $1) OR (c.zip = $2))';

  test('tells of an OR that waits for the join', () => {
    expect(check(orAcrossTables, join(across))).toMatchObject([
      {
        evidence: { pairs: 10_000_000, rowsKept: 500, columns: 'customer_id, zip' },
        action: { caution: expect.stringContaining('UNION') },
      },
    ]);
  });

  test('counts the pairs that were thrown away, in any join', () => {
    const run = { type: 'Hash Join', actual: actual(10), removed: { joinFilter: 200_000 } };
    expect(check(orAcrossTables, join(across, run))).toMatchObject([{ evidence: { pairs: 200_010 } }]);
  });

  test.each([
    ['an OR over one table', join('((o.customer_id = $1) OR (o.status = $2))')],
    ['an AND', join('((o.customer_id = $1) AND (c.zip = $2))')],
    ['few pairs', join(across, { actual: actual(10), removed: { joinFilter: 1_000 } })],
    ['an OR that keeps most', join(across, { estimate: estimate(5_000_000) })],
  ])('says nothing of %s', (_, root) => {
    expect(check(orAcrossTables, root)).toEqual([]);
  });
});

describe('plans/foreign-key-join', () => {
  const referring = orders({
    references: [{ columns: ['customer_id'], toSchema: 'public', toTable: 'customers', toColumns: ['id'] }],
  });
  const join = (
    overrides: { whole?: Partial<PlanNode>; few?: Partial<PlanNode>; hash?: string; type?: string } = {},
  ) => {
    const whole = scan('orders', { ...o, estimate: estimate(1_000_000), ...overrides.whole });
    const few = scan('customers', { ...c, estimate: estimate(100, { totalCost: 500 }), ...overrides.few });
    return over([whole, over([few], { type: 'Hash', estimate: few.estimate })], {
      type: overrides.type ?? 'Hash Join',
      conditions: { hash: overrides.hash ?? '(o.customer_id = c.id)' },
      estimate: estimate(2_000, { totalCost: 11_000 }),
    });
  };

  test('suggests an index on the referring column', () => {
    expect(check(foreignKeyJoin, join(), { relations: [referring, customers] })).toMatchObject([
      {
        subject: { table: 'orders' },
        title: 'A join reads all of public.orders because customer_id has no index',
        evidence: { rowsRead: 1_000_000, otherSideRows: 100, matchedRows: 2_000, column: 'customer_id' },
        action: { sql: expect.stringContaining('("customer_id")') },
      },
    ]);
  });

  test('finds the table on either side, and the column on either side of the condition', () => {
    const root = join({ hash: '(c.id = o.customer_id)' });
    const [outer, inner] = root.children as [PlanNode, PlanNode];
    const hashed = over([{ ...outer, relationship: 'Outer' }], { type: 'Hash', estimate: outer.estimate });
    const turned = {
      ...root,
      children: [
        { ...inner.children[0], relationship: 'Outer' } as PlanNode,
        { ...hashed, relationship: 'Inner' } as PlanNode,
      ],
    };
    expect(check(foreignKeyJoin, turned, { relations: [referring, customers] })).toHaveLength(1);
  });

  test.each([
    ['a column that refers to nothing', join(), [orders(), customers]],
    ['an index that is there', join(), [{ ...referring, indexes: [tableIndex('i', ['customer_id'])] }, customers]],
    [
      'many rows on the other side',
      join({ few: { estimate: estimate(10_000, { totalCost: 500 }) } }),
      [referring, customers],
    ],
    ['a small table', join({ whole: { estimate: estimate(900) } }), [{ ...referring, rows: 900 }, customers]],
    [
      'a filter that keeps few rows, which another rule tells',
      join({ whole: { estimate: estimate(100), conditions: { filter: '(o.status = $1)' } } }),
      [referring, customers],
    ],
    ['another condition', join({ hash: '(o.id = c.id)' }), [referring, customers]],
    ['an unknown table', join(), []],
  ])('says nothing of %s', (_, root, tables) => {
    expect(check(foreignKeyJoin, root, { relations: tables })).toEqual([]);
  });
});

describe('plans/correlated-subplan', () => {
  const outer = (sub: Partial<PlanNode>, overrides: Partial<PlanNode> = {}) => {
    const subplan: PlanNode = {
      ...scan('orders', {
        ...o,
        conditions: { filter: '(o.customer_id = c.id)' },
        estimate: estimate(20, { totalCost: 20_000 }),
      }),
      relationship: 'SubPlan',
      subplan: 'SubPlan 1',
      ...sub,
    };
    return {
      ...scan('customers', { ...c, estimate: estimate(50_000, { totalCost: 1e9 }), ...overrides }),
      children: [subplan],
    };
  };

  test('tells how often it is expected to be run, and suggests an index', () => {
    expect(check(correlatedSubplan, outer({}), { relations })).toMatchObject([
      {
        title: 'A subquery is expected to be run 50,000 times',
        evidence: { runs: 50_000, sharePercent: 100 },
        action: { sql: expect.stringContaining('("customer_id")') },
      },
    ]);
  });

  test('counts the runs that there were', () => {
    const run = (loops: number) =>
      outer({ actual: actual(20, { loops, totalMs: 1 }) }, { actual: actual(1, { totalMs: loops }) });
    expect(check(correlatedSubplan, run(2_000), { relations })).toMatchObject([
      { evidence: { runs: 2_000, msPerRun: 1 } },
    ]);
    expect(check(correlatedSubplan, run(900), { relations })).toEqual([]);
  });

  test('shares what is charged among the subqueries of a row', () => {
    const [subplan] = outer({}).children as [PlanNode];
    const two = {
      ...outer({}, { estimate: estimate(50_000, { totalCost: 2e9 }) }),
      children: [subplan, { ...subplan, subplan: 'SubPlan 2' }],
    };
    expect(check(correlatedSubplan, two, { relations })).toMatchObject([{ evidence: { runs: 50_000, places: 2 } }]);
  });

  test('minds many more runs where an index answers each', () => {
    const indexed = (cost: number) =>
      outer(
        { type: 'Index Scan', estimate: estimate(20, { totalCost: 8 }) },
        { estimate: estimate(50_000, { totalCost: cost }) },
      );
    expect(check(correlatedSubplan, indexed(8 * 5_000), { relations })).toEqual([]);
    expect(check(correlatedSubplan, indexed(8 * 20_000), { relations })).toMatchObject([{ action: { kind: 'code' } }]);
  });

  test.each([
    ['is hashed', outer({}, { conditions: { filter: '(NOT (hashed SubPlan 1))' } })],
    [
      'is hashed, in the words of PostgreSQL 17',
      outer({}, { conditions: { filter: '(NOT (ANY (id = (hashed SubPlan 1).col1)))' } }),
    ],
    ['is charged for once', outer({}, { estimate: estimate(50_000, { totalCost: 21_000 }) })],
    ['is run once, before all', outer({ relationship: 'InitPlan' })],
  ])('says nothing of a subquery that %s', (_, root) => {
    expect(check(correlatedSubplan, root, { relations })).toEqual([]);
  });
});

describe('plans/cte-fence', () => {
  const fenced = (kept: number, source: Partial<PlanNode> = {}, overrides: Partial<PlanNode> = {}) => {
    const cte: PlanNode = {
      ...scan('orders', { estimate: estimate(200_000) }),
      relationship: 'InitPlan',
      subplan: 'CTE recent',
      ...source,
    };
    const read = scan('', {
      type: 'CTE Scan',
      cteName: 'recent',
      relation: undefined,
      conditions: { filter: '(id = $1)' },
      estimate: estimate(kept, { totalCost: 4_000 }),
      ...overrides,
    });
    return {
      ...over([read], { type: 'Aggregate', estimate: estimate(1, { totalCost: 14_100 }) }),
      children: [cte, { ...read, relationship: 'Outer' as const }],
    };
  };

  test('tells of a filter that stays outside', () => {
    expect(check(cteFence, fenced(1_000))).toMatchObject([
      {
        evidence: { rowsRead: 200_000, rowsKept: 1_000, cte: 'recent' },
        action: { caution: expect.stringContaining('AS NOT MATERIALIZED') },
      },
    ]);
  });

  test('counts what was read from it', () => {
    const run = fenced(1_000, { actual: actual(200_000) }, { actual: actual(3), removed: { filter: 29_997 } });
    expect(check(cteFence, run)).toMatchObject([{ evidence: { rowsRead: 30_000, rowsKept: 3 } }]);
  });

  test.each([
    ['keeps half', fenced(100_000)],
    ['is not there', fenced(1_000, {}, { conditions: {} })],
    ['is over few rows', fenced(10, { estimate: estimate(9_000) })],
    ['is over a recursion', fenced(1_000, { type: 'Recursive Union' })],
    ['is over a change', fenced(1_000, { type: 'ModifyTable' })],
    ['is over something else', fenced(1_000, { subplan: 'CTE other' })],
  ])('says nothing of a filter that %s', (_, root) => {
    expect(check(cteFence, root)).toEqual([]);
  });
});

describe('plans/function-scan-estimate', () => {
  const joined = (fn: Partial<PlanNode>, above: Partial<PlanNode> = {}) => {
    const call = scan('', { type: 'Function Scan', functionName: 'visible_orders', relation: undefined, ...fn });
    const join = over([call, scan('orders', o)], { type: 'Hash Join', ...(fn.actual ? { actual: actual(1) } : {}) });
    return over([join], { type: 'Sort', ...(fn.actual ? { actual: actual(1) } : {}), ...above });
  };

  test('tells how far the guess was off', () => {
    expect(check(functionScanEstimate, joined({ actual: actual(20) }))).toMatchObject([
      { severity: 'info', evidence: { function: 'visible_orders', expectedRows: 1_000, rows: 20, factor: 50 } },
    ]);
    expect(check(functionScanEstimate, joined({ actual: actual(150_000) }))).toMatchObject([
      { evidence: { factor: 150 } },
    ]);
  });

  test('takes the rows of the statement for a sign, where the guess is a default', () => {
    const few = { statement: { calls: 10, rows: 30 } };
    expect(check(functionScanEstimate, joined({}), few)).toMatchObject([{ evidence: { rows: 3 } }]);
    expect(check(functionScanEstimate, joined({ estimate: estimate(500) }), few)).toEqual([]);
    expect(check(functionScanEstimate, joined({}, { type: 'Limit' }), few)).toEqual([]);
    expect(check(functionScanEstimate, joined({}))).toEqual([]);
  });

  test.each([
    ['was right', joined({ actual: actual(900) })],
    ['never ran', joined({ actual: actual(0, { loops: 0 }) })],
    ['is joined to nothing', scan('', { type: 'Function Scan', actual: actual(1) })],
    ['is of few rows', joined({ estimate: estimate(50), actual: actual(1) })],
  ])('says nothing of a function that %s', (_, root) => {
    expect(check(functionScanEstimate, root)).toEqual([]);
  });
});
