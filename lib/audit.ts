/**
 * The audit: collect a snapshot, run the rules over it, keep both. One part of one database at a time,
 * over one connection that can only read.
 */
import * as z from 'zod';
import { type AnyRule, type RuleConfiguration, runRules } from './advice/configuration.ts';
import { bySeverity, type Finding } from './advice/finding.ts';
import type { Recommendation } from './advice/recommendation.ts';
import { isNamed } from './advice/rule.ts';
import type { CacheService } from './aws/facts.ts';
import { cacheRules } from './cache/rules/index.ts';
import { serviceEvictions } from './cache/rules/service-evictions.ts';
import { serviceLimits } from './cache/rules/service-limits.ts';
import type { CacheSnapshot, CacheStatistics } from './cache/snapshot.ts';
import { withProposals } from './indexes/advisor/proposals.ts';
import { collectIndexes } from './indexes/collect.ts';
import { withOneIndex } from './indexes/one-index.ts';
import { indexRecord } from './indexes/record.ts';
import { indexRules } from './indexes/rules/index.ts';
import { IndexSnapshot } from './indexes/snapshot.ts';
import { withStatements } from './indexes/statements.ts';
import type { DatabasePart, Part } from './parts.ts';
import { beginAttempts } from './postgres/attempts.ts';
import type { AuditRecord, History } from './postgres/history.ts';
import { type Note, readServer, Server } from './postgres/server.ts';
import { type Session, withSession } from './postgres/session.ts';
import { collectQueries } from './queries/collect.ts';
import { previousSnapshot, queryRecord } from './queries/record.ts';
import { queryRules } from './queries/rules/index.ts';
import { emptyQuerySnapshot, QuerySnapshot } from './queries/snapshot.ts';
import { loadParser } from './queries/text.ts';
import { type PooledFunction, pooledResourcePoints, summarizePooled } from './resources/from-metrics.ts';
import { resourcePoints } from './resources/points.ts';
import { nameOf } from './resources/rules/function-rule.ts';
import { resourceRules, rulesOverMetrics } from './resources/rules/index.ts';
import type { Series } from './resources/sample.ts';
import type { FunctionResources, ResourcePoint, ResourceSnapshot } from './resources/snapshot.ts';
import { summarize } from './resources/summarize.ts';
import type { Database } from './settings.ts';
import { tableRules } from './tables/rules/index.ts';

/** A snapshot of every part, as `streamgate snapshot` writes it. */
export const DatabaseSnapshot = z.strictObject({
  takenAt: z.string(),
  server: Server,
  indexes: IndexSnapshot.omit({ server: true }),
  queries: QuerySnapshot.omit({ server: true }),
});
export type DatabaseSnapshot = z.infer<typeof DatabaseSnapshot>;

/** Every rule that there is. */
export const roster: readonly AnyRule[] = [
  ...indexRules,
  ...tableRules,
  ...queryRules,
  ...cacheRules,
  ...resourceRules,
];

const rulesOf: Record<Part, readonly AnyRule[]> = {
  indexes: [...indexRules, ...tableRules],
  queries: queryRules,
  cache: cacheRules,
  resources: resourceRules,
};

/**
 * Collects every part over one connection. One that a lock, the time or a lost connection keeps from being read is empty, and a note
 * says so.
 *
 * @throws StreamGateError when none could be read
 */
export async function takeSnapshot(url: string, name?: string): Promise<DatabaseSnapshot> {
  return withSession(url, async (session) => {
    const [server] = await Promise.all([readServer(session, name), loadParser()]);
    const takenAt = new Date().toISOString();
    const indexing = beginAttempts('indexes');
    const collected = await indexing.attempt(
      'The indexes, the tables and the sequences',
      ['indexes/*', 'tables/*', 'sequences/*'],
      async () => (await withProposals(session, server, await collectIndexes(session, server))).snapshot,
      undefined,
    );
    const { server: _, ...indexes } = collected ?? { ...noIndexes, takenAt, server, notes: [...indexing.notes] };
    const querying = beginAttempts('queries');
    const ask = () => collectQueries(session, server);
    // Where nothing else was read, the reason is all there is to tell.
    const asked = collected
      ? await querying.attempt('The statements', ['queries/*', 'plans/*'], ask, null)
      : await ask();
    const { server: __, ...queries } = asked ?? emptyQuerySnapshot(server, takenAt, querying.notes);
    const used = { ...indexes, indexes: withStatements(indexes.indexes, queries.plans) };
    return { takenAt, server, indexes: used, queries };
  });
}

const noIndexes = { tables: [], indexes: [], foreignKeys: [], columns: [], sequences: [], replicas: [] };

