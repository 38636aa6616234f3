import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readJsonPlan } from '../../../../../lib/queries/plan/json.ts';
import { shapeOf } from '../../../../../lib/queries/plan/shape.ts';
import { readTextPlan } from '../../../../../lib/queries/plan/text.ts';
import { nodesOf, Plan, type PlanNode } from '../../../../../lib/queries/plan/tree.ts';
import { comparable, jsonAnswers, textAnswers, versions } from './corpus.ts';

const cost = '(cost=0.00..10.50 rows=100 width=8)';
const ran = '(actual time=0.100..0.200 rows=3 loops=2)';
/** The topmost node of a plan whose first line is given without its figures. */
const head = (words: string) => readTextPlan(`${words}  ${cost}`).root;
const node = (...properties: string[]) =>
  readTextPlan([`Seq Scan on t  ${cost} ${ran}`, ...properties].join('\n')).root;
const answer = (version: number, name: string) => readTextPlan(textAnswers(version).get(name) ?? '');
const find = (plan: Plan, type: string): PlanNode => {
  const found = [...nodesOf(plan)].find((place) => place.node.type === type);
  if (!found) throw new Error(`There is no ${type}.`);
  return found.node;
};

describe('the first line of a node', () => {
  test.each<[string, Partial<PlanNode>]>([
    ['Result', { type: 'Result' }],
    ['Seq Scan on t', { type: 'Seq Scan', relation: { name: 't', alias: 't' } }],
    ['Seq Scan on t x', { type: 'Seq Scan', relation: { name: 't', alias: 'x' } }],
    ['Seq Scan on s.t', { relation: { schema: 's', name: 't', alias: 't' } }],
    ['Parallel Seq Scan on s.t x', { parallelAware: true, relation: { schema: 's', name: 't', alias: 'x' } }],
    ['Seq Scan on "S ""1"""."a.b c" "on x"', { relation: { schema: 'S "1"', name: 'a.b c', alias: 'on x' } }],
    [
      'Seq Scan on "a  (cost=1.00..2.00 rows=1 width=1)"',
      { relation: expect.objectContaining({ alias: expect.stringMatching(/^a {2}\(cost/) }) },
    ],
    [
      'Index Scan using i on t',
      { type: 'Index Scan', index: 'i', scanDirection: 'Forward', relation: { name: 't', alias: 't' } },
    ],
    [
      'Index Only Scan Backward using "<123>btree_t" on s.t x',
      {
        type: 'Index Only Scan',
        index: '<123>btree_t',
        scanDirection: 'Backward',
        relation: { schema: 's', name: 't', alias: 'x' },
      },
    ],
    ['Bitmap Heap Scan on t', { type: 'Bitmap Heap Scan', relation: { name: 't', alias: 't' } }],
    ['Bitmap Index Scan on "I"', { type: 'Bitmap Index Scan', index: 'I' }],
    ['Tid Range Scan on t', { type: 'Tid Range Scan' }],
    ['Sample Scan on t', { type: 'Sample Scan' }],
    ['Function Scan on generate_series i', { type: 'Function Scan', functionName: 'generate_series', alias: 'i' }],
    ['Function Scan on pg_catalog.generate_series i', { functionName: 'generate_series', alias: 'i' }],
    ['Table Function Scan on "xmltable" x', { type: 'Table Function Scan', functionName: 'xmltable', alias: 'x' }],
    ['Values Scan on "*VALUES*"', { type: 'Values Scan', alias: '*VALUES*' }],
    ['Subquery Scan on s', { type: 'Subquery Scan', alias: 's' }],
    ['CTE Scan on recent r', { type: 'CTE Scan', cteName: 'recent', alias: 'r' }],
    ['WorkTable Scan on tree', { type: 'WorkTable Scan', cteName: 'tree', alias: 'tree' }],
    ['Named Tuplestore Scan', { type: 'Named Tuplestore Scan' }],
    ['Foreign Scan', { type: 'Foreign Scan' }],
    ['Async Foreign Scan on t', { type: 'Foreign Scan', relation: { name: 't', alias: 't' } }],
    ['Foreign Update on t', { type: 'Foreign Scan', operation: 'Update', relation: { name: 't', alias: 't' } }],
    [
      'Custom Scan (ChunkAppend) on t',
      { type: 'Custom Scan', provider: 'ChunkAppend', relation: { name: 't', alias: 't' } },
    ],
    ['Custom Scan (Citus Adaptive)', { type: 'Custom Scan', provider: 'Citus Adaptive' }],
    ['Insert on t', { type: 'ModifyTable', operation: 'Insert', relation: { name: 't', alias: 't' } }],
    ['Update on s.t x', { type: 'ModifyTable', operation: 'Update' }],
    ['Delete on t', { type: 'ModifyTable', operation: 'Delete' }],
    ['Merge on t', { type: 'ModifyTable', operation: 'Merge' }],
    ['Merge Append', { type: 'Merge Append' }],
    ['Nested Loop', { type: 'Nested Loop', joinType: 'Inner' }],
    ['Nested Loop Left Join', { type: 'Nested Loop', joinType: 'Left' }],
    ['Hash Join', { type: 'Hash Join', joinType: 'Inner' }],
    ['Parallel Hash Right Semi Join', { type: 'Hash Join', joinType: 'Right Semi', parallelAware: true }],
    ['Hash Right Anti Join', { type: 'Hash Join', joinType: 'Right Anti' }],
    ['Merge Full Join', { type: 'Merge Join', joinType: 'Full' }],
    ['Hash', { type: 'Hash' }],
    ['Aggregate', { type: 'Aggregate', strategy: 'Plain', partialMode: 'Simple' }],
    ['GroupAggregate', { type: 'Aggregate', strategy: 'Sorted', partialMode: 'Simple' }],
    ['Partial HashAggregate', { type: 'Aggregate', strategy: 'Hashed', partialMode: 'Partial' }],
    ['Finalize GroupAggregate', { type: 'Aggregate', strategy: 'Sorted', partialMode: 'Finalize' }],
    ['MixedAggregate', { type: 'Aggregate', strategy: 'Mixed' }],
    ['SetOp Except', { type: 'SetOp', strategy: 'Sorted' }],
    ['HashSetOp Intersect All', { type: 'SetOp', strategy: 'Hashed' }],
    ['Node That Comes With PostgreSQL 30', { type: 'Node That Comes With PostgreSQL 30' }],
  ])('%s', (words, expected) => {
    expect(head(words)).toMatchObject(expected);
  });

  test('tells what the planner expects', () => {
    expect(head('Result')).toMatchObject({ estimate: { startupCost: 0, totalCost: 10.5, rows: 100, width: 8 } });
    expect(head('Result')).not.toHaveProperty('actual');
  });

  test.each([
    ['(actual time=0.100..0.200 rows=3 loops=2)', { rows: 3, loops: 2, startupMs: 0.1, totalMs: 0.2 }],
    ['(actual time=0.100..0.200 rows=0.33 loops=3)', { rows: 0.33, loops: 3, startupMs: 0.1, totalMs: 0.2 }],
    ['(actual rows=3 loops=2)', { rows: 3, loops: 2, startupMs: null, totalMs: null }],
    ['(never executed)', { rows: 0, loops: 0, startupMs: 0, totalMs: 0 }],
  ])('tells what was measured: %s', (figures, actual) => {
    expect(readTextPlan(`Result  ${cost} ${figures}`).root.actual).toEqual(actual);
  });
});

describe('a line below a node', () => {
  test.each<[string, Partial<PlanNode>]>([
    ["  Filter: ((a = 'x: y'::text) AND (b > 3))", { conditions: { filter: "((a = 'x: y'::text) AND (b > 3))" } }],
    ['  Index Cond: (a = 1)', { conditions: { index: '(a = 1)' } }],
    ['  Recheck Cond: (a = 1)', { conditions: { recheck: '(a = 1)' } }],
    ['  Join Filter: (a = 1)', { conditions: { joinFilter: '(a = 1)' } }],
    ['  Hash Cond: (a = 1)', { conditions: { hash: '(a = 1)' } }],
    ['  Merge Cond: (a = 1)', { conditions: { merge: '(a = 1)' } }],
    ['  One-Time Filter: false', { conditions: { oneTime: 'false' } }],
    ["  TID Cond: (ctid = '(0,1)'::tid)", { conditions: { tid: "(ctid = '(0,1)'::tid)" } }],
    ["  Order By: (p <-> '(1,2)'::point)", { conditions: { orderBy: "(p <-> '(1,2)'::point)" } }],
    ['  Run Condition: (row_number() OVER w1 <= 5)', { conditions: { run: '(row_number() OVER w1 <= 5)' } }],
    ['  Rows Removed by Filter: 1360', { removed: { filter: 1360 } }],
    ['  Rows Removed by Join Filter: 7', { removed: { joinFilter: 7 } }],
    ['  Rows Removed by Index Recheck: 5', { removed: { recheck: 5 } }],
    [
      '  Sort Key: a, lower(b, \'x, y\') DESC, "c, d", ARRAY[1, 2]',
      { sortKey: ['a', "lower(b, 'x, y') DESC", '"c, d"', 'ARRAY[1, 2]'] },
    ],
    ['  Presorted Key: a, b', { presortedKey: ['a', 'b'] }],
    ['  Group Key: a, (b + 1)', { groupKey: ['a', '(b + 1)'] }],
    ['  Sort Method: quicksort  Memory: 25kB', { sorts: [{ method: 'quicksort', space: 'Memory', kilobytes: 25 }] }],
    [
      '  Sort Method: external merge  Disk: 5984kB',
      { sorts: [{ method: 'external merge', space: 'Disk', kilobytes: 5984 }] },
    ],
    [
      '  Full-sort Groups: 3  Sort Methods: quicksort, external merge  Average Memory: 27kB  Peak Memory: 28kB  Average Disk: 500kB  Peak Disk: 700kB',
      {
        sorts: [
          { method: 'quicksort', space: 'Memory', kilobytes: 28 },
          { method: 'external merge', space: 'Disk', kilobytes: 700 },
        ],
      },
    ],
    [
      '  Buckets: 1024  Batches: 1  Memory Usage: 9kB',
      { hash: { buckets: 1024, batches: 1, originalBatches: 1, memoryKilobytes: 9 } },
    ],
    [
      '  Buckets: 131072 (originally 1024)  Batches: 4 (originally 2)  Memory Usage: 3073kB',
      { hash: { buckets: 131072, batches: 4, originalBatches: 2, memoryKilobytes: 3073 } },
    ],
    ['  Batches: 1  Memory Usage: 24kB', { hashAggregate: { batches: 1, memoryKilobytes: 24, diskKilobytes: 0 } }],
    [
      '  Planned Partitions: 4  Batches: 21  Memory Usage: 169kB  Disk Usage: 784kB',
      { hashAggregate: { batches: 21, memoryKilobytes: 169, diskKilobytes: 784 } },
    ],
    [
      '  Hits: 980  Misses: 20  Evictions: 3  Overflows: 1  Memory Usage: 5kB',
      { memoize: { hits: 980, misses: 20, evictions: 3, overflows: 1, memoryKilobytes: 5 } },
    ],
    ['  Heap Fetches: 12', { heapFetches: 12 }],
    ['  Index Searches: 5', { indexSearches: 5 }],
    ['  Subplans Removed: 11', { subplansRemoved: 11 }],
    ['  Workers Planned: 2', { workers: { planned: 2 } }],
    ['  Inner Unique: true', { innerUnique: true }],
    ['  Disabled: true', { disabled: true }],
    [
      '  Buffers: shared hit=10 read=20 dirtied=1 written=2, local hit=3 read=4 dirtied=9, temp read=5 written=6',
      {
        buffers: {
          sharedHit: 10,
          sharedRead: 20,
          sharedDirtied: 1,
          sharedWritten: 2,
          localHit: 3,
          localRead: 4,
          tempRead: 5,
          tempWritten: 6,
        },
      },
    ],
  ])('%s', (line, expected) => {
    expect(node(line)).toMatchObject(expected);
  });

  test('tells the blocks of a bitmap that fits, and of one that does not', () => {
    const bitmap = (line: string) => readTextPlan(`Bitmap Heap Scan on t  ${cost} ${ran}\n  ${line}`).root.heapBlocks;
    expect(bitmap('Heap Blocks: exact=67 lossy=1234')).toEqual({ exact: 67, lossy: 1234 });
    expect(bitmap('Heap Blocks: lossy=5')).toEqual({ exact: 0, lossy: 5 });
    expect(bitmap('Recheck Cond: (a = 1)')).toEqual({ exact: 0, lossy: 0 });
  });

  test('belongs to the worker whose line it stands below', () => {
    const plan = node(
      '  Sort Method: quicksort  Memory: 25kB',
      '  Worker 0:  actual time=0.1..0.2 rows=1 loops=1',
      '    Sort Method: external merge  Disk: 90kB',
      '    Buffers: shared hit=999',
      '    JIT:',
      '      Functions: 77',
      '  Worker 1:  Sort Method: quicksort  Memory: 27kB',
      '  Buffers: shared hit=5',
    );
    expect(plan.sorts?.map(({ kilobytes }) => kilobytes)).toEqual([25, 90, 27]);
    expect(plan.buffers?.sharedHit).toBe(5);
  });

  test('may hold a literal of several lines, even one that looks like a node', () => {
    const plan = readTextPlan(
      [
        `Seq Scan on t  ${cost}`,
        "  Filter: (a = 'it''s",
        '',
        '  ->  two',
        `"three  Planning Time: 1 ms'::text)`,
        '  Disabled: true',
      ].join('\n'),
    );
    expect(plan.root.conditions.filter).toBe(`(a = 'it''s\n\n  ->  two\n"three  Planning Time: 1 ms'::text)`);
    expect(plan.root.disabled).toBe(true);
  });

  test('with a quote that never closes does not swallow the nodes behind it', () => {
    const plan = readTextPlan(
      `Limit  ${cost}\n  Filter: (a = 'cut\n  ->  Seq Scan on t  ${cost}\nPlanning Time: 1.5 ms`,
    );
    expect(plan).toMatchObject({ planningMs: 1.5, root: { children: [{ type: 'Seq Scan' }] } });
  });

  test('says nothing where its words are unknown', () => {
    expect(
      node('  Output: a, b', '  Moon Phase: full', '  WAL: records=1 bytes=99', '  I/O Timings: shared read=1.031'),
    ).toEqual(node());
  });
});

describe('the tree', () => {
  const tree = `Nested Loop  ${cost}
  CTE recent
    ->  Limit  ${cost}
          ->  Seq Scan on a  ${cost}
  InitPlan 2 (returns $1)
    ->  Result  ${cost}
  ->  Hash Join  ${cost}
        ->  Seq Scan on b  ${cost}
              SubPlan 3
                ->  Aggregate  ${cost}
        ->  Hash  ${cost}
              ->  Append  ${cost}
                    ->  Seq Scan on c  ${cost}
                    ->  Seq Scan on d  ${cost}
  ->  Subquery Scan on s  ${cost}
        ->  Unique  ${cost}
  SubPlan 4
    ->  Index Scan using i on e  ${cost}
`;
  const outline = ({ type, relationship, subplan, children }: PlanNode): unknown => [
    type,
    relationship,
    ...(subplan ? [subplan] : []),
    ...children.map(outline),
  ];
  const expected = [
    'Nested Loop',
    undefined,
    ['Limit', 'InitPlan', 'CTE recent', ['Seq Scan', 'Outer']],
    ['Result', 'InitPlan', 'InitPlan 2 (returns $1)'],
    [
      'Hash Join',
      'Outer',
      ['Seq Scan', 'Outer', ['Aggregate', 'SubPlan', 'SubPlan 3']],
      ['Hash', 'Inner', ['Append', 'Outer', ['Seq Scan', 'Member'], ['Seq Scan', 'Member']]],
    ],
    ['Subquery Scan', 'Inner', ['Unique', 'Subquery']],
    ['Index Scan', 'SubPlan', 'SubPlan 4'],
  ];

  test('follows from how far lines are indented', () => {
    expect(outline(readTextPlan(tree).root)).toEqual(expected);
  });

  test.each([
    ['indented as a whole', tree.replace(/^/gm, '      ')],
    ['with its first line moved to the left by a careless copy', tree.replace(/^(?!Nested)/gm, ' ')],
    ['with Windows line ends', tree.replaceAll('\n', '\r\n')],
    ['with empty lines in it', tree.replaceAll('\n', '\n\n')],
    [
      'with words before and behind it',
      `shop=# explain select 1;\n${tree}\n(19 rows)\n\nTime: 0.5 ms\n  ->  Hash  ${cost}\n`,
    ],
  ])('is the same %s', (_, text) => {
    expect(outline(readTextPlan(text).root)).toEqual(expected);
  });

  test('names the tables of a change on partitions at the change only', () => {
    const plan = readTextPlan(
      `Update on events  ${cost}\n  Update on events_1\n  Update on events_2 x\n  ->  Append  ${cost}`,
    );
    expect(plan.root).toMatchObject({
      operation: 'Update',
      relation: { name: 'events' },
      children: [{ type: 'Append' }],
    });
  });
});

describe('what stands below the tree', () => {
  test('are times, compiling, settings and triggers', () => {
    expect(
      readTextPlan(`Delete on orders  ${cost} ${ran}
  ->  Seq Scan on orders  ${cost} ${ran}
Settings: search_path = 'public, "$user"', work_mem = '64MB', app.note = 'it's, so'
Query Identifier: -123
Planning:
  Buffers: shared hit=99
  Memory: used=8kB  allocated=16kB
Planning Time: 1.250 ms
Trigger RI_ConstraintTrigger_a_1 for constraint lines_fk: time=2.500 calls=3
Trigger audit on "lines": time=0.500 calls=4
JIT:
  Functions: 12
  Options: Inlining false, Optimization false, Expressions true, Deforming true
  Timing: Generation 1.000 ms (Deform 0.200 ms), Inlining 0.000 ms, Optimization 2.000 ms, Emission 3.000 ms, Total 6.125 ms
Serialization: time=0.010 ms  output=1kB  format=text
  Buffers: shared hit=98
Execution Time: 30.500 ms`),
    ).toMatchObject({
      planningMs: 1.25,
      executionMs: 30.5,
      jit: { functions: 12, totalMs: 6.125 },
      settings: { search_path: 'public, "$user"', work_mem: '64MB', 'app.note': "it's, so" },
      triggers: [
        { name: 'lines_fk', relation: 'orders', calls: 3, totalMs: 2.5 },
        { name: 'audit', relation: '"lines"', calls: 4, totalMs: 0.5 },
      ],
    });
  });

  test('are blocks of planning, which are none of a node', () => {
    const plan = readTextPlan(`Result  ${cost} ${ran}\nPlanning:\n  Buffers: shared hit=99\nPlanning Time: 0.100 ms`);
    expect(plan.root).not.toHaveProperty('buffers');
  });
});

describe('what is around a plan is taken off', () => {
  const lines = [
    `Limit  ${cost}`,
    `  ->  Seq Scan on "My t"  ${cost}`,
    "        Filter: (a = '|'::text)",
    'Planning Time: 0.100 ms',
  ];
  const bare = readTextPlan(lines.join('\n'));
  const width = Math.max(...lines.map((line) => line.length));
  const row = (left: string, right: string) => lines.map((line) => `${left} ${line.padEnd(width)} ${right}`.trimEnd());

  test.each([
    ['psql', ['                QUERY PLAN', '-'.repeat(width + 2), ...row('', ''), '(4 rows)', '']],
    ['psql in German', ['QUERY PLAN', '-----', ...row('', ''), '(4 Zeilen)']],
    ['psql with borders', ['+-----+', '| QUERY PLAN |', '+------+', ...row('|', '|'), '+-----+', '(4 rows)']],
    ['psql with lines of Unicode', ['┌─────┐', '│ QUERY PLAN │', '├─────┤', ...row('│', '│'), '└─────┘']],
    ['psql, expanded', lines.flatMap((line, i) => [`-[ RECORD ${i + 1} ]-----`, `QUERY PLAN | ${line}`])],
    ['pgAdmin', ['"QUERY PLAN"', ...lines.map((line) => `"${line.replaceAll('"', '""')}"`)]],
    ['single quotes', lines.map((line) => `'${line.replaceAll("'", "''")}'`)],
  ])('%s', (_, framed) => {
    expect(readTextPlan(framed.join('\n'))).toEqual(bare);
  });
});

describe('fixtures, whose figures were compared by eye', () => {
  test.each(versions)('of PostgreSQL %d tell what the same statements tell in JSON', (version) => {
    const texts = [...textAnswers(version).values()].map(readTextPlan);
    const jsons = jsonAnswers(version).map(readJsonPlan);
    expect(texts).toHaveLength(jsons.length);
    for (const [i, text] of texts.entries()) {
      expect(Plan.parse(text)).toEqual(text);
      expect(shapeOf(text)).toBe(shapeOf(jsons[i] as Plan));
    }
    // Workers share out the rows differently in each run.
    const isSerial = (plan: Plan) => !JSON.stringify(plan).includes('Gather');
    expect(texts.filter(isSerial).map(comparable)).toEqual(jsons.filter(isSerial).map(comparable));
  });

  test('an aggregate that went to disk', () => {
    expect(answer(13, 'hash aggregate on disk')).toMatchObject({
      root: {
        type: 'Aggregate',
        groupKey: ['orders.id'],
        hashAggregate: { batches: 679, memoryKilobytes: 109, diskKilobytes: 856 },
        buffers: { sharedHit: 148, sharedRead: 0, tempRead: 876, tempWritten: 953 },
        children: [{ relation: { schema: 'public', name: 'orders' }, buffers: { tempRead: 0 } }],
      },
      settings: { work_mem: '64kB', enable_sort: 'off', enable_indexscan: 'off' },
    });
  });

  test('a subplan below a join', () => {
    const plan = answer(13, 'sub plan below a join');
    expect(plan.root).toMatchObject({
      joinType: 'Inner',
      innerUnique: true,
      conditions: { hash: '(o.customer_id = c.id)', joinFilter: '(o.total > (SubPlan 1))' },
      removed: { joinFilter: 1340 },
      children: [
        { subplan: 'InitPlan 2 (returns $1)', relationship: 'InitPlan' },
        { relationship: 'Outer' },
        { relationship: 'Inner', hash: { buckets: 1024, batches: 1, memoryKilobytes: 12 } },
        { subplan: 'SubPlan 1', actual: { loops: 2680 } },
      ],
    });
    expect(find(plan, 'Bitmap Heap Scan')).toMatchObject({
      heapBlocks: { exact: 107_200, lossy: 0 },
      actual: { rows: 40 },
    });
  });

  test('a sort of three processes', () => {
    const sort = find(answer(18, 'parallel sort'), 'Sort');
    expect(sort.sorts).toHaveLength(3);
    expect(sort.actual).toMatchObject({ rows: 6666.67, loops: 3 });
    expect(find(answer(18, 'parallel sort'), 'Gather Merge').workers).toEqual({ planned: 2, launched: 2 });
  });
});

describe('what is no plan is refused', () => {
  test.each([
    ['', /no line of it tells a cost/],
    ['hello', /no line of it tells a cost/],
    ['Seq Scan on t', /COSTS OFF/],
    [`  ->  Seq Scan on t  ${cost}`, /its first line is missing/],
    [`Sort  ${cost}\n  Sort Method: quicksort  Memory: secretkB`, /"Sort Space Used" holds what EXPLAIN never writes/],
  ])('%j', (text, reason) => {
    expect(() => readTextPlan(text)).toThrow(reason);
    expect(() => readTextPlan(text)).toThrow(expect.objectContaining({ code: 'plan-invalid' }));
    expect(() => readTextPlan(text)).not.toThrow(/secret/);
  });

  test('more than 300 nodes below one another', () => {
    const deep = (depth: number) =>
      Array.from({ length: depth }, (_, i) =>
        i === 0 ? `Limit  ${cost}` : `${' '.repeat(6 * i - 4)}->  Limit  ${cost}`,
      ).join('\n');
    expect(() => Plan.parse(readTextPlan(deep(300)))).not.toThrow();
    expect(() => readTextPlan(deep(301))).toThrow(/more than 300 nodes deep/);
    expect(() => readTextPlan(deep(5_000))).toThrow(/more than 300 nodes deep/);
  });
});

describe('a real plan that was tampered with', () => {
  const answers = versions.flatMap((version) => [...textAnswers(version).values()]);
  const step = fc.record({
    way: fc.constantFrom('remove', 'swap', 'repeat', 'cut line', 'indent', 'outdent', 'character', 'cut', 'digits'),
    at: fc.nat(),
    to: fc.nat(),
    text: fc.string({ unit: 'binary', maxLength: 3 }),
  });

  test('is read as a plan, or refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...answers), fc.array(step, { minLength: 1, maxLength: 4 }), (answer, steps) => {
        try {
          Plan.parse(readTextPlan(steps.reduce(tampered, answer)));
        } catch (error) {
          expect(error).toMatchObject({ name: 'StreamGateError', code: 'plan-invalid' });
        }
      }),
      { numRuns: 6_000 },
    );
  });

  function tampered(answer: string, { way, at, to, text }: { way: string; at: number; to: number; text: string }) {
    const lines = answer.split('\n');
    const i = at % lines.length;
    const j = to % lines.length;
    const line = lines[i] ?? '';
    if (way === 'remove') lines.splice(i, 1 + (to % 3));
    if (way === 'swap') [lines[i], lines[j]] = [lines[j] ?? '', line];
    if (way === 'repeat') lines.splice(j, 0, line);
    if (way === 'cut line') lines[i] = line.slice(0, to % 80);
    if (way === 'indent') lines[i] = ' '.repeat(to % 20) + line;
    if (way === 'outdent') lines[i] = line.trim();
    if (way === 'digits') lines[i] = line.replace(/\d+/, '9'.repeat(to % 400));
    const whole = lines.join('\n');
    if (way === 'cut') return whole.slice(0, at % (whole.length + 1));
    if (way !== 'character') return whole;
    const place = at % (whole.length + 1);
    return whole.slice(0, place) + text + whole.slice(place + (to % 3));
  }
});
