/** What the rules over counters read off a statement, and how they write it down. */
import type { Finding } from '../../../advice/finding.ts';
import { milliseconds } from '../../../advice/format.ts';
import type { Gain, QueryInput, Statement } from '../../snapshot.ts';

const hour = 3_600_000;

/** A window is judged by itself from here on: audits come every five minutes, give or take. */
const shortestWindowMs = 4 * 60_000;

/** The counters of a statement, of one window or since counting began. */
export interface Figures extends Gain {
  basis: 'window' | 'total';
  /** The time in which they were counted; null when nobody knows when counting began. */
  spanMs: number | null;
}

/** A statement and what is judged of it. */
export interface Judged {
  statement: Statement;
  figures: Figures;
}

/**
 * The statements that PostgreSQL plans, with their figures, where they were called often enough. The window's are preferred:
 * they tell what is, not what was before somebody mended it.
 */
export function judgedStatements(input: QueryInput, minCalls: number): Judged[] {
  return input.statements
    .filter(({ kind }) => kind !== 'utility')
    .flatMap((statement) => {
      const figures = figuresOf(input, statement, minCalls);
      return figures ? [{ statement, figures }] : [];
    });
}

/**
 * The figures of the window where it is long enough and has enough calls, else those since counting began; undefined where
 * these have too few as well.
 */
export function figuresOf(input: QueryInput, statement: Statement, minCalls: number): Figures | undefined {
  const { calls, window } = statement;
  if (calls < minCalls) return undefined;
  return window !== null && window.calls >= minCalls && isWindowLong(input)
    ? { ...window, basis: 'window', spanMs: windowSpanMs(input) }
    : totalsOf(input, statement);
}

/** Whether the window of a snapshot says something by itself. */
export function isWindowLong(input: QueryInput): boolean {
  return windowSpanMs(input) >= shortestWindowMs;
}

/** The figures since counting began. */
export function totalsOf({ takenAt }: QueryInput, statement: Statement): Figures {
  const { since } = statement;
  const ageMs = since === null ? Number.NaN : Date.parse(takenAt) - Date.parse(since);
  return { ...statement, basis: 'total', spanMs: ageMs > 0 ? ageMs : null };
}

/** The figures of the window, or none. */
export function windowFigures(input: QueryInput, { window }: Statement): Figures | undefined {
  return window === null ? undefined : { ...window, basis: 'window', spanMs: windowSpanMs(input) };
}

/** 0 without a window. */
function windowSpanMs({ takenAt, windowFrom }: QueryInput): number {
  return windowFrom === null ? 0 : Date.parse(takenAt) - Date.parse(windowFrom);
}

/** Where the figures come from, as evidence. */
export function basisOf({ basis, spanMs }: Figures): Finding['evidence'] {
  return { basis, ...(spanMs === null ? {} : { hours: rounded(spanMs / hour) }) };
}

/** "In the last 5 min", "In the last 41 h", "Since counting began": the beginning of a sentence. */
export function period({ basis, spanMs }: Pick<Figures, 'basis' | 'spanMs'>): string {
  if (spanMs === null) return 'Since counting began';
  return basis === 'window'
    ? `In the last ${milliseconds(spanMs)}`
    : `In the ${milliseconds(spanMs)} since counting began`;
}

/**
 * The time that a statement takes in an average day, in milliseconds; none when the counters are younger than an hour.
 *
 * @param part the share of its time that is meant
 */
export function impactPerDay(input: QueryInput, { statement, figures }: Judged, part = 1): Pick<Finding, 'impact'> {
  const { totalMs, spanMs } = (figures.spanMs ?? 0) >= hour ? figures : totalsOf(input, statement);
  return spanMs !== null && spanMs >= hour
    ? { impact: { msPerDay: Math.round((part * totalMs * 24 * hour) / spanMs) } }
    : {};
}

/** Blocks that a statement asked for, in memory or not. */
export function blocksOf({ sharedBlocksHit, sharedBlocksRead }: Gain): number {
  return sharedBlocksHit + sharedBlocksRead;
}

/** The statement as the subject of a finding. */
export function subjectOf({ server }: QueryInput, { queryId }: Pick<Statement, 'queryId'>): Finding['subject'] {
  return { database: server.database, queryId };
}

/** Two decimals, or two digits that count where there would be fewer. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1 ? Math.round(value * 100) / 100 : Number(value.toPrecision(2));
}

/** "12 %", "0.4 %". */
export function percent(value: number): string {
  return `${value.toLocaleString('en-US', { maximumSignificantDigits: value >= 10 ? 3 : 2 })} %`;
}
