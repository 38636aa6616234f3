/**
 * Chooses indexes by a cost matrix: a beam search that grows sets of candidates, keeps the best few of each round, and gives the
 * whole front of size against cost.
 *
 * Greedy choice alone errs both ways: by gain per byte it lost up to 15 points on JOB, by gain up to 3 on TPC-H (published matrices
 * of "Magic mirror in my hand, which is the best in the land?", Kossmann et al., PVLDB 13(11), 2020). So each round grows sets by
 * both, and keeps sets by both. A candidate that others made useless is taken out at once.
 */
import { addToFront } from './front.ts';
import { type Problem, type Solution, type State, WorkloadCost } from './workload-cost.ts';

/** How wide the search is. */
export interface BeamOptions {
  /** So many moves of each kind a state is grown by. */
  moves?: number;
  /** So many states are kept of each round. */
  width?: number;
}

const defaults = { moves: 10, width: 24 } as const;

/**
 * A candidate must gain more than this share of what the workload costs then. Not of what it costs without any: one terrible statement
 * would hide all others.
 */
export const leastUse = 0.0005;

/** So many candidates are added at once, where only together they gain. */
const mostTogether = 3;

/** Without budgets the front is searched at so many sizes, each this factor of the next. */
const steps = 12;
const stepFactor = 1.5;

/**
 * The front: no solution on it is both larger and dearer than another one. It begins with the empty solution; each budget's answer is
 * the last that fits (`within` in front.ts).
 *
 * @param budgets in bytes: sizes at which the search looks closely. It looks at twelve sizes of its own, too
 */
export function searchFront(
  problem: Problem,
  budgets: readonly number[] = [],
  options: BeamOptions = {},
): readonly Solution[] {
  const workload = new WorkloadCost(problem);
  const widths = { ...defaults, ...options };
  let front = grow(workload, problem, Number.POSITIVE_INFINITY, [workload.empty().solution], widths);
  const whole = front.at(-1)?.sizeBytes ?? 0;
  const own = Array.from({ length: steps }, (_, step) => whole / stepFactor ** (step + 1));
  for (const budget of new Set([...budgets, ...own].filter((each) => each < whole))) {
    front = grow(workload, problem, budget, front, widths);
  }
  return front;
}

/** Grows sets until none gains anything more, and adds each to the front. */
function grow(
  workload: WorkloadCost,
  problem: Problem,
  budget: number,
  found: readonly Solution[],
  { moves, width }: Required<BeamOptions>,
): readonly Solution[] {
  const seen = new Set<string>();
  let front = found;
  let states = [workload.empty()];
  while (states.length > 0) {
    const next = new Map<string, State>();
    for (const state of states) {
      for (const added of movesOf(workload, problem, state, budget, moves)) {
        const grown = pruned(workload, problem, workload.with(state, added));
        const key = grown.solution.set.join();
        if (seen.has(key) || grown.solution.cost >= state.solution.cost) continue;
        seen.add(key);
        next.set(key, grown);
        front = addToFront(front, grown.solution);
      }
    }
    states = kept([...next.values()], workload.base, width);
  }
  return front;
}

/** A way to grow a state. */
interface Move {
  added: readonly number[];
  gain: number;
  gainPerByte: number;
}

/** The best moves by gain and by gain per byte that stay within the budget. */
function movesOf(
  workload: WorkloadCost,
  problem: Problem,
  state: State,
  budget: number,
  most: number,
): Set<readonly number[]> {
  const room = budget - state.solution.sizeBytes;
  const alone = Array.from({ length: workload.candidates }, (_, place) => [place]).filter(
    ([place]) => !state.has[place as number],
  );
  const moves = [...alone, ...workload.lacking(state, mostTogether)].flatMap((added): Move[] => {
    const bytes = sumOf(problem.sizes, added);
    if (bytes > room) return [];
    const gain = workload.gain(state, added) - sumOf(problem.writes, added);
    return gain > leastUse * state.solution.cost ? [{ added, gain, gainPerByte: gain / Math.max(1, bytes) }] : [];
  });
  const best = (by: 'gain' | 'gainPerByte') => moves.toSorted((a, b) => b[by] - a[by]).slice(0, most);
  return new Set([...best('gain'), ...best('gainPerByte')].map(({ added }) => added));
}

/** Takes out what gains less than it costs, the least useful first. */
function pruned(workload: WorkloadCost, problem: Pick<Problem, 'writes'>, state: State): State {
  const uses = state.solution.set.map((place) => ({
    place,
    use: workload.loss(state, place) - (problem.writes[place] ?? 0),
  }));
  const [least] = uses.toSorted((a, b) => a.use - b.use);
  if (!least || least.use > leastUse * state.solution.cost) return state;
  return pruned(workload, problem, workload.without(state, least.place));
}

/** Half by cost, half by what was gained per byte. */
function kept(states: readonly State[], base: number, width: number): State[] {
  const perByte = ({ solution }: State) => (base - solution.cost) / Math.max(1, solution.sizeBytes);
  const byCost = states.toSorted((a, b) => a.solution.cost - b.solution.cost).slice(0, width / 2);
  const byUse = states.toSorted((a, b) => perByte(b) - perByte(a)).slice(0, width / 2);
  return [...new Set([...byCost, ...byUse])];
}

function sumOf(values: readonly number[], places: readonly number[]): number {
  return places.reduce((sum, place) => sum + (values[place] ?? 0), 0);
}
