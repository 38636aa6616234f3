import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamGateError } from '../../../../../lib/errors.ts';
import { readJsonPlan } from '../../../../../lib/queries/plan/json.ts';
import { nodesOf, Plan } from '../../../../../lib/queries/plan/tree.ts';
import { jsonAnswers, versions } from './corpus.ts';

/** A node as PostgreSQL writes the plainest. */
const scan = {
  'Node Type': 'Seq Scan',
  'Relation Name': 't',
  Alias: 't',
  'Startup Cost': 0,
  'Total Cost': 10.5,
  'Plan Rows': 100,
  'Plan Width': 8,
};
const read = (node: object) => readJsonPlan([{ Plan: node }]).root;
const failure = (value: unknown) => {
  try {
    readJsonPlan(value);
  } catch (error) {
    expect(error).toBeInstanceOf(StreamGateError);
    expect(error).toMatchObject({ code: 'plan-invalid' });
    return (error as Error).message;
  }
  throw new Error('It was read.');
};

describe('a plan in JSON is read', () => {
  test('with its node, its target and what the planner expects', () => {
    expect(readJsonPlan([{ Plan: { ...scan, Alias: 'x', Schema: 'public' }, 'Planning Time': 0.5 }])).toEqual({
      root: {
        type: 'Seq Scan',
        relation: { schema: 'public', name: 't', alias: 'x' },
        parallelAware: false,
        estimate: { startupCost: 0, totalCost: 10.5, rows: 100, width: 8 },
        conditions: {},
        removed: {},
        children: [],
      },
      planningMs: 0.5,
    });
  });

  test.each(versions)('of every fixture of PostgreSQL %d, as the schema wants it', (version) => {
    for (const answer of jsonAnswers(version)) {
      const plan = readJsonPlan(answer);
      expect(Plan.parse(plan)).toEqual(plan);
      expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
      for (const { node } of nodesOf(plan)) expect(node).toMatchObject({ actual: {}, buffers: {} });
    }
  });

  test('whether it comes as the array of EXPLAIN or as the object of auto_explain', () => {
    const plan = { Plan: scan };
    expect(readJsonPlan({ 'Query Text': 'select 1', ...plan })).toEqual(readJsonPlan([plan]));
  });

  test('as the first one, where a rule made several of a statement', () => {
    expect(readJsonPlan([{ Plan: scan }, { Plan: { ...scan, 'Node Type': 'Result' } }]).root.type).toBe('Seq Scan');
  });

  test('though it has keys that nobody knows', () => {
    expect(read({ ...scan, 'Moon Phase': 'full' })).toEqual(read(scan));
  });

  test('with measured rows, and times unless TIMING was off', () => {
    const run = { ...scan, 'Actual Rows': 2.5, 'Actual Loops': 4 };
    expect(read(run).actual).toEqual({ rows: 2.5, loops: 4, startupMs: null, totalMs: null });
    expect(read({ ...run, 'Actual Startup Time': 0.1, 'Actual Total Time': 0.2 }).actual).toEqual({
      rows: 2.5,
      loops: 4,
      startupMs: 0.1,
      totalMs: 0.2,
    });
  });

  test('with no time at all for what never ran', () => {
    expect(read({ ...scan, 'Actual Rows': 0, 'Actual Loops': 0 }).actual).toEqual({
      rows: 0,
      loops: 0,
      startupMs: 0,
      totalMs: 0,
    });
  });

  test('with its conditions, and nothing removed by those that threw nothing away', () => {
    const filtered = { ...scan, Filter: '(a = 1)', 'Join Filter': '(b = 2)', 'Recheck Cond': '(c = 3)' };
    expect(read(filtered)).toMatchObject({
      conditions: { filter: '(a = 1)', joinFilter: '(b = 2)', recheck: '(c = 3)' },
      removed: {},
    });
    expect(read({ ...filtered, 'Actual Rows': 1, 'Actual Loops': 1, 'Rows Removed by Filter': 7 }).removed).toEqual({
      filter: 7,
      joinFilter: 0,
      recheck: 0,
    });
  });

  test('with blocks only where it was run: otherwise they are zero and mean nothing', () => {
    expect(read({ ...scan, 'Shared Hit Blocks': 0 }).buffers).toBeUndefined();
    expect(read({ ...scan, 'Actual Rows': 1, 'Actual Loops': 1, 'Shared Hit Blocks': 3 }).buffers).toMatchObject({
      sharedHit: 3,
      tempWritten: 0,
    });
  });

  test('with the one source of a change as its outer plan, as newer servers call it', () => {
    const member = { ...scan, 'Parent Relationship': 'Member' };
    const change = { ...scan, 'Node Type': 'ModifyTable', Operation: 'Update' };
    const relationships = (Plans: object[]) => read({ ...change, Plans }).children.map((child) => child.relationship);
    expect(relationships([member])).toEqual(['Outer']);
    expect(relationships([member, member])).toEqual(['Member', 'Member']);
    expect(relationships([{ ...member, 'Parent Relationship': 'InitPlan' }, member])).toEqual(['InitPlan', 'Outer']);
  });

  test('with the name that an extension has for its node', () => {
    const custom = { ...scan, 'Node Type': 'Custom Scan', 'Custom Plan Provider': 'ChunkAppend' };
    const root = read({ ...custom, Plans: [{ ...scan, 'Parent Relationship': 'children' }] });
    expect(root).toMatchObject({
      type: 'Custom Scan',
      provider: 'ChunkAppend',
      children: [{ relationship: 'Member' }],
    });
  });

  test('with every key of grouping sets once', () => {
    const sets = [{ 'Hash Keys': [['a', 'b'], ['a'], []] }, { 'Group Keys': [['c'], ['b']], 'Sort Key': ['c'] }];
    expect(read({ ...scan, 'Node Type': 'Aggregate', 'Grouping Sets': sets })).toMatchObject({
      groupKey: ['a', 'b', 'c'],
    });
  });

  test('with settings, triggers and compiling', () => {
    expect(
      readJsonPlan({
        Plan: scan,
        Settings: { work_mem: '64MB', odd: null },
        Triggers: [
          { 'Trigger Name': 'RI_1', 'Constraint Name': 'orders_fk', Relation: 'orders', Time: 1.5, Calls: 3 },
          { 'Trigger Name': 'untimed', Relation: 'orders', Calls: 3 },
        ],
        JIT: { Functions: 4, Timing: { Generation: 1, Total: 12.5 } },
        'Execution Time': 20,
      }),
    ).toMatchObject({
      settings: { work_mem: '64MB' },
      triggers: [{ name: 'orders_fk', relation: 'orders', calls: 3, totalMs: 1.5 }],
      jit: { functions: 4, totalMs: 12.5 },
      executionMs: 20,
    });
  });
});

