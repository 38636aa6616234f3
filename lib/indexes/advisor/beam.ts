/**
 * Chooses indexes by a cost matrix: a beam search that grows sets of candidates, keeps the best few of each round, and gives the
 * whole front of size against cost.
 *
 * Greedy choice alone errs both ways: by gain per byte it lost up to 15 points on JOB, by gain up to 3 on TPC-H (published matrices
 * of "Magic mirror in my hand, which is the best in the land?", Kossmann et al., PVLDB 13(11), 2020). So each round grows sets by
 * both, and keeps sets by both. A candidate that others made useless is taken out at once.
 */
import { addToFront, type Weighed, within } from './front.ts';
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
 * @param isOver tells when to stop: what was found by then is returned
 */
export function searchFront(
  problem: Problem,
  budgets: readonly number[] = [],
  options: BeamOptions = {},
  isOver: () => boolean = () => false,
): readonly Solution[] {
  const workload = new WorkloadCost(problem);
  const widths = { ...defaults, ...options };
  const search = (budget: number, found: readonly Solution[], { moves, width }: Required<BeamOptions>) => {
    if (isOver()) return found;
    const at = { workload, problem, budget, moves, width, isOver };
    const front = grow(at, found);
    const plain = [greedy(at, (gain) => gain), greedy(at, (gain, bytes) => gain / Math.max(1, bytes))];
    const { cost } = within(front, budget);
    return plain.filter((solution) => cost - solution.cost > leastUse * cost).reduce(addToFront, front);
  };
  let front = search(Number.POSITIVE_INFINITY, [workload.empty().solution], widths);
  const whole = front.at(-1)?.sizeBytes ?? 0;
  const own = Array.from({ length: steps }, (_, step) => whole / stepFactor ** (step + 1));
  for (const budget of new Set(budgets)) if (budget < whole) front = search(budget, front, widths);
  for (const size of own) front = search(size, front, { ...besides, ...options });
  // What a set cost decides about what is of use in it: looked at once more, as a whole.
  const useful = front.map(({ set }) => pruned(workload, problem, workload.stateOf(set), set).solution);
  return useful.reduce<readonly Solution[]>(addToFront, []);
}

/** One search: sets of at most so many bytes. */
interface Search extends Required<BeamOptions> {
  workload: WorkloadCost;
  problem: Problem;
  budget: number;
  isOver(): boolean;
}

/** Adds the best candidate again and again. The beam may lose this way where others are ahead of it for a while. */
function greedy({ workload, problem, budget }: Search, scoreOf: (gain: number, bytes: number) => number): Solution {
  let state = workload.empty();
  for (;;) {
    const { has, solution } = state;
    const best = new Best<readonly number[]>(1);
    for (const added of workload.alone) {
      const [bytes, writes] = [problem.sizes[added[0]] as number, problem.writes[added[0]] as number];
      if (has[added[0]] || solution.sizeBytes + bytes > budget) continue;
      const gain = workload.gain(state, added) - writes;
      if (gain > leastUse * solution.cost) best.add(added, scoreOf(gain, bytes));
    }
    const [added] = best.items;
    if (!added) return solution;
    state = workload.with(state, added);
  }
}

/** Grows sets until none gains anything more, and adds each to the front. */
function grow(search: Search, found: readonly Solution[]): readonly Solution[] {
  const { workload, problem, width, isOver } = search;
  const seen = new Set<string>();
  let front = found;
  let states = [workload.empty()];
  while (states.length > 0 && !isOver()) {
    const moves = states.flatMap((state) => movesOf(search, state));
    states = [];
    for (const { from, added } of best(moves, workload.base, width)) {
      const suspects = workload.suspects(from, added);
      const state = pruned(workload, problem, workload.with(from, added), suspects);
      const key = state.solution.set.join();
      if (seen.has(key) || state.solution.cost >= from.solution.cost) continue;
      seen.add(key);
      states.push(state);
      front = addToFront(front, state.solution);
    }
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
function movesOf({ workload, problem, budget, moves }: Search, from: State): Move[] {
  const { solution } = from;
  const least = leastUse * solution.cost;
  const room = budget - solution.sizeBytes;
  const byGain = new Best<Move>(moves);
  const byUse = new Best<Move>(moves);
  const look = (added: readonly number[], bytes: number, writes: number) => {
    if (bytes > room) return;
    const gain = workload.gain(from, added) - writes;
    const gainPerByte = gain / Math.max(1, bytes);
    if (gain <= least || !(byGain.takes(gain) || byUse.takes(gainPerByte))) return;
    const move = { from, added, gain, gainPerByte, sizeBytes: solution.sizeBytes + bytes, cost: solution.cost - gain };
    byGain.add(move, gain);
    byUse.add(move, gainPerByte);
  };
  for (const added of workload.alone) {
    const [place] = added;
    if (!from.has[place]) look(added, problem.sizes[place] as number, problem.writes[place] as number);
  }
  for (const added of workload.lacking(from, mostTogether)) {
    look(added, sumOf(problem.sizes, added), sumOf(problem.writes, added));
  }
  return [...new Set([...byGain.items, ...byUse.items])];
}

/** The few items with the highest scores, the highest first; of equal ones the first that came. */
class Best<Item> {
  readonly items: Item[] = [];
  private readonly scores: number[] = [];
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  takes(score: number): boolean {
    return this.items.length < this.most || score > (this.scores[this.most - 1] as number);
  }

  add(item: Item, score: number): void {
    if (!this.takes(score)) return;
    let place = Math.min(this.items.length, this.most - 1);
    for (; place > 0 && (this.scores[place - 1] as number) < score; place--) {
      this.items[place] = this.items[place - 1] as Item;
      this.scores[place] = this.scores[place - 1] as number;
    }
    this.items[place] = item;
    this.scores[place] = score;
  }
}

/** Half by cost, half by what is gained per byte. Several ways that lead to the same count once. */
function best(moves: readonly Move[], base: number, width: number): Move[] {
  const perByte = ({ cost, sizeBytes }: Weighed) => (base - cost) / Math.max(1, sizeBytes);
  const byCost = distinct(
    moves.toSorted((a, b) => a.cost - b.cost),
    width / 2,
  );
  const byUse = distinct(
    moves.toSorted((a, b) => perByte(b) - perByte(a)),
    width / 2,
  );
  return [...new Map([...byCost, ...byUse]).values()];
}

/** The first moves that lead to different sets, by what they lead to. */
function distinct(moves: readonly Move[], most: number): Map<string, Move> {
  const found = new Map<string, Move>();
  for (const move of moves) {
    if (found.size >= most) break;
    const key = [...move.from.solution.set, ...move.added].toSorted((a, b) => a - b).join();
    if (!found.has(key)) found.set(key, move);
  }
  return found;
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
