/**
 * Costs with indexes that HypoPG only pretends: nothing is built, and nobody else sees them.
 * https://hypopg.readthedocs.io/en/rel1_stable/usage.html
 *
 * What is asked in one go is answered by one message: a plan takes the server a fifth of a millisecond, and each way there and back
 * as long again, in a cloud several times that. Where the server refuses something in a message, each plan of it is asked for alone.
 *
 * Pretended indexes live in a connection of the server and know no transactions. So all that a transaction pretends is taken back
 * at its end: behind a pooler the connection is somebody else's next.
 */
import type { Read, ReadAll, Session } from '../../postgres/session.ts';
import { deallocateSql, type PlanSql } from '../../queries/explain/ask.ts';
import { nodesOf, type Plan } from '../../queries/plan/tree.ts';
import { attempt, isRefusal } from './attempt.ts';
import { type Candidate, definitionOf } from './candidate.ts';
import { type Cost, type CostSource, OutOfTime } from './cost-source.ts';
import { costOf, type HypopgSql, hypopgSql, messageFor, type Pretended } from './hypopg-message.ts';
import type { PlanCost } from './plan-cost.ts';

/** Plans statements. */
export interface Planner {
  /**
   * Plans a statement on the session that it is given, which is in the midst of a transaction. Null where it has no plan.
   *
   * @throws StreamGateError as `Session.read`
   */
  plan(session: Session, queryId: string): Promise<Plan | null>;
  /** What the server is sent for it; undefined where it has no plan. */
  sqlFor(queryId: string): PlanSql | undefined;
}

/** How a source works. */
export interface HypopgOptions {
  /** Existing indexes, by their oids, which plans must do without; only where {@link canHide}. */
  hidden?: readonly string[];
  /** Tells when to stop. */
  isOver?(): boolean;
}

/** A message holds so many plans at most, and no more than are expected to take a moment: in between the deadline is looked at. */
const mostPlans = 64;
const momentMs = 250;

/** What takes longer than its part of this is asked for alone; so long a message may take, in milliseconds. */
const messageMs = 10_000;

/** A plan that is asked for, until there is an answer. */
interface Asked {
  queryId: string;
  set: readonly Candidate[];
  answer(cost: Cost): void;
  fail(error: unknown): void;
}

/**
 * A source over HypoPG. It never changes anything in the database.
 *
 * @param schema where the extension is: its functions are on nobody's search path
 */
