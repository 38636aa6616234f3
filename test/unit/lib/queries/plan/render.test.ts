import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readJsonPlan } from '../../../../../lib/queries/plan/json.ts';
import { type RenderOptions, renderPlan } from '../../../../../lib/queries/plan/render.ts';
import { readTextPlan } from '../../../../../lib/queries/plan/text.ts';
import { nodesOf, type PlanNode } from '../../../../../lib/queries/plan/tree.ts';
import { planNode } from '../../../snapshots.ts';
import { jsonAnswers, textAnswers, versions } from './corpus.ts';

const plain: RenderOptions = { colour: false, columns: 100 };
const answer = (version: number, name: string) => readTextPlan(textAnswers(version).get(name) ?? '');
const real = versions.flatMap((version) => jsonAnswers(version).map(readJsonPlan));
/** The line of a plan of one node, without the columns before it. */
const line = (overrides: Partial<PlanNode>) => {
  const [, only = ''] = renderPlan({ root: planNode(overrides) }, plain).split('\n');
  return only.slice(only.indexOf('100') + '100  '.length);
};
const ran = (loops = 1, rows = 1_000) => ({ actual: { rows, loops, startupMs: 0, totalMs: 5 } });
const runLine = (overrides: Partial<PlanNode>) =>
  renderPlan({ root: planNode({ ...ran(), ...overrides }) }, { ...plain, columns: 300 }).split('\n')[1];

