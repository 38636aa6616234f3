/**
 * Makes a choice better by asking the planner, not the matrix, which knows small sets only: takes out what is of no use, adds what
 * still gains, and appends columns to what is there. Every step is tried before it is taken, so that there is a valid best choice
 * at any time.
 */
import { leastUse } from './beam.ts';
import { type Candidate, covers, definitionOf } from './candidate.ts';
import type { Cost, CostSource } from './cost-source.ts';
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

/** No statement may become dearer by more than this share: a choice that helps others at its cost is refused. */
const mostDearer = 0.05;

/** What became of a choice. */
export interface PolishResult {
  /** Null when the time was up before the choice could even be asked for. */
  polished: Polished | null;
  isComplete: boolean;
}

/**
 * Makes a choice better within a budget.
 *
 * @throws StreamGateError when the database cannot be asked
 */
export async function polish(task: PolishTask, start: readonly Proposal[], budget: number): Promise<PolishResult> {
  const bench = new Bench(task, budget);
  let polished: Polished | null = null;
  try {
    polished = await bench.useful(await bench.measure(start));
    for (let next = await bench.better(polished); next; next = await bench.better(polished)) {
      const useful = await bench.useful(next);
      // What was put in may come out again at once: then there is nothing more to gain.
      if (useful.cost >= polished.cost) break;
      polished = useful;
    }
    return { polished, isComplete: true };
  } catch (error) {
    if (!(error instanceof OutOfTime)) throw error;
    return { polished, isComplete: false };
  }
}

/** Ends the work wherever it is; never leaves this file. */
class OutOfTime extends Error {}

class Bench {
  private readonly task: PolishTask;
  private readonly budget: number;

  constructor(task: PolishTask, budget: number) {
    this.task = task;
    this.budget = budget;
  }

  async measure(chosen: readonly Proposal[]): Promise<Measured> {
    const [measured] = await this.measureAll([chosen]);
    return measured as Measured;
  }

  /** Takes out what gains less than it costs, the least useful first. */
  async useful(measured: Measured): Promise<Polished> {
    const without = await this.measureAll(measured.chosen.map((_, i) => measured.chosen.toSpliced(i, 1)));
    const [least] = without.filter((each) => !this.isRefused(each)).toSorted((a, b) => a.cost - b.cost);
    if (least && least.cost - measured.cost <= leastUse * measured.cost) return this.useful(least);
    return { ...measured, without };
  }

  /** The best single step from a choice: an index more, or one with a column more. */
  async better(current: Polished): Promise<Measured | undefined> {
    const steps = [...this.added(current), ...this.extended(current)].filter(
      (chosen) => this.bytesOf(chosen) <= this.budget,
    );
    const gains = (await this.measureAll(steps))
      .filter((next) => !this.isRefused(next) && current.cost - next.cost > leastUse * current.cost)
      .map((next) => ({ next, use: (current.cost - next.cost) / Math.max(1, next.sizeBytes - current.sizeBytes) }));
    return gains.toSorted((a, b) => b.use - a.use)[0]?.next;
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

  /** Asks statement by statement for all choices at once: each costs one question for all of them. */
  private async measureAll(choices: readonly (readonly Proposal[])[]): Promise<Measured[]> {
    const columns: Cost[][] = [];
    for (const { queryId, base } of choices.length === 0 ? [] : this.task.statements) {
      const sets = choices.map((chosen) =>
        chosen.filter(({ queryIds }) => queryIds.includes(queryId)).map(({ candidate }) => candidate),
      );
      const asked = sets.filter((set) => set.length > 0);
      if (asked.length > 0 && this.task.isOver()) throw new OutOfTime();
      const answers = asked.length === 0 ? [] : await this.task.source.costs(queryId, asked);
      columns.push(sets.map((set) => answers[asked.indexOf(set)] ?? { total: base, used: [] }));
    }
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