describe('what workers tell is put together', () => {
  test('a Memoize adds up its counts and keeps the most memory', () => {
    const one = {
      'Cache Hits': 8,
      'Cache Misses': 2,
      'Cache Evictions': 1,
      'Cache Overflows': 0,
      'Peak Memory Usage': 5,
    };
    const other = { ...one, 'Worker Number': 0, 'Peak Memory Usage': 9 };
    const memoize = { hits: 16, misses: 4, evictions: 2, overflows: 0, memoryKilobytes: 9 };
    expect(read({ ...scan, ...one, Workers: [other] }).memoize).toEqual(memoize);
    // The leader may have done nothing.
    expect(read({ ...scan, Workers: [one, other] }).memoize).toEqual(memoize);
  });

  test('a hashed aggregate adds up what went to disk', () => {
    const worker = { 'HashAgg Batches': 5, 'Peak Memory Usage': 100, 'Disk Usage': 40 };
    expect(
      read({ ...scan, 'HashAgg Batches': 1, 'Peak Memory Usage': 200, 'Disk Usage': 0, Workers: [worker, worker] })
        .hashAggregate,
    ).toEqual({ batches: 5, memoryKilobytes: 200, diskKilobytes: 80 });
  });

  test('a bitmap scan adds up its blocks', () => {
    const bitmap = { ...scan, 'Node Type': 'Bitmap Heap Scan', 'Actual Rows': 1, 'Actual Loops': 2 };
    const blocks = (exact: number, lossy: number) => ({ 'Exact Heap Blocks': exact, 'Lossy Heap Blocks': lossy });
    expect(read({ ...bitmap, ...blocks(3, 0), Workers: [blocks(4, 5)] }).heapBlocks).toEqual({ exact: 7, lossy: 5 });
    expect(read({ ...bitmap, 'Actual Rows': undefined }).heapBlocks).toBeUndefined();
  });

  test('every sort is kept', () => {
    const sort = { 'Sort Method': 'quicksort', 'Sort Space Type': 'Memory', 'Sort Space Used': 25 };
    const spilled = { 'Sort Method': 'external merge', 'Sort Space Type': 'Disk', 'Sort Space Used': 900 };
    expect(read({ ...scan, ...sort, Workers: [spilled] }).sorts).toEqual([
      { method: 'quicksort', space: 'Memory', kilobytes: 25 },
      { method: 'external merge', space: 'Disk', kilobytes: 900 },
    ]);
  });

  test('an incremental sort tells the peak of each kind of space', () => {
    const groups = {
      'Group Count': 3,
      'Sort Methods Used': ['quicksort', 'external merge'],
      'Sort Space Memory': { 'Average Sort Space Used': 20, 'Peak Sort Space Used': 28 },
      'Sort Space Disk': { 'Average Sort Space Used': 500, 'Peak Sort Space Used': 700 },
    };
    expect(read({ ...scan, 'Full-sort Groups': groups }).sorts).toEqual([
      { method: 'quicksort', space: 'Memory', kilobytes: 28 },
      { method: 'external merge', space: 'Disk', kilobytes: 700 },
    ]);
  });
});