describe('a plan is drawn', () => {
  test('as a tree, with the time of each node and where it went', () => {
    expect(renderPlan(answer(13, 'sub plan below a join'), plain)).toMatchInlineSnapshot(`
      "    self  share  plan
        2.9 ms    1 %  Hash Join · 893 → 1,340 rows, 1,340 removed
                       │  Hash: (o.customer_id = c.id)
                       │  Join filter: (o.total > (SubPlan 1))
      0.032 ms         ├─ InitPlan 2 (returns $1): Aggregate · 1 → 1 rows
      0.026 ms         │  └─ Seq Scan on customers · 500 → 500 rows
        1.2 ms    1 %  ├─ Seq Scan on orders o · 20,000 → 20,000 rows
      0.005 ms         ├─ Hash · 67 → 67 rows
      0.029 ms         │  └─ Seq Scan on customers c · 67 → 67 rows, 433 removed
                       │        Filter: (c.region = $1)
         70 ms   30 %  └─ SubPlan 1: Aggregate · 1 → 1 rows in each of 2,680 loops
        150 ms   64 %     └─ Bitmap Heap Scan on orders i · 40 → 40 rows in each of 2,680 loops
                             │  Recheck: (i.customer_id = c.id)
         11 ms    5 %        └─ Bitmap Index Scan using orders_customer · 40 → 40 row pointers in each
                                   of 2,680 loops
                                   Index: (i.customer_id = c.id)

      Planned in 0.23 ms, run in 235 ms."
    `);
  });

  test('with what went to disk', () => {
    expect(renderPlan(answer(18, 'hash aggregate on disk'), { ...plain, columns: 80 })).toMatchInlineSnapshot(`
      "  self  share  plan
       16 ms   87 %  Hash Aggregate by orders.id · 20,000 → 20,000 rows, 21 batches
                     │  on disk 784 kB
      1.6 ms    9 %  └─ Seq Scan on orders · 20,000 → 20,000 rows

      Planned in 0.095 ms, run in 18 ms.
      Settings: work_mem = 64kB, enable_sort = off, enable_indexscan = off,
      enable_incremental_sort = off"
    `);
  });

  test('with estimated costs where it was not run', () => {
    const cost = '(cost=0.00..1234.56 rows=100 width=8)';
    const text = `Nested Loop Left Join  ${cost}\n  Join Filter: (a.x < b.x)\n  ->  Seq Scan on a  ${cost}\n  ->  Index Scan Backward using "B i" on b x  ${cost}`;
    expect(renderPlan(readTextPlan(text), plain)).toMatchInlineSnapshot(`
      " cost  plan
      1,235  Nested Loop Left Join · ~100 rows
             │  Join filter: (a.x < b.x)
      1,235  ├─ Seq Scan on a · ~100 rows
      1,235  └─ Index Scan backward on b x using B i · ~100 rows"
    `);
  });

  test('with remarks below the nodes that they are about', () => {
    const plan = answer(18, 'pruned at run time');
    const [, { node } = { node: plan.root }] = nodesOf(plan);
    const remarks = new Map([[node, ['It is small.', `It ${'goes on and '.repeat(10)}ends.`]]]);
    expect(renderPlan(plan, { colour: false, columns: 70, remarks })).toMatchInlineSnapshot(`
      "    self  share  plan
      0.007 ms   19 %  Append · 300 → 100 rows
          0 ms         ├─ InitPlan 1: Result · 1 → 1 rows
                       │     ! It is small.
                       │     ! It goes on and goes on and goes on and goes
                       │       on and goes on and goes on and goes on and
                       │       goes on and goes on and goes on and ends.
                       ├─ Bitmap Heap Scan on events_1 · never executed
                       │  │  Recheck: (events_1.at = (InitPlan 1).col1)
                       │  └─ Bitmap Index Scan using events_1_at_idx ·
                       │        never executed
                       │        Index: (events_1.at = (InitPlan 1).col1)
      0.013 ms   35 %  ├─ Bitmap Heap Scan on events_2 · 100 → 100 rows
                       │  │  Recheck: (events_2.at = (InitPlan 1).col1)
      0.004 ms   11 %  │  └─ Bitmap Index Scan using events_2_at_idx ·
                       │        100 → 100 row pointers
                       │        Index: (events_2.at = (InitPlan 1).col1)
                       └─ Bitmap Heap Scan on events_3 · never executed
                          │  Recheck: (events_3.at = (InitPlan 1).col1)
                          └─ Bitmap Index Scan using events_3_at_idx ·
                                never executed
                                Index: (events_3.at = (InitPlan 1).col1)

      Planned in 0.043 ms, run in 0.037 ms."
    `);
  });

  test('with what was compiled, triggered and set', () => {
    expect(
      renderPlan(
        {
          root: planNode(),
          planningMs: 0.5,
          executionMs: 20,
          jit: { functions: 3, totalMs: 12.5 },
          triggers: [{ name: 'audit', relation: 'orders', calls: 2, totalMs: 1.5 }],
          settings: { work_mem: '64MB', random_page_cost: '1.1' },
        },
        plain,
      ).split('\n'),
    ).toMatchObject([
      expect.anything(),
      expect.anything(),
      '',
      'Planned in 0.5 ms, run in 20 ms, 3 functions compiled in 13 ms.',
      'Trigger audit on orders: 2 calls, 1.5 ms',
      'Settings: work_mem = 64MB, random_page_cost = 1.1',
    ]);
  });
});

