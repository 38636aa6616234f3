import type { Index } from './snapshot.ts';

/** Whether something other than the speed of statements leans on an index. */
export function enforces(index: Index): boolean {
  return (
    index.unique ||
    index.primary ||
    index.exclusion ||
    index.constraint !== null ||
    index.referencedBy > 0 ||
    index.replicaIdentity ||
    index.clustered
  );
}

/**
 * Whether an index stays even where another one does all that it does: keys, what foreign keys refer to, and what replication,
 * CLUSTER or a partitioned index lean on.
 */
export function isBound(index: Index): boolean {
  return (
    index.primary ||
    index.exclusion ||
    index.referencedBy > 0 ||
    index.replicaIdentity ||
    index.clustered ||
    index.parent !== null
  );
}

/** Whether an index refuses, at once, every row that another unique index of the same keys refuses. */
export function isAsStrict(index: Index, other: Index): boolean {
  return index.unique && !index.constraint?.deferrable && (index.nullsNotDistinct || !other.nullsNotDistinct);
}
