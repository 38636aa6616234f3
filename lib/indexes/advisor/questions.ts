/**
 * What PostgreSQL is asked for each statement of a workload: the text that stands in its place, and the search path. Found once,
 * so that each later plan costs one question and no guess of types.
 */
import type { Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import { type Answer, askPlan, type PlanSql, planSqlOf, type Question } from '../../queries/explain/ask.ts';
import { explain, readExplainable } from '../../queries/explain/explain.ts';
import type { FailureCode } from '../../queries/explain/failure.ts';
import { readSchemas } from '../../queries/explain/schemas.ts';
import { readJsonPlan } from '../../queries/plan/json.ts';
import { loadParser } from '../../queries/text.ts';
import type { Planner } from './hypopg.ts';
import type { WorkloadStatement } from './workload.ts';

/** What is known of the statements of a workload before any candidate is. */
export interface Questions {
  /** By query id. */
  answers: ReadonlyMap<string, Answer>;
  /** Of the others, why they have no plan. */
  failures: ReadonlyMap<string, FailureCode>;
  /** Statements that were not asked for: the time was up. */
  left: number;
}

/**
 * Asks for the plan of each statement as the database is.
 *
 * @param deadline the time, as `Date.now()` tells it, when PostgreSQL has to give up
 * @throws StreamGateError when the database cannot be asked
 */
export async function askFor(
  session: Session,
  server: Server,
  statements: readonly WorkloadStatement[],
  isOver: () => boolean,
  deadline?: number,
): Promise<Questions> {
  await loadParser();
  const read = statements.map(({ queryId, text }) => ({ queryId, explainable: readExplainable(text) }));
  const names = read.flatMap(({ explainable }) => ('code' in explainable ? [] : explainable.relations));
  const schemas = await readSchemas(
    session,
    server,
    names.flatMap(({ relname }) => relname ?? []),
  );
  const answers = new Map<string, Answer>();
  const failures = new Map<string, FailureCode>();
  for (const { queryId, explainable } of read) {
    if (isOver()) break;
    const answer = 'code' in explainable ? explainable : await explain(session, server, schemas, explainable, deadline);
    // It was cut short.
    if ('code' in answer && answer.code === 'timeout' && isOver()) break;
    if ('code' in answer) failures.set(queryId, answer.code);
    else answers.set(queryId, answer);
  }
  return { answers, failures, left: read.length - answers.size - failures.size };
}

/** Plans statements by the questions that were found for them. */
export function plannerOf(server: Server, questions: ReadonlyMap<string, { question: Question }>): Planner {
  const texts = new Map<string, PlanSql>();
  return {
    async plan(session, queryId) {
      const known = questions.get(queryId);
      return known ? readJsonPlan(await askPlan(session, server, known.question)) : null;
    },
    sqlFor(queryId) {
      const known = questions.get(queryId);
      const sql = texts.get(queryId) ?? (known && planSqlOf(server, known.question));
      if (sql) texts.set(queryId, sql);
      return sql;
    },
  };
}
