/**
 * Remembers what statements cost with which indexes. It is all that an interrupted search needs to go on: the search itself decides
 * nothing by chance or by the clock, so that a new run over what is known comes to where the last one was, and asks from there.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type Candidate, definitionOf } from './candidate.ts';
import type { Cost, CostSource } from './cost-source.ts';

/**
 * Costs that were learned, as they are kept between runs. Definitions are hashed: a condition in one of them may hold a value that
 * is nobody's business.
 */
export const CostCache = z.strictObject({
  /** What the costs depend on besides: the statistics of the tables. Costs of another epoch are forgotten. */
  epoch: z.string(),
  /** What the numbers below stand for. */
  definitions: z.array(z.string()),
  /** A statement, the set, its cost (null: no plan), and what the plan uses (null: unknown). */
  costs: z.array(
    z.tuple([z.string(), z.array(z.int().min(0)), z.number().nullable(), z.array(z.int().min(0)).nullable()]),
  ),
});
export type CostCache = z.infer<typeof CostCache>;

/** A source that asks another one only for what it does not know yet. */
export interface CachedSource extends CostSource {
  /** What it knows by now, for the next run. */
  save(): CostCache;
}

/**
 * Remembers costs by statement, set and the epoch of the statistics.
 *
 * @param epoch changes when the tables are analyzed or get other indexes
 * @param saved of an earlier run; ignored when it is of another epoch
 */
export function cached(source: CostSource, epoch: string, saved?: CostCache): CachedSource {
  const known = new Map<string, { queryId: string; set: readonly string[]; cost: Cost }>();
  const digests = new Map<string, string>();
  const digest = (candidate: Candidate) => {
    const definition = definitionOf(candidate);
    const made = digests.get(definition) ?? createHash('sha256').update(definition).digest('base64url').slice(0, 16);
    digests.set(definition, made);
    return made;
  };
  const keyOf = (queryId: string, set: readonly string[]) => JSON.stringify([queryId, ...set]);
  if (saved?.epoch === epoch) {
    for (const entry of entriesOf(saved)) known.set(keyOf(entry.queryId, entry.set), entry);
  }
  return {
    async costs(queryId, sets) {
      const wanted = sets.map((set) => {
        const digested = set.map(digest).toSorted();
        return { set, digested, key: keyOf(queryId, digested) };
      });
      const missing = new Map(wanted.filter(({ key }) => !known.has(key)).map((want) => [want.key, want]));
      const learned = await source.costs(
        queryId,
        [...missing.values()].map(({ set }) => set),
      );
      [...missing.values()].forEach(({ set, digested, key }, i) => {
        const { total, used } = learned[i] as Cost;
        const names = new Map(set.map((candidate) => [definitionOf(candidate), digest(candidate)]));
        const kept = used?.flatMap((definition) => names.get(definition) ?? []) ?? null;
        known.set(key, { queryId, set: digested, cost: { total, used: kept } });
      });
      return wanted.map(({ set, key }) => {
        const { total, used } = (known.get(key) as { cost: Cost }).cost;
        const definitions = new Map(set.map((candidate) => [digest(candidate), definitionOf(candidate)]));
        return { total, used: used?.flatMap((name) => definitions.get(name) ?? []) ?? null };
      });
    },
    save: () => saveOf(epoch, [...known.values()]),
  };
}

type Entry = { queryId: string; set: readonly string[]; cost: Cost };

function saveOf(epoch: string, entries: readonly Entry[]): CostCache {
  const places = new Map<string, number>();
  const place = (name: string) => {
    const found = places.get(name) ?? places.size;
    places.set(name, found);
    return found;
  };
  const costs = entries.map(({ queryId, set, cost: { total, used } }): CostCache['costs'][number] => [
    queryId,
    set.map(place),
    Number.isFinite(total) ? total : null,
    used?.map(place) ?? null,
  ]);
  return { epoch, definitions: [...places.keys()], costs };
}

/** An entry that names what is not there is left out: it was cut off, or somebody wrote it by hand. */
function entriesOf({ definitions, costs }: CostCache): Entry[] {
  return costs.flatMap(([queryId, set, total, used]) => {
    const names = (places: readonly number[]) => places.flatMap((place) => definitions[place] ?? []);
    if (names(set).length !== set.length) return [];
    return [{ queryId, set: names(set), cost: { total: total ?? Number.NaN, used: used && names(used) } }];
  });
}
