import { StreamGateError } from '../../errors.ts';
import { isHeader, unframed } from './framing.ts';
import { readHeading } from './heading.ts';
import { invalidPlan, readJsonPlan } from './json.ts';
import { type LogEntry, logEntries, messagesIn } from './log.ts';
import { readTextPlan } from './text.ts';
import type { Plan } from './tree.ts';

/** A plan that was found in a text. */
export interface FoundPlan {
  plan: Plan;
  /** The statement as auto_explain logged it, with its literals: mask it before it is stored or shown. */
  query: string | null;
  /** The time that auto_explain tells, in milliseconds. */
  durationMs: number | null;
}

/**
 * Reads the plans in whatever somebody pastes or takes from a log: the answer of EXPLAIN in text or JSON, as it is or as psql, pgAdmin
 * or a driver shows it; several of them from a terminal; a log with entries of auto_explain, as {@link logEntries} knows them.
 * Entries of a log that are cut off are left out, unless all are.
 *
 * @throws StreamGateError `plan-invalid` where there is no plan, or none that can be read
 */
export function readPlans(text: string): FoundPlan[] {
  const json = parsed(text);
  if (json !== undefined) return fromJson(json);
  const entries = logEntries(text);
  return entries.length > 0 ? fromEntries(entries) : answersIn(text).flatMap(fromAnswer);
}

/** What EXPLAIN or auto_explain wrote, rows of it that a driver gave, or the events of a log service. */
function fromJson(json: unknown): FoundPlan[] {
  const all: unknown[] = Array.isArray(json) ? json : [json];
  const items = all.filter((item) => typeof item === 'object' && item !== null);
  const plans = items.filter((item) => 'Plan' in item);
  if (plans.length > 0) return plans.map(fromDocument);
  const rows = items.filter((item) => 'QUERY PLAN' in item).map((item) => item['QUERY PLAN']);
  if (rows.some((row) => typeof row === 'string')) return fromAnswer(rows.join('\n'));
  if (rows.length > 0) return rows.flat().map(fromDocument);
  const entries = messagesIn(json).flatMap(logEntries);
  if (entries.length === 0) throw invalidPlan('there is no "Plan" in it. Utility statements have none');
  return fromEntries(entries);
}

function fromDocument(json: unknown): FoundPlan {
  const plan = readJsonPlan(json);
  const { 'Query Text': query } = json as { 'Query Text'?: unknown };
  return { plan, query: typeof query === 'string' ? query : null, durationMs: null };
}

function fromEntries(entries: LogEntry[]): FoundPlan[] {
  const failures: StreamGateError[] = [];
  const found = entries.flatMap(({ durationMs, body }) => {
    try {
      return fromAnswer(body).map((plan) => ({ ...plan, durationMs }));
    } catch (error) {
      if (!(error instanceof StreamGateError)) throw error;
      failures.push(error);
      return [];
    }
  });
  if (found.length === 0) throw failures[0];
  return found;
}

/** Several answers of EXPLAIN in one text, as they stand in a terminal, each below its header. */
function answersIn(text: string): string[] {
  const lines = text.split('\n');
  const starts = [...lines.keys()].filter((at) => isHeader(lines[at] ?? ''));
  return starts.length === 0
    ? [text]
    : starts.map((start, i) => lines.slice(start, starts[i + 1] ?? lines.length).join('\n'));
}

function fromAnswer(text: string): FoundPlan[] {
  const lines = unframed(text);
  const json = parsed(lines.join('\n'));
  if (json !== undefined) return fromJson(json);
  const roots = [...lines.keys()].filter((at) => readHeading((lines[at] ?? '').trim())?.arrow === false);
  if (roots.length === 0) throw invalidPlan(otherFormat(lines) ?? 'it is neither JSON nor lines that tell costs');
  return roots.map((root, i) => ({
    plan: readTextPlan(lines.slice(root, roots[i + 1] ?? lines.length).join('\n')),
    query: queryIn(lines.slice((roots[i - 1] ?? -1) + 1, root)),
    durationMs: null,
  }));
}

function otherFormat(lines: string[]): string | undefined {
  if (lines.some((line) => line.trimStart().startsWith('<explain'))) return 'it is XML. Use FORMAT TEXT or FORMAT JSON';
  if (lines.some((line) => /^\s*(?:- )?Plan:\s*$/.test(line))) return 'it is YAML. Use FORMAT TEXT or FORMAT JSON';
  if (lines.some((line) => /^\s*[[{]\s*$/.test(line))) return 'its JSON is not whole';
  return undefined;
}

/** The statement that auto_explain writes above a plan, without the values of its parameters (PostgreSQL 16). */
function queryIn(lines: string[]): string | null {
  const prefix = 'Query Text: ';
  const start = lines.findLastIndex((line) => line.trimStart().startsWith(prefix));
  if (start < 0) return null;
  const rest = lines.slice(start);
  const end = rest.findLastIndex((line) => line.trimStart().startsWith('Query Parameters: $1 = '));
  const query = (end > 0 ? rest.slice(0, end) : rest).join('\n').trim();
  return query.slice(prefix.length);
}

/** The JSON that a text is, whatever comes behind it; undefined when it is none. */
function parsed(text: string): unknown {
  const start = text.trimStart().replace(/^\uFEFF/, '');
  if (!start.startsWith('[') && !start.startsWith('{')) return undefined;
  const end = start.lastIndexOf(start.startsWith('[') ? ']' : '}');
  try {
    return JSON.parse(start.slice(0, end + 1));
  } catch {
    return undefined;
  }
}
