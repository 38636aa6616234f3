/** Lets the advisor and its peers choose indexes for one workload, and asks PostgreSQL what it costs then. */
import { advise } from '../../lib/indexes/advisor/advise.ts';
import { type Candidate, candidateOn, definitionOf } from '../../lib/indexes/advisor/candidate.ts';
import { type ColumnUse, isCoveredBy } from '../../lib/indexes/advisor/candidates.ts';
import type { Choice } from '../../lib/indexes/advisor/choice.ts';
import { hypopgSource } from '../../lib/indexes/advisor/hypopg.ts';
import { type Prepared, prepare } from '../../lib/indexes/advisor/prepare.ts';
import type { Workload } from '../../lib/indexes/advisor/workload.ts';
import type { Server } from '../../lib/postgres/server.ts';
import type { Session } from '../../lib/postgres/session.ts';
import { dexter } from './dexter.ts';
import { extend } from './extend.ts';
import { indexAdvisor } from './index-advisor.ts';
import { type Task, taskOf } from './task.ts';

/** A run of one way to choose. Costs are percent of the cost without any index. */
export interface Run {
  cost: number[];
  indexes: number[];
  calls: number;
  ms: number;
}

/** A peer that knows no budget, beside the advisor with the space that the peer took. */
export interface Unbounded {
  name: string;
  cost: number;
  indexes: number;
  sizeBytes: number;
  calls: number;
  ours: number;
  ourPlain: number;
}

/** What came out for a workload. */
export interface Comparison {
  budgets: readonly number[];
  /** With all kinds of candidates, and with columns alone, as Extend has them. */
  ours: Run;
  plain: Run;
  extend: Run;
  unbounded: Unbounded[];
  /** The advisor's answer at each budget, and what it was made from. */
  choices: Choice[];
  prepared: Prepared;
}

const peers: readonly [string, (task: Task) => ReturnType<typeof extend>][] = [
  ['Dexter, 50 %', (task) => dexter(task, 0.5)],
  ['Dexter, 10 %', (task) => dexter(task, 0.1)],
  ['index_advisor', indexAdvisor],
];

/** Without conditions, expressions and covering columns. */
const columnsAlone = (use: ColumnUse): ColumnUse => ({ ...use, projected: null, predicates: [], expressions: [] });

/** Compares on one database. @param budgets in bytes */
export async function compare(
  session: Session,
  server: Server,
  workload: Workload,
  budgets: readonly number[],
): Promise<Comparison> {
  const schema = server.extensions.hypopg?.schema ?? 'public';
  const prepared = await prepare(session, server, workload, { valuesAllowed: true });
  const alone = await prepare(session, server, workload, { valuesAllowed: true, only: columnsAlone });
  const source = () => hypopgSource(session, schema, prepared.planner);
  const ours = await timed(() => advise({ ...prepared.task, source: source(), budgets }));
  const plain = await timed(() => advise({ ...alone.task, source: source(), budgets }));
  const percent = (cost: number) => (100 * cost) / ours.result.costBefore;
  const { uses } = prepared.known;
  const tablesOf = new Map(
    [...Map.groupBy(uses, ({ queryId }) => queryId)].map(([id, all]) => [id, new Set(all.map(({ table }) => table))]),
  );
  const task = () =>
    taskOf({
      statements: prepared.task.statements,
      ...columnsOf(uses, prepared),
      tablesOf,
      source: source(),
      sizeOf: prepared.task.sizeOf,
      writesOf: (candidate) => prepared.task.writesOf(candidate).cost,
    });
  const extended: Run = { cost: [], indexes: [], calls: 0, ms: 0 };
  for (const budget of budgets) {
    const peer = task();
    const { result, ms } = await timed(() => extend(peer, budget, 2));
    extended.cost.push(percent(result.cost));
    extended.indexes.push(result.indexes.length);
    extended.calls += peer.calls;
    extended.ms += ms;
  }
  const unbounded: Unbounded[] = [];
  for (const [name, choose] of peers) {
    const peer = task();
    const { indexes, cost } = await choose(peer);
    const sizeBytes = peer.bytesOf(indexes);
    const at = async ({ task: own }: Prepared) => {
      const { choices } = await advise({ ...own, source: source(), budgets: [sizeBytes] });
      return percent(choices[0]?.choice.cost ?? Number.NaN);
    };
    unbounded.push({
      name,
      cost: percent(cost),
      indexes: indexes.length,
      sizeBytes,
      calls: peer.calls,
      ours: await at(prepared),
      ourPlain: await at(alone),
    });
  }
  const runOf = ({ result, ms }: typeof ours): Run => ({
    cost: result.choices.map(({ choice }) => percent(choice.cost)),
    indexes: result.choices.map(({ choice }) => choice.indexes.length),
    calls: result.calls,
    ms,
  });
  return {
    budgets,
    ours: runOf(ours),
    plain: runOf(plain),
    extend: extended,
    unbounded,
    choices: ours.result.choices.map(({ choice }) => choice),
    prepared,
  };
}

async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; ms: number }> {
  const from = performance.now();
  const result = await work();
  return { result, ms: performance.now() - from };
}

/**
 * An index on each column that a statement filters, joins, groups or orders by, of tables that are large enough for any. Those that an
 * index of the database begins with are apart: a hypothetical copy looks cheaper to the planner than what is there
 * (https://github.com/HypoPG/hypopg/issues/48), and would be bought for nothing.
 */
function columnsOf(
  uses: readonly ColumnUse[],
  { known: { relations }, task: { proposals } }: Prepared,
): Pick<Task, 'columns' | 'indexed'> {
  const tables = new Set(proposals.map(({ candidate }) => candidate.table));
  const all = uses
    .filter(({ table }) => tables.has(table))
    .flatMap(({ schema, table, equality, range, join, order, group }) =>
      [...equality, ...range, ...join, ...order.map(({ column }) => column), ...group].map((column) =>
        candidateOn(schema, table, [column]),
      ),
    );
  const distinct = [...new Map(all.map((candidate) => [definitionOf(candidate), candidate])).values()];
  const isIndexed = (candidate: Candidate) =>
    relations.some(
      ({ schema, table, indexes }) =>
        schema === candidate.schema &&
        table === candidate.table &&
        indexes.some((index) => isCoveredBy(candidate, index)),
    );
  return { columns: distinct.filter((each) => !isIndexed(each)), indexed: distinct.filter(isIndexed) };
}
