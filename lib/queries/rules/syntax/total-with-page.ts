import * as z from 'zod';
import { as, lastName } from '../../syntax/node.ts';
import { reads, statementRule, worth } from './statement-rule.ts';

/**
 * `queries/total-with-page`: `count(*) OVER ()` beside the rows of a page. The window is all rows that there would be without
 * LIMIT (https://www.postgresql.org/docs/current/tutorial-window.html), so that LIMIT saves nothing.
 */
export const totalWithPage = statementRule({
  id: 'queries/total-with-page',
  title: 'A page that counts all rows',
  why: 'To say how many rows there are in all, every one of them is read for every page; LIMIT then throws nearly all of them away.',
  severity: 'warning',
  options: z.strictObject({ ...worth(), ...reads }),
  judge({ syntax, blocksPerCall, options }) {
    if (blocksPerCall < options.minBlocksPerCall) return undefined;
    const counting = syntax.blocks.find(
      ({ limit, targets }) => limit !== undefined && targets.some(({ node }) => isTotal(node)),
    );
    if (!counting) return undefined;
    return {
      title: 'A page counts all rows',
      detail: 'count(*) OVER () reads everything that the page is cut out of.',
      action: {
        kind: 'code',
        caution:
          'Ask for one row more than the page has, to know whether there is a next one. Where a total must be shown, count in a statement of its own that is cached, or take the estimate of EXPLAIN or pg_class.reltuples.',
      },
    };
  },
});

function isTotal(node: Parameters<typeof as>[1]): boolean {
  const call = as('FuncCall', node);
  const { partitionClause, orderClause, name, refname } = call?.over ?? {};
  return (
    call?.over !== undefined &&
    lastName(call.funcname) === 'count' &&
    !partitionClause &&
    !orderClause &&
    !name &&
    !refname
  );
}
