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
  /** By statement, what its costs depend on besides (epochs.ts). Those of another epoch are forgotten. */
  epochs: z.record(z.string(), z.string()),
  /** What the numbers below stand for. */
  definitions: z.array(z.string()),
  /** A statement, the set, its cost (null: no plan), and what the plan uses (null: unknown). */
  costs: z.array(
    z.tuple([z.string(), z.array(z.int().min(0)), z.number().nullable(), z.array(z.int().min(0)).nullable()]),
  ),
});
export type CostCache = z.infer<typeof CostCache>;

/** By statement, what its costs depend on besides. */
export type Epochs = ReadonlyMap<string, string>;

/** A source that asks another one only for what it does not know yet. */
export interface CachedSource extends CostSource {
  /** What it knows by now, for the next run. */
  save(): CostCache;
}

/**
 * Remembers costs by statement, its epoch, and set. What a plan does not use does not matter to it: when a plan with a set is known, it
 * is the plan of every smaller set that still has what it uses, and nobody is asked for these.
 *
 * @param epochs by statement; of one that has none nothing is kept for the next run
 * @param saved of an earlier run; of a statement that has another epoch by now it is ignored
 */
export function cached(source: CostSource, epochs: Epochs, saved?: CostCache): CachedSource {
  const known = new Map<string, Map<string, Entry>>();
  const nameOf = namer();
  const entriesFor = (queryId: string) => {
    const entries = known.get(queryId) ?? new Map<string, Entry>();
    known.set(queryId, entries);
    return entries;
  };
  const remember = (entry: Entry) => entriesFor(entry.queryId).set(entry.set.join(), entry);
  for (const entry of saved ? entriesOf(saved) : []) {
    const epoch = epochs.get(entry.queryId);
    if (epoch !== undefined && saved?.epochs[entry.queryId] === epoch) remember(entry);
  }
  return {
    async costs(queryId, sets) {
      const entries = entriesFor(queryId);
      const wanted = sets.map((set) => ({ set, names: set.map(nameOf).toSorted() }));
      for (const { names } of wanted) {
        const cost = entries.has(names.join()) ? undefined : inferred(entries.values(), names);
        // Remembered as if it had been asked for: what comes later must not change what was answered before.
        if (cost) remember({ queryId, set: names, cost });
      }
      const missing = wanted.filter(({ names }) => !entries.has(names.join()));
      const asked = [...new Map(missing.map((want) => [want.names.join(), want])).values()];
      const answers =
        asked.length === 0
          ? []
          : await source.costs(
              queryId,
              asked.map(({ set }) => set),
            );
      for (const [i, { set, names }] of asked.entries()) {
        remember({ queryId, set: names, cost: renamed(answers[i] as Cost, set, definitionOf, nameOf) });
      }
      return wanted.map(({ set, names }) =>
        renamed((entries.get(names.join()) as Entry).cost, set, nameOf, definitionOf),
      );
    },
    save: () =>
      saveOf(
        epochs,
        [...known].flatMap(([queryId, entries]) => (epochs.has(queryId) ? [...entries.values()] : [])),
      ),
  };
}

/** The cost of a set from that of a larger one whose plan uses nothing else. */
function inferred(entries: Iterable<Entry>, names: readonly string[]): Cost | undefined {
  const wanted = new Set(names);
  for (const { set, cost } of entries) {
    const { used } = cost;
    if (used?.every((name) => wanted.has(name)) && wanted.isSubsetOf(new Set(set))) return cost;
  }
  return undefined;
}

/** A cost with other names for what it uses. */
function renamed(
  { total, used }: Cost,
  set: readonly Candidate[],
  from: (candidate: Candidate) => string,
  to: (candidate: Candidate) => string,
): Cost {
  const names = new Map(set.map((candidate) => [from(candidate), to(candidate)]));
  return { total, used: used?.flatMap((name) => names.get(name) ?? []) ?? null };
}

/** Short names for definitions, the same in every run. */
function namer(): (candidate: Candidate) => string {
  const names = new Map<string, string>();
  return (candidate) => {
    const definition = definitionOf(candidate);
    const name = names.get(definition) ?? createHash('sha256').update(definition).digest('base64url').slice(0, 16);
    names.set(definition, name);
    return name;
  };
}

/** One cost that is known; the set by its names, ascending. */
interface Entry {
  queryId: string;
  set: readonly string[];
  cost: Cost;
}

function saveOf(epochs: Epochs, entries: readonly Entry[]): CostCache {
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
  return { epochs: Object.fromEntries(epochs), definitions: [...places.keys()], costs };
}

/** An entry that names what is not there is left out: it was cut off, or somebody wrote it by hand. */
function entriesOf({ definitions, costs }: CostCache): Entry[] {
  return costs.flatMap(([queryId, set, total, used]) => {
    const names = (places: readonly number[]) => places.flatMap((place) => definitions[place] ?? []);
    if (names(set).length !== set.length) return [];
    return [{ queryId, set: names(set), cost: { total: total ?? Number.NaN, used: used && names(used) } }];
  });
}
