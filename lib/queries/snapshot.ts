/**
 * What pg_stat_statements knew of a database at one moment. Collected by collect.ts, judged by
 * rules/, summed by statistics.ts, and served by the endpoints as it is.
 */
import * as z from 'zod';
import { Note, Server } from '../postgres/server.ts';

/** What a statement does. `utility`: everything that is not planned. `unknown`: its text cannot be parsed. */
export const statementKinds = ['select', 'insert', 'update', 'delete', 'merge', 'utility', 'unknown'] as const;

/** One of {@link statementKinds}. */
export type StatementKind = (typeof statementKinds)[number];

/** One normalized statement with its counters since `since`; several users' rows are joined. */
export const Statement = z
  .strictObject({
    /** pg_stat_statements' `queryid`, as text: it exceeds what a JavaScript number holds. */
    queryId: z.string(),
    /** The text with its constants as $n, without comments; long texts end in "…". */
    query: z.string(),
    kind: z.enum(statementKinds),
    calls: z.number(),
    totalMs: z.number(),
    meanMs: z.number(),
    minMs: z.number(),
    maxMs: z.number(),
    stddevMs: z.number(),
    /** Zero unless pg_stat_statements.track_planning is on. */
    planMs: z.number(),
    rows: z.number(),
    sharedBlocksHit: z.number(),
    sharedBlocksRead: z.number(),
    sharedBlocksDirtied: z.number(),
    tempBlocksRead: z.number(),
    tempBlocksWritten: z.number(),
    /** Zero unless track_io_timing is on. */
    readMs: z.number(),
    writeMs: z.number(),
    walBytes: z.number(),
    /** Share of the execution time of all statements of the database, in percent. */
    timeSharePercent: z.number(),
    /** Blocks found in memory of those asked for, in percent; null when none was asked for. */
    cacheHitPercent: z.number().nullable(),
    /** When counting began: exact from PostgreSQL 17 on, else the last reset; null when unknown. */
    since: z.string().nullable(),
  })
  .meta({ id: 'Statement', description: 'A normalized statement with its counters.' });
export type Statement = z.infer<typeof Statement>;

/** The statements of a database at one moment, most total time first. */
export const QuerySnapshot = z.strictObject({
  takenAt: z.string(),
  server: Server,
  statements: z.array(Statement),
  /** When all counters were last set to zero; null before PostgreSQL 14 or without pg_stat_statements. */
  resetAt: z.string().nullable(),
  /** Statements that were dropped for lack of space since then: the tail of the workload that is not seen. */
  evictions: z.number().nullable(),
  notes: z.array(Note),
});
export type QuerySnapshot = z.infer<typeof QuerySnapshot>;
