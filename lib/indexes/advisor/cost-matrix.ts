/** Costs that are known beforehand: the search over them needs no database. */
import * as z from 'zod';
import { definitionOf } from './candidate.ts';
import type { CostSource } from './cost-source.ts';

/** Costs in a file, as benchmarks publish them: of each statement the cost without and with some sets of candidates. */
export const CostMatrix = z.strictObject({
  statements: z.array(
    z.strictObject({
      queryId: z.string(),
      base: z.number(),
      /** Each with the definitions of its set. */
      cells: z.array(z.strictObject({ set: z.array(z.string()), cost: z.number() })),
    }),
  ),
});
export type CostMatrix = z.infer<typeof CostMatrix>;

/** A source over known costs: that of a set is the least of the cells whose sets it contains. */
export function matrixSource({ statements }: CostMatrix): CostSource {
  const known = new Map(statements.map((statement) => [statement.queryId, statement]));
  return {
    async costs(queryId, sets) {
      const statement = known.get(queryId);
      if (!statement) return sets.map(() => ({ total: Number.NaN, used: null }));
      return sets.map((set) => {
        const there = new Set(set.map(definitionOf));
        const best = statement.cells
          .filter((cell) => cell.cost < statement.base && cell.set.every((definition) => there.has(definition)))
          .toSorted((a, b) => a.cost - b.cost || a.set.length - b.set.length)[0];
        return { total: best?.cost ?? statement.base, used: best?.set ?? [] };
      });
    },
  };
}
