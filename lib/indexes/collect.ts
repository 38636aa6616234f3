import { escapeIdentifier } from 'pg';
import { plural } from '../advice/format.ts';
import { StreamGateError } from '../errors.ts';
import { sqlState } from '../postgres/errors.ts';
import type { Note, Server } from '../postgres/server.ts';
import type { Session } from '../postgres/session.ts';
import { type IndexPages, wastedSpace } from './bloat.ts';
import {
  foreignKeysSql,
  fragmentationSql,
  indexesSql,
  lockedTablesSql,
  mayMeasureSql,
  referencesSql,
  tablesSql,
} from './catalog.sql.ts';
import { type IndexRow, sumPartitions } from './partitions.ts';
import type { ForeignKey, Fragmentation, IndexSnapshot, Table } from './snapshot.ts';

/** How much measuring an audit may do: pgstatindex reads every page of an index. */
export interface MeasureLimits {
  /** Indexes are measured, largest first, as long as their sizes add up to no more. */
  budgetBytes: number;
  /** Below this a rebuild frees nothing worth a statement. */
  minBytes: number;
}

/** 2 GiB take about a second from memory and less than a minute from a slow disk. */
export const defaultMeasureLimits: MeasureLimits = { budgetBytes: 2 * 1024 ** 3, minBytes: 64 * 1024 };

/** Reads the indexes of a database and measures what may be measured. */
export async function collectIndexes(
  session: Session,
  server: Server,
  limits: MeasureLimits = defaultMeasureLimits,
): Promise<IndexSnapshot> {
  const takenAt = new Date().toISOString();
  const locked = await session.read<{ name: string }>(lockedTablesSql);
  const catalog = await readUnlocked(() => session.read<IndexRow>(indexesSql(server.versionNumber)));
  const rows = sumPartitions(catalog).sort((a, b) => b.sizeBytes - a.sizeBytes);
  const tables = await readUnlocked(() => session.read<Table>(tablesSql));
  const foreignKeys = await session.read<ForeignKey>(foreignKeysSql);
  const references = new Map(
    (await session.read<{ oid: number; referencedBy: number }>(referencesSql)).map((row) => [
      row.oid,
      row.referencedBy,
    ]),
  );
  const { measured, notes } = await measure(session, server, rows, limits);
  const indexes = rows.map(({ oid, parentOid: _, ...index }) => ({
    ...index,
    referencedBy: references.get(oid) ?? 0,
    fragmentation: measured.get(oid) ?? null,
  }));
  if (locked.length > 0) notes.unshift(lockedNote(locked.map(({ name }) => name)));
  return { takenAt, server, tables, indexes, foreignKeys, notes };
}

/** A table may be locked between the look at the locks and the look at the table: then both are taken again. */
async function readUnlocked<Row>(read: () => Promise<Row[]>): Promise<Row[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (sqlState(error) !== lockNotAvailable || attempt === 3) throw error;
    }
  }
}

const lockNotAvailable = '55P03';

async function measure(session: Session, server: Server, rows: IndexRow[], limits: MeasureLimits) {
  const measured = new Map<number, Fragmentation>();
  const notes: Note[] = [];
  const note = (code: string, message: string) => notes.push({ code, rules: ['indexes/fragmented'], message });
  const candidates = rows.filter(
    (row) => row.method === 'btree' && !row.partitioned && row.valid && row.ready && row.sizeBytes >= limits.minBytes,
  );
  const extension = server.extensions.pgstattuple;
  if (candidates.length === 0) return { measured, notes };
  if (!extension) {
    note(
      'pgstattuple-missing',
      'Fragmentation was not measured: pgstattuple is not installed. As a superuser: CREATE EXTENSION pgstattuple.',
    );
    return { measured, notes };
  }
  const [right] = await session.read<{ mayEnter: boolean; mayCall: boolean }>(mayMeasureSql, [extension.schema]);
  if (!right?.mayEnter || !right.mayCall) {
    const role = escapeIdentifier(server.role);
    const remedy = right?.mayEnter
      ? `GRANT pg_stat_scan_tables TO ${role}.`
      : `GRANT USAGE ON SCHEMA ${escapeIdentifier(extension.schema)} TO ${role}.`;
    note('pgstattuple-permission', `Fragmentation was not measured: the role may not call pgstatindex. ${remedy}`);
    return { measured, notes };
  }
  const sql = fragmentationSql(extension.schema);
  let left = limits.budgetBytes;
  let over = 0;
  let failed = 0;
  for (const row of candidates) {
    if (row.sizeBytes > left) {
      over++;
      continue;
    }
    left -= row.sizeBytes;
    try {
      const [pages] = await session.read<IndexPages>(sql, [row.oid]);
      if (pages) measured.set(row.oid, wastedSpace(pages, row.fillfactor, server.blockBytes));
    } catch (error) {
      if (error instanceof StreamGateError && error.code === 'database-unreachable') throw error;
      // Dropped meanwhile, locked, or of a kind that a standby cannot read: one index less.
      failed++;
    }
  }
  if (over > 0) {
    note(
      'fragmentation-budget',
      `Fragmentation of ${plural(over, 'large index', 'large indexes')} was not measured: an audit reads at most ${Math.round(limits.budgetBytes / 1024 ** 2)} MB of indexes.`,
    );
  }
  if (failed > 0) {
    note(
      'fragmentation-failed',
      `Fragmentation of ${plural(failed, 'index', 'indexes')} could not be measured: locked, too slow to read, or dropped meanwhile.`,
    );
  }
  return { measured, notes };
}

function lockedNote(names: string[]): Note {
  const shown = names.slice(0, 5).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return {
    code: 'tables-locked',
    rules: ['indexes/unused', 'indexes/duplicate', 'indexes/fragmented'],
    message: `Locked by somebody (ALTER TABLE, VACUUM FULL, …) and left out: ${shown}${more}.`,
  };
}
