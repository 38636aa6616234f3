import { escapeIdentifier } from 'pg';
import { applyEdits } from '../explain/edits.ts';
import type { Block, ColumnUse, Syntax } from './block.ts';
import { type Condition, everyCondition } from './condition.ts';
import { callsOnlyPlainFunctions } from './function.ts';
import { find, findOperand, type Tables } from './resolve.ts';
import { readTokens, type Tokens } from './tokens.ts';
import { familyOf, withoutModifier } from './type.ts';

/**
 * `x NOT IN (SELECT y …)` becomes `NOT EXISTS (SELECT 1 … AND x = y)`.
 *
 * Proof: `x NOT IN (S)` is false if some y of S equals x, and else NULL if x or some y is NULL, and else true
 * (https://www.postgresql.org/docs/current/functions-subquery.html#FUNCTIONS-SUBQUERY-NOTIN). Where neither x nor y can be
 * NULL, and so `x = y` cannot be, that is what NOT EXISTS says of the rows of S for which x = y. Both are of the same built-in
 * type, so that both forms use the same operator; S has nothing that depends on all its rows (LIMIT, groups, windows), and
 * no function that could answer something else when it is called again.
 */
export function rewriteNotIn({ text, blocks }: Syntax, tables: Tables): string | undefined {
  for (const block of blocks) {
    const conditions = [...block.where, ...block.joins.flatMap(({ on }) => on)];
    for (const condition of everyCondition(conditions)) {
      const sql = rewriteOne(text, block, condition, tables);
      if (sql !== undefined) return sql;
    }
  }
  return undefined;
}

function rewriteOne(text: string, block: Block, condition: Condition, tables: Tables): string | undefined {
  if (condition.is !== 'in subquery' || !condition.negated || condition.operand.is !== 'column') return undefined;
  const columns = sides(block, condition, tables);
  return columns && isPlain(condition.block)
    ? replace(text, condition.operand.column, columns, readTokens(text))
    : undefined;
}

/** The column outside with its qualifier, and the one inside, where neither can be NULL and both have one type. */
function sides(
  block: Block,
  condition: Condition & { is: 'in subquery' },
  tables: Tables,
): { outer: string; inner: ColumnUse } | undefined {
  const [target, ...others] = condition.block.targets;
  const outer = findOperand(condition.operand, block, tables);
  const inner = findOperand(target?.value, condition.block, tables);
  if (!outer?.notNull || !outer.base || !inner?.notNull || !inner.base || inner.block !== condition.block)
    return undefined;
  if (others.length > 0 || target?.value.is !== 'column' || outer.source.name === undefined) return undefined;
  const [type, innerType] = [outer.base, inner.base].map(({ column }) => withoutModifier(column.type));
  if (type !== innerType || familyOf(type ?? '') === undefined || condition.operand.is !== 'column') return undefined;
  // Inside, the same name must mean the same column.
  const { name } = condition.operand.column;
  const again = find({ qualifiers: [outer.source.name], name, at: 0 }, condition.block, tables);
  if (again?.source !== outer.source) return undefined;
  return { outer: `${escapeIdentifier(outer.source.name)}.${escapeIdentifier(name)}`, inner: target.value.column };
}

function isPlain(block: Block): boolean {
  const { kind, distinct, groupBy, having, aggregates, windows, orderBy, limit, offset, locks } = block;
  return (
    kind === 'select' &&
    distinct !== 'on' &&
    !aggregates &&
    !windows &&
    limit === undefined &&
    offset === undefined &&
    [groupBy, having, orderBy, locks, block.with].every((list) => list.length === 0) &&
    callsOnlyPlainFunctions(block.node)
  );
}

function replace(
  text: string,
  use: ColumnUse,
  { outer, inner }: { outer: string; inner: ColumnUse },
  tokens: Tokens,
): string | undefined {
  const start = tokens.at(use.at);
  // A name is a token, and so is each point between names.
  const not = start + 2 * use.qualifiers.length + 1;
  if (start < 0 || !tokens.are(not, 'not', 'in', '(', 'select')) return undefined;
  const from = tokens.next(not + 3, 'from');
  const where = tokens.next(from, 'where');
  const [first, begin, end] = [start, from, tokens.closing(not + 2)].map((index) => tokens.all[index]);
  const name = tokens.at(inner.at);
  const last = tokens.all[name + 2 * inner.qualifiers.length];
  if (!first || !begin || !end || !last || name < 0 || from < 0) return undefined;
  const bytes = Buffer.from(text);
  const equal = `${outer} = ${bytes.subarray(inner.at, last.end)}`;
  const [asked, condition] = [tokens.all[where], tokens.all[where + 1]];
  return applyEdits(text, [
    { start: first.start, end: begin.start, text: 'not exists (select 1 ' },
    ...(asked && condition ? [{ start: asked.end, end: condition.start, text: ' (' }] : []),
    { start: end.start, end: end.start, text: asked ? `) and ${equal}` : ` where ${equal}` },
  ]);
}
