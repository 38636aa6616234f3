/**
 * The plan of a statement as pg_stat_statements shows it: without its constants, and without a word of what they were, which
 * types they had, and where its tables were looked up. The statement itself is never run.
 *
 * 1. repair.ts makes it SQL again: `interval $1` is none. inner.ts finds the query of a cursor and the like.
 * 2. select.ts makes a SELECT of what changes rows.
 * 3. groups.ts gives what must be equal the same parameters.
 * 4. schemas.ts finds the search path.
 * 5. ask.ts asks PostgreSQL for a plan; where it stumbles over types, types.ts casts, where it misses settings of the
 *    application, settings.ts makes them up, and it is asked again.
 *
 * What stands in the statement's place is checked once more before it is sent: it is one SELECT that changes and locks nothing,
 * and it goes into a transaction that can only read. PostgreSQL runs functions while it plans: those that are IMMUTABLE or
 * STABLE, where it knows their arguments. They run with the rights of the auditing role, as in any EXPLAIN.
 */
import type { Node, RangeVar } from 'libpg-query';
import type { Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import { readJsonPlan } from '../plan/json.ts';
import { shapeOf } from '../plan/shape.ts';
import { nodesOf } from '../plan/tree.ts';
import type { StatementPlan } from '../snapshot.ts';
import { as, nodesIn } from '../syntax/node.ts';
import { loadParser } from '../text.ts';
import { type Answer, askPlan, refusalOf } from './ask.ts';
import { applyEdits, type Edit, placeBefore } from './edits.ts';
import { type Failure, failure, failureOf } from './failure.ts';
import { shareParameters } from './groups.ts';
import { harmless } from './harmless.ts';
import { innerQuery } from './inner.ts';
import { readRepaired, repairTree, widenLists } from './repair.ts';
import { isView, pathsFor, readSchemas, relationsOf, type Schemas } from './schemas.ts';
import { changesRows, toSelect, withoutLocks } from './select.ts';
import { type ApplicationSettings, nextSettings } from './settings.ts';
import { parseOne, readSource, type Source, tokensOf } from './source.ts';
import { castEdits, type Guesses, isTypeError, nextGuesses } from './types.ts';

/** The plan of a statement, or why there is none. */
export type Explained = Omit<StatementPlan, 'queryId' | 'parameterCosts'>;

/** A statement that was read, and may be explained. */
export interface Explainable {
  source: Source;
  relations: readonly RangeVar[];
}

/** Longer texts are lists of values. */
const maxBytes = 100_000;

/** So often PostgreSQL is asked for a plan, with other types each time. */
const maxAttempts = 48;

/**
 * Explains a statement. What is given with its constants is explained with them, and they are in the plan: give what is to be
 * kept as `readText` masks it.
 *
 * @throws StreamGateError when the database cannot be asked; what is wrong with the statement is its `failure`
 */
export async function explainStatement(session: Session, server: Server, query: string): Promise<Explained> {
  await loadParser();
  const explainable = readExplainable(query);
  if ('code' in explainable) return refused(explainable);
  const names = explainable.relations.flatMap(({ relname }) => relname ?? []);
  const schemas = await readSchemas(session, server, names);
  const answer = await explain(session, server, schemas, explainable);
  return 'code' in answer ? refused(answer) : explained(explainable, answer);
}

/** Reads a statement, or says why it cannot be explained. The parser must have been loaded. */
export function readExplainable(query: string): Explainable | Failure {
  if (query.endsWith('…')) return failure('cut-off');
  if (Buffer.byteLength(query) > maxBytes) return failure('too-long');
  const source = readRepaired(innerQuery(query) ?? query);
  if (!source) return failure(isSeveral(query) ? 'utility' : 'syntax');
  if (!isPlanned(source.statement)) return failure('utility');
  return { source, relations: relationsOf(source.statement) };
}

function isSeveral(query: string): boolean {
  const tokens = tokensOf(query) ?? [];
  return tokens.slice(0, -1).some(({ text }) => text === ';');
}

/** SELECT … INTO makes a table. */
function isPlanned(statement: Node): boolean {
  return changesRows(statement) || (as('SelectStmt', statement) !== undefined && !makesTable(statement));
}

function makesTable(statement: Node): boolean {
  return [...nodesIn(statement)].some((node) => as('SelectStmt', node)?.intoClause !== undefined);
}

/**
 * Finds a plan for a statement under the first search path that it works with.
 *
 * @param deadline the time, as `Date.now()` tells it, after which no further path and no further type is tried
 */
export async function explain(
  session: Session,
  server: Server,
  schemas: Schemas,
  { source, relations }: Explainable,
  deadline = Number.POSITIVE_INFINITY,
): Promise<Answer | Failure> {
  const found = pathsFor(relations, schemas);
  if ('failure' in found) return failure(found.failure);
  let last: Failure = failure('other');
  for (const path of found.paths) {
    const text = rewritten(source, server.versionNumber, (relation) => isView(relation, path, schemas));
    if (text === undefined) return failure('nothing-to-plan');
    const answer = await askWithTypes(session, server, { text, path, names: schemas.settings }, deadline);
    if (!('code' in answer)) return answer;
    last = answer;
    // Another table of the name may have the column, another schema the function.
    if (last.code !== 'missing-relation' && last.code !== 'missing-function') break;
  }
  return last;
}

/**
 * The SELECT that PostgreSQL plans in the place of a statement; undefined where there is none.
 *
 * @param hasNoRows whether a relation is a view
 */
export function rewritten(
  source: Source,
  versionNumber: number,
  hasNoRows: (relation: RangeVar) => boolean,
): string | undefined {
  const found = changesRows(source.statement) ? toSelect(source, hasNoRows) : [];
  if (!found) return undefined;
  const select = changed(source, found);
  const shared = select && changed(select, shareParameters(select));
  if (!shared) return '';
  const repairs = [...withoutLocks(shared), ...repairTree(shared, versionNumber), ...widenLists(shared, versionNumber)];
  return applyEdits(shared.text, repairs);
}

function changed(source: Source, edits: readonly Edit[]): Source | undefined {
  return edits.length > 0 ? readSource(applyEdits(source.text, edits)) : source;
}

async function askWithTypes(
  session: Session,
  server: Server,
  { text, path, names }: { text: string; path: readonly string[]; names: readonly string[] },
  deadline: number,
): Promise<Answer | Failure> {
  let guesses: Guesses = new Map();
  let casts: Edit[] = [];
  let settings: ApplicationSettings = {};
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (Date.now() >= deadline) return failure('timeout');
    const select = harmless(applyEdits(text, casts));
    if (!select) return failure('syntax');
    const question = { text: select, path, settings };
    try {
      const plan = readJsonPlan(await askPlan(session, server, question, deadline));
      return (await isHidden(session, server, { plan, question })) ? failure('row-security') : { plan, question };
    } catch (error) {
      const wanted = nextSettings(settings, names, error);
      if (wanted) {
        settings = wanted;
        continue;
      }
      const refusal = refusalOf(error, server, question);
      const statement = refusal && isTypeError(refusal.code) ? parseOne(text) : undefined;
      if (!refusal || !statement) return failureOf(error);
      const place = refusal.place === undefined ? undefined : placeBefore(casts, refusal.place);
      const next = nextGuesses(statement, guesses, { ...refusal, place });
      if (!next) return failureOf(error);
      guesses = next;
      casts = castEdits(statement, guesses);
    }
  }
  return failure('types');
}

/** Whether a plan finds nothing because no policy of row-level security lets the role see a row: it is that of nobody else. */
async function isHidden(session: Session, server: Server, { plan, question }: Answer): Promise<boolean> {
  // Before PostgreSQL 17 a scan may do what a Result does since.
  const isEmpty = [...nodesOf(plan)].some(
    ({ node: { conditions } }) => conditions.oneTime === 'false' || /^\(?false\b/.test(conditions.filter ?? ''),
  );
  if (!isEmpty) return false;
  try {
    await askPlan(session, server, { ...question, settings: { ...question.settings, row_security: 'off' } });
    return false;
  } catch (error) {
    return failureOf(error).code === 'permission';
  }
}

/** A plan as it is kept. */
export function explained({ source }: Explainable, { plan }: Answer): Explained {
  const { statement } = source;
  const isSelect = changesRows(statement) || withoutLocks(source).length > 0;
  return { explainedAs: isSelect ? 'select' : 'itself', plan, shape: shapeOf(plan), failure: null };
}

/** What is kept where there is no plan. */
export function refused(why: Failure): Explained {
  return { explainedAs: 'itself', plan: null, shape: null, failure: why };
}
