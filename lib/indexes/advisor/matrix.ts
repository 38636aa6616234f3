/**
 * Learns what the statements of a workload would cost with small sets of candidates: the cost matrix that the search runs on.
 *
 * - head-room: what a statement would gain if all its candidates existed. Without any it is asked no further.
 * - cell: a small set of candidates, and what the statement costs when they exist. Kept only if it is cheaper than every cell
 *   that is known by then and whose set it contains, by more than 0.2 %.
 *
 * A matrix that was cut short is a valid one: it only knows of fewer gains. The idea is that of CoPhy (Dash, Polyzotis, Ailamaki:
 * CoPhy, PVLDB 4(6), 2011), whose matrices have one index a table; here sets grow as long as they gain.
 */
import { askCosts } from './ask-costs.ts';
import { type Candidate, covers, definitionOf } from './candidate.ts';
import type { Cost, CostSource } from './cost-source.ts';

/** A statement of the workload. */
export interface WeightedStatement {
  queryId: string;
  /** How often its cost counts: calls, or time per unit of cost. */
  weight: number;
}

/** A candidate, and the statements that it may help. */
export interface Proposal {
  candidate: Candidate;
  queryIds: readonly string[];
  /** Whether it is worth a plan of its own; else only where the planner takes it when all candidates are there. */
  isLikely: boolean;
}

/** A set of candidates, by their places in the list, ascending; and what the statement costs with it. */
export interface Cell {
  set: readonly number[];
  cost: number;
}

/** What is known of one statement. */
export interface StatementCosts extends WeightedStatement {
  /** Without any candidate. */
  base: number;
  cells: readonly Cell[];
}

/** What is known of all statements. */
export interface Matrix {
  candidates: readonly Candidate[];
  statements: readonly StatementCosts[];
  /** Statements that have no plan. */
  unplanned: readonly string[];
  /** False when it was cut short. */
  isComplete: boolean;
}

/** A cell must be cheaper by this share than the cells that it contains. */
const leastGain = 0.002;

/** So many of the best candidates of a statement are tried in pairs, and so many of its best pairs with a third. */
const bestCandidates = 8;
const bestPairs = 6;

/** HypoPG has names for about 2,500 indexes in a connection. */
const mostAtOnce = 2_000;

/** What is being learned of one statement. */
interface Row extends WeightedStatement {
  /** The places of its candidates. */
  relevant: readonly number[];
  base: number;
  /** With all candidates, and those that the planner took then. */
  floor: number;
  taken: readonly number[];
  cells: Cell[];
}

/**
 * Builds the matrix, the statements with the greatest head-room first.
 *
 * @param isOver tells when to stop: what is known by then is returned
 */
export async function buildMatrix(
  source: CostSource,
  statements: readonly WeightedStatement[],
  proposals: readonly Proposal[],
  isOver: () => boolean = () => false,
): Promise<Matrix> {
  const learner = new Learner(source, proposals, isOver);
  const rows = statements.map((statement) => learner.rowOf(statement));
  const steps = [learner.price, learner.singles, learner.taken, learner.pairs, learner.larger];
  for (const step of steps) {
    const byHeadRoom = rows.toSorted((a, b) => headRoom(b) - headRoom(a) || (a.queryId < b.queryId ? -1 : 1));
    await learner.take(step, byHeadRoom);
  }
  return {
    candidates: proposals.map(({ candidate }) => candidate),
    statements: rows
      .filter(({ base }) => Number.isFinite(base))
      .map(({ queryId, weight, base, cells }) => ({ queryId, weight, base, cells })),
    unplanned: rows.filter(({ base }) => Number.isNaN(base)).map(({ queryId }) => queryId),
    isComplete: !learner.isCut,
  };
}

/** Before it is known, it may be anything: statements go by their weight then. */
function headRoom({ weight, base, floor }: Row): number {
  return Number.isFinite(base) ? weight * (base - floor) : weight;
}

/**
 * Learns something of a row: gives the sets that it wants the costs of, and goes on with these. They are fewer where the time was up.
 */
type Step = (row: Row) => Generator<readonly (readonly number[])[], void, Cost[]>;

class Learner {
  isCut = false;
  private readonly source: CostSource;
  private readonly proposals: readonly Proposal[];
  private readonly isOver: () => boolean;
  private readonly places: ReadonlyMap<string, number>;

  constructor(source: CostSource, proposals: readonly Proposal[], isOver: () => boolean) {
    this.source = source;
    this.proposals = proposals;
    this.isOver = isOver;
    this.places = new Map(proposals.map(({ candidate }, place) => [definitionOf(candidate), place]));
  }

  rowOf({ queryId, weight }: WeightedStatement): Row {
    const relevant = [...this.proposals.keys()].filter((place) => this.proposals[place]?.queryIds.includes(queryId));
    // Infinite: not asked yet.
    return { queryId, weight, relevant, base: Number.POSITIVE_INFINITY, floor: 0, taken: [], cells: [] };
  }

  /** Takes a step with all rows at once: what they want to know at the same time is asked for together. */
  async take(step: Step, rows: readonly Row[]): Promise<void> {
    let running = rows.flatMap((row) => {
      const steps = step.call(this, row);
      return { row, steps, sets: steps.next().value };
    });
    while (running.length > 0) {
      const asked = running.flatMap((each) => (each.sets ? { ...each, sets: each.sets } : []));
      const answers = await this.ask(asked);
      running = asked.map(({ row, steps }, i) => ({ row, steps, sets: steps.next(answers[i] as Cost[]).value }));
    }
  }

