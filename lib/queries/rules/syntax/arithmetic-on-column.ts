import * as z from 'zod';
import { columnsIn } from '../../syntax/condition.ts';
import { hasExpressionIndex } from '../../syntax/expression.ts';
import {
  type ComparedWithValue,
  comparedWithValues,
  indexesBy,
  isFoundOtherwise,
  rowsOf,
  stored,
} from '../../syntax/lookup.ts';
import { familyOf } from '../../syntax/type.ts';
import { type Case, firstVerdict, readsTable, statementRule, type Verdict, worth } from './statement-rule.ts';

/**
 * `queries/arithmetic-on-column`: a condition such as `created_at + $1 > now()`. The column has an index, which would be used
 * if the column stood alone: `created_at > now() - $1`.
 * https://www.postgresql.org/docs/current/indexes-intro.html: `indexed-column indexable-operator comparison-value`
 *
 * Not offered as a rewrite: with months in an interval, or at the limits of a type, the two are not quite the same.
 */
export const arithmeticOnColumn = statementRule({
  id: 'queries/arithmetic-on-column',
  title: 'Arithmetic with a column in a condition',
  why: 'The index of the column cannot be used, so that the sum is computed for every row of the table.',
  severity: 'warning',
  options: z.strictObject({ ...worth(), ...readsTable }),
  judge(statement) {
    if (statement.blocksPerCall < statement.options.minBlocksPerCall) return undefined;
    return firstVerdict(comparedWithValues(statement.syntax), (compared) => judgeCompared(statement, compared));
  },
});

function judgeCompared(
  { tables, options }: Case<{ minRows: number }>,
  { block, condition, operand }: ComparedWithValue,
): Verdict | undefined {
  if (operand.is !== 'operation' || !/^[-+*/]$/.test(operand.operator)) return undefined;
  const { left, right } = operand;
  // now() - created_at counts as well: the column can be brought to the other side.
  const column = [left, right].find((side) => side?.is === 'column');
  const other = column === left ? right : left;
  const found = column && other && columnsIn(other.node).length === 0 ? stored(column, block, tables) : undefined;
  if (!found || familyOf(found.base.column.type) === undefined) return undefined;
  const {
    relation,
    column: { name },
  } = found.base;
  const [index] = indexesBy(relation, name);
  if (!index || rowsOf(relation) < options.minRows || hasExpressionIndex(relation, operand.node)) return undefined;
  if (isFoundOtherwise(block, found.source, condition, tables)) return undefined;
  return {
    relation,
    title: `A condition computes with ${name}`,
    detail: `The index ${index.name} of ${relation.table}.${name} cannot be used while something is added to the column or taken from it.`,
    evidence: { column: name, index: index.name, tableRows: rowsOf(relation) },
    action: {
      kind: 'code',
      caution: `Bring everything but ${name} to the other side of the comparison: ${name} + x > y is ${name} > y - x. The other side is computed once.`,
    },
  };
}
