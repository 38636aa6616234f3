import * as z from 'zod';
import type { Block } from '../../syntax/block.ts';
import { type Condition, columnsIn, type Operand } from '../../syntax/condition.ts';
import { comparedIn, conditionsOf, indexesBy, isFoundOtherwise, rowsOf, stored } from '../../syntax/lookup.ts';
import { type Case, firstVerdict, readsTable, statementRule, type Verdict, worth } from './statement-rule.ts';

/**
 * `queries/optional-filter`: one statement for a filter that is set and for one that is not: `($1 IS NULL OR a = $1)`, or
 * `a = COALESCE($1, a)`. A plan that fits all values must read the whole table
 * (https://www.postgresql.org/docs/current/sql-prepare.html#SQL-PREPARE-NOTES, on custom and generic plans).
 *
 * Only where the same parameter stands in both places: that is how a prepared statement looks; constants get numbers of their
 * own, and PostgreSQL simplifies them away. And only where an index of the column would find the rows.
 */
export const optionalFilter = statementRule({
  id: 'queries/optional-filter',
  title: 'A filter that may be left out',
  why: 'Once PostgreSQL plans it for all values, the plan must work without the filter, so that it reads the whole table even where the filter is set.',
  severity: 'info',
  options: z.strictObject({ ...worth(), ...readsTable }),
  judge(statement) {
    if (statement.blocksPerCall < statement.options.minBlocksPerCall) return undefined;
    return firstVerdict(conditionsOf(statement.syntax), ({ block, condition }) =>
      judgeCondition(statement, block, condition),
    );
  },
});

function judgeCondition(
  { tables, options }: Case<{ minRows: number }>,
  block: Block,
  condition: Condition,
): Verdict | undefined {
  const operand = optional(condition);
  const found = operand && stored(operand, block, tables);
  if (!found) return undefined;
  const { relation, column } = found.base;
  const [index] = indexesBy(relation, column.name);
  if (!index || rowsOf(relation) < options.minRows) return undefined;
  if (isFoundOtherwise(block, found.source, condition, tables)) return undefined;
  return {
    relation,
    title: `A filter by ${column.name} may be left out`,
    detail: `A plan for all values cannot use the index ${index.name} of ${relation.table}.${column.name}.`,
    evidence: { column: column.name, index: index.name, tableRows: rowsOf(relation) },
    action: {
      kind: 'code',
      caution: `Build the WHERE in the application of the filters that are set. Where that cannot be, SET plan_cache_mode = force_custom_plan for this statement lets PostgreSQL plan it for the values at hand.`,
    },
  };
}

/** The column of a filter that a parameter switches off. */
function optional(condition: Condition): Operand | undefined {
  if (condition.is === 'comparison') {
    const { left, right } = condition;
    const fallback = right.is === 'call' && right.name === 'coalesce' ? right.arguments.map(bare) : [];
    const [parameter, column] = fallback;
    const itself = left.is === 'column' && column?.is === 'column' && column.column.name === left.column.name;
    return itself && parameter?.is === 'parameter' ? left : undefined;
  }
  if (condition.is !== 'or') return undefined;
  const simple = condition.branches.flatMap((branch) => (branch.length === 1 ? branch : []));
  const switches = simple.flatMap((each) => (each.is === 'null test' && !each.negated ? numberOf(each.operand) : []));
  return simple
    .flatMap(comparedIn)
    .find(
      ({ operand, to }) =>
        operand.is === 'column' &&
        to &&
        columnsIn(to.node).length === 0 &&
        numberOf(to).some((number) => switches.includes(number)),
    )?.operand;
}

/** The number of the parameter that an operand is; none for what is not one. */
function numberOf(operand: Operand): number[] {
  const inside = bare(operand);
  return inside.is === 'parameter' ? [inside.number] : [];
}

function bare(operand: Operand): Operand {
  return operand.is === 'cast' ? bare(operand.of) : operand;
}
