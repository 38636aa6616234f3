/**
 * Makes a choice better by asking the planner, not the matrix, which knows small sets only: takes out what is of no use, adds what
 * still gains, and appends columns to what is there. Every step is tried before it is taken, so that there is a valid best choice
 * at any time.
 */
import { askCosts } from './ask-costs.ts';
import { leastUse } from './beam.ts';
import { type Candidate, covers, definitionOf } from './candidate.ts';
import { type Cost, type CostSource, OutOfTime } from './cost-source.ts';
import type { Proposal } from './matrix.ts';

/** A statement with its cost when no candidate is there. */
export interface PricedStatement {
  queryId: string;
  weight: number;
  base: number;
}

/** What a choice is made better by. */
export interface PolishTask {
  statements: readonly PricedStatement[];
  /** What may be added, the most promising first for a choice. */
  promising(chosen: readonly Proposal[]): readonly Proposal[];
  /** What may stand in the place of a proposal: it does the same, and more. */
  extensions(proposal: Proposal): readonly Proposal[];
  sizeOf(candidate: Candidate): number;
  /** What an index costs those who write, in the unit of the weighted costs. */
  writesOf(candidate: Candidate): number;
  source: CostSource;
  isOver(): boolean;
}

/** A choice that was asked for as a whole. */
export interface Measured {
  chosen: readonly Proposal[];
  sizeBytes: number;
  /** Of each statement, in the order of the task. */
  costs: readonly Cost[];
  /** Weighted. */
  reads: number;
  writes: number;
  /** Both. */
  cost: number;
}

/** A choice, and of each of its indexes what the statements would cost without it. */
export interface Polished extends Measured {
  without: readonly Measured[];
}

/** So many candidates are tried before one is added. */
const tried = 8;

/** So many of the indexes that gain least are tried to be exchanged, each for so many others. */
const exchanged = 5;
const exchangedFor = 3;

/** No statement may become dearer by more than this share: a choice that helps others at its cost is refused. */
const mostDearer = 0.05;

/** What became of a choice. */
export interface PolishResult {
  /** Null when the time was up before the choice could even be asked for. */
  polished: Polished | null;
  isComplete: boolean;
}

/**
 * The choices from none on, each with one index more: the one that gains most for its space. Beginnings that the matrix does not know.
 *
 * @returns those that were reached in time
 */
export async function growing(task: PolishTask, budget: number): Promise<readonly Measured[]> {
  const bench = new Bench(task, budget);
  const path: Measured[] = [];
  try {
    for (let [next] = await bench.measureAll([[]]); next; next = await bench.appended(next)) path.push(next);
  } catch (error) {
    if (!(error instanceof OutOfTime)) throw error;
  }
  return path;
}

/**
 * Makes the best of some choices better within a budget.
 *
 * @param starts choices that fit, at least one; the best is made better
 * @param others choices that fit, and are made better whatever they cost
 * @throws StreamGateError when the database cannot be asked
 */
export async function polish(
  task: PolishTask,
  starts: readonly (readonly Proposal[])[],
  others: readonly (readonly Proposal[])[],
  budget: number,
): Promise<PolishResult> {
  const bench = new Bench(task, budget);
  let polished: Polished | null = null;
  try {
    const measured = (await bench.measureAll(starts)).toSorted((a, b) => a.cost - b.cost);
    for (const start of [...measured.slice(0, 1), ...(await bench.measureAll(others))]) {
      let current = await bench.useful(await bench.accepted(start));
      polished = polished && polished.cost <= current.cost ? polished : current;
      for (let next = await bench.better(current); next; next = await bench.better(current)) {
        const useful = await bench.useful(next);
        // What was put in may come out again at once: then there is nothing more to gain.
        if (useful.cost >= current.cost) break;
        current = useful;
        polished = polished.cost <= current.cost ? polished : current;
      }
    }
    return { polished, isComplete: true };
  } catch (error) {
    if (!(error instanceof OutOfTime)) throw error;
    return { polished, isComplete: false };
  }
}

class Bench {
  private readonly task: PolishTask;
  private readonly budget: number;

  constructor(task: PolishTask, budget: number) {
    this.task = task;
    this.budget = budget;
  }

  /** Takes indexes out until no statement is dearer than without any. */
  async accepted(measured: Measured): Promise<Measured> {
    if (!this.isRefused(measured)) return measured;
    const without = await this.measureAll(measured.chosen.map((_, i) => measured.chosen.toSpliced(i, 1)));
    const [best] = without.toSorted((a, b) => Number(this.isRefused(a)) - Number(this.isRefused(b)) || a.cost - b.cost);
    return best ? this.accepted(best) : measured;
  }

  /** Takes out what gains less than it costs, the least useful first. */
  async useful(measured: Measured): Promise<Polished> {
    const without = await this.measureAll(measured.chosen.map((_, i) => measured.chosen.toSpliced(i, 1)));
    const [least] = without.filter((each) => !this.isRefused(each)).toSorted((a, b) => a.cost - b.cost);
    if (least && least.cost - measured.cost <= leastUse * measured.cost) return this.useful(least);
    return { ...measured, without };
  }

