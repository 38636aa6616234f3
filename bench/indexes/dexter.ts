/**
 * Dexter's rule of choice (https://github.com/ankane/dexter, 0.6): statement by statement, all single columns at once, then all pairs
 * of columns at once; the indexes that the plan uses are taken if the cost falls by at least half, of several the one that alone
 * brings most. It knows no budget.
 */
import { type Candidate, candidateOn, definitionOf } from '../../lib/indexes/advisor/candidate.ts';
import type { Choice, Task } from './task.ts';

/** A pair of columns must lower the cost below this, too. */
const leastCost = 100;

/** Chooses indexes. @param least the share of the cost that must be saved, 0 to 1 */
export async function dexter(task: Task, least = 0.5): Promise<Choice> {
  const chosen = new Map<string, Candidate>();
  for (const { queryId } of task.statements) {
    const { columns, indexed } = task.of(queryId);
    const pairs = pairsOf([...columns, ...indexed]);
    const [base, single] = await task.statementCosts(queryId, [[], columns]);
    const [both] = await task.statementCosts(queryId, [[...columns, ...pairs]]);
    if (!base || !single || !both) continue;
    const usesPairs = both.total <= (1 - least) * single.total && single.total > leastCost;
    const best = usesPairs ? both : single;
    if (best.total > (1 - least) * base.total) continue;
    const used = [...columns, ...pairs].filter((each) => best.used?.includes(definitionOf(each)));
    const alone = await task.statementCosts(
      queryId,
      used.map((each) => [each]),
    );
    const cheapest = Math.min(...alone.map(({ total }) => total));
    const winner = used[alone.findIndex(({ total }) => total === cheapest)];
    if (winner && cheapest <= (1 - least) * base.total) chosen.set(definitionOf(winner), winner);
  }
  const indexes = [...chosen.values()];
  return { indexes, cost: await task.costOf(indexes) };
}

function pairsOf(columns: readonly Candidate[]): Candidate[] {
  return columns.flatMap((first) =>
    columns
      .filter((second) => second !== first && second.schema === first.schema && second.table === first.table)
      .map((second) => candidateOn(first.schema, first.table, [...first.keys, ...second.keys])),
  );
}
