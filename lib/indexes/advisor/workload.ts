/**
 * The workload that indexes are chosen for: what pg_stat_statements has counted, or the statements of a file.
 *
 * - calls: how often a statement ran; in a file, how often it stands there.
 * - heavy: the statements that together take nearly all the time. Only these are planned; all are looked at for what they write.
 */
import { plural } from '../../advice/format.ts';
import { StreamGateError } from '../../errors.ts';
import type { Note, Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import { type Token, tokensOf } from '../../queries/explain/source.ts';
import type { Statement } from '../../queries/snapshot.ts';
import { readStatements } from '../../queries/statements.ts';
import { loadParser, readText } from '../../queries/text.ts';

/** One statement of a workload. */
export interface WorkloadStatement {
  queryId: string;
  /** The whole text, which PostgreSQL is asked to plan. From a file it holds constants: it must not be shown. */
  text: string;
  /** The text with $n for its constants. */
  shown: string;
  calls: number;
  /** What all calls took; null where nobody measured. */
  totalMs: number | null;
  /** The rows that all calls answered or wrote; null where nobody counted. */
  rows: number | null;
}

/** The statements of a workload, heaviest first. */
export interface Workload {
  statements: WorkloadStatement[];
  /** Those of them that are to be planned. */
  heavy: WorkloadStatement[];
  /** The time in which the calls were made; 0 where it is unknown. */
  seconds: number;
  notes: Note[];
}

/** Statements are planned until these take this share of the time of all, 0 to 1; and at most so many. */
const shareCovered = 0.99;
const maxStatements = 200;

/** What pg_stat_statements has counted. What it does not tell, and why, is in the notes. */
export async function workloadOfDatabase(session: Session, server: Server): Promise<Workload> {
  const { statements, texts, notes } = await readStatements(session, server);
  return workloadOf(statements, texts, Date.now(), notes);
}

/**
 * Makes a workload of statements that were counted.
 *
 * @param texts by query id, where a statement has only the beginning of its own
 * @param now as `Date.now()` tells it
 */
export function workloadOf(
  counted: readonly Statement[],
  texts: ReadonlyMap<string, string>,
  now: number,
  notes: readonly Note[] = [],
): Workload {
  const planned = counted.filter(({ kind }) => kind !== 'utility' && kind !== 'unknown');
  const statements = planned
    .toSorted((a, b) => b.totalMs - a.totalMs)
    .map(({ queryId, query, calls, totalMs, rows }) => ({
      queryId,
      text: texts.get(queryId) ?? query,
      shown: query,
      calls,
      totalMs,
      rows,
    }));
  const since = planned.flatMap((statement) => (statement.since === null ? [] : [Date.parse(statement.since)]));
  const seconds = since.length === 0 ? 0 : (now - Math.min(...since)) / 1_000;
  return { statements, heavy: heaviest(statements), seconds, notes: [...notes] };
}

function heaviest(statements: readonly WorkloadStatement[]): WorkloadStatement[] {
  const enough = shareCovered * statements.reduce((sum, { totalMs }) => sum + (totalMs ?? 0), 0);
  const heavy: WorkloadStatement[] = [];
  let covered = 0;
  for (const statement of statements) {
    if (covered >= enough || heavy.length === maxStatements) break;
    covered += statement.totalMs ?? 0;
    heavy.push(statement);
  }
  return heavy;
}

/**
 * Reads the statements of a file: separated by semicolons, with their constants or with $n. The same text counts as often as it
 * stands there. What cannot be parsed, and what is no query, is left out, and a note says how much.
 *
 * @throws StreamGateError `statement-refused` when nothing is left
 */
export async function workloadOfFile(sql: string): Promise<Workload> {
  await loadParser();
  const texts = statementsIn(sql);
  const read = texts.map((text) => ({ whole: text, ...readText(text) }));
  const queries = read.filter(({ kind }) => kind !== 'utility' && kind !== 'unknown');
  if (queries.length === 0) {
    throw new StreamGateError(
      'statement-refused',
      'The workload has no statement that PostgreSQL plans: write SELECT, INSERT, UPDATE or DELETE statements, separated by semicolons.',
    );
  }
  const ids = new Map<string, number>();
  const statements = [...Map.groupBy(queries, ({ whole }) => whole).values()].map((same): WorkloadStatement => {
    const { whole, query, fingerprint } = same[0] as (typeof queries)[number];
    const number = (ids.get(fingerprint ?? '') ?? 0) + 1;
    ids.set(fingerprint ?? '', number);
    // Statements that differ in their constants alone have one fingerprint, and plans of their own.
    const queryId = number === 1 ? `${fingerprint}` : `${fingerprint}-${number}`;
    return { queryId, text: whole, shown: query, calls: same.length, totalMs: null, rows: null };
  });
  const left = texts.length - queries.length;
  const notes: Note[] =
    left === 0
      ? []
      : [
          {
            code: 'workload-incomplete',
            rules: ['indexes/missing'],
            message: `${plural(left, 'statement')} of the workload cannot be parsed or is not planned, and was left out.`,
          },
        ];
  const heavy = statements.slice(0, maxStatements);
  if (heavy.length < statements.length) {
    notes.push({
      code: 'workload-cut',
      rules: ['indexes/missing'],
      message: `Only the first ${maxStatements} of ${plural(statements.length, 'statement')} were looked at.`,
    });
  }
  return { statements, heavy, seconds: 0, notes };
}

/** The texts between the semicolons that stand outside of constants, comments and parentheses. */
function statementsIn(sql: string): string[] {
  const tokens = tokensOf(sql);
  if (!tokens) {
    throw new StreamGateError(
      'statement-refused',
      'The workload cannot be read: a constant or a comment in it has no end.',
    );
  }
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (token.text === ';' && token.depth === 0) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  const bytes = Buffer.from(sql);
  return parts.flatMap((part) => (part[0] ? [bytes.toString('utf8', part[0].start, part.at(-1)?.end)] : []));
}
