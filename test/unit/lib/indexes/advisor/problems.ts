/** Random problems for the search that are small enough to be solved by trying everything. Their sums are whole numbers. */
import fc from 'fast-check';
import { candidateOn } from '../../../../../lib/indexes/advisor/candidate.ts';
import type { Problem } from '../../../../../lib/indexes/advisor/workload-cost.ts';

/** @param candidates at most */
export function problems(candidates: number): fc.Arbitrary<Problem> {
  return fc.integer({ min: 1, max: candidates }).chain((count) => {
    const place = fc.nat(count - 1);
    const cell = fc.record({
      set: fc.uniqueArray(place, { minLength: 1, maxLength: 3 }).map((set) => set.toSorted((a, b) => a - b)),
      share: fc.integer({ min: 1, max: 99 }),
    });
    const statement = fc.record({
      weight: fc.integer({ min: 1, max: 1_000 }),
      base: fc.integer({ min: 100, max: 100_000 }),
      cells: fc.array(cell, { maxLength: 6 }),
    });
    return fc
      .record({
        statements: fc.array(statement, { minLength: 1, maxLength: 5 }),
        sizes: fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: count, maxLength: count }),
        writes: fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: count, maxLength: count }),
      })
      .map(({ statements, sizes, writes }) => ({
        matrix: {
          candidates: sizes.map((_, i) => candidateOn('public', 't', [`c${i}`])),
          statements: statements.map(({ weight, base, cells }, i) => ({
            queryId: String(i),
            weight,
            base,
            cells: cells.map(({ set, share }) => ({ set, cost: Math.floor((base * share) / 100) })),
          })),
        },
        sizes,
        writes,
      }));
  });
}

/** What a set costs, by its definition. */
export function costOf({ matrix, writes }: Problem, set: readonly number[]): number {
  const has = new Set(set);
  const reads = matrix.statements.reduce((sum, { weight, base, cells }) => {
    const there = cells.filter((cell) => cell.set.every((place) => has.has(place))).map(({ cost }) => cost);
    return sum + weight * Math.min(base, ...there);
  }, 0);
  return set.reduce((sum, place) => sum + (writes[place] as number), reads);
}

/** What a set takes. */
export function bytesOf({ sizes }: Problem, set: readonly number[]): number {
  return set.reduce((sum, place) => sum + (sizes[place] as number), 0);
}

/** Every set of the candidates. */
export function everySet({ sizes }: Problem): number[][] {
  const sets: number[][] = [[]];
  for (const place of sizes.keys()) sets.push(...sets.map((set) => [...set, place]));
  return sets;
}
