import pg from 'pg';
import { sqlState } from '../../postgres/errors.ts';
import type { Server } from '../../postgres/server.ts';
import { marked, type Read, type ReadAll, type Session } from '../../postgres/session.ts';
import type { Plan } from '../plan/tree.ts';
import type { Harmless } from './harmless.ts';
import { searchPathOf } from './schemas.ts';
import type { ApplicationSettings } from './settings.ts';
import { parametersIn } from './source.ts';
import type { Refusal } from './types.ts';

/** Whatever takes longer to plan is given up, in milliseconds. */
const planMs = 2_000;

/** Which statement is to be planned, and where its names are looked up. */
export interface Question {
  text: Harmless;
  path: readonly string[];
  /** Set in the same transaction. */
  settings?: ApplicationSettings;
  /** What is run before it in the same transaction. */
  before?: { sql: string; parameters: unknown[] };
}

/** The plan of a statement, and what was asked for it. */
export interface Answer {
  plan: Plan;
  question: Question;
}

/** A prepared statement of ours. Always the same name: pg_stat_statements keeps every EXECUTE of another one. */
const name = 'streamgate_explained';

function settingsFor(
  server: Server,
  path: readonly string[],
  settings: ApplicationSettings,
  limitMs: number,
): readonly string[] {
  const set = (name: string, value: string) => `set_config(${pg.escapeLiteral(name)}, ${value}, true)`;
  // A timeout of zero is none.
  const limit = `least(${Math.max(1, Math.floor(limitMs))}, (extract(epoch from current_setting('statement_timeout')::interval) * 1000)::int)::text`;
  const planning = [
    set('search_path', pg.escapeLiteral(searchPathOf(path))),
    set('statement_timeout', limit),
    set('plan_cache_mode', `'force_generic_plan'`),
    // Without GENERIC_PLAN the server prunes the partitions of a plan with the values that it is given, and these are NULL: it
    // would show none at all.
    ...(isGeneric(server) ? [] : [set('enable_partition_pruning', `'off'`)]),
  ];
  const made = Object.entries(settings).map(([name, value]) => set(name, pg.escapeLiteral(value)));
  return [planning, made].flatMap((list) => (list.length > 0 ? [`select ${list.join(', ')}`] : []));
}

/** From PostgreSQL 16 on EXPLAIN knows GENERIC_PLAN. */
function isGeneric({ versionNumber }: Pick<Server, 'versionNumber'>): boolean {
  return versionNumber >= 160_000;
}

/**
 * Asks PostgreSQL for the plan of a SELECT that fits all values of its parameters, as EXPLAIN's JSON. Nothing is run, but for
 * functions that PostgreSQL runs while it plans: those that are IMMUTABLE or STABLE and whose arguments it knows, in the
 * session's read-only transaction and within its time. What such a function sets or notifies is taken back.
 *
 * https://www.postgresql.org/docs/current/sql-explain.html, https://www.postgresql.org/docs/current/sql-prepare.html
 *
 * @param deadline the time, as `Date.now()` tells it, when PostgreSQL has to give up
 * @throws StreamGateError as `Session.read`; {@link refusalOf} tells where in the text
 */
export function askPlan(
  session: Session,
  server: Server,
  { text, path, settings = {}, before }: Question,
  deadline = Number.POSITIVE_INFINITY,
): Promise<unknown> {
  return session.transaction(async (read, readAll) => {
    if (before) await read(before.sql, before.parameters);
    const limitMs = Math.min(planMs, Math.ceil(deadline - Date.now()));
    await readAll([...settingsFor(server, path, settings, limitMs), 'savepoint streamgate']);
    if (!isGeneric(server)) return askPrepared(read, readAll, text);
    const [rows = []] = await readAll([explainPrefix + text, 'rollback to savepoint streamgate']);
    return answerOf(rows);
  });
}

const explainPrefix = 'explain (generic_plan, verbose, format json) ';

function answerOf([row]: readonly object[]): unknown {
  return (row as Record<'QUERY PLAN', unknown> | undefined)?.['QUERY PLAN'];
}

