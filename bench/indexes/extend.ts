/**
 * Extend, the yardstick of index selection: takes the step with the most gain per byte, where a step adds an index on one column or
 * appends a column to an index that is chosen.
 *
 * Schlosser, Kossmann, Boissier: Efficient Scalable Multi-Attribute Index Selection Using Recursive Strategies, ICDE 2019. As in
 * the index_selection_evaluation of Hyrise: a step must gain 0.3 %, and a budget is filled until no step fits.
 */
import { type Candidate, candidateOn, definitionOf } from '../../lib/indexes/advisor/candidate.ts';
import type { Choice, Task } from './task.ts';

const leastFactor = 1.003;

/** Chooses indexes within a budget. @param maxWidth key columns of an index */
export async function extend(task: Task, budget: number, maxWidth = 2): Promise<Choice> {
  const all = [...task.columns, ...task.indexed];
  // A column may be appended to what the database has as well.
  const begun = task.indexed.flatMap((indexed) => extended(all, [indexed], maxWidth).flat());
  let chosen: Candidate[] = [];
  let cost = await task.costOf(chosen);
  for (;;) {
    const size = task.bytesOf(chosen);
    const steps = [...added(task.columns, chosen), ...another(begun, chosen), ...extended(all, chosen, maxWidth)];
    let best: { ratio: number; next: Candidate[]; cost: number } | undefined;
    for (const next of steps) {
      const bytes = task.bytesOf(next);
      if (bytes > budget || bytes <= size) continue;
      const nextCost = await task.costOf(next);
      const ratio = (cost - nextCost) / (bytes - size);
      if (cost / nextCost >= leastFactor && ratio > (best?.ratio ?? 0)) best = { ratio, next, cost: nextCost };
    }
    if (!best) return { indexes: chosen, cost };
    chosen = best.next;
    cost = best.cost;
  }
}

function added(columns: readonly Candidate[], chosen: readonly Candidate[]): Candidate[][] {
  const first = new Set(chosen.map((candidate) => definitionOf({ ...candidate, keys: candidate.keys.slice(0, 1) })));
  return columns.filter((column) => !first.has(definitionOf(column))).map((column) => [...chosen, column]);
}

function another(begun: readonly Candidate[], chosen: readonly Candidate[]): Candidate[][] {
  const there = new Set(chosen.map(definitionOf));
  return begun.filter((candidate) => !there.has(definitionOf(candidate))).map((candidate) => [...chosen, candidate]);
}

function extended(columns: readonly Candidate[], chosen: readonly Candidate[], maxWidth: number): Candidate[][] {
  return chosen.flatMap((candidate, i) =>
    candidate.keys.length >= maxWidth
      ? []
      : columns
          .filter(
            ({ schema, table, keys: [key] }) =>
              schema === candidate.schema &&
              table === candidate.table &&
              candidate.keys.every(({ column }) => column !== key?.column),
          )
          .map((column) => {
            const wider = candidateOn(candidate.schema, candidate.table, [...candidate.keys, ...column.keys]);
            return chosen.toSpliced(i, 1, wider);
          }),
  );
}
