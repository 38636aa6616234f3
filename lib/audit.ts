/**
 * The audit: collect a snapshot, run the rules over it, keep both. One part of one database at a time,
 * over one connection that can only read.
 */
import * as z from 'zod';
import { type AnyRule, type RuleConfiguration, runRules } from './advice/configuration.ts';
import { bySeverity, type Finding } from './advice/finding.ts';
import { collectIndexes } from './indexes/collect.ts';
import { indexRules } from './indexes/rules/index.ts';
import { IndexSnapshot } from './indexes/snapshot.ts';
import type { AuditRecord, History } from './postgres/history.ts';
import { type Note, readServer, Server } from './postgres/server.ts';
import { withSession } from './postgres/session.ts';
import { collectQueries } from './queries/collect.ts';
import { queryRules } from './queries/rules/index.ts';
import { QuerySnapshot } from './queries/snapshot.ts';
import { queryStatistics } from './queries/statistics.ts';
import { type Database, thresholds } from './settings.ts';

/** What an audit can look at. */
export const parts = ['indexes', 'queries'] as const;

/** One of {@link parts}. */
export type Part = (typeof parts)[number];

/** A snapshot of every part, as `streamgate snapshot` writes it. */
export const DatabaseSnapshot = z.strictObject({
  takenAt: z.string(),
  server: Server,
  indexes: IndexSnapshot.omit({ server: true }),
  queries: QuerySnapshot.omit({ server: true }),
});
export type DatabaseSnapshot = z.infer<typeof DatabaseSnapshot>;

/** Every rule that there is. */
export const roster: readonly AnyRule[] = [...indexRules, ...queryRules];

const rulesOf: Record<Part, readonly AnyRule[]> = { indexes: indexRules, queries: queryRules };

/** Collects every part over one connection. */
export async function takeSnapshot(url: string, name?: string): Promise<DatabaseSnapshot> {
  return withSession(url, async (session) => {
    const server = await readServer(session, name);
    const { server: _, ...indexes } = await collectIndexes(session, server);
    const { server: __, ...queries } = await collectQueries(session, server);
    return { takenAt: indexes.takenAt, server, indexes, queries };
  });
}

/** Runs the rules of every part over a snapshot, worst finding first. */
export function judge(
  { server, indexes, queries }: DatabaseSnapshot,
  configuration: RuleConfiguration = {},
): Finding[] {
  return [
    ...runRules(indexRules, { server, ...indexes }, configuration),
    ...runRules(queryRules, { server, ...queries }, configuration),
  ].sort(bySeverity);
}

/** The notes of every part. */
export function notesOf({ indexes, queries }: DatabaseSnapshot): Note[] {
  return [...indexes.notes, ...queries.notes];
}

/** What {@link runAudit} did. `findings` is empty for a window that was kept before. */
export interface AuditResult {
  kept: boolean;
  findings: Finding[];
}

/**
 * Audits one part of a database and keeps the result. The same window is audited once: an audit that
 * is asked for again, as schedulers do, finds its window kept and leaves the database alone.
 */
export async function runAudit(
  part: Part,
  database: Database,
  windowStart: Date,
  history: History,
  configuration: RuleConfiguration = {},
): Promise<AuditResult> {
  const window = windowStart.toISOString();
  if (await history.hasAudit(database.name, part, window)) return { kept: false, findings: [] };
  const snapshot = await withSession(database.url, async (session) => {
    const server = await readServer(session, database.name);
    return part === 'indexes' ? collectIndexes(session, server) : collectQueries(session, server);
  });
  const rules = rulesOf[part];
  const findings = runRules(rules, snapshot, configuration);
  const blind = new Set(snapshot.notes.flatMap((note) => note.rules));
  const judged = new Set(rules.map(({ id }) => id).filter((id) => configuration[id] !== false && !blind.has(id)));
  const kept = await history.keep({
    database: database.name,
    part,
    windowStart: window,
    ...split(snapshot),
    findings,
    judged,
  });
  return { kept, findings: kept ? findings : [] };
}

/** The rows of a snapshot, the rest of it, and its figures. */
function split(whole: IndexSnapshot | QuerySnapshot): Pick<AuditRecord, 'snapshot' | 'rows' | 'summary'> {
  if ('statements' in whole) {
    const { statements: rows, ...snapshot } = whole;
    return { snapshot, rows, summary: queryStatistics(whole, thresholds.slowQueryMs, thresholds.queryTargetMs) };
  }
  const { indexes: rows, ...snapshot } = whole;
  const sizeBytes = rows.filter((index) => !index.partitioned).reduce((all, index) => all + index.sizeBytes, 0);
  return { snapshot, rows, summary: { indexes: rows.length, sizeBytes } };
}
