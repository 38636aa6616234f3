import * as z from 'zod';
import { count } from '../../../advice/format.ts';
import { definePlanRule } from './define.ts';
import { times } from './words.ts';

/**
 * `plans/parameter-sensitive`: with common values of a parameter the statement is planned in another way than with rare ones, and
 * costs many times more. A prepared statement that has gone over to its generic plan runs one of them for all.
 * https://www.postgresql.org/docs/current/sql-prepare.html#SQL-PREPARE-NOTES
 */
export const parameterSensitive = definePlanRule({
  id: 'plans/parameter-sensitive',
  title: 'Cost depends on the value of a parameter',
  why: 'One plan cannot suit all values: what is fast for one customer is slow for another, and a prepared statement may hold on to the wrong plan.',
  severity: 'warning',
  options: z.strictObject({
    /** The dearest plan against the cheapest one. */
    minRatio: z.number().min(1).default(10),
    /** Below this cost the dearest plan is cheap as well; 1 is a page that is read in order. */
    minCost: z.number().min(0).default(1_000),
  }),
  *inspect({ explained }, options) {
    const costs = explained.parameterCosts;
    if (!costs) return;
    const { common, rare, generic, parameter, column, shapesDiffer } = costs;
    const dearest = Math.max(common, rare, generic);
    const ratio = dearest / Math.max(Math.min(common, rare, generic), 1e-6);
    if (ratio < options.minRatio || dearest < options.minCost) return;
    yield {
      weight: ratio,
      // Where all values have one plan, more rows merely take longer.
      severity: shapesDiffer ? 'warning' : 'info',
      title: `The cost depends ${times(ratio)} over on $${parameter} (${column})`,
      detail: `With a common value the plan costs ${count(common)}, with a rare one ${count(rare)}; the one for all values costs ${count(generic)}. ${shapesDiffer ? 'The plans do different things.' : 'All plans do the same.'}`,
      evidence: { costCommon: common, costRare: rare, costGeneric: generic, ratio, parameter, column },
      action: shapesDiffer
        ? {
            kind: 'config',
            sql: 'SET plan_cache_mode = force_custom_plan;',
            undoSql: 'RESET plan_cache_mode;',
            caution:
              'For one session, to compare; for the application, in the options of its connections or with ALTER ROLE. Every execution of a prepared statement is then planned anew, which takes as long as planning takes. It changes nothing for drivers that prepare nothing.',
          }
        : undefined,
    };
  },
});
