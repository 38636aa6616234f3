import * as z from 'zod';
import { count, plural } from '../../../advice/format.ts';
import { defineNodeRule, minSharePercent, type Place } from './define.ts';
import { rowsPerCall } from './figures.ts';
import { shareOfTree } from './share.ts';

const joins = new Set(['Nested Loop', 'Hash Join', 'Merge Join']);
/** What change how many rows come out, so that those tell nothing of those that went in. */
const reducing = new Set(['Aggregate', 'Group', 'Limit', 'Unique', 'WindowAgg', 'SetOp', 'ModifyTable']);
/** PostgreSQL's guesses for a function that says nothing: `procost.h` and CREATE FUNCTION … ROWS. */
const guesses = new Set([100, 1_000]);

/**
 * `plans/function-scan-estimate`: a join is planned for the rows that PostgreSQL guesses of a function. Without ANALYZE it is
 * told where the guess is one of the defaults and the statement as a whole returns far fewer rows.
 * https://www.postgresql.org/docs/current/sql-createfunction.html
 */
export const functionScanEstimate = defineNodeRule({
  id: 'plans/function-scan-estimate',
  title: 'Guessed rows of a function',
  why: 'What a function returns is not known to the planner: it takes 100 or 1,000 rows, and chooses the joins for them.',
  severity: 'info',
  options: z.strictObject({
    /** How many times too many, or too few. */
    minFactor: z.number().min(1).default(10),
    /** Fewer rows make no difference to a plan. */
    minRows: z.number().int().min(1).default(100),
    /** Of the statement's time, or cost, with all that is joined to the function. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node, ancestors } = place;
    const at = ancestors.findIndex(({ type }) => joins.has(type));
    const join = ancestors[at];
    if (node.type !== 'Function Scan' || !join) return undefined;
    const expected = node.estimate.rows;
    const actual = node.actual
      ? node.actual.loops > 0
        ? node.actual.rows
        : undefined
      : told(place, rowsPerCall(context));
    if (actual === undefined || Math.max(actual, expected) < options.minRows) return undefined;
    const factor = Math.max(actual, expected) / Math.max(1, Math.min(actual, expected));
    if (factor < options.minFactor) return undefined;
    const name = node.functionName ?? 'a function';
    return {
      share: shareOfTree({ node: join, ancestors: ancestors.slice(at + 1) }, context.plan),
      weight: factor,
      title: `${name} is planned for ${plural(expected, 'row')}, and ${node.actual ? 'gives' : 'the statement returns'} ${count(actual)}`,
      detail: `The ${join.type} above it was chosen for ${plural(expected, 'row')} of ${name}; ${node.actual ? 'it gave' : 'the whole statement returned'} ${plural(actual, 'row')} on average.`,
      evidence: { function: name, expectedRows: expected, rows: actual, factor },
      action: {
        kind: 'code',
        caution:
          'A function of your own: ALTER FUNCTION … ROWS n, with the number that it usually returns. unnest or generate_series over a parameter: put the values in a temporary table and ANALYZE it where they are many, or compare with = ANY ($1) instead of a join where they are few.',
      },
    };
  },
});

function told({ node, ancestors }: Place, perCall: number | undefined): number | undefined {
  const isGuess = guesses.has(node.estimate.rows) && !ancestors.some(({ type }) => reducing.has(type));
  return isGuess && perCall !== undefined && perCall < node.estimate.rows ? perCall : undefined;
}
