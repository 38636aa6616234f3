import * as z from 'zod';
import { count } from '../../../advice/format.ts';
import { answersClient, type Block } from '../../syntax/block.ts';
import { find, relationOf, type Tables } from '../../syntax/resolve.ts';
import { statementRule, worth } from './statement-rule.ts';

/**
 * `queries/scalar-subquery-in-select`: a subquery among the columns that depends on the row. PostgreSQL runs it anew for each
 * row that is returned (a SubPlan: https://www.postgresql.org/docs/current/using-explain.html), like a nested loop that
 * cannot become another join.
 */
export const scalarSubqueryInSelect = statementRule({
  id: 'queries/scalar-subquery-in-select',
  title: 'Subquery that runs for each row',
  why: 'A subquery among the columns runs once for each row that is returned, and cannot be planned as a join.',
  severity: 'info',
  options: z.strictObject({
    ...worth(),
    /** Rows that a call returns, on average. */
    minRowsPerCall: z.number().positive().default(100),
    /** Blocks that a call reads for each of them. An index finds a row in about so many. */
    minBlocksPerRow: z.number().positive().default(2),
  }),
  judge({ syntax, tables, rowsPerCall, blocksPerCall, options }) {
    if (rowsPerCall < options.minRowsPerCall || blocksPerCall < options.minBlocksPerRow * rowsPerCall) return undefined;
    const repeated = syntax.blocks.filter(
      (block) => block.place === 'target' && isCorrelated(block, tables) && isAnswered(block.parent),
    );
    const [first] = repeated;
    if (!first) return undefined;
    const [source] = first.sources;
    return {
      relation: source && relationOf(source, tables),
      title: repeated.length === 1 ? 'A subquery runs for each row' : `${repeated.length} subqueries run for each row`,
      detail: `About ${count(repeated.length * rowsPerCall)} times a call.`,
      evidence: { subqueries: repeated.length, runsPerCall: Math.round(repeated.length * rowsPerCall) },
      action: {
        kind: 'code',
        caution:
          'Join with what the subquery computes, for all rows at once: LEFT JOIN (SELECT key, count(*) … GROUP BY key) …, or LEFT JOIN LATERAL where several columns come of the same subquery. Cut out the page with LIMIT first.',
      },
    };
  },
});

function isAnswered(block: Block | undefined): boolean {
  return block !== undefined && answersClient(block);
}

/** Whether a block names a column of its parent. */
function isCorrelated(block: Block, tables: Tables): boolean {
  return block.uses.some((use) => find(use, block, tables)?.block === block.parent);
}
