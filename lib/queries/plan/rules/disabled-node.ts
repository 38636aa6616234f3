import * as z from 'zod';
import { nodesOf, type Plan, type PlanNode } from '../tree.ts';
import { definePlanRule } from './define.ts';

/** What PostgreSQL 17 and earlier add to the cost of a node that a setting forbids (`disable_cost` in costsize.c). */
const disableCost = 1e10;

/**
 * `plans/disabled-node`: a setting such as enable_seqscan = off forbids what the plan does all the same, for want of anything
 * else; or a setting of that kind is on for the whole session. https://www.postgresql.org/docs/current/runtime-config-query.html
 */
export const disabledNode = definePlanRule({
  id: 'plans/disabled-node',
  title: 'Planner method switched off',
  why: 'A method that is switched off is not weighed against the others: the plan is not the cheapest, and costs no longer tell anything.',
  severity: 'warning',
  options: z.strictObject({
    /** The penalty from which a node counts as forbidden, before PostgreSQL 18. */
    minPenalty: z.number().positive().default(disableCost),
  }),
  *inspect({ plan }, options) {
    const forbidden = [...nodesOf(plan)]
      .map(({ node }) => node)
      .filter((node) => isForbidden(node, options.minPenalty));
    const settings = switchedOff(plan);
    if (forbidden.length === 0 && settings.length === 0) return;
    const types = [...new Set(forbidden.map(({ type }) => type))].join(', ');
    yield {
      weight: forbidden.length,
      title: types ? `The plan uses what is switched off: ${types}` : `Planned with ${settings.join(', ')} off`,
      detail: `${types ? `There was nothing to use instead of ${types}. ` : ''}${settings.length > 0 ? `Switched off: ${settings.join(', ')}.` : 'One of the enable_… settings is off.'}`,
      evidence: {
        ...(types ? { nodes: types } : {}),
        ...(settings.length > 0 ? { settings: settings.join(', ') } : {}),
      },
      action: {
        kind: 'config',
        ...(settings.length > 0 ? { sql: settings.map((name) => `RESET ${name};`).join(' ') } : {}),
        ...(settings.length > 0 ? { undoSql: settings.map((name) => `SET ${name} = off;`).join(' ') } : {}),
        caution:
          'In one session, to compare. Then find where it is set: the role (ALTER ROLE … RESET), the database (ALTER DATABASE … RESET), the options of the connection, or a hint extension. What it was meant to avoid is better avoided with an index or better statistics.',
      },
    };
  },
});

/** The cost of a node holds those of its children: the penalty is its own where it is in none of them. */
function isForbidden({ disabled, estimate, children }: PlanNode, penalty: number): boolean {
  if (disabled !== undefined) return disabled;
  return estimate.totalCost >= penalty && !children.some((child) => child.estimate.totalCost >= penalty);
}

/** Told by EXPLAIN (SETTINGS). */
function switchedOff({ settings = {} }: Plan): string[] {
  return Object.keys(settings).filter((name) => name.startsWith('enable_') && settings[name] === 'off');
}
