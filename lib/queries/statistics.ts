import * as z from 'zod';
import { isSlow } from './rules/slow.ts';
import { type QuerySnapshot, type StatementKind, statementKinds } from './snapshot.ts';

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
    cacheHitPercent: z.number().nullable(),
    tempBlocksWritten: z.number(),
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
    cacheHitPercent: percent(hit, asked),
    tempBlocksWritten: total((statement) => statement.tempBlocksWritten),
    byKind: Object.fromEntries(statementKinds.map((kind) => [kind, ofKind(kind)])) as QueryStatistics['byKind'],
    resetAt: snapshot.resetAt,
    evictions: snapshot.evictions,
    slowThresholdMs,
    targetMs,
  };
}
