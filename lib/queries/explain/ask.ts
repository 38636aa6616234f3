import { sqlState } from '../../postgres/errors.ts';
import type { Server } from '../../postgres/server.ts';
import { marked, type Session } from '../../postgres/session.ts';
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

const settingsSql = `
select set_config('search_path', $1, true), set_config('statement_timeout', least($2::int, (extract(epoch from current_setting('statement_timeout')::interval) * 1000)::int)::text, true), set_config('standard_conforming_strings', 'on', true),
  set_config('plan_cache_mode', 'force_generic_plan', true)`;

/**
 * Without GENERIC_PLAN the server prunes the partitions of a plan with the values that it is given, and these are NULL: it
 * would show none at all.
 */
const unprunedSql = `${settingsSql}, set_config('enable_partition_pruning', 'off', true)`;

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
  return session.transaction(async (read) => {
    if (before) await read(before.sql, before.parameters);
    const isGeneric = server.versionNumber >= 160_000;
    // A timeout of zero is none.
    const limitMs = Math.max(1, Math.min(planMs, Math.ceil(deadline - Date.now())));
    await read(isGeneric ? settingsSql : unprunedSql, [searchPathOf(path), limitMs]);
    const names = Object.keys(settings);
    if (names.length > 0) await read(applicationSettingsSql, [names, Object.values(settings)]);
    await read('savepoint streamgate');
    if (!isGeneric) return askPrepared(read, text);
    const rows = await read<Row>(explainPrefix + text);
    await read('rollback to savepoint streamgate');
    return answerOf(rows);
  });
}

const applicationSettingsSql =
  'select set_config(name, value, true) from unnest($1::text[], $2::text[]) as s(name, value)';

type Row = Record<'QUERY PLAN', unknown>;

const explainPrefix = 'explain (generic_plan, verbose, format json) ';

function answerOf([row]: Row[]): unknown {
  return row?.['QUERY PLAN'];
}

/** Before PostgreSQL 16: what is prepared is planned without its values. */
async function askPrepared(read: Session['read'], text: string): Promise<unknown> {
  const used = parametersIn(text);
  await prepare(read, text, used);
  try {
    const values = used.size > 0 ? `(${Array.from({ length: Math.max(...used) }, () => 'null').join(', ')})` : '';
    return answerOf(await read<Row>(`explain (verbose, format json) execute ${name}${values}`));
  } finally {
    await read('rollback to savepoint streamgate');
    // What is prepared outlives its transaction, and behind a pooler the connection is somebody else's next.
    await read(`deallocate ${name}`);
  }
}

async function prepare(read: Session['read'], text: string, used: ReadonlySet<number>): Promise<void> {
  const statement = preparePrefix(used) + text;
  try {
    await read(statement);
  } catch (error) {
    if (sqlState(error) !== '42P05') throw error;
    // An audit that was killed has left it behind.
    await read('rollback to savepoint streamgate');
    await read(`deallocate ${name}`);
    await read(statement);
  }
}

/** Every number up to the highest must have a type, used or not. */
function preparePrefix(used: ReadonlySet<number>): string {
  const types = Array.from({ length: Math.max(0, ...used) }, (_, i) => (used.has(i + 1) ? 'unknown' : 'text'));
  return `prepare ${name}${types.length > 0 ? ` (${types.join(', ')})` : ''} as `;
}

/** Where PostgreSQL sees the error in the text that {@link askPlan} was given; undefined where it was no refusal. */
export function refusalOf(error: unknown, server: Server, { text }: Question): Refusal | undefined {
  const code = sqlState(error);
  if (code === undefined) return undefined;
  const { position, message } = (error as Error).cause as { position?: string; message: string };
  const prefix = server.versionNumber >= 160_000 ? explainPrefix : preparePrefix(parametersIn(text));
  const sent = marked(prefix + text);
  const character = Number(position) - 1 - (Array.from(sent).length - Array.from(text).length);
  const place = character >= 0 ? Buffer.byteLength(Array.from(text).slice(0, character).join('')) : undefined;
  // PostgreSQL names the parameter in every language as it is written.
  const parameter = /^42P(?:08|18)$/.test(code) ? Number(/\$(\d+)/.exec(message)?.[1] ?? 0) : 0;
  return { code, place, parameter: parameter > 0 ? parameter : undefined };
}
