import { StreamGateError } from '../../errors.ts';
import type { Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import { readJsonPlan } from '../plan/json.ts';
import { shapeOf } from '../plan/shape.ts';
import { loadParser } from '../text.ts';
import { type Explained, readExplainable } from './explain.ts';
import { harmless } from './harmless.ts';
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
  const refuse = (why: string) => new StreamGateError('statement-refused', why);
  const explainable = readExplainable(query);
  if ('code' in explainable) throw refuse(explainable.message);
  const { source, relations } = explainable;
  const text = harmless(source.text);
  if (!text) throw refuse('It changes or locks rows, and is not run. Leave --analyze out.');
  if (parametersIn(text).size > 0) {
    throw refuse(
      'It has parameters ($1, …) and cannot be run without their values. Put values in their place, or leave --analyze out.',
    );
  }
  const names = relations.flatMap(({ relname }) => relname ?? []);
  const found = pathsFor(relations, await readSchemas(session, server, names));
  const [path] = 'failure' in found ? [] : found.paths;
  if (!path) throw refuse('A table that it names does not exist.');
  const rows = await session.transaction(async (read) => {
    await read("select set_config('search_path', $1, true)", [searchPathOf(path)]);
    // The session itself does without; here it is part of what is measured.
    await read("select set_config('jit', reset_val, true) from pg_settings where name = 'jit'");
    return read<Record<'QUERY PLAN', unknown>>(`explain (analyze, buffers, verbose, settings, format json) ${text}`);
  });
  const plan = readJsonPlan(rows[0]?.['QUERY PLAN']);
  return { explainedAs: 'itself', plan, shape: shapeOf(plan), failure: null };
}
