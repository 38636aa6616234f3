/**
 * The rule of Supabase's index_advisor (https://github.com/supabase/index_advisor, 0.2): statement by statement an index on every
 * column at once; those in the plan are taken. It knows no budget and no index on two columns.
 */
import { type Candidate, definitionOf } from '../../lib/indexes/advisor/candidate.ts';
import type { Choice, Task } from './task.ts';

/** Chooses indexes. */
export async function indexAdvisor(task: Task): Promise<Choice> {
  const chosen = new Map<string, Candidate>();
  for (const { queryId } of task.statements) {
    const { columns } = task.of(queryId);
    const [all] = await task.statementCosts(queryId, [columns]);
    for (const column of columns)
      if (all?.used?.includes(definitionOf(column))) chosen.set(definitionOf(column), column);
  }
  const indexes = [...chosen.values()];
  return { indexes, cost: await task.costOf(indexes) };
}
