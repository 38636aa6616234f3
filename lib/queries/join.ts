import type { Statement } from './snapshot.ts';
import type { Counter, StatementRow } from './statements.sql.ts';
import { readText } from './text.ts';

/**
 * Makes one statement of the rows that share a query id: pg_stat_statements keeps one per user, and
 * one each for calls from the client and from inside a function. Most total time first.
 *
 * The standard deviation of the union follows from those of the parts: the sum of squares about the
 * common mean is that about each part's own plus calls × (part's mean − common mean)².
 */
export function joinRows(rows: readonly StatementRow[]): Statement[] {
  const groups = new Map<string, StatementRow[]>();
  for (const row of rows) {
    const group = groups.get(row.queryId);
    if (group) group.push(row);
    else groups.set(row.queryId, [row]);
  }
  const allMs = sum(rows, 'totalMs');
  return [...groups.values()].map((group) => join(group, allMs)).sort((a, b) => b.totalMs - a.totalMs);
}

function join(group: StatementRow[], allMs: number): Statement {
  const [first] = group as [StatementRow];
  const { query, fingerprint, kind } = readText(first.query);
  const calls = sum(group, 'calls');
  const totalMs = sum(group, 'totalMs');
  const meanMs = totalMs / calls;
  const squares = group.reduce(
    (all, row) => all + row.calls * (row.stddevMs ** 2 + (row.totalMs / row.calls - meanMs) ** 2),
    0,
  );
  const sharedBlocksHit = sum(group, 'sharedBlocksHit');
  const sharedBlocksRead = sum(group, 'sharedBlocksRead');
  const asked = sharedBlocksHit + sharedBlocksRead;
  return {
    queryId: first.queryId,
    query,
    fingerprint,
    kind,
    roles: new Set(group.map(({ role }) => role)).size,
    calls,
    totalMs,
    meanMs,
    minMs: Math.min(...group.map((row) => row.minMs)),
    maxMs: Math.max(...group.map((row) => row.maxMs)),
    stddevMs: Math.sqrt(squares / calls),
    plans: sum(group, 'plans'),
    planMs: sum(group, 'planMs'),
    rows: sum(group, 'rows'),
    sharedBlocksHit,
    sharedBlocksRead,
    sharedBlocksDirtied: sum(group, 'sharedBlocksDirtied'),
    tempBlocksRead: sum(group, 'tempBlocksRead'),
    tempBlocksWritten: sum(group, 'tempBlocksWritten'),
    readMs: sum(group, 'readMs'),
    writeMs: sum(group, 'writeMs'),
    walBytes: sum(group, 'walBytes'),
    jitMs: sum(group, 'jitMs'),
    timeSharePercent: allMs === 0 ? 0 : (100 * totalMs) / allMs,
    cacheHitPercent: asked === 0 ? null : (100 * sharedBlocksHit) / asked,
    since: group.map((row) => row.since).sort()[0] ?? null,
    window: null,
  };
}

function sum(rows: readonly StatementRow[], counter: Counter): number {
  return rows.reduce((all, row) => all + row[counter], 0);
}
