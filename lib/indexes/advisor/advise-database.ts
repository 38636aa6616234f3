/**
 * Advises on the indexes of a database: reads what its statements do, lets the search choose, and writes out what was chosen.
 *
 * 1. questions.ts finds what PostgreSQL is asked for each statement.
 * 2. column-uses.ts reads what the statements do with their columns, and candidates.ts proposes candidates for it.
 * 3. advise.ts chooses among them.
 * 4. removals.ts looks for existing indexes that the chosen ones replace.
 */
import { plural } from '../../advice/format.ts';
import type { Note, Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import type { Relation } from '../../queries/catalog.ts';
import { failure } from '../../queries/explain/failure.ts';
import { failedBuild, takenNames, withoutLeftover } from '../../queries/plan/advice/index-name.ts';
import { parse } from '../../queries/syntax/syntax.ts';
import { type Advice, advise } from './advise.ts';
import { askCosts } from './ask-costs.ts';
import { type Candidate, columnsOf, nameOf, sqlOf, undoSqlOf } from './candidate.ts';
import type { ColumnUse } from './candidates.ts';
import type { Choice, ChosenIndex, Prices } from './choice.ts';
import type { CostCache } from './cost-cache.ts';
import type { Cost, CostSource } from './cost-source.ts';
import { epochsOf } from './epochs.ts';
import type { Planner } from './hypopg.ts';
import { type Known, prepare } from './prepare.ts';
import type { Questions } from './questions.ts';
import { type Reason, reasonsFor } from './reasons.ts';
import { type Removal, removalsFor } from './removals.ts';
import { type Unverified, unverifiedFor } from './unverified.ts';
import type { Workload, WorkloadStatement } from './workload.ts';
import type { WritePrice } from './writes.ts';

/** Where costs come from. */
export interface Pricing {
  /** What the answer calls it. */
  method: 'hypopg' | 'copy' | 'estimate';
  /** @param known the statements as the database is, and what they do */
  sourceFor(planner: Planner, known: Known & Pick<Prices, 'sizeOf'> & { isOver(): boolean }): CostSource;
  /** A source whose plans do without existing indexes; null where there is none. */
  without?(
    planner: Planner,
    dropped: readonly (Removal & { oid: string })[],
    isOver: () => boolean,
  ): Promise<CostSource | null>;
}

/** What is asked of the advisor. */
export interface DatabaseTask {
  workload: Workload;
  pricing: Pricing;
  /** What all new indexes together may take; null: any size. */
  budgetBytes: number | null;
  /** Whether constants of the workload may become a part of an index, which then shows them. */
  valuesAllowed?: boolean;
  /** The time, as `Date.now()` tells it, when it answers with what it has by then. */
  deadline?: number;
  /** Tells when to stop, too. */
  isOver?(): boolean;
  /** What an earlier run has learned. */
  resume?: CostCache;
}

/** An index to create. Costs are weighted, in the planner's unit. */
export interface ProposedIndex {
  sql: string;
  undoSql: string;
  name: string;
  schema: string;
  table: string;
  method: Candidate['method'];
  /** The keys in their order: columns, or expressions as SQL. */
  columns: string[];
  included: string[];
  predicate: string | null;
  /** Expected, right after it is built. */
  sizeBytes: number;
  /** What the workload would cost more without it, the others being there. */
  gain: number;
  /** What it costs those who write. */
  write: WritePrice;
  why: Reason[];
  /** Without it and with it, the others being there. Costs of one call. */
  helps: { queryId: string; costBefore: number; costAfter: number }[];
  caution: string;
}

/** A statement of the workload that has a plan. */
export interface AdvisedQuery {
  queryId: string;
  /** With $n for its constants. */
  sql: string;
  calls: number;
  /** What its cost counts in that of the workload. */
  weight: number;
  /** Of one call, in the planner's unit. */
  costBefore: number;
  costAfter: number;
}

/** What the advisor says of a database. */
export interface DatabaseAdvice {
  method: Pricing['method'];
  budgetBytes: number | null;
  indexes: ProposedIndex[];
  removals: Removal[];
  workload: { costBefore: number; costAfter: number; readCost: number; writeCost: number; sizeBytes: number };
  queries: AdvisedQuery[];
  /** What other sizes would bring: none is both larger and dearer than another. */
  front: { sizeBytes: number; cost: number; indexes: number }[];
  unverified: Unverified[];
  notes: Note[];
  /** False when the time was up before the search had ended. */
  isComplete: boolean;
  /** Plans that were made during the search. */
  plannerCalls: number;
  learned: CostCache;
}

/**
 * Advises on the indexes of a database.
 *
 * @throws StreamGateError when the database cannot be asked
 */
export async function adviseDatabase(session: Session, server: Server, task: DatabaseTask): Promise<DatabaseAdvice> {
  const { workload, pricing, deadline = Number.POSITIVE_INFINITY } = task;
  const isOver = () => Date.now() >= deadline || task.isOver?.() === true;
  const prepared = await prepare(session, server, workload, {
    valuesAllowed: task.valuesAllowed ?? false,
    isOver,
    deadline,
  });
  const { known, questions, planner } = prepared;
  const { relations } = known;
  const advice = await advise({
    ...prepared.task,
    source: pricing.sourceFor(planner, { ...known, sizeOf: prepared.task.sizeOf, isOver }),
    budgets: task.budgetBytes === null ? [] : [task.budgetBytes],
    isOver,
    epochs: epochsOf(server, known, planner, pricing.method),
    ...(task.resume ? { resume: task.resume } : {}),
  });
  const choice = (advice.choices[0] as Advice['choices'][number]).choice;
  const without: Without = async (dropped) => (await pricing.without?.(planner, dropped, isOver)) ?? null;
  const removals = await removalsOf(session, without, advice, choice, { relations, isOver });
  return {
    method: pricing.method,
    budgetBytes: task.budgetBytes,
    indexes: proposedOf(choice, known),
    removals,
    workload: {
      costBefore: advice.costBefore,
      costAfter: choice.cost,
      readCost: choice.readCost,
      writeCost: choice.writeCost,
      sizeBytes: choice.sizeBytes,
    },
    queries: queriesOf(workload, advice, choice),
    front: advice.front.map(({ sizeBytes, cost, indexes }) => ({ sizeBytes, cost, indexes: indexes.length })),
    unverified: unverifiedFor(
      workload.heavy.flatMap(({ queryId, text }) => {
        const syntax = parse(text);
        return syntax ? [{ queryId, syntax }] : [];
      }),
      relations,
    ),
    notes: [...workload.notes, ...notesOn(questions, advice)],
    isComplete: advice.isComplete && questions.left === 0,
    plannerCalls: advice.calls,
    learned: advice.learned,
  };
}

function proposedOf({ indexes }: Choice, { uses, relations }: Known): ProposedIndex[] {
  const taken = relations.flatMap(({ kind, indexes: existing }) =>
    kind === 'partitioned table' ? existing.map(({ name }) => name) : takenNames(existing),
  );
  return indexes
    .toSorted((a, b) => b.gain - b.write.cost - (a.gain - a.write.cost))
    .map((index) => {
      const name = nameOf(index.candidate, taken);
      taken.push(name);
      return proposed(index, name, uses, relations);
    });
}

function proposed(
  { candidate, sizeBytes, write, gain, helps }: ChosenIndex,
  name: string,
  uses: readonly ColumnUse[],
  relations: readonly Relation[],
): ProposedIndex {
  const { schema, table, method, keys, included, predicate } = candidate;
  const relation = relations.find((each) => each.schema === schema && each.table === table);
  const concurrently = relation?.kind !== 'partitioned table';
  const helped = new Set(helps.map(({ queryId }) => queryId));
  return {
    sql: `${withoutLeftover(schema, name, relation?.indexes ?? [])}${sqlOf(candidate, { name, concurrently, ifNotExists: true })};`,
    undoSql: `${undoSqlOf(candidate, { name, concurrently })};`,
    name,
    schema,
    table,
    method,
    columns: keys.map(({ column, expression }) => column ?? expression ?? ''),
    included: [...included],
    predicate: predicate?.sql ?? null,
    sizeBytes,
    gain,
    write,
    why: reasonsFor(
      candidate,
      uses.filter(({ queryId }) => helped.has(queryId)),
    ),
    helps,
    caution: cautionOf(candidate, relation, write, concurrently),
  };
}

/** https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY */
function cautionOf(
  candidate: Candidate,
  relation: Relation | undefined,
  { lostHotUpdates }: WritePrice,
  concurrently: boolean,
): string {
  const locks = concurrently
    ? `Reads and writes go on while it is built. It reads the table twice, waits for every transaction that is open, and cannot run inside a transaction. ${failedBuild}`
    : 'It stops writes to all partitions while it is built, because a partitioned table knows no CONCURRENTLY.';
  const hot =
    lostHotUpdates >= 1
      ? ` ${plural(lostHotUpdates, 'update')} of ${columnsOf(candidate).join(', ')} wrote to no index so far and would write to all ${plural((relation?.indexes.length ?? 0) + 1, 'index', 'indexes')} of the table.`
      : '';
  return locks + hot;
}

function queriesOf({ heavy }: Workload, advice: Advice, { statements }: Choice): AdvisedQuery[] {
  const changes = new Map(statements.map((change) => [change.queryId, change]));
  const byId = new Map<string, WorkloadStatement>(heavy.map((statement) => [statement.queryId, statement]));
  return advice.statements.flatMap(({ queryId, weight, base }) => {
    const statement = byId.get(queryId);
    if (!statement) return [];
    const costAfter = changes.get(queryId)?.costAfter ?? base;
    return [{ queryId, sql: statement.shown, calls: statement.calls, weight, costBefore: base, costAfter }];
  });
}

/** Costs without existing indexes; null where nobody can tell. */
type Without = (dropped: readonly (Removal & { oid: string })[]) => Promise<CostSource | null>;

async function removalsOf(
  session: Session,
  without: Without,
  advice: Advice,
  choice: Choice,
  { relations, isOver }: { relations: readonly Relation[]; isOver(): boolean },
): Promise<Removal[]> {
  const chosen = choice.indexes.map(({ candidate }) => candidate);
  const found = await removalsFor(session, chosen, relations);
  const accepted: typeof found = [];
  for (const removal of found) {
    const source = await without([...accepted, removal]);
    const isVerified = source ? await isEnough(source, advice, choice, isOver) : undefined;
    if (isVerified !== false) accepted.push({ ...removal, isVerified: isVerified === true });
  }
  return accepted.map(({ oid: _, ...removal }) => removal);
}

/** No statement may become dearer by more than this share when an index goes. */
const mostDearer = 0.05;

/** Whether the chosen indexes are enough for all statements; undefined where the time was up. */
async function isEnough(
  source: CostSource,
  { statements }: Advice,
  choice: Choice,
  isOver: () => boolean,
): Promise<boolean | undefined> {
  const chosen = choice.indexes.map(({ candidate }) => candidate);
  const changes = new Map(choice.statements.map((change) => [change.queryId, change]));
  const answers = await askCosts(
    source,
    statements.map(({ queryId }) => ({ queryId, sets: [chosen] })),
    isOver,
  );
  const isDearer = statements.some(({ queryId, base }, i) => {
    const [cost] = answers[i] as Cost[];
    return cost && !(cost.total <= (changes.get(queryId)?.costAfter ?? base) * (1 + mostDearer));
  });
  if (isDearer) return false;
  return answers.every((costs) => costs.length > 0) ? true : undefined;
}

function notesOn({ failures, left }: Questions, { isComplete, unplanned }: Advice): Note[] {
  const notes: Note[] = [];
  const note = (code: string, message: string) => notes.push({ code, rules: ['indexes/missing'], message });
  const codes = Map.groupBy(
    [...failures.values()].filter((code) => code !== 'nothing-to-plan'),
    (code) => code,
  );
  if (codes.size > 0) {
    const reasons = [...codes].map(([code, found]) => `${code}: ${found.length}`).join(', ');
    const count = [...codes.values()].flat().length;
    const remedy = codes.has('permission') ? ` ${failure('permission').message}` : '';
    note(
      'advice-unexplained',
      `${plural(count, 'statement')} could not be explained (${reasons}), and got no advice.${remedy}`,
    );
  }
  if (unplanned.length > 0) {
    note(
      'advice-unplanned',
      `${plural(unplanned.length, 'statement')} lost its plan while it was looked at, and got no advice.`,
    );
  }
  if (!isComplete || left > 0) {
    note('advice-out-of-time', 'The time was up before the search had ended. This is the best that was found by then.');
  }
  return notes;
}
