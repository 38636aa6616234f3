/** Reads the indexes of a database from its catalogs. */
import { sqlState } from '../postgres/errors.ts';
import type { Server } from '../postgres/server.ts';
import type { Session } from '../postgres/session.ts';
import { indexesSql, keyNamesSql, lockedTablesSql, pagesSql } from './catalog.sql.ts';
import { type CatalogKeys, KeyMaker, type KeyName } from './keys.ts';
import type { IndexRow } from './partitions.ts';
import type { Index } from './snapshot.ts';

/** So many indexes are asked for at once. */
const pageLength = 2_500;

const highestOid = 2 ** 32 - 1;

/** An index as `indexesSql` answers it. */
type CatalogIndex = CatalogKeys &
  Pick<IndexRow, 'oid' | 'parentOid'> &
  Omit<
    Index,
    | 'elements'
    | 'included'
    | 'options'
    | 'sql'
    | 'parent'
    | 'referencedBy'
    | 'cacheHitPercent'
    | 'writes'
    | 'hotUpdatePercent'
    | 'fragmentation'
    | 'wasteEstimate'
    | 'observed'
    | 'usedBy'
  > & {
    options: string[] | null;
    indexSql: string;
    nameSql: string;
    tableSql: string;
    constraintSql: string | null;
  };

/** The indexes, and the tables that are left out because somebody has locked them. */
export async function readIndexes(session: Session, server: Server): Promise<{ rows: IndexRow[]; locked: string[] }> {
  const [locked, ends] = await session.transaction(async (read) => [
    await read<{ name: string }>(lockedTablesSql),
    await read<{ oid: number }>(pagesSql, [pageLength]),
  ]);
  const sql = indexesSql(server.versionNumber);
  const keys = new KeyMaker();
  const rowOf = rowMaker(keys);
  const rows: IndexRow[] = [];
  for (const [at, end] of [...ends.map(({ oid }) => oid), highestOid].entries()) {
    const page = await readUnlocked(() =>
      session.transaction(async (read) => {
        const found = await read<CatalogIndex>(sql, [ends[at - 1]?.oid ?? 0, end]);
        const unknown = keys.unknownIn(found);
        if (unknown.classes.length + unknown.collations.length > 0) {
          keys.learn(await read<KeyName>(keyNamesSql, [unknown.classes, unknown.collations]));
        }
        return found;
      }),
    );
    for (const each of page) rows.push(rowOf(each));
  }
  return { rows, locked: locked.map(({ name }) => name) };
}

/** A table may be locked between the look at the locks and the look at the table: then both are taken again. */
export async function readUnlocked<Result>(read: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (sqlState(error) !== lockNotAvailable || attempt === 3) throw error;
    }
  }
}

const lockNotAvailable = '55P03';

/** Makes rows of what the catalogs answer. What many rows have in common they share, so that there is one of it in memory. */
function rowMaker(keys: KeyMaker): (found: CatalogIndex) => IndexRow {
  const texts = new Map<string, string>();
  function shared(text: string): string {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  }
  const noOptions: string[] = [];
  return (found) => {
    const { elements, included } = keys.keysOf(found);
    return {
      oid: found.oid,
      parentOid: found.parentOid,
      // Every field by its name: a copy of what was found, without some of it, takes five times as long.
      index: {
        schema: shared(found.schema),
        table: shared(found.table),
        index: found.index,
        method: shared(found.method),
        definition: found.definition,
        sizeBytes: found.sizeBytes,
        scans: found.scans,
        lastScanAt: found.lastScanAt,
        tuplesRead: found.tuplesRead,
        tuplesFetched: found.tuplesFetched,
        blocksHit: found.blocksHit,
        blocksRead: found.blocksRead,
        elements,
        included,
        predicate: found.predicate === null ? null : shared(found.predicate),
        unique: found.unique,
        nullsNotDistinct: found.nullsNotDistinct,
        primary: found.primary,
        exclusion: found.exclusion,
        constraint: found.constraint,
        valid: found.valid,
        ready: found.ready,
        replicaIdentity: found.replicaIdentity,
        clustered: found.clustered,
        fillfactor: found.fillfactor,
        options: found.options ?? noOptions,
        tablespace: found.tablespace,
        partitioned: found.partitioned,
        sql: {
          index: found.indexSql,
          name: found.nameSql === found.index ? found.index : found.nameSql,
          table: shared(found.tableSql),
          constraint: found.constraintSql,
        },
        parent: null,
        building: found.building,
        referencedBy: 0,
        fragmentation: null,
        wasteEstimate: null,
        cacheHitPercent: null,
        writes: 0,
        hotUpdatePercent: null,
        observed: null,
        usedBy: null,
      },
    };
  };
}
