import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planCostOf } from '../../../../../lib/indexes/advisor/plan-cost.ts';

interface Node {
  'Total Cost': number;
  'Index Name'?: string;
  Plans?: Node[];
}

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.record(
    {
      'Total Cost': fc.integer({ min: 0, max: 1_000 }),
      'Index Name': fc.constantFrom('a', 'b', 'c'),
      Plans: fc.array(tie('node'), { maxLength: 3, depthIdentifier: 'plan' }),
    },
    { requiredKeys: ['Total Cost'] },
  ) as fc.Arbitrary<Node>,
}));

const indexesIn = ({ 'Index Name': index, Plans = [] }: Node): string[] => [
  ...(index === undefined ? [] : [index]),
  ...Plans.flatMap(indexesIn),
];

describe('what a search reads of a plan', () => {
  test('is the cost of its root and every index below it', () => {
    fc.assert(
      fc.property(node, (plan) => {
        expect(planCostOf([{ Plan: plan }])).toEqual({ total: plan['Total Cost'], indexes: new Set(indexesIn(plan)) });
      }),
    );
  });

  test('is nothing where there is no plan, whatever else is there', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (answer) => {
        fc.pre(!JSON.stringify(answer).includes('Total Cost'));
        expect(planCostOf(answer)).toBeUndefined();
        expect(() => planCostOf([{ Plan: { 'Total Cost': 1, Plans: answer } }])).not.toThrow();
      }),
    );
  });

  test('needs no stack, however deep the plan is', () => {
    let deep: Node = { 'Total Cost': 1, 'Index Name': 'a' };
    for (let depth = 0; depth < 100_000; depth++) deep = { 'Total Cost': 1, Plans: [deep] };
    expect(planCostOf([{ Plan: deep }])?.indexes).toEqual(new Set(['a']));
  });
});
