import type { Index } from './snapshot.ts';

/** An index as the catalogs have it: what is measured or counted elsewhere is null or zero. */
export interface IndexRow {
  oid: number;
  parentOid: number | null;
  index: Index;
}

/**
 * Leaves out the indexes whose owner was left out (its table was locked): they could not be judged. Gives every index the name of the partitioned index that owns it, and every partitioned index the
 * size and the counters of all its partitions' indexes, at any depth.
 */
export function sumPartitions(rows: readonly IndexRow[]): IndexRow[] {
  const known = new Set(rows.map(({ oid }) => oid));
  const whole = rows.filter(({ parentOid }) => parentOid === null || known.has(parentOid));
  const owning = new Set(whole.map(({ parentOid }) => parentOid));
  // Most indexes have to do with no partition, and are handed back as they are.
  const touched = whole.filter(({ oid, parentOid }) => parentOid !== null || owning.has(oid));
  const copies = new Map(touched.map((row) => [row.oid, { ...row, index: { ...row.index } }]));
  const ownerOf = ({ parentOid }: IndexRow) => (parentOid === null ? undefined : copies.get(parentOid));
  for (const row of touched) {
    const copy = copies.get(row.oid);
    let owner = ownerOf(row);
    if (copy && owner) copy.index.parent = owner.index.sql.index;
    for (; owner; owner = ownerOf(owner)) addTo(owner.index, row.index);
  }
  return whole.map((row) => copies.get(row.oid) ?? row);
}

function addTo(owner: Index, part: Index): void {
  for (const counter of summed) owner[counter] += part[counter];
  if (part.lastScanAt !== null && part.lastScanAt > (owner.lastScanAt ?? '')) owner.lastScanAt = part.lastScanAt;
}

const summed = ['sizeBytes', 'scans', 'tuplesRead', 'tuplesFetched', 'blocksHit', 'blocksRead'] as const;
