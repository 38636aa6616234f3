import { escapeIdentifier } from 'pg';
import * as z from 'zod';
import type { Action } from '../../../advice/finding.ts';
import type { Operand } from '../../syntax/condition.ts';
import { hasExpressionIndex } from '../../syntax/expression.ts';
import { isAggregate, isIndexable, isPlain } from '../../syntax/function.ts';
import {
  type ComparedWithValue,
  comparedWithValues,
  indexesBy,
  isFoundOtherwise,
  rowsOf,
  stored,
} from '../../syntax/lookup.ts';
import { rewriteBy } from '../../syntax/rewrite.ts';
import { needlessCoalesce } from '../../syntax/rewrite-coalesce.ts';
import { familyOf } from '../../syntax/type.ts';
import { createIndex } from './create-index.ts';
import { type Case, firstVerdict, readsTable, statementRule, type Verdict, worth } from './statement-rule.ts';

/**
 * `queries/function-on-column`: a condition such as `lower(email) = $1`. An index of the column knows the column's values, not
 * what a function makes of them; it takes an index of the expression
 * (https://www.postgresql.org/docs/current/indexes-expressional.html), or another way to write the condition.
 *
 * Nothing is said where such an index is there, where something else that is asked finds the rows by an index, or where the
 * function is the user's own: it may well be an index's operator in disguise.
 */
export const functionOnColumn = statementRule({
  id: 'queries/function-on-column',
  title: 'Function over a column in a condition',
  why: 'An index of the column cannot be used, so that the function is computed for every row of the table.',
  severity: 'warning',
  options: z.strictObject({ ...worth(), ...readsTable }),
  judge(statement) {
    if (statement.blocksPerCall < statement.options.minBlocksPerCall) return undefined;
    return firstVerdict(comparedWithValues(statement.syntax), (compared) => judgeCompared(statement, compared));
  },
});

function judgeCompared(
  { tables, syntax, options }: Case<{ minRows: number }>,
  { block, condition, operand }: ComparedWithValue,
): Verdict | undefined {
  if (operand.is !== 'call' || !isPlain(operand.name) || isAggregate(operand.node)) return undefined;
  const found = operand.arguments.flatMap((argument) => stored(bare(argument), block, tables) ?? [])[0];
  if (!found) return undefined;
  const { relation, column } = found.base;
  const few = rowsOf(relation) < options.minRows;
  if (few || hasExpressionIndex(relation, operand.node) || isFoundOtherwise(block, found.source, condition, tables))
    return undefined;
  const index = indexesBy(relation, column.name)[0]?.name;
  const rewrite = needlessCoalesce(operand, block, tables) && rewriteBy('queries/function-on-column', syntax, tables);
  return {
    relation,
    title: `A condition computes ${operand.name}(${column.name})`,
    detail: index
      ? `The index ${index} of ${relation.table}.${column.name} cannot be used for it.`
      : `No index of ${relation.table} has that expression.`,
    evidence: {
      function: operand.name,
      column: column.name,
      tableRows: rowsOf(relation),
      ...(index ? { index } : {}),
      ...(rewrite ? { rewrite } : {}),
    },
    action: rewrite
      ? { kind: 'code', sql: rewrite, caution: `It answers the same rows: ${column.name} is NOT NULL.` }
      : remedy(operand, relation, column),
  };
}

/** The column under a cast that PostgreSQL or an ORM put there. */
function bare(operand: Operand): Operand {
  return operand.is === 'cast' ? bare(operand.of) : operand;
}

const ofTime = /^(?:date|date_part|date_trunc|extract|timezone|to_char)$/;

function remedy(
  { name, arguments: values }: Operand & { is: 'call' },
  relation: Parameters<typeof createIndex>[0],
  column: { name: string; type: string },
): Action {
  if (familyOf(column.type) === 'time' && ofTime.test(name)) {
    return {
      kind: 'code',
      caution: `Compare the column itself with the bounds of the time that is meant: ${column.name} >= start AND ${column.name} < end. An index of ${column.name} can answer that.`,
    };
  }
  if (name === 'coalesce') {
    return {
      kind: 'code',
      caution: `Say what is meant for NULL: ${column.name} = value, OR ${column.name} IS NULL where NULL counts as the value. An index of ${column.name} can answer both. Or make the column NOT NULL with a default.`,
    };
  }
  if (isIndexable(name) && values.length === 1) {
    return createIndex(
      relation,
      { expression: `${name}(${escapeIdentifier(column.name)})` },
      'Every write to the table must keep the index up. Run ANALYZE afterwards: it gathers statistics of the expression.',
    );
  }
  return {
    kind: 'code',
    caution: `Write the condition so that ${column.name} stands alone on its side; or, if the expression is IMMUTABLE, make an index of exactly this expression.`,
  };
}
