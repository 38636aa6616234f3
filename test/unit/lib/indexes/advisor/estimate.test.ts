import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Candidate, candidateOn, definitionOf } from '../../../../../lib/indexes/advisor/candidate.ts';
import type { ColumnUse } from '../../../../../lib/indexes/advisor/candidates.ts';
import { type EstimateParts, estimateSource } from '../../../../../lib/indexes/advisor/estimate.ts';
import type { PlanNode } from '../../../../../lib/queries/plan/tree.ts';
import { column, planNode, relation } from '../../../snapshots.ts';

const names = ['a', 'b', 'c'];
const nothing: Omit<ColumnUse, 'queryId'> = {
  schema: 'public',
  table: 't',
  equality: [],
  range: [],
  join: [],
  order: [],
  group: [],
  projected: null,
  predicates: [],
  expressions: [],
};

/** A statement that scans a table of a hundred thousand rows. */
function partsOf(use: Partial<ColumnUse>, scanCost = 3_000): EstimateParts {
  return partsAbove(use, scanCost, (scan) =>
    planNode({
      type: 'Aggregate',
      estimate: { startupCost: 0, totalCost: scanCost + 10, rows: 1, width: 8 },
      children: [scan],
    }),
  );
}

function partsAbove(use: Partial<ColumnUse>, scanCost: number, above: (scan: PlanNode) => PlanNode): EstimateParts {
  const scan = planNode({
    relation: { schema: 'public', name: 't', alias: 't' },
    estimate: { startupCost: 0, totalCost: scanCost, rows: 100, width: 8 },
  });
  const table = relation('t', {
    rows: 100_000,
    sizeBytes: 2_000 * 8_192,
    columns: names.map((name) => column(name)),
  });
  return {
    plans: new Map([['1', { root: above(scan) }]]),
    uses: [{ ...nothing, queryId: '1', ...use }],
    relations: [table],
    settings: { randomPageCost: 4 },
    sizeOf: () => 2_000_000,
  };
}

const uses = fc.record({
  equality: fc.subarray(names),
  range: fc.subarray(names),
  projected: fc.option(fc.subarray(names, { minLength: 1 })),
});
const candidates: fc.Arbitrary<Candidate[]> = fc.array(
  fc
    .record({
      table: fc.constantFrom('t', 't', 'other'),
      keys: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
    })
    .map(({ table, keys }) => candidateOn('public', table, keys)),
  { maxLength: 5 },
);

const total = async (parts: EstimateParts, set: readonly Candidate[]) =>
  (await estimateSource(parts).costs('1', [set]))[0]?.total ?? Number.NaN;

describe('an estimate without the planner', () => {
  test('is the cost of the plan where no candidate is there', async () => {
    await fc.assert(
      fc.asyncProperty(uses, fc.integer({ min: 1, max: 1e6 }), async (use, cost) => {
        expect(await total(partsOf(use, cost), [])).toBe(cost + 10);
      }),
    );
  });

  test('never rises when a candidate is added, and is always more than nothing', async () => {
    await fc.assert(
      fc.asyncProperty(uses, candidates, candidates, async (use, some, more) => {
        const parts = partsOf(use);
        const [few, all] = [await total(parts, some), await total(parts, [...some, ...more])];
        expect(all).toBeLessThanOrEqual(few);
        expect(few).toBeLessThanOrEqual(3_010);
        expect(all).toBeGreaterThan(0);
      }),
    );
  });

  test('names as used only what was there, and is the same with no more than that', async () => {
    await fc.assert(
      fc.asyncProperty(uses, candidates, async (use, set) => {
        const source = estimateSource(partsOf(use));
        const [cost] = await source.costs('1', [set]);
        const used = set.filter((candidate) => cost?.used?.includes(definitionOf(candidate)));
        expect(new Set(used.map(definitionOf))).toEqual(new Set(cost?.used));
        expect((await source.costs('1', [used]))[0]).toEqual(cost);
      }),
    );
  });

  test('gains nothing by an index that does not begin with what is asked for', async () => {
    const parts = partsOf({ equality: ['b'] });
    expect(await total(parts, [candidateOn('public', 't', ['a', 'b'])])).toBe(3_010);
    expect(await total(parts, [candidateOn('public', 'other', ['b'])])).toBe(3_010);
    expect(await total(parts, [candidateOn('public', 't', ['b'])])).toBeLessThan(1_000);
  });

  test('gains by a partial index only where the statement has its condition', async () => {
    const predicate = { sql: '"b" IS NULL', columns: ['b'], fraction: 0.01 };
    const index = candidateOn('public', 't', ['a'], { predicate });
    expect(await total(partsOf({ equality: ['a'] }), [index])).toBe(3_010);
    expect(await total(partsOf({ equality: ['a'], predicates: [predicate] }), [index])).toBeLessThan(1_000);
  });

  test('gains by an order that a LIMIT takes the first rows of, without any condition', async () => {
    const sorted = planNode({
      type: 'Sort',
      estimate: { startupCost: 5_000, totalCost: 5_200, rows: 100_000, width: 8 },
      children: [],
    });
    const first = (limit: boolean, use: Partial<ColumnUse>) =>
      partsAbove(use, 3_000, (scan) => {
        const sort = { ...sorted, children: [scan] };
        const estimate = { startupCost: 5_000, totalCost: 5_100, rows: 10, width: 8 };
        return limit ? planNode({ type: 'Limit', estimate, children: [sort] }) : sort;
      });
    const order = [{ column: 'a', descending: true, nullsFirst: true }];
    const index = (...keys: string[]) => [candidateOn('public', 't', keys)];
    expect(await total(first(true, { order }), index('a'))).toBeLessThan(100);
    expect(await total(first(true, { order }), index('b', 'a'))).toBe(5_100);
    expect(await total(first(false, { order }), index('a'))).toBe(5_200);
    const nullsLast = order.map((each) => ({ ...each, nullsFirst: false }));
    expect(await total(first(true, { order: nullsLast }), index('a'))).toBe(5_100);
  });

  test('is no number where the statement has no plan', async () => {
    expect(await estimateSource(partsOf({})).costs('2', [[]])).toEqual([{ total: Number.NaN, used: null }]);
  });
});
