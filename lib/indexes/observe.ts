import type { Index, IndexSnapshot, Observation } from './snapshot.ts';

const day = 86_400_000;

/** What the audit before knew of the use of indexes, by their qualified and quoted names. */
export interface PastUse {
  takenAt: string;
  startedAt: string;
  statisticsResetAt: string | null;
  uses: ReadonlyMap<string, { scans: number; observed: Observation | null }>;
}

/**
 * Adds what this audit has seen to what those before have: so what is known of the use of an index outlives a reset of the
 * counters. Audits that are more than a day apart, with a reset or a restart between them, may have missed a use: then the
 * observation begins anew.
 */
export function withObservations(snapshot: IndexSnapshot, past: PastUse | undefined): IndexSnapshot {
  const { takenAt, server } = snapshot;
  const isUnbroken = past?.statisticsResetAt === server.statisticsResetAt && past?.startedAt === server.startedAt;
  const isClose = past !== undefined && Date.parse(takenAt) - Date.parse(past.takenAt) <= day;
  const indexes = snapshot.indexes.map((index): Index => {
    const before = past?.uses.get(index.sql.index);
    const counts = isUnbroken && before !== undefined && index.scans >= before.scans;
    const used = counts ? index.scans > before.scans : before !== undefined && index.scans > 0;
    const from = before && (counts || isClose) ? before.observed?.from : undefined;
    return {
      ...index,
      observed: { from: from ?? takenAt, lastUseAt: used ? takenAt : (before?.observed?.lastUseAt ?? null) },
    };
  });
  return { ...snapshot, indexes };
}
