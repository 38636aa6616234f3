/**
 * Existing indexes that the chosen ones make superfluous: each begins a chosen one, and nothing else depends on it. That a
 * workload does not use an index proves nothing, for nobody knows all statements; that is for the rule `indexes/unused` to tell.
 */
import pg from 'pg';
import type { Session } from '../../postgres/session.ts';
import type { Relation, TableIndex } from '../../queries/catalog.ts';
import { type Candidate, nameOf } from './candidate.ts';
import { isCoveredBy } from './candidates.ts';

/** An index to drop once the chosen ones are there. */
export interface Removal {
  schema: string;
  table: string;
  index: string;
  sizeBytes: number;
  sql: string;
  undoSql: string;
  /** The name of the chosen index that does all that it does. */
  replacedBy: string;
  /** Whether the planner was asked for the workload without it. */
  isVerified: boolean;
}

/** An existing index that could be dropped. */
interface Droppable {
  schema: string;
  index: string;
  definition: string;
  oid: string;
}

/** Not unique, of no constraint, no replica identity, not the order of the table on disk, and no part of a partitioned index. */
const droppableSql = `
select n.nspname as schema, c.relname as index, pg_get_indexdef(i.indexrelid) as definition, i.indexrelid::text as oid
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = any ($1::text[])
  and i.indisvalid and not i.indisunique and not i.indisexclusion and not i.indisreplident and not i.indisclustered
  and c.relkind = 'i' and not c.relispartition
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid)`;

/** Finds what the chosen indexes replace. @throws StreamGateError when the database cannot be asked */
export async function removalsFor(
  session: Session,
  chosen: readonly Candidate[],
  relations: readonly Relation[],
): Promise<(Removal & { oid: string })[]> {
  const replaced = relations.flatMap((relation) =>
    relation.indexes.flatMap((index) => {
      const by = chosen.find((candidate) => replaces(candidate, relation, index));
      return by ? [{ relation, index, by }] : [];
    }),
  );
  if (replaced.length === 0) return [];
  const names = replaced.map(({ relation, index }) => `${relation.schema}.${index.name}`);
  const droppable = await session.read<Droppable>(droppableSql, [names]);
  return replaced.flatMap(({ relation, index, by }) => {
    const found = droppable.find((each) => each.schema === relation.schema && each.index === index.name);
    if (!found) return [];
    const name = `${pg.escapeIdentifier(relation.schema)}.${pg.escapeIdentifier(index.name)}`;
    return [
      {
        schema: relation.schema,
        table: relation.table,
        index: index.name,
        sizeBytes: index.sizeBytes,
        sql: `DROP INDEX CONCURRENTLY IF EXISTS ${name};`,
        undoSql: `${found.definition.replace(/^CREATE INDEX /, 'CREATE INDEX CONCURRENTLY ')};`,
        replacedBy: nameOf(by),
        isVerified: false,
        oid: found.oid,
      },
    ];
  });
}

/** Whether a candidate does all that an existing plain index does. */
function replaces(candidate: Candidate, { schema, table }: Relation, index: TableIndex): boolean {
  if (candidate.schema !== schema || candidate.table !== table || index.unique || index.primary) return false;
  if (index.method !== 'btree' || candidate.method !== 'btree' || candidate.predicate || index.predicate) return false;
  if (index.expressions.some((expression) => expression !== null)) return false;
  const narrow: Candidate = {
    ...candidate,
    keys: candidate.keys.slice(0, index.columns.length),
    included: index.included,
  };
  // The index covers exactly the beginning of the candidate, and so the candidate covers the index.
  const stored = new Set([...candidate.keys.map(({ column }) => column), ...candidate.included]);
  const isWider = candidate.keys.length > index.columns.length || candidate.included.length > index.included.length;
  return (
    isWider &&
    narrow.keys.length === index.columns.length &&
    index.included.every((column) => stored.has(column)) &&
    isCoveredBy(narrow, index)
  );
}
