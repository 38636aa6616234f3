/** For how long it is known what a statement would cost: as long as nothing has changed that the planner looks at. */
import { createHash } from 'node:crypto';
import type { Server } from '../../postgres/server.ts';
import type { Relation } from '../../queries/catalog.ts';
import { tablesOf } from '../../queries/collect.ts';
import type { Epochs } from './cost-cache.ts';
import type { Planner } from './hypopg.ts';
import { isMeant } from './meant.ts';
import type { Known } from './prepare.ts';

/** Costs that differ by less than this factor are as good as the same: tables grow all the time. */
const factor = 1.05;

/**
 * By statement, a text that changes when its costs do: with the server, its settings, what the server is asked, when the tables are
 * analyzed or get other indexes, and when the statement as the database is costs about 5 % more or less, as when its tables grow.
 *
 * @param method where costs come from: those of one way are nothing to another
 */
export function epochsOf(
  { version, extensions }: Server,
  { plans, uses, relations, settings }: Known,
  planner: Planner,
  method: string,
): Epochs {
  const usesOf = Map.groupBy(uses, ({ queryId }) => queryId);
  const tableStates = new Map(relations.map((relation) => [relation, stateOf(relation)]));
  return new Map(
    [...plans].map(([queryId, plan]) => {
      const used = (usesOf.get(queryId) ?? []).map(({ schema, table }) => ({ schema, name: table }));
      const named = [...used, ...tablesOf([{ plan }])];
      const states = relations
        .filter((relation) => named.some((name) => isMeant(relation, name)))
        .map((relation) => tableStates.get(relation));
      const magnitude = Math.round(Math.log1p(plan.root.estimate.totalCost) / Math.log(factor));
      const parts = [method, version, extensions.hypopg, settings, planner.sqlFor(queryId), magnitude, states];
      return [queryId, createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16)];
    }),
  );
}

/** What of a table plans depend on, but for its size. */
function stateOf({ schema, table, analyzedAt, indexes }: Relation): unknown {
  return [schema, table, analyzedAt, indexes.map(({ sizeBytes: _, ...definition }) => definition)];
}
