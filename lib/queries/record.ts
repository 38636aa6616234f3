import type { Recommendation } from '../advice/recommendation.ts';
import { builtAmong } from '../indexes/built.ts';
import type { AuditRecord, History, StatementWindow } from '../postgres/history.ts';
import { thresholds } from '../settings.ts';
import { maskedPlan } from './masked-plan.ts';
import type { QueryInput, QuerySnapshot, Statement } from './snapshot.ts';
import { queryStatistics } from './statistics.ts';
import { loadParser } from './text.ts';
import type { EarlierSnapshot } from './window.ts';

const day = 86_400_000;

/** Of so many statements, those that took most of the time, the windows are kept and looked back at. */
const followed = 200;

/** A week and a day: a statement is compared to itself at the same hour of other days. */
const lookBackMs = 8 * day;

/** What came of an audit of the queries of a database: what its rules judge, and what is kept. */
export interface QueryRecord {
  input: QueryInput;
  record: Pick<AuditRecord, 'snapshot' | 'rows' | 'summary' | 'windows' | 'plans' | 'builtAmong'>;
  hasSeen(recommendation: Recommendation): boolean;
}

/** The snapshot that the next one is counted from; undefined before the first. */
export async function previousSnapshot(database: string, history: History): Promise<EarlierSnapshot | undefined> {
  const before = await history.newest<Omit<QuerySnapshot, 'statements'>, Statement>(database, 'queries');
  return before && { ...before.snapshot, statements: before.rows };
}

/**
 * Puts a snapshot beside what the history knows: what its statements did lately.
 *
 * @param previous the snapshot that its windows count from
 */
export async function queryRecord(
  snapshot: QuerySnapshot,
  previous: Pick<EarlierSnapshot, 'takenAt'> | undefined,
  database: string,
  history: History,
): Promise<QueryRecord> {
  const busiest = snapshot.statements
    .filter(({ window }) => window !== null && window.calls > 0)
    .toSorted((a, b) => (b.window?.totalMs ?? 0) - (a.window?.totalMs ?? 0))
    .slice(0, followed);
  const followedIds = new Set([...busiest, ...snapshot.statements.slice(0, followed)].map(({ queryId }) => queryId));
  const past = await history.past(database, [...followedIds], new Date(Date.parse(snapshot.takenAt) - lookBackMs));
  await loadParser();
  const { statements: rows, relations: _, plans, transactions: __, ...head } = snapshot;
  return {
    input: { ...snapshot, past },
    record: {
      snapshot: head,
      rows,
      summary: queryStatistics(snapshot, thresholds.slowQueryMs, thresholds.queryTargetMs),
      windows: busiest.flatMap((statement) => windowOf(snapshot, statement)),
      plans: plans.flatMap(({ plan, shape, ...rest }) =>
        plan && shape ? [{ ...rest, plan: maskedPlan(plan), shape }] : [],
      ),
      builtAmong,
    },
    hasSeen: seenIn(snapshot, previous),
  };
}

/**
 * A statement that is gone, because the counters were reset or ran out of space, was not mended; nor was one
 * that nobody called, or whose plan was not looked at.
 */
function seenIn(
  { statements, plans }: QuerySnapshot,
  before: Pick<QuerySnapshot, 'takenAt'> | undefined,
): (recommendation: Recommendation) => boolean {
  // What is answered with must not keep the snapshot before in memory.
  const isFirst = before === undefined;
  const from = isFirst ? Number.NEGATIVE_INFINITY : Date.parse(before.takenAt);
  // Without a window it was called if its counters began since.
  const isCalled = ({ window, since }: Statement) =>
    window === null ? isFirst || (since !== null && Date.parse(since) >= from) : window.calls > 0;
  const calledIds = new Set(statements.filter(isCalled).map(({ queryId }) => queryId));
  const explainedIds = new Set(plans.filter(({ plan }) => plan !== null).map(({ queryId }) => queryId));
  return ({ rule, subject: { queryId } }) => {
    if (queryId === undefined) return true;
    return rule.startsWith('plans/') ? explainedIds.has(queryId) : calledIds.has(queryId);
  };
}

function windowOf({ takenAt, windowFrom }: QuerySnapshot, { queryId, window }: Statement): StatementWindow[] {
  if (window === null || windowFrom === null) return [];
  const { calls, totalMs, meanMs, stddevMs, rows, sharedBlocksHit, sharedBlocksRead } = window;
  const blocks = sharedBlocksHit + sharedBlocksRead;
  return [{ queryId, from: windowFrom, to: takenAt, calls, totalMs, meanMs, stddevMs, rows, blocks }];
}
