import * as z from 'zod';
import type { Action } from '../../../advice/finding.ts';
import { count, plural } from '../../../advice/format.ts';
import type { Relation } from '../../catalog.ts';
import { conditionColumns, type Test } from '../advice/conditions.ts';
import { suggestStatistics } from '../advice/statistics.ts';
import { misestimateOrigin } from '../measures.ts';
import { nodesOf, type PlanNode } from '../tree.ts';
import type { PlanContext } from './context.ts';
import { definePlanRule, type Sighting } from './define.ts';
import { rowsPerCall, scanTests } from './figures.ts';
import { nameOf, tableOf, times } from './words.ts';

interface Options {
  minFactor: number;
  minRows: number;
}

/**
 * `plans/row-misestimate`: the planner is far off about how many rows there are. It is told at the node where that begins; where the
 * plan was not run, only what the statement returns on average can be compared, with what the plan as a whole expects.
 * https://www.postgresql.org/docs/current/row-estimation-examples.html
 */
export const rowMisestimate = definePlanRule({
  id: 'plans/row-misestimate',
  title: 'Rows misestimated',
  why: 'Scans, joins and memory are chosen for the rows that are expected: where there are many more, or far fewer, the plan was made for another case.',
  severity: 'warning',
  options: z.strictObject({
    /** How many times too many, or too few. */
    minFactor: z.number().min(1).default(10),
    /** Fewer rows make no difference to a plan. */
    minRows: z.number().int().min(1).default(1_000),
  }),
  *inspect(context, options) {
    const found = context.plan.root.actual ? measured(context, options) : compared(context, options);
    if (found) yield found;
  },
});

function measured(context: PlanContext, { minFactor, minRows }: Options): Sighting | undefined {
  const origin = misestimateOrigin(context.plan, minFactor);
  if (!origin) return undefined;
  const { node, factor } = origin;
  const actual = node.actual?.rows ?? 0;
  if (Math.max(actual, node.estimate.rows) * (node.actual?.loops ?? 1) < minRows) return undefined;
  const known = context.tableOf(node);
  const table = tableOf(node, known);
  const tests = scanTests(node);
  return {
    table,
    weight: factor,
    title: `${node.type}${table ? ` of ${nameOf(table)}` : ''} gives ${times(factor)} ${actual > node.estimate.rows ? 'the' : 'fewer than the'} rows that were expected`,
    detail: `The planner expected ${plural(node.estimate.rows, 'row')}, and there were ${count(actual)}${(node.actual?.loops ?? 1) > 1 ? ' in each loop' : ''}. It is the first node of the plan to be so far off.`,
    evidence: { node: node.type, expectedRows: node.estimate.rows, rows: actual, factor },
    action: known ? remedy(known, tests) : undefined,
  };
}

/**
 * Below a LIMIT, and in a change, the rows that come out are not those that were estimated. Of a range or a pattern with an unknown
 * value the planner takes a fixed part, and everybody knows that it is wrong.
 */
function compared(context: PlanContext, { minFactor, minRows }: Options): Sighting | undefined {
  const { plan, statement, explained } = context;
  const rows = rowsPerCall(context);
  const expected = plan.root.estimate.rows;
  if (rows === undefined || explained.explainedAs !== 'itself' || statement?.kind !== 'select') return undefined;
  if (nodesOf(plan).some(({ node }) => node.type === 'Limit' || node.type === 'ModifyTable' || isGuessed(node))) {
    return undefined;
  }
  const factor = Math.max(rows, expected) / Math.max(1, Math.min(rows, expected));
  if (factor < minFactor || Math.max(rows, expected) < minRows) return undefined;
  return {
    weight: factor,
    severity: 'info',
    title: `The statement returns ${count(rows)} rows on average where its plan expects ${count(expected)}`,
    detail: 'The plan is the one for unknown parameters: with real values the planner may do better.',
    evidence: { expectedRows: expected, rows, factor },
    action: {
      kind: 'code',
      caution:
        'Run the statement with typical values under EXPLAIN (ANALYZE, BUFFERS): the first node whose rows are far from the expected ones is where the estimate goes wrong. Mind that ANALYZE really runs it.',
    },
  };
}

function isGuessed({ conditions }: PlanNode): boolean {
  return Object.values(conditions)
    .flatMap((condition) => conditionColumns(condition))
    .some(({ kind, parameters }) => kind !== 'equality' && parameters.length > 0);
}

function remedy(table: Relation, tests: readonly Test[]): Action | undefined {
  const columns = [...new Set(tests.flatMap((test) => test.columns.map(({ column }) => column)))];
  const [only] = columns;
  if (columns.length !== 1 || only === undefined) return suggestStatistics(table, columns);
  return {
    kind: 'code',
    caution: `See first that the table was analyzed lately (plans/stale-statistics). If it was, ${only} has values that a hundred samples do not tell apart: ALTER TABLE … ALTER COLUMN ${only} SET STATISTICS 1000, then ANALYZE. An expression over it needs CREATE STATISTICS on the expression.`,
  };
}
