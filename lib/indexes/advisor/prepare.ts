/** Reads all that the search needs to know of a database and its workload. */
import type { Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import type { PlannerSettings, Relation } from '../../queries/catalog.ts';
import { readRelations, readSettings, tablesOf } from '../../queries/collect.ts';
import type { Plan } from '../../queries/plan/tree.ts';
import { readText } from '../../queries/text.ts';
import type { AdviseTask } from './advise.ts';
import { withoutWide } from './answered.ts';
import { type Candidate, definitionOf } from './candidate.ts';
import { type ColumnUse, candidatesFor, extensionsOf } from './candidates.ts';
import type { Prices } from './choice.ts';
import { columnUsesOf } from './column-uses.ts';
import { readCombinations } from './extended-statistics.ts';
import { withFractions } from './fractions.ts';
import type { Planner } from './hypopg.ts';
import { isMeant } from './meant.ts';
import { askFor, plannerOf, type Questions } from './questions.ts';
import { sizeOf } from './size.ts';
import { parseThroughViews, readViews } from './views.ts';
import { weightsOf } from './weights.ts';
import type { Workload } from './workload.ts';
import { noWrites, writesOf } from './write-load.ts';
import { defaultWriteSettings, writePrice } from './writes.ts';

/** What is known before the search. */
export interface Known {
  plans: ReadonlyMap<string, Plan>;
  uses: readonly ColumnUse[];
  relations: readonly Relation[];
  settings: PlannerSettings | null;
}

/** All but where the costs come from. */
export interface Prepared {
  known: Known;
  questions: Questions;
  planner: Planner;
  task: Omit<AdviseTask, 'source'>;
}

/** How a workload is prepared. */
export interface PrepareOptions {
  /** Whether constants of the workload may become a part of an index, which then shows them. */
  valuesAllowed: boolean;
  isOver?(): boolean;
  /** The time, as `Date.now()` tells it, when PostgreSQL has to give up the plan that it is asked for. */
  deadline?: number;
  /** What the statements do, changed: to leave kinds of candidates out. */
  only?(use: ColumnUse): ColumnUse;
}

/**
 * Prepares the search of indexes for a workload.
 *
 * @throws StreamGateError when the database cannot be asked
 */
export async function prepare(
  session: Session,
  server: Server,
  workload: Workload,
  { valuesAllowed, isOver = () => false, deadline, only = (use) => use }: PrepareOptions,
): Promise<Prepared> {
  const questions = await askFor(session, server, workload.heavy, isOver, deadline);
  const read = await learn(session, workload, questions, valuesAllowed);
  const known = { ...read, uses: read.uses.map(only) };
  const { uses, relations } = known;
  const prices = await pricesFor(session, server, workload, known);
  const costs = new Map([...known.plans].map(([queryId, { root }]) => [queryId, root.estimate.totalCost]));
  const about = new Set(uses.map(({ queryId }) => queryId));
  return {
    known,
    questions,
    planner: plannerOf(server, questions.answers),
    task: {
      ...prices,
      statements: weightsOf(
        workload.heavy.filter(({ queryId }) => about.has(queryId)),
        costs,
      ),
      proposals: candidatesFor(uses, relations),
      extensionsOf: (candidate) => extensionsOf(candidate, uses, relations),
    },
  };
}

/** Reads the tables of the statements, and what the statements do with them. */
async function learn(
  session: Session,
  { heavy, statements }: Workload,
  { answers }: Questions,
  valuesAllowed: boolean,
): Promise<Known> {
  const plans = new Map([...answers].map(([queryId, { plan }]) => [queryId, plan]));
  const named = statements.flatMap(({ text }) => readText(text).tables);
  const relations = await readRelations(session, [
    ...named,
    ...tablesOf([...plans.values()].map((plan) => ({ plan }))),
  ]);
  const views = await readViews(session, relations);
  const uses = heavy.flatMap(({ queryId, text }) => {
    const plan = plans.get(queryId);
    if (!plan) return [];
    const meant = relationsOf(plan, relations);
    const syntax = parseThroughViews(text, views, meant);
    return syntax ? columnUsesOf(queryId, syntax, meant, { valuesAllowed }) : [];
  });
  const settings = await readSettings(session);
  const narrow = withoutWide(uses, heavy, plans, relations);
  return { plans, relations, settings, uses: await withFractions(session, narrow, relations) };
}

/** Of tables of one name those that the plan scans: it knows the search path. */
function relationsOf(plan: Plan, relations: readonly Relation[]): Relation[] {
  const scanned = tablesOf([{ plan }]);
  return relations.filter((relation) => {
    const same = scanned.filter(({ name }) => name === relation.table);
    return same.length === 0 || same.some((name) => isMeant(relation, name));
  });
}

async function pricesFor(
  session: Session,
  server: Server,
  { statements, seconds }: Workload,
  { relations, settings }: Known,
): Promise<Prices> {
  const combinations = await readCombinations(session, relations);
  const writes = writesOf(statements, relations, seconds);
  const writeSettings = { ...(settings ?? defaultWriteSettings), versionNumber: server.versionNumber };
  const relationOf = ({ schema, table }: Candidate) =>
    relations.find((relation) => relation.schema === schema && relation.table === table) as Relation;
  const size = once((candidate) => sizeOf(candidate, relationOf(candidate), { relations, combinations }));
  const price = once((candidate) => {
    const relation = relationOf(candidate);
    return writePrice(candidate, relation, writes.get(relation) ?? noWrites, size(candidate), writeSettings);
  });
  return { sizeOf: size, writesOf: price };
}

/** Computes something of each candidate once. */
function once<Result extends object | number>(
  compute: (candidate: Candidate) => Result,
): (candidate: Candidate) => Result {
  const known = new Map<string, Result>();
  return (candidate) => {
    const definition = definitionOf(candidate);
    const result = known.get(definition) ?? compute(candidate);
    known.set(definition, result);
    return result;
  };
}
