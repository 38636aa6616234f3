import * as z from 'zod';
import type { Block } from '../../syntax/block.ts';
import { type Condition, columnsIn, type Operand } from '../../syntax/condition.ts';
import { hasExpressionIndex } from '../../syntax/expression.ts';
import {
  comparedIn,
  conditionsOf,
  indexesBy,
  isFoundOtherwise,
  isIndexable,
  rowsOf,
  stored,
} from '../../syntax/lookup.ts';
import { findOperand, type Tables } from '../../syntax/resolve.ts';
import { castsColumn, familyOf, withoutModifier } from '../../syntax/type.ts';
import { type Case, firstVerdict, readsTable, statementRule, type Verdict, worth } from './statement-rule.ts';

/**
 * `queries/implicit-cast`: an indexed column that is cast to another type in a comparison, because the text says so
 * (`id::text = $1`) or because the other side is of a type that PostgreSQL brings the column to (`bigint = numeric`):
 * https://www.postgresql.org/docs/current/typeconv-oper.html. The index holds the values of the column's own type.
 *
 * Harmless casts are left alone: between text and varchar nothing is converted, and types of one family (the integers, the
 * floats, dates with timestamps) are compared by one index as they are. The types of parameters are not known unless the text
 * casts them.
 */
export const implicitCast = statementRule({
  id: 'queries/implicit-cast',
  title: 'Cast of a compared column',
  why: 'The index of the column holds values of its own type and cannot be used for another one, so that every row is read and cast.',
  severity: 'warning',
  options: z.strictObject({ ...worth(), ...readsTable }),
  judge(statement) {
    if (statement.blocksPerCall < statement.options.minBlocksPerCall) return undefined;
    return firstVerdict(conditionsOf(statement.syntax), ({ block, condition }) =>
      firstVerdict(comparedIn(condition), ({ operand, to }) => judgeOperand(statement, block, condition, operand, to)),
    );
  },
});

function judgeOperand(
  { tables, options }: Case<{ minRows: number }>,
  block: Block,
  condition: Condition,
  operand: Operand,
  to: Operand | undefined,
): Verdict | undefined {
  if (!isIndexable(condition)) return undefined;
  const written = operand.is === 'cast' && condition.is !== 'null test';
  const found = stored(written ? operand.of : operand, block, tables);
  if (!found) return undefined;
  const { relation, column } = found.base;
  const type = written ? writtenCast(column.type, operand, to) : impliedCast(column.type, to, block, tables);
  const [index] = indexesBy(relation, column.name);
  if (type === undefined || !index || rowsOf(relation) < options.minRows) return undefined;
  if (hasExpressionIndex(relation, operand.node) || isFoundOtherwise(block, found.source, condition, tables))
    return undefined;
  const own = withoutModifier(column.type);
  return {
    relation,
    title: `${relation.table}.${column.name} is cast to ${type} to be compared`,
    detail: `The column is ${own}, and its index ${index.name} cannot be used for ${type}.`,
    evidence: { column: column.name, columnType: own, castTo: type, index: index.name, tableRows: rowsOf(relation) },
    action: {
      kind: 'code',
      caution:
        type === 'date'
          ? `Compare the column with the bounds of the day: ${column.name} >= $1 AND ${column.name} < $1::date + 1.`
          : `Cast the other side to the type of the column instead: ${column.name} = $1::${own}; or hand the parameter over as ${own}.`,
    },
  };
}

/** The type that a cast in the text brings a column to, where that is no use of its index; the other side must be a value. */
function writtenCast(column: string, { type }: Operand & { is: 'cast' }, to: Operand | undefined): string | undefined {
  const [from, into] = [familyOf(column), familyOf(type)];
  const same = withoutModifier(column) === type || (from === 'text' && into === 'text');
  const known = from !== undefined && into !== undefined;
  return known && !same && (to === undefined || columnsIn(to.node).length === 0) ? type : undefined;
}

/** The type that PostgreSQL brings a column to, because of what it is compared with. */
function impliedCast(column: string, to: Operand | undefined, block: Block, tables: Tables): string | undefined {
  const type = to?.is === 'cast' ? to.type : findOperand(to, block, tables)?.base?.column.type;
  return type !== undefined && castsColumn(column, type) ? withoutModifier(type) : undefined;
}