  /** What the statement costs with no candidate, and with all of them. */
  *price(row: Row): ReturnType<Step> {
    const all = row.relevant.slice(0, mostAtOnce);
    // Where the planner takes none of them, the cost without any is known by then.
    const [found] = all.length === 0 ? [] : yield [all];
    const [base] = yield [[]];
    if (!base) return;
    const floor = found ?? base;
    row.base = Number.isFinite(base.total) ? base.total : Number.NaN;
    row.floor = Math.min(row.base, Number.isFinite(floor.total) ? floor.total : row.base);
    row.taken = this.placesOf(floor.used ?? []);
    const isTold = floor.used !== null;
    row.relevant = row.relevant.filter(
      (place) => !isTold || this.proposals[place]?.isLikely || row.taken.includes(place),
    );
  }

  /** Each candidate alone. */
  *singles(row: Row): ReturnType<Step> {
    if (!this.hasRoom(row)) return;
    yield* this.learn(
      row,
      row.relevant.map((place) => [place]),
    );
  }

  /** What the planner takes when it may take all, and what is left of it when one after the other is taken away. */
  *taken(row: Row): ReturnType<Step> {
    let set = [...row.taken];
    if (!this.hasRoom(row) || set.length < 2) return;
    yield* this.learn(row, [set]);
    while (set.length > 3) {
      const smaller = set.map((_, i) => set.toSpliced(i, 1));
      const answers = yield* this.learn(row, smaller);
      const costs = answers.map((answer) => answer.total);
      if (answers.length < smaller.length) return;
      set = smaller[costs.indexOf(Math.min(...costs))] as number[];
    }
  }

  /** Pairs of the best candidates. */
  *pairs(row: Row): ReturnType<Step> {
    if (!this.hasRoom(row, 1)) return;
    const best = this.best(row);
    const pairs = best.flatMap((a, i) => best.slice(i + 1).map((b) => [a, b]));
    yield* this.learn(
      row,
      pairs.filter((pair) => this.isApart(pair)),
    );
  }

  /** The best sets of one size with each of the best candidates, and so on as long as that gains something. */
  *larger(row: Row): ReturnType<Step> {
    for (let size = 2; this.hasRoom(row, size); size++) {
      const sets = row.cells
        .filter(({ set }) => set.length === size)
        .toSorted(byCost)
        .slice(0, bestPairs);
      const known = row.cells.length;
      const larger = sets.flatMap(({ set }) =>
        this.best(row)
          .filter((place) => !set.includes(place))
          .map((place) => [...set, place].toSorted(ascending)),
      );
      const distinct = [...new Map(larger.map((each) => [each.join(), each])).values()];
      yield* this.learn(
        row,
        distinct.filter((each) => this.isApart(each)),
      );
      if (row.cells.length === known) return;
    }
  }

  /** Whether the statement can still gain what a cell must by more candidates than these. */
  private hasRoom({ base, floor, cells }: Row, candidates = 0): boolean {
    const small = cells.filter(({ set }) => set.length <= candidates);
    const least = small.reduce((cheapest, { cost }) => Math.min(cheapest, cost), base);
    return Number.isFinite(base) && least - floor > leastGain * least;
  }

  /** What the planner takes when it may take all, then those that gain most alone. */
  private best({ taken, cells }: Row): number[] {
    const alone = cells.filter(({ set }) => set.length === 1).toSorted(byCost);
    return [...new Set([...taken, ...alone.flatMap(({ set }) => set)])].slice(0, bestCandidates).toSorted(ascending);
  }

  /** Whether no candidate of the set does all that another does. */
  private isApart(set: readonly number[]): boolean {
    const candidates = set.map((place) => this.proposals[place]?.candidate as Candidate);
    return !candidates.some((a) => candidates.some((b) => a !== b && covers(a, b)));
  }

  /** Wants the costs of sets, and keeps those that gain. */
  private *learn(row: Row, sets: readonly (readonly number[])[]): Generator<typeof sets, Cost[], Cost[]> {
    const answers = yield sets;
    for (const [i, { total }] of answers.entries()) this.keep(row, sets[i] as readonly number[], total);
    return answers;
  }

  private keep(row: Row, set: readonly number[], cost: number): void {
    const known = new Set(set);
    const within = row.cells.filter((cell) => cell.set.every((place) => known.has(place)));
    const least = within.reduce((cheapest, cell) => Math.min(cheapest, cell.cost), row.base);
    if (Number.isFinite(cost) && least - cost > leastGain * least)
      row.cells.push({ set: set.toSorted(ascending), cost });
  }

  private async ask(wanted: readonly { row: Row; sets: readonly (readonly number[])[] }[]): Promise<Cost[][]> {
    const questions = wanted.map(({ row: { queryId }, sets }) => ({
      queryId,
      sets: sets.map((set) => set.map((place) => this.proposals[place]?.candidate as Candidate)),
    }));
    const answers = await askCosts(this.source, questions, () => this.isCut || this.isOver());
    this.isCut ||= answers.some(({ length }, i) => length < (wanted[i]?.sets.length ?? 0));
    return answers;
  }

  private placesOf(definitions: readonly string[]): number[] {
    return definitions.flatMap((definition) => this.places.get(definition) ?? []).toSorted(ascending);
  }
}

function byCost(a: Cell, b: Cell): number {
  return a.cost - b.cost || a.set.length - b.set.length;
}

function ascending(a: number, b: number): number {
  return a - b;
}
