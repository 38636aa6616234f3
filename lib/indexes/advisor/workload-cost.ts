/**
 * What a workload costs with a set of candidates, by a cost matrix: of each statement the cheapest cell whose set is there, and the
 * price of the writes. States are changed by adding and removing candidates, and only what that touches is computed anew.
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

/** A cell in the index by candidate: its statement, and its rank among the cells of it, the cheapest first. */
interface Place {
  statement: number;
  rank: number;
}

/** A set of candidates while it is being changed. */
export interface State {
  has: Uint8Array;
  /** Of each statement the rank of its cheapest cell that is there; -1 where none is. */
  best: Int32Array;
  solution: Solution;
}

/** The costs of a workload, prepared for the search. */
export class WorkloadCost {
  readonly candidates: number;
  /** Without any candidate. */
  readonly base: number;
  private readonly problem: Problem;
  private readonly weights: readonly number[];
  private readonly bases: readonly number[];
  /** Of each statement its cells, the cheapest first. */
  private readonly cells: readonly (readonly { set: readonly number[]; cost: number }[])[];
  private readonly byCandidate: readonly (readonly Place[])[];
  /** The cells with several candidates. */
  private readonly several: readonly (Place & { set: readonly number[] })[];

  constructor(problem: Problem) {
    const { statements, candidates } = problem.matrix;
    this.problem = problem;
    this.candidates = candidates.length;
    this.weights = statements.map(({ weight }) => weight);
    this.bases = statements.map(({ base }) => base);
    this.cells = statements.map(({ cells }) =>
      cells.toSorted((a, b) => a.cost - b.cost || a.set.length - b.set.length),
    );
    this.base = statements.reduce((sum, { weight, base }) => sum + weight * base, 0);
    const byCandidate = candidates.map((): Place[] => []);
    for (const [statement, cells] of this.cells.entries()) {
      for (const [rank, { set }] of cells.entries()) {
        for (const place of set) byCandidate[place]?.push({ statement, rank });
      }
    }
    this.byCandidate = byCandidate;
    this.several = this.cells.flatMap((cells, statement) =>
      cells.flatMap(({ set }, rank) => (set.length > 1 ? [{ statement, rank, set }] : [])),
    );
  }

  /** The state with no candidate. */
  empty(): State {
    const { statements, candidates } = this.problem.matrix;
    return {
      has: new Uint8Array(candidates.length),
      best: new Int32Array(statements.length).fill(-1),
      solution: { set: [], sizeBytes: 0, reads: this.base, writes: 0, cost: this.base },
    };
  }

  /** The state with exactly these candidates. */
  stateOf(set: readonly number[]): State {
    return this.with(this.empty(), set);
  }

  /** What the weighted cost of the statements falls by when candidates are added; the price of their writes is not in it. */
  gain({ has, best }: State, added: readonly number[]): number {
    for (const place of added) has[place] = 1;
    const changed = new Map<number, number>();
    for (const place of added) {
      for (const { statement, rank } of this.byCandidate[place] ?? []) {
        const current = changed.get(statement) ?? (best[statement] as number);
        if ((current === -1 || rank < current) && this.isThere(has, statement, rank)) changed.set(statement, rank);
      }
    }
    for (const place of added) has[place] = 0;
    let gain = 0;
    for (const [statement, rank] of changed) {
      gain += this.costAt(statement, best[statement] as number) - this.costAt(statement, rank);
    }
    return gain;
  }

  /** What the weighted cost of the statements rises by when a candidate is removed. */
  loss({ has, best }: State, removed: number): number {
    let loss = 0;
    has[removed] = 0;
    for (const statement of this.touched(best, removed)) {
      loss += this.costAt(statement, this.cheapest(has, statement)) - this.costAt(statement, best[statement] as number);
    }
    has[removed] = 1;
    return loss;
  }

  /** A state with more candidates, none of which is in it yet. */
  with({ has, best, solution }: State, added: readonly number[]): State {
    const next = { has: has.slice(), best: best.slice() };
    for (const place of added) next.has[place] = 1;
    for (const place of added) {
      for (const { statement, rank } of this.byCandidate[place] ?? []) {
        const current = next.best[statement] as number;
        if ((current === -1 || rank < current) && this.isThere(next.has, statement, rank)) next.best[statement] = rank;
      }
    }
    return { ...next, solution: this.solutionOf(next.best, [...solution.set, ...added]) };
  }

  /** A state without one of its candidates. */
  without({ has, best, solution }: State, removed: number): State {
    const next = { has: has.slice(), best: best.slice() };
    next.has[removed] = 0;
    for (const statement of this.touched(best, removed)) next.best[statement] = this.cheapest(next.has, statement);
    return {
      ...next,
      solution: this.solutionOf(
        next.best,
        solution.set.filter((place) => place !== removed),
      ),
    };
  }

  /** What of each cell with several candidates a state lacks: two and more at once, for one alone gains nothing there. */
  lacking({ has, best }: State, most: number): Iterable<readonly number[]> {
    const missing = new Map<string, number[]>();
    for (const { statement, rank, set } of this.several) {
      const current = best[statement] as number;
      if (current !== -1 && rank >= current) continue;
      let lacks = 0;
      for (const place of set) if (!has[place]) lacks++;
      if (lacks < 2 || lacks > most) continue;
      const added = set.filter((place) => !has[place]);
      missing.set(added.join(), added);
    }
    return missing.values();
  }

  /** The candidates that may be of less use when others are added to a state, and those others. */
  suspects({ best }: State, added: readonly number[]): number[] {
    const suspects = new Set(added);
    for (const place of added) {
      for (const { statement } of this.byCandidate[place] ?? []) {
        for (const other of this.cells[statement]?.[best[statement] as number]?.set ?? []) suspects.add(other);
      }
    }
    return [...suspects];
  }

  /** What each statement costs in a state, unweighted, in the order of the matrix. */
  statementCosts({ best }: State): number[] {
    return this.bases.map((base, statement) => this.cells[statement]?.[best[statement] as number]?.cost ?? base);
  }

  private solutionOf(best: Int32Array, places: readonly number[]): Solution {
    const set = places.toSorted((a, b) => a - b);
    // Summed up anew each time: a state is the same whatever way led to it.
    let reads = 0;
    for (let statement = 0; statement < best.length; statement++)
      reads += this.costAt(statement, best[statement] as number);
    const writes = set.reduce((sum, place) => sum + (this.problem.writes[place] ?? 0), 0);
    const sizeBytes = set.reduce((sum, place) => sum + (this.problem.sizes[place] ?? 0), 0);
    return { set, sizeBytes, reads, writes, cost: reads + writes };
  }

  private costAt(statement: number, rank: number): number {
    const cost = rank === -1 ? this.bases[statement] : this.cells[statement]?.[rank]?.cost;
    return (this.weights[statement] as number) * (cost as number);
  }

  private isThere(has: Uint8Array, statement: number, rank: number): boolean {
    for (const place of this.cells[statement]?.[rank]?.set ?? []) if (!has[place]) return false;
    return true;
  }

  private cheapest(has: Uint8Array, statement: number): number {
    const cells = this.cells[statement] as readonly unknown[];
    for (let rank = 0; rank < cells.length; rank++) if (this.isThere(has, statement, rank)) return rank;
    return -1;
  }

  /** The statements whose cheapest cell needs a candidate. */
  private touched(best: Int32Array, place: number): Set<number> {
    const touched = new Set<number>();
    for (const { statement, rank } of this.byCandidate[place] ?? [])
      if (best[statement] === rank) touched.add(statement);
    return touched;
  }
}
