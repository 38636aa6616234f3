import { escapeIdentifier } from 'pg';
import { plural } from '../advice/format.ts';
import { StreamGateError } from '../errors.ts';
import type { Note, Server } from '../postgres/server.ts';
import type { Session } from '../postgres/session.ts';
import { mayMeasureSql } from './catalog.sql.ts';

/** How much measuring an audit may do of one kind of relation. */
export interface MeasureLimits {
  /** Relations are measured, largest first, as long as their sizes add up to no more. */
  budgetBytes: number;
  /** Below this a rebuild frees nothing worth a statement. */
  minBytes: number;
  /** After so many milliseconds nothing more is begun. */
  timeMs: number;
}

/** A relation that may be measured. */
export interface Measurable {
  oid: number;
  sizeBytes: number;
}

/** What is measured, and the words for it. */
export interface Measure {
  /** The function of the extension pgstattuple. */
  function: 'pgstatindex' | 'pgstattuple_approx';
  /** Answers the pages of a relation, in one row. */
  sql(extensionSchema: string, oid: number): string;
  /** The rule that judges it. */
  rule: string;
  /** Such as `Fragmentation`, `fragmentation`, `index` and `indexes`. */
  words: { what: string; code: string; one: string; many: string };
}

/** Relations that are measured in one transaction add up to no more than this. */
const batchBytes = 32 * 1024 ** 2;

/** So many of them are asked for in one message; each statement has its own time limit. */
const atOnce = 50;

/**
 * Measures relations with a function of pgstattuple, within limits.
 *
 * @returns the pages of those that were measured by their oid, and notes about the others
 */
export async function measure<Pages>(
  session: Session,
  server: Server,
  candidates: readonly Measurable[],
  limits: MeasureLimits,
  how: Measure,
): Promise<{ measured: Map<number, Pages>; notes: Note[] }> {
  const measured = new Map<number, Pages>();
  const { what, code, one, many } = how.words;
  const say = (reason: string, message: string): Note => ({ code: reason, rules: [how.rule], message });
  if (candidates.length === 0) return { measured, notes: [] };
  const obstacle = await obstacleOf(session, server, how.function);
  if (obstacle) return { measured, notes: [say(obstacle.code, `${what} was not measured: ${obstacle.message}`)] };

  const sqlOf = ({ oid }: Measurable) => how.sql(server.extensions.pgstattuple?.schema ?? '', oid);
  const { chosen, left } = withinBudget(candidates, limits.budgetBytes);
  const until = performance.now() + limits.timeMs;
  let failed = 0;
  let late = 0;
  for (const batch of batchesOf(chosen)) {
    if (performance.now() > until) {
      late += batch.length;
      continue;
    }
    const found = await readAll<Pages>(session, sqlOf, batch);
    for (const [oid, pages] of found) measured.set(oid, pages);
    failed += batch.length - found.size;
  }
  const notes: Note[] = [];
  if (left > 0) {
    notes.push(
      say(
        `${code}-budget`,
        `${what} of ${plural(left, `large ${one}`, `large ${many}`)} was not measured: an audit reads at most ${Math.round(limits.budgetBytes / 1024 ** 2)} MB of ${many}.`,
      ),
    );
  }
  if (late > 0) {
    notes.push(
      say(
        `${code}-time`,
        `${what} of ${plural(late, one, many)} was not measured: an audit measures for ${Math.round(limits.timeMs / 1000)} s.`,
      ),
    );
  }
  if (failed > 0) {
    notes.push(
      say(
        `${code}-failed`,
        `${what} of ${plural(failed, one, many)} could not be measured: locked, too slow to read, or dropped meanwhile.`,
      ),
    );
  }
  return { measured, notes };
}

/** Why nothing can be measured, and what would help; undefined when it can. */
async function obstacleOf(
  session: Session,
  { extensions: { pgstattuple: extension }, role }: Server,
  name: string,
): Promise<{ code: string; message: string } | undefined> {
  if (!extension) {
    return {
      code: 'pgstattuple-missing',
      message: 'pgstattuple is not installed. As a superuser: CREATE EXTENSION pgstattuple.',
    };
  }
  const [right] = await session.read<{ mayEnter: boolean; mayCall: boolean }>(mayMeasureSql, [extension.schema, name]);
  if (right?.mayEnter && right.mayCall) return undefined;
  const remedy = right?.mayEnter
    ? `GRANT pg_stat_scan_tables TO ${escapeIdentifier(role)}.`
    : `GRANT USAGE ON SCHEMA ${escapeIdentifier(extension.schema)} TO ${escapeIdentifier(role)}.`;
  return { code: 'pgstattuple-permission', message: `the role may not call ${name}. ${remedy}` };
}

function withinBudget(candidates: readonly Measurable[], budgetBytes: number) {
  const chosen: Measurable[] = [];
  let rest = budgetBytes;
  for (const candidate of candidates) {
    if (candidate.sizeBytes > rest) continue;
    rest -= candidate.sizeBytes;
    chosen.push(candidate);
  }
  return { chosen, left: candidates.length - chosen.length };
}

function batchesOf(chosen: readonly Measurable[]): Measurable[][] {
  const batches: Measurable[][] = [];
  let room = 0;
  for (const each of chosen) {
    if (each.sizeBytes > room) {
      batches.push([]);
      room = batchBytes;
    }
    batches.at(-1)?.push(each);
    room -= each.sizeBytes;
  }
  return batches;
}

/** What a batch answers. One that cannot be read (dropped, locked, of a kind that a standby has not) is left out. */
async function readAll<Pages>(
  session: Session,
  sqlOf: (relation: Measurable) => string,
  batch: Measurable[],
): Promise<Map<number, Pages>> {
  const found = new Map<number, Pages>();
  const keep = ({ oid }: Measurable, rows: unknown[] | undefined) => {
    if (rows?.[0]) found.set(oid, rows[0] as Pages);
  };
  try {
    await session.transaction(async (_, readTogether) => {
      for (let from = 0; from < batch.length; from += atOnce) {
        const these = batch.slice(from, from + atOnce);
        const answers = await readTogether(these.map(sqlOf));
        for (const [i, each] of these.entries()) keep(each, answers[i]);
      }
    });
    return found;
  } catch (error) {
    if (isUnreachable(error)) throw error;
  }
  for (const each of batch) {
    if (found.has(each.oid)) continue;
    try {
      keep(each, await session.read(sqlOf(each)));
    } catch (error) {
      if (isUnreachable(error)) throw error;
    }
  }
  return found;
}

function isUnreachable(error: unknown): boolean {
  return error instanceof StreamGateError && error.code === 'database-unreachable';
}
