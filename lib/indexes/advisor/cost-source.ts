/**
 * Where the advisor learns what a statement would cost if some indexes existed. The search knows nothing else of a database, so
 * that it runs the same over HypoPG (hypopg.ts), over a copy of the database (real.ts) and over
 * numbers in a file (cost-matrix.ts).
 *
 * - set: the candidates that are there, beside the indexes that exist.
 * - cost: the planner's estimate for the whole statement, in its own unit.
 * - call: one plan that was made to learn one cost.
 */
import type { Candidate } from './candidate.ts';

/** What a statement costs when a set of candidates is there. */
export interface Cost {
  /** Not finite where the statement has no plan: such a statement is left out of the search. */
  total: number;
  /** The definitions of those of the set that the plan uses; null where the source cannot tell. */
  used: readonly string[] | null;
}

/** Answers what statements would cost. */
export interface CostSource {
  /**
   * The costs of a statement with each of some sets, in their order. It may be called again before it has answered, for another
   * statement: a source may answer what is asked in one go together.
   *
   * @throws StreamGateError when the database cannot be asked; a statement that cannot be planned is no error
   * @throws OutOfTime when the source's own time is up
   */
  costs(queryId: string, sets: readonly (readonly Candidate[])[]): Promise<Cost[]>;
}

/** The time was up before there was an answer. Never leaves the search. */
export class OutOfTime extends Error {}

/** A source, and how many plans it has made. */
export interface CountedSource extends CostSource {
  readonly calls: number;
}

/** Counts the plans that a source makes. */
export function counted(source: CostSource): CountedSource {
  let calls = 0;
  return {
    get calls() {
      return calls;
    },
    costs(queryId, sets) {
      calls += sets.length;
      return source.costs(queryId, sets);
    },
  };
}

/** A source that computes, for tests and benchmarks: of each statement and set the cost, and what is used if that is known. */
export function fakeSource(cost: (queryId: string, set: readonly Candidate[]) => number | Cost): CostSource {
  return {
    costs: async (queryId, sets) =>
      sets.map((set) => {
        const answer = cost(queryId, set);
        return typeof answer === 'number' ? { total: answer, used: null } : answer;
      }),
  };
}