export function hypopgSource(
  session: Session,
  schema: string,
  planner: Planner,
  { hidden = [], isOver = () => false }: HypopgOptions = {},
): CostSource {
  const desk = new Desk(session, hypopgSql(schema), planner, hidden, isOver);
  const waiting: Asked[] = [];
  let last = Promise.resolve();
  const answerAll = async () => {
    while (waiting.length > 0) {
      const some = waiting.splice(0, desk.plansAtOnce);
      try {
        await desk.answer(some);
      } catch (error) {
        // For those that were answered before it comes too late.
        for (const { fail } of some) fail(error);
      }
    }
  };
  const costOfSet = (queryId: string, set: readonly Candidate[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<Cost>();
    // One transaction at a time. What else is asked before it can begin goes into it, too.
    if (waiting.push({ queryId, set, answer: resolve, fail: reject }) === 1) last = last.then(answerAll);
    return promise;
  };
  return { costs: (queryId, sets) => Promise.all(sets.map((set) => costOfSet(queryId, set))) };
}

/** Whether HypoPG can hide indexes: from 1.4 on. @throws StreamGateError when the database cannot be asked */
export async function canHide(session: Session, schema: string): Promise<boolean> {
  const [row] = await session.read<{ can: boolean }>(
    `select exists (
       select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname = $1 and p.proname = 'hypopg_hide_index'
     ) as can`,
    [schema],
  );
  return row?.can === true;
}

/** Answers, and remembers what is not to be asked for together with others. */
class Desk {
  private readonly session: Session;
  private readonly hypopg: HypopgSql;
  private readonly planner: Planner;
  private readonly hidden: readonly string[];
  private readonly isOver: () => boolean;
  /** Definitions that HypoPG refused: their sets cost what they cost without them. */
  private readonly refused = new Set<string>();
  /** Statements that have failed, or that take long to plan. */
  private readonly apart = new Set<string>();
  private msPerPlan = 0;

  constructor(session: Session, hypopg: HypopgSql, planner: Planner, hidden: readonly string[], isOver: () => boolean) {
    this.session = session;
    this.hypopg = hypopg;
    this.planner = planner;
    this.hidden = hidden;
    this.isOver = isOver;
  }

  /** How many plans are expected to take a moment. */
  get plansAtOnce(): number {
    return Math.max(1, Math.min(mostPlans, Math.floor(momentMs / this.msPerPlan)));
  }

  /** @throws StreamGateError when the database cannot be asked; OutOfTime when the time was up before all were answered */
  async answer(asked: readonly Asked[]): Promise<void> {
    if (this.isOver()) throw new OutOfTime();
    const from = performance.now();
    const left = await this.answerTogether(asked);
    const answers: (() => void)[] = [];
    try {
      if (left.length > 0) {
        await this.session.transaction((read, readAll) => this.answerAlone(read, readAll, left, answers));
      }
    } finally {
      // Whoever gets the last one may go on at once, on this very connection.
      for (const answer of answers) answer();
    }
    this.msPerPlan = (performance.now() - from) / asked.length;
  }

  /** Sends one message for all that may be asked together. Returns those that have no answer then. */
  private async answerTogether(asked: readonly Asked[]): Promise<readonly Asked[]> {
    const isTogether = ({ queryId }: Asked) => !this.apart.has(queryId) && this.planner.sqlFor(queryId) !== undefined;
    const together = asked.filter(isTogether);
    const wanted = [...Map.groupBy(together, ({ queryId }) => queryId)].map(([queryId, each]) => ({
      sql: this.planner.sqlFor(queryId) as PlanSql,
      each,
      sets: each.map(({ set }) => set),
    }));
    if (wanted.length === 0) return asked;
    const limitMs = messageMs / together.length;
    const { clear, refused, hypopg } = this;
    const message = messageFor(wanted, { clear, create: hypopg.create, refused, limitMs });
    try {
      const rows = await this.session.transaction((_, readAll) => readAll([...message.statements, ...this.end]));
      const costs = message.costsIn(rows);
      for (const [i, { each }] of wanted.entries()) {
        for (const [j, { answer }] of each.entries()) answer(costs[i]?.[j] as Cost);
      }
      return asked.filter((each) => !isTogether(each));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return asked;
    }
  }

  /** What was pretended before must not be there any more. */
  private get clear(): readonly string[] {
    return [this.hypopg.reset, ...this.hidden.map(this.hypopg.hide)];
  }

  /** What is pretended must not stay. */
  private get end(): readonly string[] {
    return this.hidden.length > 0 ? [this.hypopg.reset, this.hypopg.unhide] : [this.hypopg.reset];
  }

  /** Asks for each plan by itself. @param answers gets what is to be done when the transaction is over */
  private async answerAlone(
    read: Read,
    readAll: ReadAll,
    asked: readonly Asked[],
    answers: (() => void)[],
  ): Promise<void> {
    const inside: Session = { ...this.session, read, transaction: (work) => work(read, readAll) };
    await readAll(this.clear);
    try {
      // A message that failed may have left something prepared. Where nothing is, the server says so.
      await attempt(read, () => read(deallocateSql));
      for (const { queryId, set, answer } of asked) {
        if (this.isOver()) throw new OutOfTime();
        await readAll(this.clear);
        const { definitions, names } = await this.pretend(read, set);
        const plan = await this.planAlone(inside, queryId);
        const cost = costOf(plan === null ? undefined : planCost(plan), definitions, names);
        answers.push(() => answer(cost));
      }
    } finally {
      // Where the transaction failed the server has ended it, or it takes nothing more; then the next one resets.
      await readAll(this.end).catch(() => {});
    }
  }

  /** Pretends the indexes of a set. One that HypoPG refuses must not keep the others from being tried. */
  private async pretend(read: Read, set: readonly Candidate[]): Promise<{ definitions: string[]; names: Pretended[] }> {
    const definitions: string[] = [];
    const names: Pretended[] = [];
    for (const [definition, candidate] of new Map(set.map((each) => [definitionOf(each), each]))) {
      if (this.refused.has(definition)) continue;
      const [made] = (await attempt(read, () => read<Pretended>(this.hypopg.create([candidate])))) ?? [];
      if (made) {
        definitions.push(definition);
        names.push(made);
      } else this.refused.add(definition);
    }
    return { definitions, names };
  }

  private async planAlone(inside: Session, queryId: string): Promise<Plan | null> {
    const from = performance.now();
    const plan = await attempt(inside.read, () => this.planner.plan(inside, queryId));
    // Perhaps it has no plan because the time was up.
    if (plan === null && this.isOver()) throw new OutOfTime();
    if (plan === null || performance.now() - from > messageMs / mostPlans) this.apart.add(queryId);
    return plan;
  }
}

function planCost(plan: Plan): PlanCost {
  const indexes = new Set([...nodesOf(plan)].flatMap(({ node }) => node.index ?? []));
  return { total: plan.root.estimate.totalCost, indexes };
}
