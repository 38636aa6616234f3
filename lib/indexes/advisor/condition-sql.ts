/**
 * Writes conditions and expressions of a statement as an index may have them: of one table, immutable, and the same in whatever
 * statement they stand.
 *
 * https://www.postgresql.org/docs/current/indexes-partial.html, https://www.postgresql.org/docs/current/indexes-expressional.html
 */
import pg from 'pg';
import type { Relation } from '../../queries/catalog.ts';
import type { Condition, Operand } from '../../queries/syntax/condition.ts';
import { isIndexable } from '../../queries/syntax/function.ts';
import { as } from '../../queries/syntax/node.ts';
import { columnOf } from './distinct.ts';

/** Longer lists of values are no kind of row, but a request. */
const maxValues = 10;

/**
 * The condition of a partial index on one column, as SQL; undefined where a condition makes none. Null tests and truth values are no
 * secrets; other constants are used only when told so.
 */
export function conditionSql(condition: Condition, column: string, valuesAllowed: boolean): string | undefined {
  const name = pg.escapeIdentifier(column);
  const isColumn = (operand: Operand) => operand.is === 'column';
  switch (condition.is) {
    case 'null test':
      return isColumn(condition.operand) ? `${name} IS ${condition.negated ? 'NOT ' : ''}NULL` : undefined;
    case 'truth':
      return isColumn(condition.operand) ? name : undefined;
    case 'not': {
      const [only, ...others] = condition.of;
      return only?.is === 'truth' && isColumn(only.operand) && others.length === 0 ? `NOT ${name}` : undefined;
    }
    case 'comparison': {
      const [side, other] = isColumn(condition.left)
        ? [condition.left, condition.right]
        : [condition.right, condition.left];
      if (!isColumn(side) || !/^(?:=|<>)$/.test(condition.operator)) return undefined;
      const truth = as('A_Const', other.node)?.boolval;
      if (truth) return (truth.boolval === true) === (condition.operator === '=') ? name : `NOT ${name}`;
      const value = valuesAllowed ? valueSql(other) : undefined;
      return value && `${name} ${condition.operator} ${value}`;
    }
    case 'in': {
      const values = valuesAllowed && !condition.squashed ? condition.items.map(valueSql) : [undefined];
      if (!isColumn(condition.operand) || values.length > maxValues || values.includes(undefined)) return undefined;
      return `${name} ${condition.negated ? 'NOT IN' : 'IN'} (${values.join(', ')})`;
    }
    default:
      return undefined;
  }
}

/** A constant, without the cast around it: it gets the type of the column. */
function valueSql(operand: Operand): string | undefined {
  const { sval, ival, fval } = as('A_Const', (operand.is === 'cast' ? operand.of : operand).node) ?? {};
  if (sval) return pg.escapeLiteral(sval.sval ?? '');
  if (operand.is === 'cast') return undefined;
  if (ival) return String(ival.ival ?? 0);
  return fval?.fval;
}

/** Functions of a text, which know no other type that they could mean. */
const isText = (type: string) => /^(?:text|character varying|citext)/.test(type);

/** An expression over one column, as SQL without parentheses around it; undefined where an index cannot hold it for sure. */
export function expressionSql(operand: Operand, relation: Relation, valuesAllowed: boolean): string | undefined {
  if (operand.is === 'call') {
    const [argument, ...others] = operand.arguments;
    const inner = argument?.is === 'cast' && argument.type === 'text' ? argument.of : argument;
    if (inner?.is !== 'column' || others.length > 0 || !isIndexable(operand.name)) return undefined;
    const column = columnOf(relation, inner.column.name);
    if (!column || (!isText(column.type) && /^(?:lower|upper|btrim|initcap|md5|reverse)$/.test(operand.name)))
      return undefined;
    return `${operand.name}(${pg.escapeIdentifier(column.name)})`;
  }
  // The key of a document is a constant, too.
  if (operand.is !== 'operation' || operand.operator !== '->>' || !valuesAllowed) return undefined;
  const [document, key] = [operand.left, operand.right && valueSql(operand.right)];
  const column = document?.is === 'column' ? columnOf(relation, document.column.name) : undefined;
  return column && key && /^jsonb?$/.test(column.type) ? `${pg.escapeIdentifier(column.name)} ->> ${key}` : undefined;
}
