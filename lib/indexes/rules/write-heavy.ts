import * as z from 'zod';
import { bytes, count, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { subjectOf } from '../actions.ts';
import { counterAge, sinceWhen } from '../age.ts';
import { duplicatesOf } from '../duplicates.ts';
import { foreignKeySupport } from '../foreign-keys.ts';
import { redundantOf } from '../redundancy.ts';
import { enforces } from '../roles.ts';
import type { Index, IndexSnapshot } from '../snapshot.ts';

/**
 * `indexes/write-heavy`: an index that is read, but so seldom and for so few rows that it costs much more at writes. It is for the
 * reader to weigh: no statement is faster for fewer indexes but those that write.
 * https://www.postgresql.org/docs/current/storage-hot.html
 */
export const writeHeavy = defineRule({
  id: 'indexes/write-heavy',
  title: 'Index that is written far more than read',
  why: 'Every insert, and every update that is not heap-only, adds an entry to it and to the write-ahead log.',
  severity: 'info',
  options: z.strictObject({
    /** Fewer writes are no burden. */
    minWrites: z.number().int().min(1).default(100_000),
    /** So many entries are written for each scan, and for each row that is read by it. */
    minWritesPerRead: z.number().positive().default(1_000),
    /** With younger counters nothing is said. */
    minDays: z.number().min(0).default(7),
  }),
  check(snapshot: IndexSnapshot, { minWrites, minWritesPerRead, minDays }): Draft[] {
    if ((counterAge(snapshot) ?? 0) < minDays || snapshot.server.isStandby) return [];
    const heavy = snapshot.indexes.filter(
      (index) =>
        // One that is not read at all is reported by indexes/unused.
        index.scans > 0 &&
        index.writes >= minWrites &&
        index.writes >= minWritesPerRead * Math.max(index.scans, index.tuplesRead) &&
        index.valid &&
        index.parent === null &&
        !enforces(index),
    );
    if (heavy.length === 0) return [];
    const superfluous = new Set(
      [...duplicatesOf(snapshot.indexes), ...redundantOf(snapshot)].map(({ index }) => index),
    );
    const supporting = foreignKeySupport(snapshot.indexes, snapshot.foreignKeys);
    return heavy
      .filter((index) => !supporting.has(index) && !superfluous.has(index))
      .map((index) => ({ subject: subjectOf(snapshot, index), ...describe(index, snapshot) }));
  },
});

function describe(index: Index, snapshot: IndexSnapshot) {
  const { scans, writes, tuplesRead, hotUpdatePercent, usedBy, sizeBytes } = index;
  const hot =
    hotUpdatePercent === null ? '' : ` ${Math.round(hotUpdatePercent)} % of the updates of its table are heap-only.`;
  return {
    title: `${index.sql.index} is written ${count(writes / scans)} times for each read`,
    detail: `Up to ${plural(writes, 'entry', 'entries')} written, ${plural(scans, 'scan')} of ${plural(tuplesRead, 'row')} ${sinceWhen(snapshot)}; it takes ${bytes(sizeBytes)}.${hot}`,
    evidence: {
      writes,
      scans,
      tuplesRead,
      sizeBytes,
      ...(hotUpdatePercent === null ? {} : { hotUpdatePercent }),
      ...(usedBy && usedBy.length > 0 ? { statements: usedBy.slice(0, 5).join(', ') } : {}),
      definition: index.definition,
    },
    impact: { bytes: sizeBytes },
    action: {
      kind: 'code' as const,
      caution: `Find the statements that read it${usedBy && usedBy.length > 0 ? ' (evidence has their ids)' : ''}: if they can wait, or another index serves them, drop it. Columns that are updated often keep updates from being heap-only as long as any index has them.`,
    },
  };
}
