import { fingerprintsOf } from './fingerprint.ts';
import type { Observer } from './observer.ts';
import { Sketch } from './sketch.ts';
import type { Repetition, Tracked } from './statements.ts';

/** Of all durations since tracking began; each off by 1 % at most, between a microsecond and three hours. Null where there is none. */
export interface Percentiles {
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

/** What a statement did since tracking began. Times in milliseconds, of the calls that got a connection. */
export interface TrackedStatement extends Percentiles {
  /** The text with $n for its constants, without comments. Of several that differ in the lengths of lists, the first one. */
  query: string;
  /** As `Statement.fingerprint` of an audit has it; null when the text cannot be parsed, or the parser is not there. */
  fingerprint: string | null;
  calls: number;
  errors: number;
  /** Returned or changed. */
  rows: number;
  totalMs: number;
  /** Null when no call got a connection. */
  meanMs: number | null;
  maxMs: number;
  /** What its calls through the pool waited for a connection, all together. It is not part of the other times. */
  waitMs: number;
  slowCalls: number;
  /** Null where no scope has called it again and again. */
  repeated: Repetition | null;
}

/** What `pool.query` and `pool.connect` waited for a connection since tracking began. Times in milliseconds. */
export interface ConnectionStatistics extends Percentiles {
  calls: number;
  /** Those that got none. */
  errors: number;
  totalMs: number;
  maxMs: number;
}

/** What an observer knows of waiting for connections. */
export function connectionStatisticsOf({
  waits,
  refused,
  waitedMs,
  longestWaitMs,
}: Pick<Observer, 'waits' | 'refused' | 'waitedMs' | 'longestWaitMs'>): ConnectionStatistics {
  const percentiles = percentilesOf(waits, longestWaitMs);
  return { calls: waits.total, errors: refused, totalMs: waitedMs, maxMs: longestWaitMs, ...percentiles };
}

/** The statistics of statements, most time first. Those of the same fingerprint are joined. */
export async function statisticsOf(statements: readonly Tracked[]): Promise<TrackedStatement[]> {
  const called = statements.filter(({ calls }) => calls > 0);
  const fingerprints = await fingerprintsOf(called.map(({ query }) => query));
  const groups = new Map<string, { fingerprint: string | null; members: Tracked[] }>();
  for (const [at, statement] of called.entries()) {
    const fingerprint = fingerprints[at] ?? null;
    const key = fingerprint ?? statement.query;
    const group = groups.get(key);
    if (group) group.members.push(statement);
    else groups.set(key, { fingerprint, members: [statement] });
  }
  return [...groups.values()]
    .map(({ fingerprint, members }) => joined(fingerprint, members))
    .sort((a, b) => b.totalMs - a.totalMs);
}

function joined(fingerprint: string | null, members: readonly Tracked[]): TrackedStatement {
  const sum = (figure: 'calls' | 'errors' | 'rows' | 'totalMs' | 'waitMs' | 'slowCalls') =>
    members.reduce((all, member) => all + member[figure], 0);
  const times = new Sketch();
  for (const member of members) times.add(member.times);
  const totalMs = sum('totalMs');
  const maxMs = Math.max(...members.map((member) => member.maxMs));
  return {
    query: members[0]?.query ?? '',
    fingerprint,
    calls: sum('calls'),
    errors: sum('errors'),
    rows: sum('rows'),
    totalMs,
    meanMs: times.total === 0 ? null : totalMs / times.total,
    maxMs,
    ...percentilesOf(times, maxMs),
    waitMs: sum('waitMs'),
    slowCalls: sum('slowCalls'),
    repeated: joinedRepetition(members),
  };
}

/** None is longer than the longest one, which is known exactly. */
function percentilesOf(times: Sketch, maxMs: number): Percentiles {
  const at = (share: number) => {
    const ms = times.percentile(share);
    return ms && Math.min(ms, maxMs);
  };
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}

function joinedRepetition(members: readonly Tracked[]): Repetition | null {
  const [worst] = members.flatMap(({ repetition }) => repetition ?? []).sort((a, b) => b.mostCalls - a.mostCalls);
  if (!worst) return null;
  return {
    ...worst,
    invocations: members.reduce((sum, { repetition }) => sum + (repetition?.invocations ?? 0), 0),
  };
}
