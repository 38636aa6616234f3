/** What a plan costs, and the names of the indexes in it. */
export interface PlanCost {
  /** The planner's estimate for the whole statement. */
  total: number;
  indexes: ReadonlySet<string>;
}

/**
 * Reads them from what `EXPLAIN (FORMAT JSON)` answers, parsed. Nothing else of the plan is looked at: a search makes thousands of
 * plans, and wants no more of them. Undefined where the answer is no plan.
 */
export function planCostOf(answer: unknown): PlanCost | undefined {
  const root = Array.isArray(answer) ? fieldOf(answer[0], 'Plan') : undefined;
  const total = fieldOf(root, 'Total Cost');
  if (typeof total !== 'number') return undefined;
  const indexes = new Set<string>();
  const left: unknown[] = [root];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    const index = fieldOf(node, 'Index Name');
    if (typeof index === 'string') indexes.add(index);
    const below = fieldOf(node, 'Plans');
    if (Array.isArray(below)) left.push(...below);
  }
  return { total, indexes };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