describe('a node is called', () => {
  const relation = { name: 'orders', alias: 'o' };
  test.each<[string, Partial<PlanNode>]>([
    ['Seq Scan on orders o', { relation }],
    ['Seq Scan on orders', { relation: { name: 'orders', alias: 'orders' } }],
    ['Parallel Seq Scan on orders o', { relation, parallelAware: true }],
    [
      'Index Scan on orders o using orders_pkey',
      { type: 'Index Scan', relation, index: 'orders_pkey', scanDirection: 'Forward' },
    ],
    [
      'Index Only Scan backward on orders o using i',
      { type: 'Index Only Scan', relation, index: 'i', scanDirection: 'Backward' },
    ],
    ['Bitmap Index Scan using i', { type: 'Bitmap Index Scan', index: 'i' }],
    ['Insert into orders', { type: 'ModifyTable', operation: 'Insert', relation }],
    ['Delete from orders', { type: 'ModifyTable', operation: 'Delete', relation }],
    ['Update orders', { type: 'ModifyTable', operation: 'Update', relation }],
    ['Merge into orders', { type: 'ModifyTable', operation: 'Merge', relation }],
    ['Foreign Update on orders o', { type: 'Foreign Scan', operation: 'Update', relation }],
    ['Custom Scan (ChunkAppend) on orders o', { type: 'Custom Scan', provider: 'ChunkAppend', relation }],
    ['CTE Scan on recent r', { type: 'CTE Scan', cteName: 'recent', alias: 'r' }],
    ['Function Scan on unnest', { type: 'Function Scan', functionName: 'unnest', alias: 'unnest' }],
    ['Subquery Scan on s', { type: 'Subquery Scan', alias: 's' }],
    ['Nested Loop', { type: 'Nested Loop', joinType: 'Inner' }],
    ['Nested Loop Semi Join', { type: 'Nested Loop', joinType: 'Semi' }],
    ['Hash Right Anti Join', { type: 'Hash Join', joinType: 'Right Anti' }],
    ['Merge Join', { type: 'Merge Join', joinType: 'Inner' }],
    ['Aggregate', { type: 'Aggregate', strategy: 'Plain', partialMode: 'Simple' }],
    [
      'Partial Hash Aggregate by a, b',
      { type: 'Aggregate', strategy: 'Hashed', partialMode: 'Partial', groupKey: ['a', 'b'] },
    ],
    ['Group Aggregate by a', { type: 'Aggregate', strategy: 'Sorted', groupKey: ['a'] }],
    ['Hash SetOp', { type: 'SetOp', strategy: 'Hashed' }],
    ['Sort by a DESC', { type: 'Sort', sortKey: ['a DESC'] }],
    [
      'Incremental Sort by a, b (sorted by a already)',
      { type: 'Incremental Sort', sortKey: ['a', 'b'], presortedKey: ['a'] },
    ],
    ['InitPlan 1: Result', { type: 'Result', relationship: 'InitPlan', subplan: 'InitPlan 1' }],
  ])('%s', (words, overrides) => {
    expect(line(overrides)).toBe(`${words} · ~1,000 rows`);
  });
});

describe('a node tells', () => {
  test.each<[string, Partial<PlanNode>]>([
    ['1,000 → 1,000 rows', {}],
    ['1,000 → 9,990 rows', ran(1, 9_990)],
    ['1,000 → 10,000 rows (10x more)', ran(1, 10_000)],
    ['1,000 → 0 rows (1,000x fewer)', ran(1, 0)],
    ['1,000 → 0.3 rows (1,000x fewer) in each of 3,000 loops', ran(3_000, 0.33)],
    ['never executed', ran(0, 0)],
    ['1,000 → 1,000 row pointers', { type: 'Bitmap Index Scan' }],
    ['1,000 → 1,000 rows, 600 removed', { removed: { filter: 400, recheck: 200 } }],
    ['1,000 → 1,000 rows in each of 2 loops, 800 removed', { ...ran(2), removed: { filter: 400 } }],
    [
      '1,000 → 1,000 rows, external merge on disk 2 MB',
      { sorts: [{ method: 'external merge', space: 'Disk', kilobytes: 2_048 }] },
    ],
    [
      '1,000 → 1,000 rows, quicksort 30 kB',
      { sorts: [25, 30].map((kilobytes) => ({ method: 'quicksort', space: 'Memory' as const, kilobytes })) },
    ],
    [
      '1,000 → 1,000 rows, hashed in 4 batches on disk',
      { hash: { buckets: 1, batches: 4, originalBatches: 1, memoryKilobytes: 1 } },
    ],
    ['1,000 → 1,000 rows', { hash: { buckets: 1, batches: 1, originalBatches: 1, memoryKilobytes: 1 } }],
    [
      '1,000 → 1,000 rows, 5 batches on disk 784 kB',
      { hashAggregate: { batches: 5, memoryKilobytes: 1, diskKilobytes: 784 } },
    ],
    ['1,000 → 1,000 rows, 1 heap fetch', { heapFetches: 1 }],
    ['1,000 → 1,000 rows, 1,234 lossy blocks', { heapBlocks: { exact: 1, lossy: 1_234 } }],
    [
      '1,000 → 1,000 rows, 9 hits and 1 miss, 3 evictions',
      { memoize: { hits: 9, misses: 1, evictions: 3, overflows: 0, memoryKilobytes: 1 } },
    ],
    ['1,000 → 1,000 rows, 1 of 2 workers', { workers: { planned: 2, launched: 1 } }],
    ['1,000 → 1,000 rows, 11 members pruned', { subplansRemoved: 11 }],
    ['1,000 → 1,000 rows, disabled by a setting', { disabled: true }],
  ])('%s', (words, overrides) => {
    expect(runLine(overrides)?.split(' · ')[1]).toBe(words);
  });

  test('no rows of what does not count them', () => {
    expect(runLine({ type: 'BitmapOr' })).toMatch(/BitmapOr$/);
  });
});

