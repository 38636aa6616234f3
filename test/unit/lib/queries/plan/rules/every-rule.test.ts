import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Finding } from '../../../../../../lib/advice/finding.ts';
import type { Relation } from '../../../../../../lib/queries/catalog.ts';
import { planRules } from '../../../../../../lib/queries/plan/rules/index.ts';
import { type Plan, type PlanNode, relationships } from '../../../../../../lib/queries/plan/tree.ts';
import type { Gain, QueryInput } from '../../../../../../lib/queries/snapshot.ts';
import { loadParser } from '../../../../../../lib/queries/text.ts';
import {
  plannerSettings,
  querySnapshot,
  relation,
  statement,
  statementPlan,
  tableIndex,
  takenAt,
} from '../../../../snapshots.ts';
import { orders, over, scan, withValues } from './plans.ts';

beforeAll(loadParser);

const types = [
  'Seq Scan', 'Index Scan', 'Index Only Scan', 'Bitmap Heap Scan', 'Bitmap Index Scan', 'BitmapAnd', 'CTE Scan', 'Function Scan',
  'Nested Loop', 'Hash Join', 'Merge Join', 'Hash', 'Sort', 'Limit', 'Aggregate', 'Append', 'Gather', 'Gather Merge',
  'Materialize', 'Memoize', 'Result', 'Subquery Scan', 'ModifyTable', 'Recursive Union', 'Custom Scan',
]; // biome-ignore format: a list to be read at a glance

const secret = 'hunter2';
const conditions = [
  '(customer_id = $1)',
  '((o.status = $1) AND (o.created_at > $2))',
  '(o.customer_id = c.id)',
  '((o.customer_id = $1) OR (c.zip = $2))',
  `((email)::text = '${secret}'::text)`,
  `(lower(email) ~~ '${secret}%'::text)`,
  '(NOT (hashed SubPlan 1))',
  'deleted_at IS NULL',
  `'${secret}`,
  '((',
  '',
];
const names = ['orders', 'customers', 'events_1', 'events_2', 'nowhere', '', '"'];

const number = fc.oneof(
  fc.constantFrom(0, 1, 1_000, 1e6, 1e10, 1e100),
  fc.double({ min: 0, max: 1e9, noNaN: true }),
  fc.nat(1e6),
);
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 });
const condition = optional(fc.constantFrom(...conditions));

const tableUnder: Record<string, string> = { o: 'orders', c: 'customers', e_1: 'events_1', e_2: 'events_2' };
const estimates = fc.record({
  startupCost: fc.constant(0),
  totalCost: fc.constantFrom(10, 1_000, 100_000, 1e11),
  rows: fc.constantFrom(1, 100, 1_000, 100_000),
  width: fc.constant(100),
});
const actuals = fc.record({
  rows: fc.constantFrom(0, 1, 100, 20_000),
  loops: fc.constantFrom(0, 1, 20_000),
  startupMs: fc.constant(0),
  totalMs: fc.constantFrom(0, 1, 50),
});

/** Any node that a schema-valid plan may hold, whether or not PostgreSQL would make it. */
const node = fc.letrec<{ node: PlanNode }>((tie) => ({
  node: fc.record({
    type: fc.constantFrom(...types),
    relationship: optional(fc.constantFrom(...relationships)),
    subplan: optional(fc.constantFrom('SubPlan 1', 'CTE recent', 'InitPlan 1')),
    relation: optional(
      fc.record({
        schema: optional(fc.constantFrom('public', 'other')),
        name: fc.constantFrom(...names),
        alias: fc.constantFrom('o', 'c', 'events_1', 'events_2', ''),
      }),
    ),
    index: optional(fc.constantFrom('by_status', 'orders_pkey')),
    cteName: optional(fc.constant('recent')),
    functionName: optional(fc.constant('f')),
    joinType: optional(fc.constantFrom('Inner', 'Left', 'Semi')),
    strategy: optional(fc.constantFrom('Hashed', 'Sorted')),
    parallelAware: fc.boolean(),
    disabled: optional(fc.boolean()),
    estimate: fc.record({ startupCost: number, totalCost: number, rows: number, width: number }),
    actual: optional(
      fc.record({ rows: number, loops: number, startupMs: fc.option(number), totalMs: fc.option(number) }),
    ),
    conditions: fc.record({
      filter: condition,
      index: condition,
      recheck: condition,
      joinFilter: condition,
      hash: condition,
      merge: condition,
    }),
    removed: fc.record({ filter: optional(number), joinFilter: optional(number), recheck: optional(number) }),
    sortKey: optional(
      fc.array(fc.constantFrom('o.created_at DESC', '(count(*))', `('${secret}')`, 'id'), { maxLength: 3 }),
    ),
    sorts: optional(
      fc.array(
        fc.record({
          method: fc.constant('external merge'),
          space: fc.constantFrom('Memory', 'Disk'),
          kilobytes: number,
        }),
        { maxLength: 3 },
      ),
    ),
    hash: optional(fc.record({ buckets: number, batches: number, originalBatches: number, memoryKilobytes: number })),
    hashAggregate: optional(fc.record({ batches: number, memoryKilobytes: number, diskKilobytes: number })),
    heapFetches: optional(number),
    heapBlocks: optional(fc.record({ exact: number, lossy: number })),
    workers: optional(fc.record({ planned: number, launched: optional(number) })),
    memoize: optional(
      fc.record({ hits: number, misses: number, evictions: number, overflows: number, memoryKilobytes: number }),
    ),
    subplansRemoved: optional(number),
    children: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constant([]),
      fc.array(tie('node'), { maxLength: 4 }),
    ),
  }) as fc.Arbitrary<PlanNode>,
})).node;

