/** How much the cost of each statement counts. */
import type { WeightedStatement } from './matrix.ts';
import type { WorkloadStatement } from './workload.ts';

/** What was measured may differ from what the planner thinks by locks and by chance: it may change a weight by this factor. */
const mostTrusted = 10;

/**
 * The weights of statements: their calls, and where they were measured, how much longer a unit of their cost takes than a unit of
 * the whole workload's. So the cost of the workload stays in the planner's unit, and each statement's part of it is near its part
 * of the time.
 *
 * @param costs of one call, by query id; a statement without a cost is left out
 */
export function weightsOf(
  statements: readonly WorkloadStatement[],
  costs: ReadonlyMap<string, number>,
): WeightedStatement[] {
  const known = statements.flatMap((statement) => {
    const cost = costs.get(statement.queryId);
    return cost === undefined ? [] : [{ ...statement, cost }];
  });
  const measured = known.filter(({ totalMs, cost }) => totalMs !== null && cost > 0);
  const time = measured.reduce((sum, { totalMs }) => sum + (totalMs ?? 0), 0);
  const cost = measured.reduce((sum, each) => sum + each.calls * each.cost, 0);
  const usual = time / cost;
  return known.map((statement) => {
    const { queryId, calls, totalMs } = statement;
    const own = (totalMs ?? 0) / (calls * statement.cost);
    const factor = totalMs === null || !(usual > 0) || !Number.isFinite(own) ? 1 : own / usual;
    return { queryId, weight: calls * Math.min(mostTrusted, Math.max(1 / mostTrusted, factor)) };
  });
}
