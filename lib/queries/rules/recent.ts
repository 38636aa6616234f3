import type { Gain, QueryInput, Statement } from '../snapshot.ts';

const day = 86_400_000;

/** A window with fewer calls says little by itself. */
const enoughCalls = 5;

/** What a statement did lately. Times in milliseconds. */
export interface Recent {
  /** The last window; all windows of the last day; or all since counting began, where nothing newer is known. */
  basis: 'window' | 'day' | 'total';
  calls: number;
  totalMs: number;
  meanMs: number;
  stddevMs: number;
  rows: number;
  blocks: number;
}

/**
 * What a statement did lately: its last window where it was called often enough in it, else the last day. What was slow
 * until somebody mended it is not slow any more, though its counters remember it.
 */
export function recentOf(input: QueryInput, statement: Statement): Recent {
  const { window } = statement;
  if (window !== null && window.calls >= enoughCalls) return figures('window', window);
  const since = Date.parse(input.takenAt) - day;
  const windows = (input.past?.windows.get(statement.queryId) ?? []).filter(({ from }) => Date.parse(from) >= since);
  const all = window !== null && window.calls > 0 ? [...windows, { ...window, blocks: blocksOf(window) }] : windows;
  return all.length > 0 ? joined('day', all) : figures('total', statement);
}

function figures(basis: Recent['basis'], of: Statement | Gain): Recent {
  const { calls, totalMs, meanMs, stddevMs, rows } = of;
  return { basis, calls, totalMs, meanMs, stddevMs, rows, blocks: blocksOf(of) };
}

type Part = Pick<Recent, 'calls' | 'totalMs' | 'stddevMs' | 'rows' | 'blocks'>;

/** Joins windows; the variance of a union is explained in join.ts. */
function joined(basis: Recent['basis'], parts: readonly Part[]): Recent {
  const sum = (figure: keyof Part) => parts.reduce((all, part) => all + part[figure], 0);
  const calls = sum('calls');
  const totalMs = sum('totalMs');
  const meanMs = totalMs / calls;
  const squares = parts.reduce(
    (all, part) => all + part.calls * (part.stddevMs ** 2 + (part.totalMs / part.calls - meanMs) ** 2),
    0,
  );
  return {
    basis,
    calls,
    totalMs,
    meanMs,
    stddevMs: Math.sqrt(squares / calls),
    rows: sum('rows'),
    blocks: sum('blocks'),
  };
}

function blocksOf({
  sharedBlocksHit,
  sharedBlocksRead,
}: Pick<Statement, 'sharedBlocksHit' | 'sharedBlocksRead'>): number {
  return sharedBlocksHit + sharedBlocksRead;
}

/** The beginning of a sentence about them. */
export function periodOf({ basis }: Recent): string {
  return { window: 'Since the audit before', day: 'In the last 24 h', total: 'Since counting began' }[basis];
}

/**
 * The time that 95 % of calls do not exceed, estimated: PostgreSQL keeps mean and deviation only, and times of a statement are
 * about log-normal. Never more than the longest call.
 */
export function estimatedP95({ meanMs, stddevMs }: Pick<Recent, 'meanMs' | 'stddevMs'>, maxMs: number): number {
  if (meanMs <= 0) return 0;
  const variance = Math.log(1 + (stddevMs / meanMs) ** 2);
  const z = 1.6448536;
  return Math.min(maxMs, Math.exp(Math.log(meanMs) - variance / 2 + z * Math.sqrt(variance)));
}
