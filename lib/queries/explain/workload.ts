import { plural } from '../../advice/format.ts';
import { isLost } from '../../postgres/attempts.ts';
import type { Note, Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import type { ParameterCosts, Statement, StatementPlan } from '../snapshot.ts';
import { loadParser } from '../text.ts';
import type { Answer } from './ask.ts';
import { explain, explained, readExplainable, refused } from './explain.ts';
import { type Failure, failureCodes, failureOf } from './failure.ts';
import { innerQuery } from './inner.ts';
import { parameterCosts } from './parameters.ts';
import { readSchemas, type Schemas } from './schemas.ts';

/** How much is explained. */
export interface WorkloadLimits {
  /** The time, as `Date.now()` tells it, when it stops with what it has. */
  deadline: number;
  /** Of the statements that take most time. */
  maxStatements?: number;
  /** Statements are explained until they take this share of the time of all, 0 to 1. */
  shareCovered?: number;
  /** Of the statements that take most time, so many are planned for several values of a parameter. */
  maxSensitive?: number;
}

/** The plans of a workload: those that took most of the time lately, then those that took most of it ever. */
export interface ExplainedWorkload {
  plans: StatementPlan[];
  notes: Note[];
}

/**
 * Explains the statements that take most of the time of a workload. What neither is nor holds one query or change of rows is left
 * out: it has no plan. A note tells what share of the time has no plan, and why.
 */
export async function explainWorkload(
  session: Session,
  server: Server,
  statements: readonly Statement[],
  { deadline, maxStatements = 200, shareCovered = 0.99, maxSensitive = 20 }: WorkloadLimits,
): Promise<ExplainedWorkload> {
  await loadParser();
  const planned = statements.filter(({ kind, query }) => kind !== 'utility' || holdsQuery(query));
  const wanted = heaviest(planned, maxStatements, shareCovered);
  const read = wanted.map(({ queryId, query }) => ({ queryId, explainable: readExplainable(query) }));
  const relations = read.flatMap(({ explainable }) => ('code' in explainable ? [] : explainable.relations));
  const schemas = await readSchemas(
    session,
    server,
    relations.flatMap(({ relname }) => relname ?? []),
  );
  const plans: StatementPlan[] = [];
  const explainAll = async () => {
    const answers = new Map<StatementPlan, Answer>();
    for (const { queryId, explainable } of read) {
      if (Date.now() >= deadline) return;
      const answer =
        'code' in explainable ? explainable : await explain(session, server, schemas, explainable, deadline);
      // It was cut short.
      if ('code' in answer && answer.code === 'timeout' && Date.now() >= deadline) return;
      const isRefused = 'code' in answer || 'code' in explainable;
      const plan = {
        queryId,
        ...(isRefused ? refused(answer as Failure) : explained(explainable, answer)),
        parameterCosts: null,
      };
      plans.push(plan);
      if (!isRefused) answers.set(plan, answer);
    }
    for (const [plan, answer] of [...answers].slice(0, maxSensitive)) {
      if (Date.now() >= deadline) return;
      plan.parameterCosts = await costsOf(session, server, schemas, answer);
    }
  };
  try {
    await explainAll();
  } catch (error) {
    if (plans.length === 0 || !isLost(error)) throw error;
    return { plans, notes: notesOn(planned, wanted, plans, 'the connection was lost') };
  }
  return { plans, notes: notesOn(planned, wanted, plans, 'the time was up') };
}

function holdsQuery(text: string): boolean {
  return innerQuery(text) !== undefined && !('code' in readExplainable(text));
}

/** Nothing where PostgreSQL refuses the statement with a value in it. */
async function costsOf(
  session: Session,
  server: Server,
  schemas: Schemas,
  answer: Answer,
): Promise<ParameterCosts | null> {
  try {
    return await parameterCosts(session, server, schemas, answer);
  } catch (error) {
    failureOf(error);
    return null;
  }
}

/**
 * The statements that take so much of the time: first those of the last window, since what has become slow an hour ago is nothing
 * beside the sums of months; then those of all time.
 */
function heaviest(statements: readonly Statement[], most: number, share: number): Statement[] {
  const called = statements.filter(({ window }) => (window?.calls ?? 0) > 0);
  const lately = topOf(called, ({ window }) => window?.totalMs ?? 0, most / 2, share);
  const ever = topOf(statements, ({ totalMs }) => totalMs, most, share);
  return [...new Set([...lately, ...ever])].slice(0, most);
}

function topOf(
  statements: readonly Statement[],
  timeOf: (statement: Statement) => number,
  most: number,
  share: number,
): Statement[] {
  const sorted = statements.toSorted((a, b) => timeOf(b) - timeOf(a));
  const enough = share * sorted.reduce((sum, statement) => sum + timeOf(statement), 0);
  let covered = 0;
  const end = sorted.findIndex((statement) => {
    const isEnough = covered >= enough;
    covered += timeOf(statement);
    return isEnough;
  });
  return sorted.slice(0, Math.min(most, end < 0 ? sorted.length : Math.max(1, end)));
}

function totalOf(statements: readonly Pick<Statement, 'totalMs'>[]): number {
  return statements.reduce((sum, { totalMs }) => sum + totalMs, 0);
}

/** None silences a rule: each statement tells by its own plan whether it was looked at. */
function notesOn(
  planned: readonly Statement[],
  wanted: readonly Statement[],
  plans: readonly StatementPlan[],
  end: string,
): Note[] {
  const notes: Note[] = [];
  const times = new Map(planned.map(({ queryId, totalMs }) => [queryId, totalMs]));
  const total = Math.max(totalOf(planned), Number.MIN_VALUE);
  const shareOf = (ids: readonly { queryId: string }[]) => {
    const share = (100 * ids.reduce((sum, { queryId }) => sum + (times.get(queryId) ?? 0), 0)) / total;
    return `${share.toFixed(1)} % of the time`;
  };
  // What a cursor stands on was found by another statement.
  const failed = plans.filter(({ failure }) => failure !== null && failure.code !== 'nothing-to-plan');
  if (failed.length > 0) {
    const codes = Map.groupBy(failed, ({ failure }) => failure?.code ?? '');
    const reasons = failureCodes.flatMap((code) => (codes.has(code) ? [`${code}: ${codes.get(code)?.length}`] : []));
    notes.push({
      code: 'statements-not-explained',
      rules: [],
      message: `${plural(failed.length, 'statement')} with ${shareOf(failed)} could not be explained (${reasons.join(', ')}).`,
    });
  }
  const left = wanted.slice(plans.length);
  if (left.length > 0) {
    notes.push({
      code: 'explain-unfinished',
      rules: [],
      message: `${plural(left.length, 'statement')} with ${shareOf(left)} were not explained: ${end}. The next audit tries again.`,
    });
  }
  return notes;
}
