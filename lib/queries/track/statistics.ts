import { Histogram } from '../../cache/histogram.ts';
import type { Repetition, Tracked } from './statements.ts';

/** What a statement did since tracking began. Times in milliseconds. */
export interface TrackedStatement {
  /** The text with $n for its constants, without comments. */
  query: string;
  /** As `Statement.fingerprint` of an audit has it; null when the text cannot be parsed, or the parser is not there. */
  fingerprint: string | null;
  calls: number;
  errors: number;
  /** Returned or changed. */
  rows: number;
  totalMs: number;
  meanMs: number;
  maxMs: number;
  /** Off by 9 % at most; null when no call was sent. */
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  /** What its calls through the pool waited for a connection, all together. It is not part of the other times. */
  waitMs: number;
  slowCalls: number;
  /** Null where no scope has called it again and again. */
  repeated: Repetition | null;
}

/** The statistics of statements, most time first. Those of the same fingerprint are joined. */
export async function statisticsOf(statements: readonly Tracked[]): Promise<TrackedStatement[]> {
  const fingerprint = await loadFingerprints();
  const groups = new Map<string, { fingerprint: string | null; members: [Tracked, ...Tracked[]] }>();
  for (const statement of statements) {
    if (statement.calls === 0) continue;
    const print = fingerprint(statement.query);
    const key = print ?? statement.query;
    const group = groups.get(key);
    if (group) group.members.push(statement);
    else groups.set(key, { fingerprint: print, members: [statement] });
  }
  return [...groups.values()]
    .map(({ fingerprint: print, members }) => joined(print, members))
    .sort((a, b) => b.totalMs - a.totalMs);
}

/** PostgreSQL's parser where it is installed and can be loaded; a bundle may have left it out. */
async function loadFingerprints(): Promise<(query: string) => string | null> {
  try {
    const { loadParser, readText } = await import('../text.ts');
    await loadParser();
    return (query) => readText(query).fingerprint;
  } catch {
    return () => null;
  }
}

function joined(fingerprint: string | null, members: readonly [Tracked, ...Tracked[]]): TrackedStatement {
  const sum = (figure: 'calls' | 'errors' | 'rows' | 'totalMs' | 'waitMs' | 'slowCalls') =>
    members.reduce((all, member) => all + member[figure], 0);
  const histogram = new Histogram();
  for (const { histogram: each } of members) {
    for (const [bucket, count] of each.counts) histogram.add(bucket, count);
  }
  const { p50, p95, p99 } = histogram.percentiles();
  const [calls, totalMs] = [sum('calls'), sum('totalMs')];
  return {
    query: members[0].query,
    fingerprint,
    calls,
    errors: sum('errors'),
    rows: sum('rows'),
    totalMs,
    meanMs: totalMs / calls,
    maxMs: Math.max(...members.map(({ maxMs }) => maxMs)),
    p50Ms: p50,
    p95Ms: p95,
    p99Ms: p99,
    waitMs: sum('waitMs'),
    slowCalls: sum('slowCalls'),
    repeated: joinedRepetition(members),
  };
}

function joinedRepetition(members: readonly Tracked[]): Repetition | null {
  const repetitions = members.flatMap(({ repetition }) => repetition ?? []);
  if (repetitions.length === 0) return null;
  return {
    invocations: repetitions.reduce((sum, { invocations }) => sum + invocations, 0),
    mostCalls: Math.max(...repetitions.map(({ mostCalls }) => mostCalls)),
    place: repetitions.find(({ place }) => place !== null)?.place ?? null,
  };
}
