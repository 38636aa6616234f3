/**
 * What was known of a database's statements at one moment. Collected by collect.ts, judged by
 * rules/, summed by statistics.ts, and served by the endpoints as it is.
 *
 * - counters: count since `since`, as pg_stat_statements keeps them.
 * - window: the time since the snapshot before, and what the counters gained in it.
 * - plan: how PostgreSQL would run a statement whose parameters nobody knows.
 */
import * as z from 'zod';
import { Note, Server } from '../postgres/server.ts';
import { OpenTransaction, PlannerSettings, Relation } from './catalog.ts';
import { Plan } from './plan/tree.ts';

/** What a statement does. `utility`: everything that is not planned. `unknown`: its text cannot be parsed. */
export const statementKinds = ['select', 'insert', 'update', 'delete', 'merge', 'utility', 'unknown'] as const;

/** One of {@link statementKinds}. */
export type StatementKind = (typeof statementKinds)[number];

/** What the counters of a statement gained in a window. */
export const Gain = z
  .strictObject({
    calls: z.number(),
    totalMs: z.number(),
    meanMs: z.number(),
    /** Between the calls of the window. */
    stddevMs: z.number(),
    planMs: z.number(),
    rows: z.number(),
    sharedBlocksHit: z.number(),
    sharedBlocksRead: z.number(),
    sharedBlocksDirtied: z.number(),
    tempBlocksRead: z.number(),
    tempBlocksWritten: z.number(),
    readMs: z.number(),
    writeMs: z.number(),
    walBytes: z.number(),
    jitMs: z.number(),
    /** Share of the execution time of all statements in the window, in percent. */
    timeSharePercent: z.number(),
  })
  .meta({ id: 'Gain', description: 'What the counters of a statement gained in a window.' });
export type Gain = z.infer<typeof Gain>;

/** One normalized statement with its counters since `since`; several users' rows are joined. */
export const Statement = z
  .strictObject({
    /** pg_stat_statements' `queryid`, as text: it exceeds what a JavaScript number holds. */
    queryId: z.string(),
    /** The text with its constants as $n, without comments; long texts end in "…". */
    query: z.string(),
    /** Equal for texts that differ only in constants, spacing and comments; null when the text cannot be parsed. */
    fingerprint: z.string().nullable(),
    kind: z.enum(statementKinds),
    /** The roles that ran it. */
    roles: z.number(),
    calls: z.number(),
    totalMs: z.number(),
    meanMs: z.number(),
    minMs: z.number(),
    maxMs: z.number(),
    stddevMs: z.number(),
    /** Zero unless pg_stat_statements.track_planning is on. */
    plans: z.number(),
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
    /** Compiling it took; zero before PostgreSQL 15. */
    jitMs: z.number(),
    /** Share of the execution time of all statements of the database, in percent. */
    timeSharePercent: z.number(),
    /** Blocks found in memory of those asked for, in percent; null when none was asked for. */
    cacheHitPercent: z.number().nullable(),
    /** When counting began: exact from PostgreSQL 17 on, else the last reset; null when unknown. */
    since: z.string().nullable(),
    /** What came since the snapshot before; null when there is none, or the statement's counters began anew. */
    window: Gain.nullable(),
  })
  .meta({ id: 'Statement', description: 'A normalized statement with its counters.' });
export type Statement = z.infer<typeof Statement>;

/** What a plan would cost with other values of its parameters, in the planner's unit. */
export const ParameterCosts = z.strictObject({
  /** The costs of the plan with the most common and the rarest known values, and of the one that fits all. */
  common: z.number(),
  rare: z.number(),
  generic: z.number(),
  /** Whether the shapes of the plans differ. */
  shapesDiffer: z.boolean(),
  /** The parameter that was varied, as its number, and the column that it is compared to. */
  parameter: z.number(),
  column: z.string(),
});
export type ParameterCosts = z.infer<typeof ParameterCosts>;

/** The plan of a statement, or why there is none. */
export const StatementPlan = z
  .strictObject({
    queryId: z.string(),
    /** A changing statement is explained as the SELECT that finds its rows: that needs no right to change them. */
    explainedAs: z.enum(['itself', 'select']),
    plan: Plan.nullable(),
    /** A hash of the plan without its figures: equal for plans that do the same. */
    shape: z.string().nullable(),
    /** Why there is no plan, in a word that never changes and a sentence; null when there is one. */
    failure: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
    parameterCosts: ParameterCosts.nullable(),
  })
  .meta({ id: 'StatementPlan', description: 'The plan of a statement, or why there is none.' });
export type StatementPlan = z.infer<typeof StatementPlan>;

/** The statements of a database at one moment, most total time first. */
export const QuerySnapshot = z.strictObject({
  takenAt: z.string(),
  server: Server,
  statements: z.array(Statement),
  /** When all counters were last set to zero; null before PostgreSQL 14 or without pg_stat_statements. */
  resetAt: z.string().nullable(),
  /** Statements that were dropped for lack of space since then: the tail of the workload that is not seen. */
  evictions: z.number().nullable(),
  /** Since when `Statement.window` counts; null without a snapshot before. */
  windowFrom: z.string().nullable(),
  settings: PlannerSettings.nullable(),
  /** The tables and views that the statements use. */
  relations: z.array(Relation),
  /** Of the statements that take most of the time. */
  plans: z.array(StatementPlan),
  /** Transactions that were open for longer than a second. */
  transactions: z.array(OpenTransaction),
  notes: z.array(Note),
});
export type QuerySnapshot = z.infer<typeof QuerySnapshot>;

/** A snapshot in which nothing was read. @param takenAt ISO 8601 */
export function emptyQuerySnapshot(server: Server, takenAt: string, notes: readonly Note[] = []): QuerySnapshot {
  return {
    takenAt,
    server,
    statements: [],
    resetAt: null,
    evictions: null,
    windowFrom: null,
    settings: null,
    relations: [],
    plans: [],
    transactions: [],
    notes: [...notes],
  };
}

/** A window of a statement that is over. Times are ISO 8601, or milliseconds where the name says so. */
export interface PastWindow {
  from: string;
  to: string;
  calls: number;
  totalMs: number;
  meanMs: number;
  stddevMs: number;
  rows: number;
  blocks: number;
}

/** A shape that a statement's plan has had. */
export interface PastPlan {
  shape: string;
  firstSeenAt: string;
  lastSeenAt: string;
}

/** What the history knows of statements, by query id; oldest first. */
export interface Past {
  windows: ReadonlyMap<string, readonly PastWindow[]>;
  plans: ReadonlyMap<string, readonly PastPlan[]>;
}

/** What the rules over statements judge: a snapshot and, where there is a history, what came before it. */
export type QueryInput = QuerySnapshot & { past?: Past };
