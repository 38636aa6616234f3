/**
 * The index advisor: which indexes a workload should have, at every size that they may take.
 *
 * 1. matrix.ts asks what each statement would cost with small sets of candidates.
 * 2. beam.ts searches the sets for the front of size against cost.
 * 3. polish.ts asks for the chosen sets as a whole, and makes them better.
 *
 * It may be interrupted at any time and has an answer then. What it has learned goes out with the answer and may come in again: a
 * run that was interrupted and resumed as often as one likes gives what one long run gives.
 */
import { searchFront } from './beam.ts';
import { type Candidate, covers, definitionOf } from './candidate.ts';
import { type Choice, choiceOfPolished, choiceOfSolution, type Prices } from './choice.ts';
import { type CostCache, cached, type Epochs } from './cost-cache.ts';
import { type CostSource, counted } from './cost-source.ts';
import { addToFront, type Weighed, within } from './front.ts';
import { buildMatrix, type Matrix, type Proposal, type WeightedStatement } from './matrix.ts';
import { growing, type PolishTask, type PricedStatement, polish } from './polish.ts';
import { type Problem, type State, WorkloadCost } from './workload-cost.ts';

/** What is to be advised on. */
export interface AdviseTask extends Prices {
  statements: readonly WeightedStatement[];
  proposals: readonly Proposal[];
  source: CostSource;
  /** The candidate with a column more, to be tried in the place of one that was chosen. */
  extensionsOf?(candidate: Candidate): readonly Candidate[];
  /** In bytes; each is answered with a choice of its own. Without any, one that may take all space. */
  budgets?: readonly number[];
  /** Tells when to stop. */
  isOver?(): boolean;
  /** By statement, what its costs depend on besides: see epochs.ts. Without them nothing is taken from an earlier run, nor kept for the next. */
  epochs?: Epochs;
  /** What an earlier run has learned. */
  resume?: CostCache;
}

/** What the advisor says. */
export interface Advice {
  /** The weighted cost of the workload as it is. */
  costBefore: number;
  /** By size: none is both larger and dearer than another. It begins with the choice of no index. */
  front: Choice[];
  /** The best choice within each budget; null: any size. */
  choices: { budgetBytes: number | null; choice: Choice }[];
  /** What each statement costs without any candidate. */
  statements: PricedStatement[];
  /** Statements that have no plan, and were left out. */
  unplanned: string[];
  /** False when it was interrupted. */
  isComplete: boolean;
  /** Plans that were made in this run. */
  calls: number;
  /** What is known by now, for the next run. */
  learned: CostCache;
}

/**
 * Chooses indexes for a workload.
 *
 * @throws StreamGateError when the database cannot be asked
 *
 * @example
 * const deadline = Date.now() + 60_000;
 * const advice = await advise({ …, budgets: [500 * 1024 ** 2], isOver: () => Date.now() > deadline });
 * advice.choices[0]?.choice.indexes.map(({ candidate }) => sqlOf(candidate));
 */
export async function advise(task: AdviseTask): Promise<Advice> {
  const asked = counted(task.source);
  const source = cached(asked, task.epochs ?? new Map(), task.resume);
  const matrix = await buildMatrix(source, task.statements, task.proposals, task.isOver);
  const problem = problemOf(task, matrix);
  const workload = new WorkloadCost(problem);
  const budgets = task.budgets?.length ? task.budgets : [Number.POSITIVE_INFINITY];
  const isOver = task.isOver ?? (() => false);
  const solutions = searchFront(problem, budgets, {}, isOver);
  const polishTask = polishTaskOf(task, source, matrix, problem, workload);
  const verified: Draft[] = [];
  let isComplete = matrix.isComplete && !isOver();
  const ascending = budgets.toSorted((a, b) => a - b);
  const path = await growing(polishTask, ascending.findLast((budget) => Number.isFinite(budget)) ?? 0);
  let smaller: readonly (readonly Proposal[])[] = [];
  for (const budget of ascending) {
    const best = solutions.filter(({ sizeBytes }) => sizeBytes <= budget).slice(-mostStarts);
    const starts = best.map(({ set }) => set.map((place) => task.proposals[place] as Proposal));
    const grown = Number.isFinite(budget) ? path.findLast(({ sizeBytes }) => sizeBytes <= budget) : undefined;
    const others = grown ? [grown.chosen] : [];
    const { polished, isComplete: isWhole } = await polish(polishTask, [...starts, ...smaller], others, budget);
    isComplete &&= isWhole;
    // What is good in little space is a beginning in more.
    if (polished) smaller = [polished.chosen];
    if (polished) verified.push({ ...polished, choice: () => choiceOfPolished(task, matrix.statements, polished) });
  }
  const drafts = [...verified];
  for (const solution of solutions) {
    const choice = () => choiceOfSolution(task, matrix.statements, matrix.candidates, workload, solution);
    drafts.push({ ...solution, choice });
  }
  // What was asked for comes first: of two that are equal the first is kept.
  const front = drafts.reduce<readonly Draft[]>(addToFront, []).map(({ choice }) => choice());
  return {
    costBefore: workload.base,
    front,
    choices: budgets.map((budget) => ({
      budgetBytes: Number.isFinite(budget) ? budget : null,
      choice: bestOf(verified, budget)?.choice() ?? within(front, budget),
    })),
    statements: matrix.statements.map(({ queryId, weight, base }) => ({ queryId, weight, base })),
    unplanned: [...matrix.unplanned],
    isComplete,
    calls: asked.calls,
    learned: source.save(),
  };
}