  /** An index more. */
  appended(current: Measured): Promise<Measured | undefined> {
    return this.mostUseful(current, this.added(current));
  }

  /** The best single step from a choice: an index more, or one with a column more; else one in the place of another. */
  async better(current: Polished): Promise<Measured | undefined> {
    const grown = await this.mostUseful(current, [...this.added(current), ...this.extended(current)]);
    if (grown) return grown;
    const other = await this.gaining(current, this.exchanged(current));
    return other.toSorted((a, b) => a.cost - b.cost)[0];
  }

  /** The choice that gains most for its space. */
  private async mostUseful(current: Measured, choices: readonly Proposal[][]): Promise<Measured | undefined> {
    const use = (next: Measured) => (current.cost - next.cost) / Math.max(1, next.sizeBytes - current.sizeBytes);
    return (await this.gaining(current, choices)).toSorted((a, b) => use(b) - use(a))[0];
  }

  /** The choices that fit, and cost less. */
  private async gaining(current: Measured, choices: readonly Proposal[][]): Promise<Measured[]> {
    const fitting = choices.filter((chosen) => this.bytesOf(chosen) <= this.budget);
    return (await this.measureAll(fitting)).filter(
      (next) => !this.isRefused(next) && current.cost - next.cost > leastUse * current.cost,
    );
  }

  /** Only where space is short: else what gains could be added. */
  private exchanged({ chosen, sizeBytes, cost, without }: Polished): Proposal[][] {
    if (!Number.isFinite(this.budget)) return [];
    const losses = chosen.map(({ candidate }, i) => ({
      i,
      use: ((without[i]?.cost ?? cost) - cost) / Math.max(1, this.task.sizeOf(candidate)),
    }));
    return losses
      .toSorted((a, b) => a.use - b.use)
      .slice(0, exchanged)
      .flatMap(({ i }) => {
        const gone = chosen[i] as Proposal;
        const rest = chosen.toSpliced(i, 1);
        const room = this.budget - sizeBytes + this.task.sizeOf(gone.candidate);
        return this.task
          .promising(rest)
          .filter(({ candidate }) => candidate !== gone.candidate && this.task.sizeOf(candidate) <= room)
          .slice(0, exchangedFor)
          .map((other) => [...rest.filter(({ candidate }) => !covers(other.candidate, candidate)), other]);
      });
  }

  private added({ chosen, sizeBytes }: Measured): Proposal[][] {
    const room = this.budget - sizeBytes;
    return this.task
      .promising(chosen)
      .filter(({ candidate }) => this.task.sizeOf(candidate) <= room)
      .slice(0, tried)
      .map((proposal) => [...chosen.filter(({ candidate }) => !covers(proposal.candidate, candidate)), proposal]);
  }

  private extended({ chosen }: Measured): Proposal[][] {
    const there = new Set(chosen.map(({ candidate }) => definitionOf(candidate)));
    return chosen.flatMap((proposal, i) =>
      this.task
        .extensions(proposal)
        .filter(({ candidate }) => !there.has(definitionOf(candidate)))
        .map((wider) => chosen.toSpliced(i, 1, wider)),
    );
  }

  private bytesOf(chosen: readonly Proposal[]): number {
    return chosen.reduce((sum, { candidate }) => sum + this.task.sizeOf(candidate), 0);
  }

  private isRefused({ costs }: Measured): boolean {
    return this.task.statements.some(({ base }, i) => !((costs[i]?.total ?? 0) <= base * (1 + mostDearer)));
  }

  /** Asks for all choices at once, of each statement only with what may help it. */
  async measureAll(choices: readonly (readonly Proposal[])[]): Promise<Measured[]> {
    if (choices.length === 0) return [];
    const sets = this.task.statements.map(({ queryId }) =>
      choices.map((chosen) =>
        chosen.filter(({ queryIds }) => queryIds.includes(queryId)).map(({ candidate }) => candidate),
      ),
    );
    const questions = this.task.statements.map(({ queryId }, i) => ({
      queryId,
      sets: (sets[i] ?? []).filter((set) => set.length > 0),
    }));
    const answers = await askCosts(this.task.source, questions, () => this.task.isOver());
    if (answers.some(({ length }, i) => length < (questions[i]?.sets.length ?? 0))) throw new OutOfTime();
    const columns = this.task.statements.map(({ base }, i) => {
      const asked = answers[i] ?? [];
      let place = 0;
      return (sets[i] ?? []).map((set) => (set.length > 0 ? (asked[place++] as Cost) : { total: base, used: [] }));
    });
    return choices.map((chosen, i) =>
      this.measured(
        chosen,
        columns.map((costs) => costs[i] as Cost),
      ),
    );
  }

  private measured(chosen: readonly Proposal[], costs: readonly Cost[]): Measured {
    const reads = this.task.statements.reduce((sum, { weight }, i) => sum + weight * (costs[i]?.total ?? 0), 0);
    const writes = chosen.reduce((sum, { candidate }) => sum + this.task.writesOf(candidate), 0);
    return { chosen, sizeBytes: this.bytesOf(chosen), costs, reads, writes, cost: reads + writes };
  }
}