const plan: fc.Arbitrary<Plan> = fc.record({
  root: node,
  planningMs: optional(number),
  executionMs: optional(number),
  jit: optional(fc.record({ functions: number, totalMs: optional(number) })),
  triggers: optional(
    fc.array(
      fc.record({ name: fc.constant('t'), relation: fc.constantFrom(...names), calls: number, totalMs: number }),
      { maxLength: 2 },
    ),
  ),
  settings: optional(fc.constant({ enable_seqscan: 'off' })),
});

const indexes = [tableIndex('by_status', ['status']), tableIndex('by_email', ['email'])];
const relations: Relation[] = [
  orders({
    indexes,
    allVisibleFraction: 0.1,
    changedSinceAnalyze: 900_000,
    references: [{ columns: ['customer_id'], toSchema: 'public', toTable: 'customers', toColumns: ['id'] }],
  }),
  orders({ table: 'events', kind: 'partitioned table' }),
  orders({ table: 'events_1', rows: null }),
  orders({ table: 'events_2', rows: 0, sizeBytes: 0, liveRows: 0 }),
  relation('customers', { rows: 50_000, columns: [withValues('id', 0), withValues('zip', 500)] }),
];

/** Plans with the form of real ones: each node has the children that it needs, and all were run or none. */
const plausible: fc.Arbitrary<PlanNode> = fc
  .record({ isRun: fc.boolean(), tree: fc.letrec<{ tree: PlanNode }>((tie) => ({ tree: treeOf(tie('tree')) })).tree })
  .map(({ isRun, tree }) => (isRun ? tree : notRun(tree)));

function treeOf(tree: fc.Arbitrary<PlanNode>): fc.Arbitrary<PlanNode> {
  const figures = { estimate: estimates, actual: actuals };
  const leaf = fc
    .record({
      ...figures,
      type: fc.constantFrom(
        'Seq Scan',
        'Index Scan',
        'Index Only Scan',
        'Bitmap Heap Scan',
        'CTE Scan',
        'Function Scan',
      ),
      relation: fc.constantFrom(...['o', 'c', 'e_1', 'e_2'].map((alias) => ({ name: tableUnder[alias] ?? '', alias }))),
      filter: condition,
      index: condition,
    })
    .map(({ filter, index, ...rest }) => ({
      ...scan('orders'),
      ...rest,
      conditions: { ...(filter ? { filter } : {}), ...(rest.type === 'Seq Scan' || !index ? {} : { index }) },
      removed: { filter: 100_000 },
      index: 'by_status',
      heapFetches: 9_000,
      cteName: 'recent',
    }));
  const unary = fc
    .record({
      ...figures,
      type: fc.constantFrom('Sort', 'Limit', 'Aggregate', 'Hash', 'Gather', 'Materialize'),
      child: tree,
    })
    .map(({ child, ...rest }) => over([child], { ...rest, sortKey: ['o.created_at DESC'] }));
  const join = fc
    .record({
      ...figures,
      type: fc.constantFrom('Nested Loop', 'Hash Join', 'Append'),
      outer: tree,
      inner: tree,
      joinFilter: condition,
    })
    .map(({ outer, inner, joinFilter, ...rest }) =>
      over([outer, inner], {
        ...rest,
        conditions:
          rest.type === 'Nested Loop' ? (joinFilter ? { joinFilter } : {}) : { hash: '(o.customer_id = c.id)' },
        removed: { joinFilter: 1_000_000 },
      }),
    );
  const nested = fc
    .record({ of: tree, relationship: fc.constantFrom('SubPlan' as const, 'InitPlan' as const), below: tree })
    .map(({ of, relationship, below }) => ({
      ...of,
      children: [
        ...of.children,
        { ...below, relationship, subplan: relationship === 'SubPlan' ? 'SubPlan 1' : 'CTE recent' },
      ],
    }));
  return fc.oneof({ maxDepth: 5, depthSize: 'small' }, leaf, unary, join, join, nested);
}

