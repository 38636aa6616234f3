import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Problem, WorkloadCost } from '../../../../../lib/indexes/advisor/workload-cost.ts';
import { bytesOf, costOf, problems } from './problems.ts';

/** A problem, and the candidates in an order in which they may come and go. */
const walks = problems(8).chain((problem) =>
  fc.record({
    problem: fc.constant(problem),
    order: fc.shuffledSubarray([...problem.sizes.keys()], { minLength: 1 }),
  }),
);

const stateOf = (problem: Problem, set: readonly number[]) => new WorkloadCost(problem).stateOf(set);

describe('the cost of a workload with a set of candidates', () => {
  test('is that of the cheapest cells that are there, and of the writes', () => {
    fc.assert(
      fc.property(walks, ({ problem, order }) => {
        const { solution } = stateOf(problem, order);
        expect(solution.set).toEqual(order.toSorted((a, b) => a - b));
        expect(solution.cost).toBe(costOf(problem, order));
        expect(solution.sizeBytes).toBe(bytesOf(problem, order));
        expect(solution.reads + solution.writes).toBe(solution.cost);
      }),
    );
  });

  test('is the same whatever way led to the set', () => {
    fc.assert(
      fc.property(walks, ({ problem, order }) => {
        const workload = new WorkloadCost(problem);
        let state = workload.empty();
        for (const place of order) state = workload.with(state, [place]);
        const [gone, ...rest] = order as [number, ...number[]];
        expect(state).toEqual(workload.stateOf(order));
        expect(workload.without(state, gone)).toEqual(workload.stateOf(rest));
      }),
    );
  });

  test('falls by the gain of what is added, and rises by the loss of what is removed', () => {
    fc.assert(
      fc.property(walks, fc.nat(3), ({ problem, order }, size) => {
        const workload = new WorkloadCost(problem);
        const [added, before] = [order.slice(0, size + 1), order.slice(size + 1)];
        const [from, to] = [workload.stateOf(before), workload.stateOf([...before, ...added])];
        expect(workload.gain(from, added)).toBe(from.solution.reads - to.solution.reads);
        // What was asked changes nothing.
        expect(from).toEqual(workload.stateOf(before));
        for (const place of added) {
          const rest = [...before, ...added].filter((each) => each !== place);
          const loss = workload.stateOf(rest).solution.reads - to.solution.reads;
          expect(workload.loss(to, place)).toBe(loss);
        }
        expect(to).toEqual(workload.stateOf([...before, ...added]));
      }),
    );
  });

  test('is told for each statement without its weight', () => {
    fc.assert(
      fc.property(walks, ({ problem, order }) => {
        const workload = new WorkloadCost(problem);
        const costs = workload.statementCosts(workload.stateOf(order));
        for (const [i, statement] of problem.matrix.statements.entries()) {
          const alone = { ...problem, matrix: { ...problem.matrix, statements: [{ ...statement, weight: 1 }] } };
          expect(costs[i]).toBe(stateOf(alone, order).solution.reads);
        }
      }),
    );
  });

  test('names what cells lack that gain only together', () => {
    fc.assert(
      fc.property(walks, ({ problem, order }) => {
        const workload = new WorkloadCost(problem);
        const state = workload.stateOf(order.slice(1));
        for (const added of workload.lacking(state, 3)) {
          expect(added.length).toBeGreaterThanOrEqual(2);
          expect(added.length).toBeLessThanOrEqual(3);
          expect(added.some((place) => state.has[place])).toBe(false);
          expect(workload.gain(state, added)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
