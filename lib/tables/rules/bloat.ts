import * as z from 'zod';
import { bytes, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { IndexSnapshot } from '../../indexes/snapshot.ts';
import type { Table } from '../snapshot.ts';
import { subjectOf } from '../subject.ts';

const mebibyte = 1024 ** 2;

/**
 * `tables/bloat`: a table most of whose pages are dead rows or free space, as pgstattuple_approx measures it; or, where that may not
 * be called, one with more dead rows than living ones, which the counters tell. A table always has some free space, and new rows
 * go there: only much of it is a fault. https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-SPACE-RECOVERY
 */
export const bloat = defineRule({
  id: 'tables/bloat',
  title: 'Bloated table',
  why: 'Every scan reads the empty pages too, and they push those of other tables out of memory.',
  severity: 'warning',
  options: z.strictObject({
    /** Wasted space above which a table is bloated. */
    maxWastedPercent: z.number().min(0).max(100).default(50),
    /** Less waste is left alone. */
    minWastedBytes: z
      .number()
      .int()
      .min(0)
      .default(16 * mebibyte),
  }),
  check(snapshot: IndexSnapshot, options): Draft[] {
    return snapshot.tables.flatMap((table) => {
      const found = table.kind === 'partitioned table' ? undefined : judge(table, options);
      return found ? [{ subject: subjectOf(snapshot, table), ...found }] : [];
    });
  },
});

interface Options {
  maxWastedPercent: number;
  minWastedBytes: number;
}

function judge(table: Table, { maxWastedPercent, minWastedBytes }: Options): Omit<Draft, 'subject'> | undefined {
  const { sql, sizeBytes, liveRows, deadRows, bloat: measured } = table;
  const all = liveRows + deadRows;
  const estimated = all === 0 ? 0 : (deadRows / all) * sizeBytes;
  const wastedBytes = measured?.wastedBytes ?? Math.round(estimated);
  const wastedPercent = sizeBytes === 0 ? 0 : (100 * wastedBytes) / sizeBytes;
  if (wastedBytes < minWastedBytes || wastedPercent <= maxWastedPercent) return undefined;
  const mostlyDead = !measured || measured.deadBytes > wastedBytes / 2;
  return {
    title: `${sql} ${measured ? 'wastes' : 'probably wastes about'} ${Math.round(wastedPercent)} % of its space`,
    detail: measured
      ? `Of ${bytes(sizeBytes)} dead rows take ${bytes(measured.deadBytes)}, and ${bytes(measured.freeBytes)} are free.`
      : `The counters know of ${plural(deadRows, 'dead row')} and ${plural(liveRows, 'living one')}; it was not measured.`,
    evidence: {
      wastedPercent: Math.round(wastedPercent * 10) / 10,
      wastedBytes,
      sizeBytes,
      deadRows,
      liveRows,
      ...(measured ? { deadBytes: measured.deadBytes, freeBytes: measured.freeBytes } : { measured: 'no' }),
    },
    impact: { bytes: wastedBytes },
    action: mostlyDead ? vacuum(table) : rewrite(table, sizeBytes - wastedBytes),
  };
}

function vacuum({ sql, autovacuum }: Table): Draft['action'] {
  return {
    kind: 'sql',
    sql: `VACUUM (ANALYZE) ${sql};`,
    caution: `Stops neither reads nor writes. Dead rows that an open transaction, a replication slot or a prepared transaction may still see stay: end it first. ${autovacuum ? 'Where it happens again, lower autovacuum_vacuum_scale_factor of the table.' : 'Autovacuum is switched off for the table: switch it on.'} The space is free for new rows afterwards, but not given back to the disk.`,
  };
}

function rewrite({ sql }: Table, bytesAfter: number): Draft['action'] {
  return {
    kind: 'sql',
    sql: `VACUUM (FULL, ANALYZE) ${sql};`,
    caution: `Takes an ACCESS EXCLUSIVE lock: nobody reads or writes the table until it is done, and about ${bytes(bytesAfter)} of disk and as much for the indexes are needed meanwhile. The extension pg_repack does the same without the long lock. Not worth it where the table will grow into the space again.`,
  };
}