/** Runs the rules of every part over a snapshot, worst finding first. The parser must have been loaded (`loadParser`). */
export function judge(
  { server, indexes, queries }: DatabaseSnapshot,
  configuration: RuleConfiguration = {},
): Finding[] {
  const findings = [
    ...runRules(rulesOf.indexes, { server, ...indexes }, configuration),
    ...runRules(queryRules, { server, ...queries }, configuration),
  ];
  return withOneIndex(findings, findings).sort(bySeverity);
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
  part: DatabasePart,
  database: Database,
  windowStart: Date,
  history: History,
  configuration: RuleConfiguration = {},
): Promise<AuditResult> {
  const collect = <Snapshot>(how: (session: Session, server: Server) => Promise<Snapshot>) =>
    withSession(database.url, async (session) => how(session, await readServer(session, database.name)));
  return keepAudit(part, database.name, windowStart, history, configuration, async () => {
    if (part === 'indexes') {
      const known = await history.knownCosts(database.name);
      const { snapshot, costs } = await collect(async (session, server) =>
        withProposals(session, server, await collectIndexes(session, server), known),
      );
      const { input, record } = await indexRecord(snapshot, database.name, history);
      return { input, record: { ...record, costs } };
    }
    const previous = await previousSnapshot(database.name, history);
    const snapshot = await collect((session, server) => collectQueries(session, server, { previous }));
    return queryRecord(snapshot, previous, database.name, history);
  });
}

/**
 * Audits a cache and keeps the result with that of a database, once for a window. What only AWS knows of it is asked elsewhere (functions/facts.ts),
 * and told: the service behind the second level, and what could not be asked.
 */
export async function runCacheAudit(
  database: string,
  windowStart: Date,
  history: History,
  configuration: RuleConfiguration,
  collect: () => Promise<CacheStatistics>,
  { service, unknown = [] }: { service?: CacheService | undefined; unknown?: readonly string[] | undefined } = {},
): Promise<AuditResult> {
  return keepAudit('cache', database, windowStart, history, configuration, async () => {
    const statistics = await collect();
    const takenAt = new Date().toISOString();
    const rules = [serviceLimits.id, serviceEvictions.id];
    const notes = unknown.map((message) => ({ code: 'cache-service-unknown', message, rules }));
    return {
      input: { takenAt, database, statistics, service } satisfies CacheSnapshot,
      record: { snapshot: { takenAt, notes }, rows: [], summary: statistics },
    };
  });
}

/** So many samples are kept of an audit, the newest. */
const keptPoints = 2_000;

/** What is known of functions: of each the samples or, where there are none, the metrics. */
export interface CollectedFunctions {
  series: readonly Series[];
  pooled: readonly PooledFunction[];
  notes: Note[];
}

/** Audits the functions whose samples or metrics there are, and keeps the result with that of a database, once for a window. */
export async function runResourceAudit(
  database: string,
  windowStart: Date,
  history: History,
  configuration: RuleConfiguration,
  collect: () => Promise<CollectedFunctions>,
): Promise<AuditResult> {
  return keepAudit('resources', database, windowStart, history, configuration, async () => {
    const { series, pooled, notes } = await collect();
    const takenAt = new Date().toISOString();
    const functions = [...summarize(series), ...pooled.flatMap((each) => summarizePooled(each) ?? [])].sort(byName);
    const rows = [...resourcePoints(series), ...pooled.flatMap(pooledResourcePoints)].sort(newestFirst);
    const sources = new Map(functions.map((each) => [nameOf(each), each.source]));
    return {
      input: { takenAt, database, functions, notes } satisfies ResourceSnapshot,
      record: {
        snapshot: { takenAt, notes },
        rows: rows.slice(0, keptPoints),
        summary: { functions },
      },
      // A function that nobody called was not mended, nor one of which only the metrics are known now.
      hasSeen({ rule, subject }) {
        const source = subject.function === undefined ? 'samples' : sources.get(subject.function);
        return source === 'samples' || (source === 'metrics' && rulesOverMetrics.includes(rule));
      },
    };
  });
}

function byName(a: FunctionResources, b: FunctionResources): number {
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

function newestFirst(a: ResourcePoint, b: ResourcePoint): number {
  return a.at > b.at ? -1 : Number(a.at < b.at);
}

/** What the rules judge, and what is kept of it. */
interface Collected {
  input: object;
  record: Pick<AuditRecord, 'snapshot' | 'rows' | 'summary' | 'windows' | 'plans' | 'costs' | 'builtAmong'>;
  /** Whether the subject of a finding was looked at; all were when it is left out. */
  hasSeen?(recommendation: Recommendation): boolean;
}

async function keepAudit(
  part: Part,
  database: string,
  windowStart: Date,
  history: History,
  configuration: RuleConfiguration,
  collect: () => Promise<Collected>,
): Promise<AuditResult> {
  const window = windowStart.toISOString();
  if (await history.hasAudit(database, part, window)) return { kept: false, findings: [] };
  const { input, record, hasSeen = () => true } = await collect();
  const rules = rulesOf[part];
  const found = runRules(rules, input, configuration);
  await loadParser();
  const findings = withOneIndex(found, part === 'queries' ? await history.recommendations(database, 'open') : found);
  const blind = record.snapshot.notes.flatMap((note) => note.rules);
  const judging = new Set(rules.map(({ id }) => id).filter((id) => configuration[id] !== false && !isNamed(id, blind)));
  const isJudged = (recommendation: Recommendation) => judging.has(recommendation.rule) && hasSeen(recommendation);
  const kept = await history.keep({ database, part, windowStart: window, ...record, findings, isJudged });
  return { kept, findings: kept ? findings : [] };
}