/** Before PostgreSQL 16: what is prepared is planned without its values. */
async function askPrepared(read: Read, readAll: ReadAll, text: string): Promise<unknown> {
  const used = parametersIn(text);
  await prepare(read, text, used);
  const rollback = 'rollback to savepoint streamgate';
  try {
    // What is prepared outlives its transaction, and behind a pooler the connection is somebody else's next.
    const [rows = []] = await readAll([`explain (verbose, format json) ${executeSql(used)}`, rollback, deallocateSql]);
    return answerOf(rows);
  } catch (error) {
    await read(rollback);
    await read(deallocateSql);
    throw error;
  }
}

function executeSql(used: ReadonlySet<number>): string {
  const values = used.size > 0 ? `(${Array.from({ length: Math.max(...used) }, () => 'null').join(', ')})` : '';
  return `execute ${name}${values}`;
}

async function prepare(read: Read, text: string, used: ReadonlySet<number>): Promise<void> {
  const statement = preparePrefix(used) + text;
  try {
    await read(statement);
  } catch (error) {
    if (sqlState(error) !== '42P05') throw error;
    // An audit that was killed has left it behind.
    await read('rollback to savepoint streamgate');
    await read(deallocateSql);
    await read(statement);
  }
}

/** Every number up to the highest must have a type, used or not. */
function preparePrefix(used: ReadonlySet<number>): string {
  const types = Array.from({ length: Math.max(0, ...used) }, (_, i) => (used.has(i + 1) ? 'unknown' : 'text'));
  return `prepare ${name}${types.length > 0 ? ` (${types.join(', ')})` : ''} as `;
}

/** The statements that ask for the plan of a question, to be sent together with others in one message. */
export interface PlanSql {
  /** What is set before the first plan, which a ROLLBACK TO SAVEPOINT takes back. @param limitMs what takes longer to plan fails */
  before(limitMs: number): readonly string[];
  prepare: readonly string[];
  /** Its row is the plan: short, without what is only for reading it. */
  explain: string;
  after: readonly string[];
}

/**
 * Writes the statements for a question to which {@link askPlan} had an answer. All but `before` come again with each plan: before
 * PostgreSQL 16 the server keeps the plan of what is prepared, and knows nothing of the indexes that HypoPG has pretended since.
 */
export function planSqlOf(server: Server, { text, path, settings = {} }: Question): PlanSql {
  const before = (limitMs: number) => settingsFor(server, path, settings, Math.min(planMs, limitMs));
  if (isGeneric(server))
    return { before, prepare: [], explain: `explain (generic_plan, format json) ${text}`, after: [] };
  const used = parametersIn(text);
  return {
    before,
    prepare: [preparePrefix(used) + text],
    explain: `explain (format json) ${executeSql(used)}`,
    after: [deallocateSql],
  };
}

/** Takes back what the statements of {@link planSqlOf} leave behind where one of them fails. Fails itself where nothing is left. */
export const deallocateSql = `deallocate ${name}`;

/** Where PostgreSQL sees the error in the text that {@link askPlan} was given; undefined where it was no refusal. */
export function refusalOf(error: unknown, server: Server, { text }: Question): Refusal | undefined {
  const code = sqlState(error);
  if (code === undefined) return undefined;
  const { position, message } = (error as Error).cause as { position?: string; message: string };
  const prefix = isGeneric(server) ? explainPrefix : preparePrefix(parametersIn(text));
  const sent = marked(prefix + text);
  const character = Number(position) - 1 - (Array.from(sent).length - Array.from(text).length);
  const place = character >= 0 ? Buffer.byteLength(Array.from(text).slice(0, character).join('')) : undefined;
  // PostgreSQL names the parameter in every language as it is written.
  const parameter = /^42P(?:08|18)$/.test(code) ? Number(/\$(\d+)/.exec(message)?.[1] ?? 0) : 0;
  return { code, place, parameter: parameter > 0 ? parameter : undefined };
}
