import * as z from 'zod';
import { count } from '../../../advice/format.ts';
import type { Operand } from '../../syntax/condition.ts';
import { hasExpressionIndex } from '../../syntax/expression.ts';
import { type ComparedWithValue, comparedWithValues, isFoundOtherwise, rowsOf, stored } from '../../syntax/lookup.ts';
import { type Case, firstVerdict, readsTable, statementRule, type Verdict, worth } from './statement-rule.ts';

/**
 * `queries/json-key`: a condition such as `data ->> $1 = $2`. No index of the JSON column answers it, not even a GIN index:
 * that takes `data @> …` (https://www.postgresql.org/docs/current/datatype-json.html#JSON-INDEXING).
 *
 * The key is a constant and so is not known: where some expression index takes a key out of the column, it may be this one,
 * and nothing is said.
 */
export const jsonKey = statementRule({
  id: 'queries/json-key',
  title: 'Condition on a key of a JSON column',
  why: 'Every document of the table is read, and often fetched from TOAST and decompressed, to compare one key.',
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
  const taken = taking(operand);
  const found = taken && stored(taken.column, block, tables);
  if (!found || !/^jsonb?$/.test(found.base.column.type)) return undefined;
  const { relation, column } = found.base;
  if (rowsOf(relation) < options.minRows || hasExpressionIndex(relation, taken.expression.node)) return undefined;
  if (isFoundOtherwise(block, found.source, condition, tables)) return undefined;
  return {
    relation,
    title: `A condition looks into ${column.name}`,
    detail: `No index of ${relation.table}, which has ${count(rowsOf(relation))} rows, is over a key of ${column.name}.`,
    evidence: { column: column.name, tableRows: rowsOf(relation) },
    action: {
      kind: 'code',
      caution: `Make an index of the very expression, its key written out: CREATE INDEX CONCURRENTLY … ON ${relation.table} ((${column.name} ->> 'key')). For many keys compare with ${column.name} @> '{"key": "value"}' and make a GIN index with jsonb_path_ops. A key that is asked for everywhere should be a column.`,
    },
  };
}

/** The column that an operand takes a key out of, and the whole of it without its cast: `(data -> 'a' ->> 'b')::int`. */
function taking(operand: Operand): { column: Operand; expression: Operand } | undefined {
  if (operand.is === 'cast') return taking(operand.of);
  if (operand.is !== 'operation' || !/^#?->>?$|^#>>?$/.test(operand.operator) || !operand.left) return undefined;
  const deeper = operand.left.is === 'column' ? operand.left : taking(operand.left)?.column;
  return deeper && { column: deeper, expression: operand };
}
