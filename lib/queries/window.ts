/**
 * What the counters of statements gained between two snapshots.
 *
 * Counters only grow, but they begin anew when they are reset, when pg_stat_statements runs out of space and drops the
 * statement (it may come back), after a crash, and on another server. From PostgreSQL 17 on `since` tells; before, only what
 * a counter cannot do by growing does. Where the gain is not certain there is none: a wrong one would look like a
 * regression. A gain is never more than what really came; where a statement was dropped in between for one role and not for
 * another, it may be less.
 * https://www.postgresql.org/docs/current/pgstatstatements.html
 */
import type { Server } from '../postgres/server.ts';
import type { Gain, QuerySnapshot, Statement } from './snapshot.ts';

/** What must be known of the snapshot before, with all of its statements. */
export type EarlierSnapshot = Pick<QuerySnapshot, 'takenAt' | 'statements' | 'resetAt' | 'server' | 'evictions'>;

type GrowingGain = Omit<Gain, 'timeSharePercent'>;

/** The counters that a gain has as differences. */
const counters = [
  'calls',
  'totalMs',
  'planMs',
  'rows',
  'sharedBlocksHit',
  'sharedBlocksRead',
  'sharedBlocksDirtied',
  'tempBlocksRead',
  'tempBlocksWritten',
  'readMs',
  'writeMs',
  'walBytes',
  'jitMs',
] as const satisfies readonly (keyof GrowingGain & keyof Statement)[];

type Counters = Record<(typeof counters)[number], number>;

/** Sums of times are rounded at every call, and those of several roles are added up in any order. */
const rounding = 1e-9;

/**
 * Fills `windowFrom`, and the `window` of each statement. All are null where nothing is known: without a snapshot before, after
 * a reset of all counters, on another server, or when the clock went back. A statement that is new has its whole
 * counters as its gain if it certainly began after the snapshot before.
 *
 * @param previous the snapshot before, of the same database and with all of its statements
 */
export function withWindow(current: QuerySnapshot, previous: EarlierSnapshot | undefined): QuerySnapshot {
  if (previous === undefined || !areComparable(previous, current)) {
    const statements = current.statements.map((statement) => ({ ...statement, window: null }));
    return { ...current, windowFrom: null, statements };
  }
  const before = new Map(previous.statements.map((statement) => [statement.queryId, statement]));
  const gains = current.statements.map((statement) => {
    const earlier = before.get(statement.queryId);
    if (earlier === undefined) return isNew(statement, previous) ? gainOf(statement, undefined) : null;
    return countOn(earlier, statement, previous, current) ? gainOf(statement, earlier) : null;
  });
  const allMs = gains.reduce((sum, gain) => sum + (gain?.totalMs ?? 0), 0);
  const statements = current.statements.map((statement, i) => ({ ...statement, window: shareOf(gains[i], allMs) }));
  return { ...current, windowFrom: previous.takenAt, statements };
}

/** Whether the counters of both snapshots are the same ones, and the same part of them was seen. */
function areComparable(previous: EarlierSnapshot, current: QuerySnapshot): boolean {
  const [before, now] = [previous.server, current.server];
  return (
    Date.parse(current.takenAt) > Date.parse(previous.takenAt) &&
    before.isStandby === now.isStandby &&
    // Another start may be that of another server: a standby made of a copy has the same reset, and counts by itself.
    before.startedAt === now.startedAt &&
    majorOf(before) === majorOf(now) &&
    // A newer version of the view has counters that were taken for zero.
    before.extensions.pg_stat_statements?.version === now.extensions.pg_stat_statements?.version &&
    before.readsAllStatistics === now.readsAllStatistics &&
    (now.readsAllStatistics || before.role === now.role) &&
    previous.resetAt === current.resetAt &&
    // Where the reset is unknown, as before PostgreSQL 14, counters may have been lost in a crash, which loses the
    // database's statistics, too.
    (current.resetAt !== null || before.statisticsResetAt === now.statisticsResetAt)
  );
}

function majorOf({ versionNumber }: Server): number {
  return Math.floor(versionNumber / 10_000);
}

