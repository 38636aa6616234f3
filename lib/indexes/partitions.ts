import type { Index } from './snapshot.ts';

/** An index as the catalog query answers it. */
export type IndexRow = Omit<Index, 'fragmentation' | 'parent' | 'referencedBy'> & {
  oid: number;
  parentOid: number | null;
};

/**
 * Gives every index the name of the partitioned index that owns it, and every partitioned index the
 * size and the counters of all its partitions' indexes, at any depth.
 */
export function sumPartitions(rows: readonly IndexRow[]): (IndexRow & { parent: string | null })[] {
  const byOid = new Map(rows.map((row) => [row.oid, { ...row, parent: null as string | null }]));
  for (const row of rows) {
    let owner = row.parentOid === null ? undefined : byOid.get(row.parentOid);
    const index = byOid.get(row.oid);
    if (index && owner) index.parent = owner.sql.index;
    for (; owner; owner = owner.parentOid === null ? undefined : byOid.get(owner.parentOid)) {
      owner.sizeBytes += row.sizeBytes;
      owner.scans += row.scans;
      owner.tuplesRead += row.tuplesRead;
      owner.tuplesFetched += row.tuplesFetched;
      owner.blocksHit += row.blocksHit;
      owner.blocksRead += row.blocksRead;
      if (row.lastScanAt !== null && row.lastScanAt > (owner.lastScanAt ?? '')) owner.lastScanAt = row.lastScanAt;
    }
  }
  return [...byOid.values()];
}
