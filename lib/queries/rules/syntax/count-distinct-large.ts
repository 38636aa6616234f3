import * as z from 'zod';
import { count } from '../../../advice/format.ts';
import type { Block } from '../../syntax/block.ts';
import { rowsOf } from '../../syntax/lookup.ts';
import { as, lastName, nodesIn } from '../../syntax/node.ts';
import { relationOf, type Tables } from '../../syntax/resolve.ts';
import { rewriteBy } from '../../syntax/rewrite.ts';
import { statementRule, worth } from './statement-rule.ts';

/**
 * `queries/count-distinct-large`: `count(DISTINCT a)` over many rows. PostgreSQL sorts them all for it, and neither hashes nor
 * runs in parallel (https://www.postgresql.org/docs/current/parallel-plans.html#PARALLEL-AGGREGATION); SELECT DISTINCT in a
 * subquery may do both.
 */
export const countDistinctLarge = statementRule({
  id: 'queries/count-distinct-large',
  title: 'count(DISTINCT …) over many rows',
  why: 'All values are sorted to find the different ones, on disk where work_mem does not hold them, and by one process.',
  severity: 'info',
  options: z.strictObject({
    ...worth({ minMeanMs: 50 }),
    /** Smaller tables are left alone, unless the statement writes temporary files. */
    minRows: z.number().min(0).default(100_000),
  }),
  judge({ syntax, tables, figures, options }) {
    const block = syntax.blocks.find(countsDistinct);
    if (!block) return undefined;
    const rows = largest(block, tables);
    const spilled = figures.tempBlocksWritten > 0;
    if (rows < options.minRows && !spilled) return undefined;
    const sql = rewriteBy('queries/count-distinct-large', syntax, tables);
    return {
      title: 'Different values are counted by sorting',
      detail: `${rows > 0 ? `The values of up to ${count(rows)} rows are sorted` : 'All values are sorted'}${spilled ? ', partly on disk' : ''}.`,
      evidence: {
        tableRows: rows,
        tempBlocksPerCall: Math.round(figures.tempBlocksWritten / figures.calls),
        ...(sql === undefined ? {} : { rewrite: sql }),
      },
      action: {
        kind: 'code',
        ...(sql === undefined ? {} : { sql }),
        caution:
          sql === undefined
            ? 'Take the different values in a subquery with SELECT DISTINCT or GROUP BY, which can hash, and count its rows. Where about right is enough, keep a HyperLogLog sketch.'
            : 'It answers the same number, and can be hashed. Compare both plans: with an index of the column the sort may cost nothing.',
      },
    };
  },
});

function countsDistinct({ targets }: Block): boolean {
  const calls = [
    ...nodesIn(
      targets.map(({ node }) => node),
      (node) => !as('SelectStmt', node),
    ),
  ].map((node) => as('FuncCall', node));
  return calls.some((call) => call?.agg_distinct === true && lastName(call.funcname) === 'count');
}

/** The rows of the largest table of a block, or of the blocks inside its FROM. */
function largest(block: Block, tables: Tables): number {
  const sizes = block.sources.map((source) => {
    const relation = relationOf(source, tables);
    if (relation) return rowsOf(relation);
    return source.of.is === 'query' ? largest(source.of.block, tables) : 0;
  });
  return Math.max(0, ...sizes);
}
