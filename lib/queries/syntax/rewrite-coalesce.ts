import { applyEdits } from '../explain/edits.ts';
import type { Block, ColumnUse, Syntax } from './block.ts';
import { type Condition, everyCondition, type Operand } from './condition.ts';
import { as } from './node.ts';
import { findOperand, type Tables } from './resolve.ts';
import { readTokens } from './tokens.ts';
import { withoutModifier } from './type.ts';

/**
 * `COALESCE(a, $1)` becomes `a` in a comparison, where a cannot be NULL.
 *
 * Proof: COALESCE answers its first value that is not NULL, which is a
 * (https://www.postgresql.org/docs/current/functions-conditional.html#FUNCTIONS-COALESCE-NVL-IFNULL). The types are those that
 * no value of another type makes COALESCE leave for a wider one, so that what a is compared to is read as before.
 */
export function rewriteCoalesce({ text, blocks }: Syntax, tables: Tables): string | undefined {
  for (const block of blocks) {
    for (const condition of everyCondition(block.where)) {
      const [call] = operandsOf(condition).filter((operand) => needlessCoalesce(operand, block, tables));
      const sql = call && replace(text, call, needlessCoalesce(call, block, tables));
      if (sql !== undefined) return sql;
    }
  }
  return undefined;
}

function operandsOf(condition: Condition): Operand[] {
  if (condition.is === 'comparison') return [condition.left, condition.right];
  return condition.is === 'in' || condition.is === 'between' ? [condition.operand] : [];
}

/** The column of a COALESCE that never takes its second value. */
export function needlessCoalesce(operand: Operand, block: Block, tables: Tables): ColumnUse | undefined {
  if (operand.is !== 'call' || operand.name !== 'coalesce') return undefined;
  const [first, ...others] = operand.arguments;
  const found = findOperand(first, block, tables);
  if (first?.is !== 'column' || !found?.notNull || !found.base || others.some(({ is }) => is !== 'parameter'))
    return undefined;
  const type = withoutModifier(found.base.column.type);
  return /^(?:uuid|boolean|text|character varying|timestamp with time zone)$/.test(type) ? first.column : undefined;
}

function replace(text: string, call: Operand, column: ColumnUse | undefined): string | undefined {
  const tokens = readTokens(text);
  const start = tokens.at(as('CoalesceExpr', call.node)?.location ?? 0);
  const first = tokens.at(column?.at ?? -1);
  const name = tokens.all[first + 2 * (column?.qualifiers.length ?? 0)];
  const [coalesce, argument, end] = [start, first, tokens.closing(start + 1)].map((index) => tokens.all[index]);
  if (!coalesce || !argument || !name || !end || !tokens.are(start, 'coalesce', '(') || first !== start + 2)
    return undefined;
  const value = Buffer.from(text).subarray(argument.start, name.end).toString();
  return applyEdits(text, [{ start: coalesce.start, end: end.end, text: value }]);
}
