import type { RuleConfiguration } from '../advice/configuration.ts';
import { runRules } from '../advice/configuration.ts';
import type { Finding } from '../advice/finding.ts';
import { StreamGateError } from '../errors.ts';
import type { Server } from '../postgres/server.ts';
import type { Session } from '../postgres/session.ts';
import { readRelations, readSettings, tablesOf } from './collect.ts';
import { analyzeStatement } from './explain/analyze.ts';
import { explainStatement } from './explain/explain.ts';
import { shapeOf } from './plan/shape.ts';
import type { Plan } from './plan/tree.ts';
import { queryRules } from './rules/index.ts';
import { emptyQuerySnapshot, type QuerySnapshot, type Statement } from './snapshot.ts';
import { loadParser, readText } from './text.ts';

/** A statement that somebody asks about, with its plan. */
export interface Examined {
  plan: Plan;
  findings: Finding[];
}

/**
 * Explains one statement and judges it: its plan, its syntax, and the tables that it uses.
 *
 * @param isRun also runs it, if it only reads, and measures: in the session's read-only transaction and within its time limit
 * @throws StreamGateError `statement-refused` for what cannot be explained, or must not be run
 */
export async function examineStatement(
  session: Session,
  server: Server,
  text: string,
  { isRun = false, configuration = {} }: { isRun?: boolean; configuration?: RuleConfiguration } = {},
): Promise<Examined> {
  await loadParser();
  const explained = isRun
    ? await analyzeStatement(session, server, text)
    : await explainStatement(session, server, text);
  if (explained.plan === null) {
    throw new StreamGateError('statement-refused', explained.failure?.message ?? 'The statement has no plan.');
  }
  const { plan } = explained;
  const snapshot = await snapshotOf(session, server, text, plan);
  return { plan, findings: runRules(queryRules, snapshot, configuration) };
}

/** Judges a plan that was taken elsewhere. Without its database only what the plan itself tells is known. */
export async function examinePlan(
  plan: Plan,
  text: string | null,
  configuration: RuleConfiguration = {},
): Promise<Examined> {
  await loadParser();
  const snapshot = { ...emptyQuerySnapshot(elsewhere, new Date().toISOString()), ...statementsOf(text ?? '', plan) };
  return { plan, findings: runRules(queryRules, snapshot, configuration) };
}

async function snapshotOf(session: Session, server: Server, text: string, plan: Plan): Promise<QuerySnapshot> {
  const { tables } = readText(text);
  const relations = await readRelations(session, [...tables, ...tablesOf([{ plan }])]);
  return {
    ...emptyQuerySnapshot(server, new Date().toISOString()),
    ...statementsOf(text, plan),
    relations,
    settings: await readSettings(session),
  };
}

/** The one statement as an audit would see it after its first call. */
function statementsOf(text: string, plan: Plan): Pick<QuerySnapshot, 'statements' | 'plans'> {
  const { query, kind, fingerprint } = readText(text);
  const queryId = fingerprint ?? '0';
  const { executionMs = 0, root } = plan;
  const rows = (root.actual?.rows ?? 0) * (root.actual?.loops ?? 0);
  const blocks = root.buffers;
  const statement: Statement = {
    queryId,
    query,
    kind,
    fingerprint,
    roles: 1,
    calls: plan.executionMs === undefined ? 0 : 1,
    totalMs: executionMs,
    meanMs: executionMs,
    minMs: executionMs,
    maxMs: executionMs,
    stddevMs: 0,
    plans: 1,
    planMs: plan.planningMs ?? 0,
    rows,
    sharedBlocksHit: blocks?.sharedHit ?? 0,
    sharedBlocksRead: blocks?.sharedRead ?? 0,
    sharedBlocksDirtied: blocks?.sharedDirtied ?? 0,
    tempBlocksRead: blocks?.tempRead ?? 0,
    tempBlocksWritten: blocks?.tempWritten ?? 0,
    readMs: 0,
    writeMs: 0,
    walBytes: 0,
    jitMs: plan.jit?.totalMs ?? 0,
    timeSharePercent: 100,
    cacheHitPercent: null,
    since: null,
    window: null,
  };
  const explained = {
    queryId,
    explainedAs: 'itself' as const,
    plan,
    shape: shapeOf(plan),
    failure: null,
    parameterCosts: null,
  };
  return { statements: [statement], plans: [explained] };
}

/** Nothing is known of the server that a plan was taken from. */
const elsewhere: Server = {
  database: 'unknown',
  version: 'unknown',
  versionNumber: 0,
  isStandby: false,
  startedAt: '',
  statisticsResetAt: null,
  sizeBytes: null,
  blockBytes: 8192,
  role: 'unknown',
  readsAllStatistics: false,
  extensions: {},
};