describe('lines', () => {
  test.each([40, 60, 80, 200])('are no longer than %d columns where words allow', (columns) => {
    for (const plan of real) {
      const lines = renderPlan(plan, { colour: false, columns }).split('\n');
      for (const each of lines.filter((text) => text.length > columns)) {
        // What is too long is a prefix and one word, or a terminal too narrow for the tree.
        expect(
          each
            .trimEnd()
            .replace(/^.*[─│] +|^ +/, '')
            .split(' ').length === 1 || columns < 60,
        ).toBe(true);
      }
    }
  });

  test('begin their trees in one column', () => {
    for (const plan of real) {
      const [header = '', ...lines] = renderPlan(plan, plain).split('\n');
      const column = header.indexOf('plan');
      const tree = lines.slice(0, lines.includes('') ? lines.indexOf('') : lines.length);
      for (const each of tree) expect(each.slice(column - 2, column)).toBe('  ');
      expect(tree.filter((each) => each.slice(0, column).trim() !== '').length).toBeGreaterThan(0);
    }
  });

  test('have no colour unless it is wanted, and the same words with it', () => {
    for (const plan of real) {
      const remarks = new Map([[plan.root, ['Look.']]]);
      const without = renderPlan(plan, { ...plain, remarks });
      const coloured = renderPlan(plan, { ...plain, colour: true, remarks });
      expect(stripVTControlCharacters(without)).toBe(without);
      expect(coloured).not.toBe(without);
      expect(stripVTControlCharacters(coloured).replaceAll(/ +$/gm, '')).toBe(without);
    }
  });

  test('hold nothing that moves the cursor or turns text around', () => {
    const evil = 'a\u001b[2Jb\nc\u202ed\u2028e\tf\u0000g';
    const root = planNode({
      relation: { name: evil, alias: evil },
      conditions: { filter: evil },
      subplan: evil,
      sortKey: [evil],
      index: evil,
    });
    const drawn = renderPlan({ root, settings: { a: evil } }, { ...plain, remarks: new Map([[root, [evil]]]) });
    expect(drawn.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(drawn).toContain('a [2Jb c d e f g');
  });

  test('of a plan of 300 levels leave room for words', () => {
    let root = planNode({ type: 'Limit' });
    for (let depth = 1; depth < 300; depth++) root = planNode({ type: 'Limit', children: [root] });
    const lines = renderPlan({ root }, plain).split('\n');
    expect(Math.max(...lines.map((each) => each.length))).toBeLessThanOrEqual(100);
    expect(lines.at(-1)).toMatch(/…\s+└─ Limit · ~1,000 rows$/);
  });
});