/** So many of the largest choices that fit a budget are made better: by the matrix alone nobody knows which is the best. */
const mostStarts = 3;

/** A choice that is written out only if it is on the front. */
interface Draft extends Weighed {
  choice(): Choice;
}

/** The cheapest that fits. */
function bestOf(drafts: readonly Draft[], budget: number): Draft | undefined {
  return drafts.filter(({ sizeBytes }) => sizeBytes <= budget).toSorted((a, b) => a.cost - b.cost)[0];
}

function problemOf({ sizeOf, writesOf }: AdviseTask, matrix: Matrix): Problem {
  return {
    matrix,
    sizes: matrix.candidates.map((candidate) => sizeOf(candidate)),
    writes: matrix.candidates.map((candidate) => writesOf(candidate).cost),
  };
}

function polishTaskOf(
  task: AdviseTask,
  source: CostSource,
  matrix: Matrix,
  problem: Problem,
  workload: WorkloadCost,
): PolishTask {
  const places = new Map(matrix.candidates.map((candidate, place) => [definitionOf(candidate), place]));
  const wider = new Map<Proposal, readonly Proposal[]>();
  return {
    statements: matrix.statements,
    source,
    sizeOf: task.sizeOf,
    writesOf: (candidate) => task.writesOf(candidate).cost,
    isOver: task.isOver ?? (() => false),
    promising: (chosen) => {
      const state = stateOf(workload, matrix.candidates, places, chosen);
      return promising(problem, workload, state).map((place) => task.proposals[place] as Proposal);
    },
    extensions: (proposal) => {
      const found = wider.get(proposal) ?? extensions(task, proposal);
      wider.set(proposal, found);
      return found;
    },
  };
}

/** The state of a choice. A candidate that the matrix does not have it knows by those that it covers. */
function stateOf(
  workload: WorkloadCost,
  candidates: readonly Candidate[],
  places: ReadonlyMap<string, number>,
  chosen: readonly Proposal[],
): State {
  const known = chosen.flatMap(({ candidate }) => {
    const place = places.get(definitionOf(candidate));
    if (place !== undefined) return [place];
    return [...candidates.entries()].flatMap(([at, other]) => (covers(candidate, other) ? [at] : []));
  });
  return workload.stateOf([...new Set(known)]);
}

/** The candidates that gain something by the matrix, most per byte first. */
function promising({ sizes, writes }: Problem, workload: WorkloadCost, state: State): number[] {
  const gains = sizes.flatMap((bytes, place) => {
    const gain = state.has[place] ? 0 : workload.gain(state, [place]) - (writes[place] ?? 0);
    return gain > 0 ? [{ place, use: gain / Math.max(1, bytes) }] : [];
  });
  return gains.toSorted((a, b) => b.use - a.use).map(({ place }) => place);
}

/** The proposals that do the same as one and more, and what the caller makes of it. */
function extensions({ proposals, extensionsOf }: AdviseTask, proposal: Proposal): Proposal[] {
  const wider = proposals.filter(
    ({ candidate }) => candidate !== proposal.candidate && covers(candidate, proposal.candidate),
  );
  const made = extensionsOf?.(proposal.candidate) ?? [];
  const queryIds = (other: Proposal) => [...new Set([...proposal.queryIds, ...other.queryIds])];
  return [
    ...wider.map((other) => ({ ...other, queryIds: queryIds(other) })),
    ...made.map((candidate) => ({ ...proposal, candidate })),
  ];
}
