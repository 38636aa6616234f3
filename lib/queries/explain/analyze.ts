import { StreamGateError } from '../../errors.ts';
import { sqlState } from '../../postgres/errors.ts';
import type { Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import { readJsonPlan } from '../plan/json.ts';
import { shapeOf } from '../plan/shape.ts';
import { loadParser } from '../text.ts';
import { type Explained, readExplainable } from './explain.ts';
import { type FailureCode, failure, failureOf } from './failure.ts';
import { type Harmless, harmless } from './harmless.ts';
import { pathsFor, readSchemas, searchPathOf } from './schemas.ts';
import { parametersIn } from './source.ts';

/**
 * Runs a statement that only reads, and measures what each node of its plan really does. It is run as it is given, in the
 * session's read-only transaction and within its time limit. What the functions that it calls do beyond the database is not in our hands.
 *
 * @throws StreamGateError `statement-refused` for what changes or locks rows, or has parameters; as `Session.read` when it fails
 */
export async function analyzeStatement(session: Session, server: Server, query: string): Promise<Explained> {
  await loadParser();
  const explainable = readExplainable(query);
  if ('code' in explainable) throw refused(explainable.message);
  const { source, relations } = explainable;
  const text = harmless(source.text);
  if (!text) throw refused(changes);
  if (parametersIn(text).size > 0) {
    throw refused(
      'It has parameters ($1, …) and cannot be run without their values. Put values in their place, or leave --analyze out.',
    );
  }
  const names = relations.flatMap(({ relname }) => relname ?? []);
  const found = pathsFor(relations, await readSchemas(session, server, names));
  if ('failure' in found) throw refused(failure(found.failure).message);
  const [path = []] = found.paths;
  const rows = await run(session, text, path).catch((error: unknown) => {
    throw refusal(error) ?? error;
  });
  const plan = readJsonPlan(rows[0]?.['QUERY PLAN']);
  return { explainedAs: 'itself', plan, shape: shapeOf(plan), failure: null };
}

function run(session: Session, text: Harmless, path: readonly string[]): Promise<Record<'QUERY PLAN', unknown>[]> {
  return session.transaction(async (read) => {
    await read("select set_config('search_path', $1, true)", [searchPathOf(path)]);
    // The session itself does without; here it is part of what is measured.
    await read("select set_config('jit', reset_val, true) from pg_settings where name = 'jit'");
    return read<Record<'QUERY PLAN', unknown>>(`explain (analyze, buffers, verbose, settings, format json) ${text}`);
  });
}

/** What the statement itself is to blame for, without PostgreSQL's words: they may quote a value. */
function refusal(error: unknown): StreamGateError | undefined {
  // read_only_sql_transaction
  if (sqlState(error) === '25006') return refused(changes, error);
  const { code, message } = failureOf(error);
  return telling.has(code) ? refused(message, error) : undefined;
}

const changes = 'It changes or locks rows, or a sequence, and is not run. Leave --analyze out.';

/** Failures that mean the same where the statement is run: the others are about planning it. */
const telling: ReadonlySet<FailureCode> = new Set([
  'missing-relation',
  'missing-function',
  'permission',
  'types',
  'syntax',
]);

function refused(why: string, cause?: unknown): StreamGateError {
  return new StreamGateError('statement-refused', why, { cause });
}
