import { sqlState } from '../postgres/errors.ts';
import type { Note, Server } from '../postgres/server.ts';
import type { Session } from '../postgres/session.ts';
import { collectTables } from '../tables/collect.ts';
import type { ColumnStatistics, Table } from '../tables/snapshot.ts';
import { type IndexPages, wastedSpace } from './bloat.ts';
import {
  abandonedSql,
  foreignKeysSql,
  fragmentationSql,
  indexesSql,
  lockedTablesSql,
  pagesSql,
  referencesSql,
  replicasSql,
} from './catalog.sql.ts';
import { estimateWaste } from './estimate.ts';
import { tableOf } from './foreign-keys.ts';
import { type MeasureLimits, measure } from './measure.ts';
import { type IndexRow, sumPartitions } from './partitions.ts';
import type { ForeignKey, Index, IndexSnapshot } from './snapshot.ts';

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
  const locked = await session.read<{ name: string }>(lockedTablesSql);
  const catalog = await readIndexes(session, server);
  const abandoned = new Set((await session.read<{ oid: number }>(abandonedSql)).map(({ oid }) => oid));
  const rows = sumPartitions(catalog).sort(bySize);
  const { tables, columns, sequences, notes } = await readUnlocked(() => collectTables(session, server, tableLimits));
  const foreignKeys = await session.read<ForeignKey>(foreignKeysSql);
  const references = new Map(
    (await session.read<{ oid: number; referencedBy: number }>(referencesSql)).map((row) => [
      row.oid,
      row.referencedBy,
    ]),
  );
  const replicas = await session.read<{ name: string }>(replicasSql);
  const candidates = rows.filter(
    (row) => row.method === 'btree' && !row.partitioned && row.valid && row.ready && row.sizeBytes >= limits.minBytes,
  );
  const { measured, notes: measuring } = await measure<IndexPages>(session, server, candidates, limits, {
    function: 'pgstatindex',
    sql: fragmentationSql,
    rule: 'indexes/fragmented',
    words: { what: 'Fragmentation', code: 'fragmentation', one: 'index', many: 'indexes' },
  });
  const ofTable = lookupOf(tables, columns);
  const indexes = rows.map(({ oid, parentOid: _, building, ...row }): Index => {
    const { table, columnOf } = ofTable(row);
    const pages = measured.get(oid);
    const blocks = row.blocksHit + row.blocksRead;
    const index: Index = {
      ...row,
      building: building || (!row.valid && !abandoned.has(oid)),
      referencedBy: references.get(oid) ?? 0,
      fragmentation: pages ? wastedSpace(pages, row.fillfactor, server.blockBytes) : null,
      wasteEstimate: null,
      cacheHitPercent: blocks === 0 ? null : Math.round((1000 * row.blocksHit) / blocks) / 10,
      writes: table ? table.inserts + table.updates - table.hotUpdates : 0,
      hotUpdatePercent: table && table.updates > 0 ? Math.round((1000 * table.hotUpdates) / table.updates) / 10 : null,
      observed: null,
      usedBy: null,
    };
    return pages || row.sizeBytes < limits.minBytes
      ? index
      : { ...index, wasteEstimate: estimateWaste(index, table, columnOf, server.blockBytes) };
  });
  return {
    takenAt,
    server,
    tables,
    indexes,
    foreignKeys,
    columns,
    sequences,
    replicas: replicas.map(({ name }) => name),
    notes: [...(locked.length > 0 ? [lockedNote(locked.map(({ name }) => name))] : []), ...measuring, ...notes],
  };
}

/** So many indexes are asked for at once. */
const pageLength = 2_500;

const highestOid = 2 ** 32 - 1;

async function readIndexes(session: Session, server: Server): Promise<IndexRow[]> {
  const sql = indexesSql(server.versionNumber);
  const ends = (await session.read<{ oid: number }>(pagesSql, [pageLength])).map(({ oid }) => oid);
  const rows: IndexRow[] = [];
  for (const [at, end] of [...ends, highestOid].entries()) {
    rows.push(...(await readUnlocked(() => session.read<IndexRow>(sql, [ends[at - 1] ?? 0, end]))));
  }
  return rows;
}

/** Largest first; by name among equals, so that the order never wavers. */
function bySize(a: IndexRow, b: IndexRow): number {
  const nameOf = ({ schema, index }: IndexRow) => `${schema}\0${index}`;
  return b.sizeBytes - a.sizeBytes || (nameOf(a) < nameOf(b) ? -1 : 1);
}

/** Finds the table of an index, and what is known of its columns. */
function lookupOf(tables: readonly Table[], columns: readonly ColumnStatistics[]) {
  const byName = new Map(tables.map((table) => [tableOf(table), table]));
  const columnsOf = Map.groupBy(columns, tableOf);
  return (index: { schema: string; table: string }) => {
    const key = tableOf(index);
    const known = columnsOf.get(key) ?? [];
    return { table: byName.get(key), columnOf: (name: string) => known.find(({ column }) => column === name) };
  };
}

/** A table may be locked between the look at the locks and the look at the table: then both are taken again. */
async function readUnlocked<Result>(read: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (sqlState(error) !== lockNotAvailable || attempt === 3) throw error;
    }
  }
}

const lockNotAvailable = '55P03';

function lockedNote(names: string[]): Note {
  const shown = names.slice(0, 5).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return {
    code: 'tables-locked',
    rules: ['indexes/*', 'tables/*'],
    message: `Locked by somebody (ALTER TABLE, VACUUM FULL, …) and left out: ${shown}${more}.`,
  };
}
