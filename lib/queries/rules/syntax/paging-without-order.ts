import * as z from 'zod';
import { answersClient } from '../../syntax/block.ts';
import { answersOneRow } from '../../syntax/distinct-rows.ts';
import { statementRule, worth } from './statement-rule.ts';

/**
 * `queries/paging-without-order`: LIMIT and OFFSET without ORDER BY. Without it the order of rows is whatever the plan makes
 * it, and may change between two calls: https://www.postgresql.org/docs/current/queries-limit.html.
 *
 * Left alone is what reads from a subquery that is ordered, which keeps its order in practice, and what finds one row at most.
 */
export const pagingWithoutOrder = statementRule({
  id: 'queries/paging-without-order',
  title: 'Pages without an order',
  why: 'Without ORDER BY two pages may show the same row, and no page another one, as soon as a plan changes or rows move.',
  severity: 'warning',
  options: z.strictObject(worth({ minMeanMs: 0, minTotalMs: 0 })),
  judge({ syntax, tables }) {
    const paged = syntax.blocks.find(
      (block) =>
        block.limit !== undefined &&
        block.offset !== undefined &&
        block.orderBy.length === 0 &&
        block.kind === 'select' &&
        answersClient(block),
    );
    if (!paged?.sources.some(({ of }) => of.is === 'table') || answersOneRow(paged, tables)) return undefined;
    if (paged.sources.some(({ of }) => of.is !== 'table' && !(of.is === 'query' && of.block.orderBy.length === 0)))
      return undefined;
    return {
      title: 'Pages are read without an order',
      detail: 'LIMIT and OFFSET cut a page out of rows whose order PostgreSQL does not promise.',
      action: {
        kind: 'code',
        caution: 'Add ORDER BY over columns that tell every row apart, such as the primary key at its end.',
      },
    };
  },
});
