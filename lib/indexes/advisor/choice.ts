/** A choice of indexes as it is told: what each takes, costs and helps. */
import type { Candidate } from './candidate.ts';
import type { Polished, PricedStatement } from './polish.ts';
import type { Solution, WorkloadCost } from './workload-cost.ts';
import type { WritePrice } from './writes.ts';

/** A statement, before and after. Costs are the planner's, for one call. */
export interface Change {
  queryId: string;
  costBefore: number;
  costAfter: number;
}

/** An index of a choice. */
export interface ChosenIndex {
  candidate: Candidate;
  sizeBytes: number;
  write: WritePrice;
  /** What the weighted cost of all statements would rise by without it, the others of the choice being there. */
  gain: number;
  /** The statements that it helps: without it, the others of the choice being there, and with it. */
  helps: Change[];
}

/** Indexes that go together. Costs are weighted. */
export interface Choice {
  sizeBytes: number;
  readCost: number;
  writeCost: number;
  /** Both: what the workload costs then. */
  cost: number;
  /** Whether the planner was asked for all of them together; else the workload costs this at most. */
  isVerified: boolean;
  indexes: ChosenIndex[];
  /** The statements that change, without any candidate and with all of the choice. */
  statements: Change[];
}

/** What each candidate takes. */
export interface Prices {
  sizeOf(candidate: Candidate): number;
  writesOf(candidate: Candidate): WritePrice;
}

/** Writes out what the search found by the matrix. */
export function choiceOfSolution(
  prices: Prices,
  statements: readonly PricedStatement[],
  candidates: readonly Candidate[],
  workload: WorkloadCost,
  solution: Solution,
): Choice {
  const state = workload.stateOf(solution.set);
  return choiceOf(prices, statements, {
    ...solution,
    isVerified: false,
    costs: workload.statementCosts(state),
    without: solution.set.map((place) => ({
      candidate: candidates[place] as Candidate,
      costs: workload.statementCosts(workload.without(state, place)),
    })),
  });
}

/** Writes out what the planner was asked for. */
export function choiceOfPolished(prices: Prices, statements: readonly PricedStatement[], polished: Polished): Choice {
  const totals = (costs: Polished['costs']) => costs.map(({ total }) => total);
  return choiceOf(prices, statements, {
    ...polished,
    isVerified: true,
    costs: totals(polished.costs),
    without: polished.chosen.map(({ candidate }, i) => ({
      candidate,
      costs: totals(polished.without[i]?.costs ?? []),
    })),
  });
}

/** A choice as numbers; costs are of the statements, in their order. */
interface Told {
  sizeBytes: number;
  reads: number;
  writes: number;
  cost: number;
  isVerified: boolean;
  costs: readonly number[];
  without: readonly { candidate: Candidate; costs: readonly number[] }[];
}

function choiceOf(prices: Prices, statements: readonly PricedStatement[], told: Told): Choice {
  const bases = statements.map(({ base }) => base);
  return {
    sizeBytes: told.sizeBytes,
    readCost: told.reads,
    writeCost: told.writes,
    cost: told.cost,
    isVerified: told.isVerified,
    indexes: told.without.map(({ candidate, costs }) => ({
      candidate,
      sizeBytes: prices.sizeOf(candidate),
      write: prices.writesOf(candidate),
      gain: statements.reduce((sum, { weight }, i) => sum + weight * ((costs[i] ?? 0) - (told.costs[i] ?? 0)), 0),
      helps: changes(statements, costs, told.costs),
    })),
    statements: changes(statements, bases, told.costs),
  };
}

function changes(
  statements: readonly PricedStatement[],
  before: readonly number[],
  after: readonly number[],
): Change[] {
  return statements.flatMap(({ queryId }, i) => {
    const [costBefore, costAfter] = [before[i] ?? 0, after[i] ?? 0];
    return costBefore === costAfter ? [] : [{ queryId, costBefore, costAfter }];
  });
}
