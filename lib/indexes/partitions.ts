import type { Index } from './snapshot.ts';

/** An index as the catalog query answers it. */
export type IndexRow = Omit<
  Index,
  | 'fragmentation'
  | 'wasteEstimate'
  | 'cacheHitPercent'
  | 'writes'
  | 'hotUpdatePercent'
  | 'observed'
  | 'usedBy'
  | 'parent'
  | 'referencedBy'
> & {
  oid: number;
  parentOid: number | null;
};

/**
 * Leaves out the indexes whose owner was left out (its table was locked): they could not be judged. Gives every index the name of the partitioned index that owns it, and every partitioned index the
 * size and the counters of all its partitions' indexes, at any depth.
 */
export function sumPartitions(rows: readonly IndexRow[]): (IndexRow & { parent: string | null })[] {
  const known = new Set(rows.map(({ oid }) => oid));
  const whole = rows.filter(({ parentOid }) => parentOid === null || known.has(parentOid));
  const byOid = new Map(whole.map((row) => [row.oid, { ...row, parent: null as string | null }]));
  for (const row of whole) {
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
