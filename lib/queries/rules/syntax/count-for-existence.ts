import type { Node } from 'libpg-query';
import * as z from 'zod';
import { columnsIn } from '../../syntax/condition.ts';
import { as, lastName, nodesIn } from '../../syntax/node.ts';
import { reads, statementRule, worth } from './statement-rule.ts';

/**
 * `queries/count-for-existence`: `(SELECT count(*) …) > 0`, or `SELECT count(*) > 0 FROM …`: all rows are counted to learn
 * whether there is one. EXISTS stops at the first
 * (https://www.postgresql.org/docs/current/functions-subquery.html#FUNCTIONS-SUBQUERY-EXISTS).
 *
 * The number is masked, so that it need not be 0: the finding says so. `<` is left out: it asks for room that is left.
 */
export const countForExistence = statementRule({
  id: 'queries/count-for-existence',
  title: 'Counting to learn whether there is a row',
  why: 'All rows are counted where the first one would answer the question.',
  severity: 'info',
  options: z.strictObject({ ...worth(), ...reads }),
  judge({ syntax, blocksPerCall, options }) {
    if (blocksPerCall < options.minBlocksPerCall) return undefined;
    const answered = syntax.blocks.flatMap(({ groupBy, targets }) => (groupBy.length === 0 ? targets : []));
    const counts =
      answered.some(({ node }) => compares(node, isCall)) ||
      [...nodesIn(syntax.root.node)].some((node) => compares(node, isCount));
    if (!counts) return undefined;
    return {
      title: 'A count is compared with a number',
      detail: 'If that number is 0 or 1, the question is whether there is a row, and the first one answers it.',
      action: {
        kind: 'code',
        caution:
          'Where the number is 0 write EXISTS (SELECT 1 FROM …) for > 0 and NOT EXISTS for = 0. Where it is another one, count at most that many: SELECT count(*) FROM (SELECT 1 FROM … LIMIT n).',
      },
    };
  },
});

/** Whether a node compares something with a number. */
function compares(node: Node, something: (node: Node | undefined) => boolean): boolean {
  const comparison = as('A_Expr', node);
  if (comparison?.kind !== 'AEXPR_OP' || !/^(?:>|>=|=|<>)$/.test(lastName(comparison.name))) return false;
  const { lexpr, rexpr } = comparison;
  return (something(lexpr) && isNumber(rexpr)) || (something(rexpr) && isNumber(lexpr));
}

/** A subquery that counts all its rows. */
function isCount(node: Node | undefined): boolean {
  const select = as('SelectStmt', as('SubLink', node)?.subselect);
  const [target, ...others] = select?.targetList ?? [];
  return isCall(as('ResTarget', target)?.val) && others.length === 0 && !select?.groupClause;
}

function isCall(node: Node | undefined): boolean {
  const call = as('FuncCall', node);
  return call !== undefined && lastName(call.funcname) === 'count' && !call.over;
}

function isNumber(node: Node | undefined): boolean {
  return (
    (as('ParamRef', node) ?? as('A_Const', node) ?? as('TypeCast', node)) !== undefined && columnsIn(node).length === 0
  );
}
