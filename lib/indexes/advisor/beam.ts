/**
 * Chooses indexes by a cost matrix: a beam search that grows sets of candidates, keeps the best few of each round, and gives the
 * whole front of size against cost.
 *
 * Greedy choice alone errs both ways: by gain per byte it lost up to 15 points on JOB, by gain up to 3 on TPC-H (published matrices
 * of "Magic mirror in my hand, which is the best in the land?", Kossmann et al., PVLDB 13(11), 2020). So each round grows sets by
 * both, and keeps sets by both. A candidate that others made useless is taken out at once.
 */
import { addToFront, type Weighed } from './front.ts';
import { type Problem, type Solution, type State, WorkloadCost } from './workload-cost.ts';

/** How wide the search is. */
export interface BeamOptions {
  /** So many moves of each kind a state is grown by. */
  moves?: number;
  /** So many states are kept of each round. */
  width?: number;
}

const defaults = { moves: 10, width: 24 } as const;

/** How wide it is at the sizes that nobody asked for: the front between the budgets, which is for a look. */
const besides = { moves: 5, width: 8 } as const;

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
  for (const budget of new Set(budgets)) if (budget < whole) front = grow(workload, problem, budget, front, widths);
  for (const size of own) front = grow(workload, problem, size, front, { ...besides, ...options });
  // What a set cost decides about what is of use in it: looked at once more, as a whole.
  const useful = front.map(({ set }) => pruned(workload, problem, workload.stateOf(set), set).solution);
  return useful.reduce<readonly Solution[]>(addToFront, []);
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
    const grown = states.flatMap((state) => movesOf(workload, problem, state, budget, moves));
    const next = new Map<string, State>();
    for (const { from, added } of best(grown, workload.base, width)) {
      const suspects = workload.suspects(from, added);
      const state = pruned(workload, problem, workload.with(from, added), suspects);
      const key = state.solution.set.join();
      if (seen.has(key) || state.solution.cost >= from.solution.cost) continue;
      seen.add(key);
      next.set(key, state);
      front = addToFront(front, state.solution);
    }
    states = [...next.values()];
  }
  return front;
}

/** A way to grow a state, and what comes of it while nothing is taken out. */
interface Move extends Weighed {
  from: State;
  added: readonly number[];
  gain: number;
  gainPerByte: number;
}

/** The best moves of a state by gain and by gain per byte that stay within the budget. */
function movesOf(workload: WorkloadCost, problem: Problem, from: State, budget: number, most: number): Move[] {
  const { solution } = from;
  const alone = Array.from({ length: workload.candidates }, (_, place) => [place]).filter(
    ([place]) => !from.has[place as number],
  );
  const moves = [...alone, ...workload.lacking(from, mostTogether)].flatMap((added): Move[] => {
    const bytes = sumOf(problem.sizes, added);
    if (solution.sizeBytes + bytes > budget) return [];
    const gain = workload.gain(from, added) - sumOf(problem.writes, added);
    if (gain <= leastUse * solution.cost) return [];
    const [sizeBytes, cost] = [solution.sizeBytes + bytes, solution.cost - gain];
    return [{ from, added, gain, gainPerByte: gain / Math.max(1, bytes), sizeBytes, cost }];
  });
  const top = (by: 'gain' | 'gainPerByte') => moves.toSorted((a, b) => b[by] - a[by]).slice(0, most);
  return [...new Set([...top('gain'), ...top('gainPerByte')])];
}

/** Half by cost, half by what is gained per byte. Several ways that lead to the same count once. */
function best(moves: readonly Move[], base: number, width: number): Move[] {
  const perByte = ({ cost, sizeBytes }: Weighed) => (base - cost) / Math.max(1, sizeBytes);
  const distinct = [
    ...new Map(moves.map((move) => [[...move.from.solution.set, ...move.added].toSorted().join(), move])).values(),
  ];
  const byCost = distinct.toSorted((a, b) => a.cost - b.cost).slice(0, width / 2);
  const byUse = distinct.toSorted((a, b) => perByte(b) - perByte(a)).slice(0, width / 2);
  return [...new Set([...byCost, ...byUse])];
}

/** Takes out what gains less than it costs, the least useful first. @param suspects all that may be of no use */
function pruned(
  workload: WorkloadCost,
  problem: Pick<Problem, 'writes'>,
  state: State,
  suspects: readonly number[],
): State {
  const uses = suspects.map((place) => ({ place, use: workload.loss(state, place) - (problem.writes[place] ?? 0) }));
  const [least] = uses.toSorted((a, b) => a.use - b.use);
  if (!least || least.use > leastUse * state.solution.cost) return state;
  const rest = suspects.filter((place) => place !== least.place);
  return pruned(workload, problem, workload.without(state, least.place), rest);
}

function sumOf(values: readonly number[], places: readonly number[]): number {
  return places.reduce((sum, place) => sum + (values[place] ?? 0), 0);
}
