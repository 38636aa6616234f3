/**
 * What a workload costs with a set of candidates, by a cost matrix: of each statement the cheapest cell whose set is there, and the
 * price of the writes. States are changed by adding and removing candidates, and only what that touches is computed anew.
 *
 * A search asks for hundreds of thousands of gains. So cells have numbers, and what is known of them lies in flat arrays.
 */
import type { Matrix } from './matrix.ts';

/** A matrix, and what each of its candidates takes. */
export interface Problem {
  matrix: Pick<Matrix, 'statements' | 'candidates'>;
  /** Bytes of each candidate. */
  sizes: readonly number[];
  /** What each candidate costs those who write, in the unit of the weighted costs. */
  writes: readonly number[];
}

/** A set of candidates, by their places ascending. */
export interface Solution {
  set: readonly number[];
  sizeBytes: number;
  /** The weighted costs of the statements. */
  reads: number;
  /** The price of the writes. */
  writes: number;
  /** Both. */
  cost: number;
}

/** A set of candidates while it is being changed. */
export interface State {
  has: Uint8Array;
  /** Of each statement the number of its cheapest cell that is there; -1 where none is. */
  best: Int32Array;
  /** Of each statement its weighted cost. */
  costs: Float64Array;
  solution: Solution;
}

/** The costs of a workload, prepared for the search. */
export class WorkloadCost {
  /** Without any candidate. */
  readonly base: number;
  /** Each candidate that stands in a cell, as a set: no other gains anything. */
  readonly alone: readonly (readonly [number])[];
  private readonly problem: Problem;
  /** Of each cell, by its number: those of a statement follow each other, the cheapest first. */
  private readonly sets: readonly (readonly number[])[];
  private readonly plain: readonly number[];
  /** Weighted. */
  private readonly costs: Float64Array;
  private readonly statements: Int32Array;
  /** Of each statement the number behind that of its last cell. */
  private readonly ends: Int32Array;
  /** Of each candidate the cells that it stands in, ascending. */
  private readonly byCandidate: readonly (readonly number[])[];
  /** The cells with several candidates. */
  private readonly several: readonly number[];
  /** What `gain` finds of each statement; zero in between. */
  private readonly gains: Float64Array;

  constructor(problem: Problem) {
    const { statements, candidates } = problem.matrix;
    this.problem = problem;
    const cells = statements.flatMap(({ weight, cells }, statement) =>
      cells
        .toSorted((a, b) => a.cost - b.cost || a.set.length - b.set.length)
        .map(({ set, cost }) => ({ set, cost, weighted: weight * cost, statement })),
    );
    this.sets = cells.map(({ set }) => set);
    this.plain = cells.map(({ cost }) => cost);
    this.costs = Float64Array.from(cells, ({ weighted }) => weighted);
    this.statements = Int32Array.from(cells, ({ statement }) => statement);
    let end = 0;
    this.ends = Int32Array.from(statements, ({ cells }) => {
      end += cells.length;
      return end;
    });
    const byCandidate = candidates.map((): number[] => []);
    for (const [cell, set] of this.sets.entries()) for (const place of set) byCandidate[place]?.push(cell);
    this.byCandidate = byCandidate;
    this.alone = byCandidate.flatMap((cells, place) => (cells.length > 0 ? [[place] as const] : []));
    this.several = [...this.sets.keys()].filter((cell) => (this.sets[cell] as number[]).length > 1);
    this.gains = new Float64Array(statements.length);
    this.base = statements.reduce((sum, { weight, base }) => sum + weight * base, 0);
  }

  /** The state with no candidate. */
  empty(): State {
    const { statements, candidates } = this.problem.matrix;
    return {
      has: new Uint8Array(candidates.length),
      best: new Int32Array(statements.length).fill(-1),
      costs: Float64Array.from(statements, ({ weight, base }) => weight * base),
      solution: { set: [], sizeBytes: 0, reads: this.base, writes: 0, cost: this.base },
    };
  }

  /** The state with exactly these candidates. */
  stateOf(set: readonly number[]): State {
    return this.with(this.empty(), set);
  }

  /** What the weighted cost of the statements falls by when candidates are added; the price of their writes is not in it. */
  gain({ has, costs }: State, added: readonly number[]): number {
    for (const place of added) has[place] = 1;
    let total = 0;
    for (const place of added) {
      for (const cell of this.byCandidate[place] as number[]) {
        const statement = this.statements[cell] as number;
        const gain = (costs[statement] as number) - (this.costs[cell] as number);
        const known = this.gains[statement] as number;
        if (gain <= known || !this.isThere(has, cell)) continue;
        total += gain - known;
        this.gains[statement] = gain;
      }
    }
    for (const place of added) {
      has[place] = 0;
      for (const cell of this.byCandidate[place] as number[]) this.gains[this.statements[cell] as number] = 0;
    }
    return total;
  }