/** Whether a statement that the snapshot before did not have certainly began after it. */
function isNew({ since }: Statement, previous: EarlierSnapshot): boolean {
  if (since !== null && Date.parse(since) >= Date.parse(previous.takenAt)) return true;
  // Where evictions are known the statements were read.
  return previous.server.readsAllStatistics && previous.evictions !== null;
}

/** Whether nothing speaks against the counters being those of before, and of the same roles. */
function countOn(before: Statement, now: Statement, previous: EarlierSnapshot, current: QuerySnapshot): boolean {
  return (
    now.since === before.since &&
    now.maxMs >= before.maxMs &&
    now.minMs <= before.minMs &&
    now.plans >= before.plans &&
    (tellsSince(now, current.resetAt) || now.maxMs === before.maxMs || now.minMs === before.minMs) &&
    // A role that had not been seen may bring what it did long ago.
    (now.roles === before.roles || (now.roles > before.roles && current.server.readsAllStatistics)) &&
    // Of several roles one may have been dropped, and only the oldest date is known.
    (now.roles === 1 || previous.evictions === current.evictions)
  );
}

/**
 * Whether a statement's counters have a date of their own, as from PostgreSQL 17 on. Where they have none, they count on if the
 * fastest or the slowest call of before still is: counters that began anew have both from other calls.
 */
function tellsSince({ since }: Statement, resetAt: string | null): boolean {
  return since !== null && since !== resetAt;
}

function gainOf(now: Statement, before: Statement | undefined): GrowingGain | null {
  const gained = differences(now, before);
  if (gained === null) return null;
  const { calls, totalMs, rows } = gained;
  const noise = rounding * now.totalMs;
  if (calls === 0) return totalMs > noise || rows > 0 ? null : { ...gained, totalMs: 0, meanMs: 0, stddevMs: 0 };
  const meanMs = totalMs / calls;
  if (totalMs > calls * now.maxMs + noise || totalMs < calls * now.minMs - noise) return null;
  const variance = varianceOf(now, before, calls, meanMs);
  return variance === null ? null : { ...gained, meanMs, stddevMs: Math.sqrt(variance) };
}

/** What each counter gained; null when one went back. */
function differences(now: Statement, before: Statement | undefined): Counters | null {
  const gained: Counters = { ...zero };
  for (const counter of counters) {
    const earlier = before?.[counter] ?? 0;
    const difference = now[counter] - earlier;
    if (difference < -rounding * earlier) return null;
    gained[counter] = Math.max(0, difference);
  }
  return gained;
}

const zero = Object.fromEntries(counters.map((counter) => [counter, 0])) as Counters;

/**
 * The variance of the window's calls. The sum of squares about the mean of all calls is that of the earlier ones, that of
 * the window's, and what the distance of the two means adds: calls of both / calls of all × distance². Null when no
 * calls could have made one of the other.
 *
 * T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979.
 */
function varianceOf(now: Statement, before: Statement | undefined, calls: number, meanMs: number): number | null {
  if (calls === 1) return 0;
  const squares = squaresOf(now);
  const earlier = before ? squaresOf(before) : 0;
  const distance = before ? meanMs - before.totalMs / before.calls : 0;
  const between = (((before?.calls ?? 0) * calls) / now.calls) * distance ** 2;
  const noise = (rounding * (squares + now.calls * now.meanMs ** 2)) / calls;
  const variance = (squares - earlier - between) / calls;
  // No values between two bounds vary by more: R. Bhatia, C. Davis, "A Better Bound on the Variance", 2000.
  const most = Math.max(0, (now.maxMs - meanMs) * (meanMs - now.minMs));
  return variance < -noise || variance > most + noise ? null : Math.min(most, Math.max(0, variance));
}

function squaresOf({ calls, stddevMs }: Statement): number {
  return calls * stddevMs ** 2;
}

function shareOf(gain: GrowingGain | null | undefined, allMs: number): Gain | null {
  return gain ? { ...gain, timeSharePercent: allMs === 0 ? 0 : (100 * gain.totalMs) / allMs } : null;
}
