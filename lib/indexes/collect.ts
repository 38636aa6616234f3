import type { Note, Server } from '../postgres/server.ts';
import type { Session } from '../postgres/session.ts';
import { collectTables } from '../tables/collect.ts';
import { type IndexPages, wastedSpace } from './bloat.ts';
import { byTable } from './by-table.ts';
import { abandonedSql, foreignKeysSql, fragmentationSql, referencesSql, replicasSql } from './catalog.sql.ts';
import { estimateWaste } from './estimate.ts';
import { type Measurable, type MeasureLimits, measure } from './measure.ts';
import { type IndexRow, sumPartitions } from './partitions.ts';
import { readIndexes, readUnlocked } from './read.ts';
import type { ForeignKey, IndexSnapshot } from './snapshot.ts';

/** 2 GiB take about a second from memory and less than a minute from a slow disk. */
export const defaultMeasureLimits: MeasureLimits = { budgetBytes: 2 * 1024 ** 3, minBytes: 64 * 1024, timeMs: 20_000 };

/** Of tables only the pages are read that have changed since they were vacuumed. */
export const defaultTableLimits: MeasureLimits = {
  budgetBytes: 4 * 1024 ** 3,
  minBytes: 8 * 1024 ** 2,
  timeMs: 10_000,
};

/** Reads the indexes of a database, with the tables that they belong to, and measures what may be measured. */
export async function collectIndexes(
  session: Session,
  server: Server,
  limits: MeasureLimits = defaultMeasureLimits,
  tableLimits: MeasureLimits = defaultTableLimits,
): Promise<IndexSnapshot> {
  const takenAt = new Date().toISOString();
  const { rows: catalog, locked } = await readIndexes(session, server);
  const abandoned = new Set((await session.read<{ oid: number }>(abandonedSql)).map(({ oid }) => oid));
  const rows = sumPartitions(catalog).sort(bySize);
  const { tables, columns, sequences, notes } = await readUnlocked(() => collectTables(session, server, tableLimits));
  const foreignKeys = await session.read<ForeignKey>(foreignKeysSql(server.versionNumber));
  const references = new Map(
    (await session.read<{ oid: number; referencedBy: number }>(referencesSql)).map((row) => [
      row.oid,
      row.referencedBy,
    ]),
  );
  const replicas = await session.read<{ name: string }>(replicasSql);
  const { measured, notes: measuring } = await measure<IndexPages>(
    session,
    server,
    candidatesOf(rows, limits),
    limits,
    {
      function: 'pgstatindex',
      sql: fragmentationSql,
      rule: 'indexes/fragmented',
      words: { what: 'Fragmentation', code: 'fragmentation', one: 'index', many: 'indexes' },
    },
  );
  const tableOf = byTable(tables);
  const columnsOf = byTable(columns);
  for (const { oid, index } of rows) {
    const [table] = tableOf.get(index);
    const pages = measured.get(oid);
    const blocks = index.blocksHit + index.blocksRead;
    index.building ||= !index.valid && !abandoned.has(oid);
    index.referencedBy = references.get(oid) ?? 0;
    index.cacheHitPercent = blocks === 0 ? null : Math.round((1000 * index.blocksHit) / blocks) / 10;
    if (table) {
      index.writes = table.inserts + table.updates - table.hotUpdates;
      if (table.updates > 0) index.hotUpdatePercent = Math.round((1000 * table.hotUpdates) / table.updates) / 10;
    }
    if (pages) {
      index.fragmentation = wastedSpace(pages, index.fillfactor, server.blockBytes);
    } else if (index.sizeBytes >= limits.minBytes) {
      const columnOf = (name: string) => columnsOf.get(index).find(({ column }) => column === name);
      index.wasteEstimate = estimateWaste(index, table, columnOf, server.blockBytes);
    }
  }
  return {
    takenAt,
    server,
    tables,
    indexes: rows.map(({ index }) => index),
    foreignKeys,
    columns,
    sequences,
    replicas: replicas.map(({ name }) => name),
    notes: [...(locked.length > 0 ? [lockedNote(locked)] : []), ...measuring, ...notes],
  };
}

/** The indexes that may be measured. */
function candidatesOf(rows: readonly IndexRow[], { minBytes }: MeasureLimits): Measurable[] {
  return rows.flatMap(({ oid, index: { method, partitioned, valid, ready, sizeBytes } }) =>
    method === 'btree' && !partitioned && valid && ready && sizeBytes >= minBytes ? [{ oid, sizeBytes }] : [],
  );
}

/** Largest first; by name among equals, so that the order never wavers. */
function bySize({ index: a }: IndexRow, { index: b }: IndexRow): number {
  if (a.sizeBytes !== b.sizeBytes) return b.sizeBytes - a.sizeBytes;
  if (a.schema !== b.schema) return a.schema < b.schema ? -1 : 1;
  return a.index < b.index ? -1 : 1;
}

function lockedNote(names: string[]): Note {
  const shown = names.slice(0, 5).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return {
    code: 'tables-locked',
    rules: ['indexes/*', 'tables/*'],
    message: `Locked by somebody (ALTER TABLE, VACUUM FULL, …) and left out: ${shown}${more}.`,
  };
}