  /** What the weighted cost of the statements rises by when a candidate is removed. */
  loss({ has, best, costs }: State, removed: number): number {
    let loss = 0;
    has[removed] = 0;
    for (const cell of this.byCandidate[removed] as number[]) {
      const statement = this.statements[cell] as number;
      if (best[statement] !== cell) continue;
      loss += this.costAt(statement, this.next(has, statement, cell)) - (costs[statement] as number);
    }
    has[removed] = 1;
    return loss;
  }

  /** A state with more candidates, none of which is in it yet. */
  with({ has, best, costs, solution }: State, added: readonly number[]): State {
    const next = { has: has.slice(), best: best.slice(), costs: costs.slice() };
    for (const place of added) next.has[place] = 1;
    for (const place of added) {
      for (const cell of this.byCandidate[place] as number[]) {
        const statement = this.statements[cell] as number;
        const current = next.best[statement] as number;
        if ((current === -1 || cell < current) && this.isThere(next.has, cell)) this.take(next, statement, cell);
      }
    }
    return { ...next, solution: this.solutionOf(next.costs, [...solution.set, ...added]) };
  }

  /** A state without one of its candidates. */
  without({ has, best, costs, solution }: State, removed: number): State {
    const next = { has: has.slice(), best: best.slice(), costs: costs.slice() };
    next.has[removed] = 0;
    for (const cell of this.byCandidate[removed] as number[]) {
      const statement = this.statements[cell] as number;
      if (best[statement] === cell) this.take(next, statement, this.next(next.has, statement, cell));
    }
    const set = solution.set.filter((place) => place !== removed);
    return { ...next, solution: this.solutionOf(next.costs, set) };
  }

  /** What of each cell with several candidates a state lacks: two and more at once, for one alone gains nothing there. */
  lacking({ has, best }: State, most: number): Iterable<readonly number[]> {
    const missing = new Map<number, number[]>();
    for (const cell of this.several) {
      const current = best[this.statements[cell] as number] as number;
      if (current !== -1 && cell >= current) continue;
      const set = this.sets[cell] as number[];
      let lacks = 0;
      for (const place of set) if (!has[place]) lacks++;
      if (lacks < 2 || lacks > most) continue;
      const added = set.filter((place) => !has[place]);
      missing.set(
        added.reduce((sum, place) => sum * has.length + place, 1),
        added,
      );
    }
    return missing.values();
  }

  /** The candidates that may be of less use when others are added to a state, and those others. */
  suspects({ best }: State, added: readonly number[]): number[] {
    const suspects = new Set(added);
    for (const place of added) {
      for (const cell of this.byCandidate[place] as number[]) {
        for (const other of this.sets[best[this.statements[cell] as number] as number] ?? []) suspects.add(other);
      }
    }
    return [...suspects];
  }

  /** What each statement costs in a state, unweighted, in the order of the matrix. */
  statementCosts({ best }: State): number[] {
    return this.problem.matrix.statements.map(({ base }, statement) => this.plain[best[statement] as number] ?? base);
  }

  private solutionOf(costs: Float64Array, places: readonly number[]): Solution {
    const set = places.toSorted(ascending);
    // Summed up anew each time: a state is the same whatever way led to it.
    let [reads, writes, sizeBytes] = [0, 0, 0];
    for (const cost of costs) reads += cost;
    for (const place of set) {
      writes += this.problem.writes[place] ?? 0;
      sizeBytes += this.problem.sizes[place] ?? 0;
    }
    return { set, sizeBytes, reads, writes, cost: reads + writes };
  }

  private take({ best, costs }: Pick<State, 'best' | 'costs'>, statement: number, cell: number): void {
    best[statement] = cell;
    costs[statement] = this.costAt(statement, cell);
  }

  private costAt(statement: number, cell: number): number {
    if (cell !== -1) return this.costs[cell] as number;
    const { weight, base } = this.problem.matrix.statements[statement] as Matrix['statements'][number];
    return weight * base;
  }

  private isThere(has: Uint8Array, cell: number): boolean {
    for (const place of this.sets[cell] as number[]) if (!has[place]) return false;
    return true;
  }

  /** The cheapest cell of a statement that is there, where all that are cheaper than a given one are not. */
  private next(has: Uint8Array, statement: number, from: number): number {
    const end = this.ends[statement] as number;
    for (let cell = from; cell < end; cell++) if (this.isThere(has, cell)) return cell;
    return -1;
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}
