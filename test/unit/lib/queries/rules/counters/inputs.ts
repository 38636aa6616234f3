import type { OpenTransaction } from '../../../../../../lib/queries/catalog.ts';
import type { Gain, PastWindow, QueryInput, Statement } from '../../../../../../lib/queries/snapshot.ts';
import { querySnapshot, statement, takenAt } from '../../../../snapshots.ts';

export const minutesBefore = (minutes: number) => new Date(Date.parse(takenAt) - minutes * 60_000).toISOString();

/** A window of a hundred calls of 1 ms each. */
export function gain(overrides: Partial<Gain> = {}): Gain {
  const { calls = 100, meanMs = 1 } = overrides;
  return {
    calls,
    meanMs,
    totalMs: calls * meanMs,
    stddevMs: 0,
    planMs: 0,
    rows: calls,
    sharedBlocksHit: 0,
    sharedBlocksRead: 0,
    sharedBlocksDirtied: 0,
    tempBlocksRead: 0,
    tempBlocksWritten: 0,
    readMs: 0,
    writeMs: 0,
    walBytes: 0,
    jitMs: 0,
    timeSharePercent: 100,
    ...overrides,
  };
}

/** A statement whose counters are a day old, and no window. */
export function counted(overrides: Partial<Statement> = {}): Statement {
  const { calls = 1_000, meanMs = 1 } = overrides;
  return statement({
    calls,
    meanMs,
    totalMs: calls * meanMs,
    rows: calls,
    since: minutesBefore(24 * 60),
    ...overrides,
  });
}

/** Statements with a window of five minutes. */
export function input(statements: Statement[], overrides: Partial<QueryInput> = {}): QueryInput {
  return { ...querySnapshot(statements, { windowFrom: minutesBefore(5) }), ...overrides };
}

/** A window of the history. */
export function past(minutesAgo: number, minutes: number, overrides: Partial<PastWindow> = {}): PastWindow {
  const { calls = 100, meanMs = 1 } = overrides;
  return {
    from: minutesBefore(minutesAgo),
    to: minutesBefore(minutesAgo - minutes),
    calls,
    meanMs,
    totalMs: calls * meanMs,
    stddevMs: 0,
    rows: calls,
    blocks: 10 * calls,
    ...overrides,
  };
}

/** A transaction of ten minutes that is at work. */
export function transaction(overrides: Partial<OpenTransaction> = {}): OpenTransaction {
  return {
    pid: 100,
    state: 'active',
    role: 'api',
    application: 'orders',
    ageMs: 600_000,
    stateMs: 600_000,
    queryId: '1',
    xminAge: 50,
    waitsFor: null,
    blockedBy: [],
    ...overrides,
  };
}
