import * as z from 'zod';
import { isSlow } from './rules/slow.ts';
import { type QuerySnapshot, type Statement, type StatementKind, statementKinds } from './snapshot.ts';

/** The statements of a database, summed up. */
export const QueryStatistics = z
  .strictObject({
    statements: z.number(),
    calls: z.number(),
    totalMs: z.number(),
    /** Mean time of a call. */
    meanMs: z.number(),
    rows: z.number(),
    /** Statements, but for utility ones, whose mean is at or above the slow threshold. */
    slowStatements: z.number(),
    /** Share of all time that they take, in percent. */
    slowTimeSharePercent: z.number(),
    /** Share of calls whose statement has a mean within the target, in percent. */
    callsWithinTargetPercent: z.number().nullable(),
    /** Of all calls, so many percent are of statements whose mean is at most this; null without calls. */
    meanMsOfCalls: z.strictObject({
      p50: z.number().nullable(),
      p95: z.number().nullable(),
      p99: z.number().nullable(),
    }),
    cacheHitPercent: z.number().nullable(),
    tempBlocksWritten: z.number(),
    /** What came since the snapshot before; null without one. */
    window: z
      .strictObject({
        from: z.string(),
        to: z.string(),
        /** Statements that were called. */
        statements: z.number(),
        calls: z.number(),
        totalMs: z.number(),
        /** Mean time of a call; null without calls. */
        meanMs: z.number().nullable(),
        callsPerSecond: z.number(),
        /** How many statements ran at a time, on average. */
        concurrency: z.number(),
      })
      .nullable(),
    byKind: z.record(
      z.enum(statementKinds),
      z.strictObject({ statements: z.number(), calls: z.number(), totalMs: z.number() }),
    ),
    resetAt: z.string().nullable(),
    evictions: z.number().nullable(),
    slowThresholdMs: z.number(),
    targetMs: z.number(),
  })
  .meta({ id: 'QueryStatistics', description: 'The statements of a database, summed up.' });
export type QueryStatistics = z.infer<typeof QueryStatistics>;

/** Sums up a snapshot against the two thresholds of the settings. */
export function queryStatistics(snapshot: QuerySnapshot, slowThresholdMs: number, targetMs: number): QueryStatistics {
  const { statements } = snapshot;
  const total = (pick: (statement: QuerySnapshot['statements'][number]) => number, among = statements) =>
    among.reduce((all, statement) => all + pick(statement), 0);
  const calls = total((statement) => statement.calls);
  const totalMs = total((statement) => statement.totalMs);
  const slow = statements.filter((statement) => isSlow(statement, slowThresholdMs));
  const hit = total((statement) => statement.sharedBlocksHit);
  const asked = hit + total((statement) => statement.sharedBlocksRead);
  const within = total(
    (statement) => statement.calls,
    statements.filter((statement) => statement.meanMs < targetMs),
  );
  const percent = (part: number, whole: number) => (whole === 0 ? null : (100 * part) / whole);
  const ofKind = (kind: StatementKind) => {
    const among = statements.filter((statement) => statement.kind === kind);
    return { statements: among.length, calls: total((s) => s.calls, among), totalMs: total((s) => s.totalMs, among) };
  };
  return {
    statements: statements.length,
    calls,
    totalMs,
    meanMs: calls === 0 ? 0 : totalMs / calls,
    rows: total((statement) => statement.rows),
    slowStatements: slow.length,
    slowTimeSharePercent:
      percent(
        total((statement) => statement.totalMs, slow),
        totalMs,
      ) ?? 0,
    callsWithinTargetPercent: percent(within, calls),
    meanMsOfCalls: { p50: meanAt(statements, 0.5), p95: meanAt(statements, 0.95), p99: meanAt(statements, 0.99) },
    cacheHitPercent: percent(hit, asked),
    tempBlocksWritten: total((statement) => statement.tempBlocksWritten),
    window: windowStatistics(snapshot),
    byKind: Object.fromEntries(statementKinds.map((kind) => [kind, ofKind(kind)])) as QueryStatistics['byKind'],
    resetAt: snapshot.resetAt,
    evictions: snapshot.evictions,
    slowThresholdMs,
    targetMs,
  };
}

/** The mean of the statement that a share of all calls does not exceed. */
function meanAt(statements: readonly Statement[], share: number): number | null {
  const sorted = statements.toSorted((a, b) => a.meanMs - b.meanMs);
  const calls = sorted.reduce((all, statement) => all + statement.calls, 0);
  let seen = 0;
  for (const statement of sorted) {
    seen += statement.calls;
    if (seen >= share * calls) return statement.meanMs;
  }
  return null;
}

function windowStatistics({ windowFrom, takenAt, statements }: QuerySnapshot): QueryStatistics['window'] {
  if (windowFrom === null) return null;
  const called = statements.flatMap(({ window }) => (window !== null && window.calls > 0 ? [window] : []));
  const calls = called.reduce((all, gain) => all + gain.calls, 0);
  const totalMs = called.reduce((all, gain) => all + gain.totalMs, 0);
  // Two snapshots of the same moment have nothing between them.
  const lengthMs = Math.max(Date.parse(takenAt) - Date.parse(windowFrom), 1);
  return {
    from: windowFrom,
    to: takenAt,
    statements: called.length,
    calls,
    totalMs,
    meanMs: calls === 0 ? null : totalMs / calls,
    callsPerSecond: (1_000 * calls) / lengthMs,
    concurrency: totalMs / lengthMs,
  };
}