describe('what is no plan is refused', () => {
  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'Seq Scan'],
    ['an empty answer', []],
    ['a utility statement', ['Utility Statement']],
    ['another object', { plan: scan }],
  ])('%s', (_, value) => {
    expect(failure(value)).toBe('The plan cannot be read: there is no "Plan" in it. Utility statements have none.');
  });

  test('COSTS OFF, with the way out', () => {
    const { 'Total Cost': _, ...node } = scan;
    expect(failure([{ Plan: node }])).toBe(
      'The plan cannot be read: a node has no "Total Cost". Run EXPLAIN without COSTS OFF.',
    );
  });

  test.each([
    ['"Node Type" is missing', { ...scan, 'Node Type': undefined }],
    ['"Plan Rows" holds what EXPLAIN never writes there', { ...scan, 'Plan Rows': 'secret' }],
    ['"Plan Rows" holds what EXPLAIN never writes there', { ...scan, 'Plan Rows': -1 }],
    ['"Plan Rows" holds what EXPLAIN never writes there', { ...scan, 'Plan Rows': 1e300 }],
    ['"Filter" holds what EXPLAIN never writes there', { ...scan, Filter: { secret: 'secret' } }],
    ['"Plans" holds what EXPLAIN never writes there', { ...scan, Plans: 'secret' }],
    ['a node is not an object', { ...scan, Plans: ['secret'] }],
    ['"Workers" holds what EXPLAIN never writes there', { ...scan, Workers: [{ 'Sort Method': ['secret'] }] }],
  ])('with a sentence that quotes nothing: %s', (reason, node) => {
    expect(failure([{ Plan: JSON.parse(JSON.stringify(node)) }])).toBe(`The plan cannot be read: ${reason}.`);
  });

  test.each([
    [300, undefined],
    [301, 'The plan cannot be read: it is more than 300 nodes deep.'],
    [20_000, 'The plan cannot be read: it is more than 300 nodes deep.'],
  ])('%d nodes below one another', (depth, refusal) => {
    let node: object = scan;
    for (let i = 1; i < depth; i++) node = { ...scan, Plans: [node] };
    if (refusal) expect(failure({ Plan: node })).toBe(refusal);
    else expect(() => Plan.parse(readJsonPlan({ Plan: node }))).not.toThrow();
  });
});

describe('a real plan that was tampered with', () => {
  const answers = versions.flatMap(jsonAnswers);
  const junk = [null, true, -1, 0, 1e308, 2 ** 60, '', 'x', [], {}, [null], { Plan: {} }];
  const step = fc.record({
    way: fc.constantFrom('delete', 'replace', 'copy', 'rename', 'nest', 'quote'),
    at: fc.nat(),
    from: fc.nat(),
    junk: fc.constantFrom(...junk),
  });

  test('is read as a plan, or refused', () => {
    fc.assert(
      fc.property(fc.nat(answers.length - 1), fc.array(step, { minLength: 1, maxLength: 4 }), (which, steps) => {
        const answer = structuredClone(answers[which]);
        for (const each of steps) tamper(answer, each);
        try {
          Plan.parse(readJsonPlan(answer));
        } catch (error) {
          expect(error).toMatchObject({ name: 'StreamGateError', code: 'plan-invalid' });
        }
      }),
      { numRuns: 6_000 },
    );
  });

  /** Every place of a JSON value: an object or array, and a key in it. */
  function placesIn(value: unknown): Array<[Record<string, unknown>, string]> {
    const left = [value];
    const places: Array<[Record<string, unknown>, string]> = [];
    for (let at = left.pop(); at !== undefined; at = left.pop()) {
      for (const [key, child] of Object.entries(at as object)) {
        places.push([at as Record<string, unknown>, key]);
        if (typeof child === 'object' && child !== null) left.push(child);
      }
    }
    return places;
  }

  function tamper(value: unknown, { way, at, from, junk }: { way: string; at: number; from: number; junk: unknown }) {
    const places = placesIn(value);
    const [object, key] = places[at % Math.max(1, places.length)] ?? [{}, ''];
    const [other, otherKey] = places[from % Math.max(1, places.length)] ?? [{}, ''];
    if (way === 'delete') delete object[key];
    if (way === 'replace') object[key] = structuredClone(junk);
    if (way === 'copy') object[key] = structuredClone(other[otherKey]);
    if (way === 'quote') object[key] = String(object[key]);
    if (way === 'nest') for (let i = 0; i < from % 400; i++) object[key] = { ...scan, Plans: [object[key]] };
    if (way === 'rename') {
      object[`${key}x`] = object[key];
      delete object[key];
    }
  }
});
