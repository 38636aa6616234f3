import { escapeIdentifier } from 'pg';
import { plural } from '../advice/format.ts';
import { type MeasureLimits, measure } from '../indexes/measure.ts';
import type { Note, Server } from '../postgres/server.ts';
import type { Session } from '../postgres/session.ts';
import { type TablePages, tableWaste } from './bloat.ts';
import {
  bloatSql,
  columnsSql,
  hiddenStatisticsSql,
  sequencesSql,
  sequenceValuesSql,
  tablesSql,
} from './catalog.sql.ts';
import { progressOf, type SequenceRow } from './sequences.ts';
import type { ColumnStatistics, Sequence, Table } from './snapshot.ts';

/** The columns of smaller tables are not looked at: 512 kB in pages of 8 kB. */
const minPages = 64;

/** Each sequence that is read stays locked until the transaction ends, and a server has room for some thousand locks. */
const sequencesAtOnce = 500;

type TableRow = Omit<Table, 'bloat'> & { oid: number };

/** What collecting tables gives: a part of the snapshot of indexes. */
export interface CollectedTables {
  tables: Table[];
  columns: ColumnStatistics[];
  sequences: Sequence[];
  notes: Note[];
}

/** Reads the tables, the statistics of indexed columns and the sequences of a database, and measures what may be measured. */
export async function collectTables(session: Session, server: Server, limits: MeasureLimits): Promise<CollectedTables> {
  const rows = await session.read<TableRow>(tablesSql(server.versionNumber));
  const columns = await session.read<ColumnStatistics>(columnsSql, [minPages]);
  const [hidden] = await session.read<{ hidden: number }>(hiddenStatisticsSql, [minPages]);
  const candidates = rows.filter(({ kind, sizeBytes }) => kind !== 'partitioned table' && sizeBytes >= limits.minBytes);
  const { measured, notes } = await measure<TablePages>(session, server, candidates, limits, {
    function: 'pgstattuple_approx',
    sql: bloatSql,
    rule: 'tables/bloat',
    words: { what: 'Bloat', code: 'bloat', one: 'table', many: 'tables' },
  });
  const tables = rows.map(({ oid, ...table }) => {
    const pages = measured.get(oid);
    return { ...table, bloat: pages ? tableWaste(pages, table.fillfactor) : null };
  });
  const read = await readSequences(session, server);
  return {
    tables: withPartitions(tables),
    columns,
    sequences: read.sequences,
    notes: [...notes, ...(hidden && hidden.hidden > 0 ? [hiddenNote(hidden.hidden, server)] : []), ...read.notes],
  };
}

/** Gives every partitioned table the size and the counters of all its partitions, at any depth. */
function withPartitions(tables: readonly Table[]): Table[] {
  const byName = new Map(tables.map((table) => [table.sql, { ...table }]));
  for (const table of tables) {
    if (table.kind === 'partitioned table') continue;
    let owner = table.parent === null ? undefined : byName.get(table.parent);
    for (; owner; owner = owner.parent === null ? undefined : byName.get(owner.parent)) {
      for (const counter of summed) owner[counter] += table[counter];
    }
  }
  return [...byName.values()];
}

const summed = [
  'sizeBytes',
  'toastBytes',
  'sequentialScans',
  'sequentialRows',
  'inserts',
  'updates',
  'hotUpdates',
  'deletes',
  'liveRows',
  'deadRows',
] as const;

async function readSequences(session: Session, server: Server) {
  const rows = await session.read<SequenceRow>(sequencesSql);
  const readable = rows.filter(({ mayRead }) => mayRead);
  const values = new Map<number, string | null>();
  let failed = 0;
  for (let from = 0; from < readable.length; from += sequencesAtOnce) {
    const batch = readable.slice(from, from + sequencesAtOnce);
    try {
      const found = await session.read<{ oid: number; value: string | null }>(sequenceValuesSql, [
        batch.map(({ oid }) => oid),
      ]);
      for (const { oid, value } of found) values.set(oid, value);
    } catch {
      // One of them is being altered: the next audit will see it.
      failed += batch.length;
    }
  }
  const notes: Note[] = [];
  const note = (code: string, message: string) => notes.push({ code, rules: ['sequences/exhaustion'], message });
  const hidden = rows.length - readable.length;
  if (hidden > 0) {
    note(
      'sequences-permission',
      `${plural(hidden, 'sequence')} could not be read. ${remedyOf(server, 'GRANT SELECT ON ALL SEQUENCES IN SCHEMA … TO')}`,
    );
  }
  if (failed > 0) note('sequences-failed', `${plural(failed, 'sequence')} could not be read: one of them was locked.`);
  const known = readable.filter(({ oid }) => values.has(oid));
  return { sequences: known.map((row) => progressOf(row, values.get(row.oid) ?? null)), notes };
}

function hiddenNote(tables: number, server: Server): Note {
  return {
    code: 'statistics-permission',
    rules: ['indexes/low-selectivity', 'indexes/oversized'],
    message: `The statistics of the columns of ${plural(tables, 'table')} are not visible to the role. ${remedyOf(server, 'GRANT SELECT ON ALL TABLES IN SCHEMA … TO')}`,
  };
}

function remedyOf({ versionNumber, role }: Server, before14: string): string {
  return `${versionNumber >= 140_000 ? 'GRANT pg_read_all_data TO' : before14} ${escapeIdentifier(role)}.`;
}