function notRun(root: PlanNode): PlanNode {
  return { ...root, actual: undefined, children: root.children.map(notRun) };
}

const anyPlan = fc.oneof(
  plan,
  plausible.map((root): Plan => ({ root, executionMs: 100 })),
  plausible.map((root): Plan => ({ root })),
);

const input: fc.Arbitrary<QueryInput> = fc
  .record({
    plans: fc.array(anyPlan, { maxLength: 3 }),
    calls: fc.nat(100_000),
    rows: number,
    temporary: number,
    mean: number,
    isKnown: fc.boolean(),
  })
  .map(({ plans, calls, rows, temporary, mean, isKnown }) => ({
    ...querySnapshot(
      isKnown
        ? [statement({ calls, rows, tempBlocksWritten: temporary, since: hoursAgo(9), window: gained(calls, mean) })]
        : [],
      {
        plans: plans.map((each) =>
          statementPlan(each.root, {
            plan: each,
            parameterCosts: {
              common: mean,
              rare: rows,
              generic: calls,
              shapesDiffer: isKnown,
              parameter: 1,
              column: 'id',
            },
          }),
        ),
        relations: isKnown ? relations : [],
        settings: isKnown ? plannerSettings() : null,
        windowFrom: hoursAgo(1),
      },
    ),
    past: {
      windows: new Map([
        ['1', [{ from: hoursAgo(3), to: hoursAgo(2), calls, totalMs: calls, meanMs: 1, stddevMs: 0, rows, blocks: 0 }]],
      ]),
      plans: new Map([['1', [{ shape: 'old', firstSeenAt: hoursAgo(99), lastSeenAt: hoursAgo(1) }]]]),
    },
  }));

function hoursAgo(hours: number): string {
  return new Date(Date.parse(takenAt) - hours * 3_600_000).toISOString();
}

function gained(calls: number, meanMs: number): Gain {
  return { calls, totalMs: calls * meanMs, rows: calls } as Gain;
}

describe.each(planRules.map((rule) => [rule.id, rule] as const))('%s', (id, rule) => {
  test('answers any plan with findings as they should be', () => {
    fc.assert(
      fc.property(input, (snapshot) => {
        const findings = rule.check(snapshot, rule.options.parse({}));
        for (const finding of findings) expect(Finding.safeParse(finding).error).toBeUndefined();
        expect(new Set(findings.map((finding) => finding.id)).size).toBe(findings.length);
        const written = JSON.stringify(findings);
        expect(written).not.toContain(secret);
        expect(written).not.toMatch(/NaN|Infinity|undefined|\bnull\b/);
      }),
      { numRuns: 150 },
    );
  });

  test('is called after what it is about, and has a page', () => {
    expect(id).toMatch(/^plans\/[a-z]+(-[a-z]+)*$/);
    expect(rule.docs).toBe(`docs/rules/${id}.md`);
  });

  test('refuses an option that it does not know', () => {
    expect(rule.options.safeParse({ minimum: 1 }).success).toBe(false);
  });
});

test('a plan that is deeper than any stack is looked through', () => {
  let root: PlanNode = scan('orders');
  for (let i = 0; i < 300; i++)
    root = { ...scan('orders', { type: i % 2 ? 'Nested Loop' : 'Sort' }), children: [root] };
  const snapshot = querySnapshot([], { plans: [statementPlan(root)], relations });
  for (const rule of planRules) expect(rule.check(snapshot, rule.options.parse({}))).toBeInstanceOf(Array);
});

test('no two rules have one name, and they are in the order of their names', () => {
  const ids = planRules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(ids.toSorted());
});
