import * as z from 'zod';
import { bytes, count, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { dropIndex, subjectOf } from '../actions.ts';
import type { ForeignKey, Index, IndexSnapshot } from '../snapshot.ts';

const day = 86_400_000;

/**
 * `indexes/unused`: an index that no query has read since the counters were reset.
 *
 * Never reported: what enforces something (unique, primary key, exclusion), what replication or
 * CLUSTER leans on, the only index behind a foreign key (without it every delete of a referenced row
 * reads the whole table), one partition's part of a partitioned index, an invalid index (another
 * fault), and an index that fits one leaf page (to drop it saves nothing).
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
    confidentAfterDays: z.number().min(0).default(35),
  }),
  check(snapshot: IndexSnapshot, options): Draft[] {
    const age = counterAge(snapshot);
    const tables = new Map(snapshot.tables.map((table) => [tableOf(table), table]));
    const supporting = foreignKeySupport(snapshot);
    return snapshot.indexes
      .filter(
        (index) =>
          index.scans <= options.maxScans &&
          index.sizeBytes >= options.minBytes &&
          index.valid &&
          index.ready &&
          index.parent === null &&
          !enforces(index) &&
          !supporting.has(index),
      )
      .map((index) => {
        const table = tables.get(tableOf(index));
        // The counters of a partitioned table are its partitions'.
        const writes = table && !index.partitioned ? table.inserts + table.updates - table.hotUpdates : undefined;
        const confident = age !== undefined && age >= options.confidentAfterDays;
        return {
          severity: confident ? 'warning' : 'info',
          subject: subjectOf(snapshot, index),
          title: `${index.sql.index} is not used`,
          detail: `${index.scans === 0 ? 'No scan' : `Only ${plural(index.scans, 'scan')}`} ${since(snapshot, age)}; it takes ${bytes(index.sizeBytes)}${writes === undefined ? '' : ` and was written to up to ${count(writes)} times`}.${replicaNote(snapshot)}`,
          evidence: {
            scans: index.scans,
            sizeBytes: index.sizeBytes,
            ...(writes === undefined ? {} : { tableWrites: writes }),
            ...(age === undefined ? {} : { countersAgeDays: Math.round(age * 10) / 10 }),
            definition: index.definition,
          },
          impact: { bytes: index.sizeBytes },
          action: dropIndex(
            index,
            `${confident ? '' : 'The counters are young: make sure that no monthly or yearly job needs it. '}Counters are per server: ask every replica that takes reads, too.`,
          ),
        };
      });
  },
});

function enforces(index: Index): boolean {
  return (
    index.unique ||
    index.primary ||
    index.exclusion ||
    index.constraint !== null ||
    index.referencedBy > 0 ||
    index.replicaIdentity ||
    index.clustered
  );
}

/**
 * For every foreign key the index that must stay behind it: full, valid, its first columns those of
 * the key in any order. Where several would do, one that stays anyway or is used, else the narrowest.
 */
function foreignKeySupport({ indexes, foreignKeys }: IndexSnapshot): Set<Index> {
  const covers = (index: Index, key: ForeignKey) =>
    index.valid &&
    // The lookup is by equality, which implies IS NOT NULL: an index of just those rows serves as well.
    (index.predicate === null || key.columns.some((column) => isNotNull(index.predicate, column))) &&
    (index.method === 'btree' || index.method === 'hash') &&
    new Set(key.columns).isSubsetOf(new Set(index.elements.slice(0, key.columns.length).map(({ column }) => column)));
  const byTable = Map.groupBy(indexes, tableOf);
  const best = foreignKeys.map((key) =>
    (byTable.get(tableOf(key)) ?? [])
      .filter((index) => covers(index, key))
      .sort(
        (a, b) =>
          Number(enforces(b)) - Number(enforces(a)) ||
          b.scans - a.scans ||
          a.elements.length - b.elements.length ||
          // From here on as `indexes/duplicate` chooses between twins, so that the two never drop both.
          Number(a.elements[0]?.descending) - Number(b.elements[0]?.descending) ||
          (a.index < b.index ? -1 : 1),
      )
      .at(0),
  );
  return new Set(best.filter((index) => index !== undefined));
}

function isNotNull(predicate: string | null, column: string): boolean {
  return predicate === `(${column} IS NOT NULL)` || predicate === `("${column.replaceAll('"', '""')}" IS NOT NULL)`;
}

function tableOf({ schema, table }: { schema: string; table: string }): string {
  return JSON.stringify([schema, table]);
}

/**
 * Days for which the counters have certainly counted: since the reset or, when there was none, since
 * the server started (they survive a clean restart, so they may well be older).
 */
function counterAge({ takenAt, server }: IndexSnapshot): number | undefined {
  const from = server.statisticsResetAt ?? server.startedAt;
  const age = (Date.parse(takenAt) - Date.parse(from)) / day;
  return Number.isFinite(age) && age >= 0 ? age : undefined;
}

function since({ server }: IndexSnapshot, age: number | undefined): string {
  const days = age === undefined ? '' : age < 1 ? ' (less than a day)' : ` (${plural(age, 'day')})`;
  return server.statisticsResetAt
    ? `since the counters were reset on ${server.statisticsResetAt.slice(0, 10)}${days}`
    : `since counting began, at the latest when the server started${days}`;
}

function replicaNote({ server }: IndexSnapshot): string {
  return server.isStandby ? ' This server is a standby: the scans of the primary are not among these.' : '';
}
