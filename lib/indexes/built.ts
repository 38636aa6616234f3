/** Finds, among the indexes that exist, those that recommendations asked for. */
import type { BuiltIndex } from '../advice/effect.ts';
import type { Recommendation } from '../advice/recommendation.ts';
import { madeIndex } from './same-index.ts';
import type { Index } from './snapshot.ts';

/** What is looked at of an index that exists. */
export type ExistingIndex = Pick<Index, 'schema' | 'table' | 'definition' | 'sizeBytes' | 'valid'> & {
  sql: Pick<Index['sql'], 'index'>;
};

/**
 * The indexes that recommendations asked for and that are there now, by the ids of the recommendations: the same definition counts,
 * not the name. What is invalid serves nobody and is not there. The parser must have been loaded (`loadParser`).
 */
export function builtAmong(
  recommendations: readonly Pick<Recommendation, 'id' | 'action'>[],
  indexes: readonly ExistingIndex[],
): Map<string, BuiltIndex> {
  const byTable = Map.groupBy(
    indexes.filter(({ valid }) => valid),
    ({ table }) => table,
  );
  const keys = new Map<string, string | undefined>();
  const keyOf = ({ definition }: ExistingIndex) => {
    if (!keys.has(definition)) keys.set(definition, madeIndex(definition)?.key);
    return keys.get(definition);
  };
  const built = new Map<string, BuiltIndex>();
  for (const { id, action } of recommendations) {
    const wanted = action?.sql === undefined ? undefined : madeIndex(action.sql);
    const found =
      wanted &&
      byTable
        .get(wanted.table)
        ?.find(
          (index) => (wanted.schema === undefined || wanted.schema === index.schema) && keyOf(index) === wanted.key,
        );
    if (found) built.set(id, { index: found.sql.index, sizeBytes: found.sizeBytes });
  }
  return built;
}
