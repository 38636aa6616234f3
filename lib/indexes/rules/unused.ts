import * as z from 'zod';
import { bytes, count, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { dropIndex, subjectOf } from '../actions.ts';
import { confidentAfterDays, counterAge, daysBetween, sinceWhen } from '../age.ts';
import { byTable, type TableName } from '../by-table.ts';
import { duplicatesOf } from '../duplicates.ts';
import { foreignKeySupport } from '../foreign-keys.ts';
import { redundantOf } from '../redundancy.ts';
import { enforces } from '../roles.ts';
import type { Index, IndexSnapshot } from '../snapshot.ts';

/**
 * `indexes/unused`: an index that no query has read since the counters were reset, or that none has read for a long time.
 *
 * Never reported: what enforces something (unique, primary key, exclusion), what replication or
 * CLUSTER leans on, the only index behind a foreign key (without it every delete of a referenced row
 * reads the whole table), one partition's part of a partitioned index, an invalid index (another
 * fault), an index that is to take the place of a redundant one, and one that fits one leaf page (to drop it saves nothing).
 * Counters: https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ALL-INDEXES-VIEW
 */
export const unused = defineRule({
  id: 'indexes/unused',
  title: 'Unused index',
  why: 'Every insert, and most updates, must also write to the index; it takes disk space, memory and vacuum time, and gives nothing back.',
  severity: 'warning',
  options: z.strictObject({
    /** An index with at most this many scans is unused. */
    maxScans: z.number().int().min(0).default(0),
    /** Smaller indexes are left alone. The default is the meta page and one leaf. */
    minBytes: z
      .number()
      .int()
      .min(0)
      .default(2 * 8192 + 1),
    /** With counters younger than this the finding is only information: monthly jobs have not run yet. */
    confidentAfterDays: z.number().min(0).default(confidentAfterDays),
    /** An index that was read before, but not for this long, is reported as information. */
    idleAfterDays: z.number().min(1).default(180),
  }),
  check(snapshot: IndexSnapshot, options): Draft[] {
    const idle = snapshot.indexes.flatMap((index) => {
      const idleness = isFree(index, options) ? idlenessOf(index, snapshot, options) : undefined;
      return idleness ? [{ index, idleness }] : [];
    });
    const needed = neededOf(
      onlyTablesOf(
        idle.map(({ index }) => index),
        snapshot,
      ),
      options.maxScans,
    );
    return idle
      .filter(({ index }) => !needed.has(index))
      .map(({ index, idleness }) => report(index, idleness, snapshot));
  },
});

function isFree(index: Index, { minBytes }: { minBytes: number }): boolean {
  return index.sizeBytes >= minBytes && index.valid && index.ready && index.parent === null && !enforces(index);
}

/** A snapshot of the tables of some indexes alone. */
function onlyTablesOf(some: readonly Index[], snapshot: IndexSnapshot): IndexSnapshot {
  const tables = byTable(some);
  const isOne = (each: TableName) => tables.get(each).length > 0;
  const { indexes, foreignKeys } = snapshot;
  return { ...snapshot, indexes: indexes.filter(isOne), foreignKeys: foreignKeys.filter(isOne) };
}

/** The indexes behind foreign keys, and those that are to do the work of a superfluous one that is read. */
function neededOf(snapshot: IndexSnapshot, maxScans: number): Set<Index> {
  const superfluous = [...duplicatesOf(snapshot.indexes), ...redundantOf(snapshot)];
  const going = new Set(superfluous.map(({ index }) => index));
  const takingOver = superfluous.filter(({ index }) => index.scans > maxScans).map(({ kept }) => kept);
  const staying = snapshot.indexes.filter((index) => !going.has(index));
  return new Set([...foreignKeySupport(staying, snapshot.foreignKeys), ...takingOver]);
}

interface Idleness {
  /** Since when nobody has read it, in words. */
  since: string;
  /** Days for which that is certain. */
  days: number | undefined;
  confidence: 'high' | 'medium' | 'low';
  /** What speaks against dropping it at once. */
  doubts: string[];
}

interface Patience {
  maxScans: number;
  confidentAfterDays: number;
  idleAfterDays: number;
}

function idlenessOf(index: Index, snapshot: IndexSnapshot, patience: Patience): Idleness | undefined {
  const lastUse = lastUseOf(index);
  const quiet = lastUse === undefined ? undefined : daysBetween(lastUse, snapshot.takenAt);
  const statements = index.usedBy?.length ?? 0;
  const doubts = [
    ...(snapshot.server.isStandby ? ['This server is a standby: the scans of the primary are not among these.'] : []),
    ...(snapshot.replicas.length > 0
      ? [
          `${plural(snapshot.replicas.length, 'replica')} (${snapshot.replicas.slice(0, 5).join(', ')}) may have read it.`,
        ]
      : []),
    ...(statements > 0 ? [`The plans of ${plural(statements, 'statement')} would use it.`] : []),
  ];
  if (index.scans <= patience.maxScans && (quiet === undefined || quiet >= patience.confidentAfterDays)) {
    const days = watchedDays(index, snapshot);
    const isLong = days !== undefined && days >= patience.confidentAfterDays;
    const young = isLong ? [] : ['The counters are young: make sure that no monthly or yearly job needs it.'];
    const confidence = !isLong ? 'low' : doubts.length > 0 ? 'medium' : 'high';
    const read = index.scans === 0 ? 'No scan' : `Only ${plural(index.scans, 'scan')}`;
    return { since: `${read} ${sinceWhen(snapshot)}`, days, confidence, doubts: [...young, ...doubts] };
  }
  if (quiet === undefined || quiet < patience.idleAfterDays) return undefined;
  const seasonal = 'It was read before: make sure that no yearly job needs it.';
  return {
    since: `No scan since ${lastUse?.slice(0, 10)} (${plural(quiet, 'day')})`,
    days: quiet,
    confidence: 'low',
    doubts: [seasonal, ...doubts],
  };
}

/** The last time that anybody is known to have read it; undefined when that is not known. */
function lastUseOf({ lastScanAt, observed }: Index): string | undefined {
  return [lastScanAt, observed?.lastUseAt ?? null]
    .filter((at) => at !== null)
    .sort()
    .at(-1);
}

/** Days for which nobody has read it for certain: as the counters know, and as the audits before have seen, whatever was reset. */
function watchedDays(index: Index, snapshot: IndexSnapshot): number | undefined {
  const seen = index.observed && daysBetween(index.observed.lastUseAt ?? index.observed.from, snapshot.takenAt);
  const days = [counterAge(snapshot), seen ?? undefined].filter((value) => value !== undefined);
  return days.length === 0 ? undefined : Math.max(...days);
}

function report(index: Index, { since, days, confidence, doubts }: Idleness, snapshot: IndexSnapshot): Draft {
  const writes = index.writes > 0 ? ` and was written to up to ${count(index.writes)} times` : '';
  const expressions = index.elements.some(({ expression }) => expression !== null)
    ? ` It also gives the planner the statistics of its expression: compare plans, or keep them with CREATE STATISTICS ON (expression) FROM ${index.sql.table}.`
    : '';
  return {
    severity: confidence === 'high' ? 'warning' : 'info',
    subject: subjectOf(snapshot, index),
    title: `${index.sql.index} is not used`,
    detail: `${since}; it takes ${bytes(index.sizeBytes)}${writes}.${doubts.map((doubt) => ` ${doubt}`).join('')}`,
    evidence: {
      scans: index.scans,
      sizeBytes: index.sizeBytes,
      confidence,
      ...(index.writes > 0 ? { tableWrites: index.writes } : {}),
      ...(days === undefined ? {} : { countersAgeDays: Math.round(days * 10) / 10 }),
      definition: index.definition,
    },
    impact: { bytes: index.sizeBytes },
    action: dropIndex(
      index,
      `${doubts.find((doubt) => !doubt.startsWith('This server')) ?? ''} Counters are per server: ask every replica that takes reads, too.${expressions}`.trimStart(),
    ),
  };
}
