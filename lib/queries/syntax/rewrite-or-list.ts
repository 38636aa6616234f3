import { applyEdits } from '../explain/edits.ts';
import type { Block, Syntax } from './block.ts';
import { type Condition, everyCondition } from './condition.ts';
import { find, type Tables } from './resolve.ts';
import { readTokens } from './tokens.ts';
import { familyOf } from './type.ts';

/**
 * `a = $1 OR a = $2 OR …` becomes `a IN ($1, $2, …)`.
 *
 * Proof: that is how IN is defined (https://www.postgresql.org/docs/current/functions-comparisons.html). IN stands where OR
 * stood and binds tighter, so that what is around it stays. PostgreSQL 18 does the same when it plans.
 */
export function rewriteOrList({ text, blocks }: Syntax, tables: Tables): string | undefined {
  for (const block of blocks) {
    const conditions = [...block.where, ...block.joins.flatMap(({ on }) => on)];
    for (const condition of everyCondition(conditions)) {
      const list = orList(condition, block, tables);
      const sql = list && replace(text, list);
      if (sql !== undefined) return sql;
    }
  }
  return undefined;
}

/** The branches of an OR that all ask whether one column equals a parameter, in the order of the text. */
export function orList(condition: Condition, block: Block, tables: Tables): Equality[] | undefined {
  if (condition.is !== 'or') return undefined;
  const equalities = condition.branches.map(equality);
  const [first] = equalities;
  const column = first && find(first.column, block, tables);
  if (!first || !column?.base || familyOf(column.base.column.type) === undefined) return undefined;
  const same = equalities.flatMap((each) => {
    const found = each && find(each.column, block, tables);
    return each && found?.source === column.source && each.column.name === first.column.name ? each : [];
  });
  return same.length === equalities.length ? same : undefined;
}

type Equality = { column: { qualifiers: string[]; name: string; at: number }; parameter: number };

function equality([condition, ...others]: readonly Condition[]): Equality | undefined {
  if (condition?.is !== 'comparison' || condition.operator !== '=' || others.length > 0) return undefined;
  const { left, right } = condition;
  return left.is === 'column' && right.is === 'parameter'
    ? { column: left.column, parameter: right.number }
    : undefined;
}

/** Only where nothing but the branches stands there, no parentheses for one. */
function replace(text: string, list: readonly Equality[]): string | undefined {
  const tokens = readTokens(text);
  const [first] = list;
  const start = tokens.at(first?.column.at ?? -1);
  let at = start;
  for (const { column, parameter } of list) {
    if (at !== start && !tokens.are(at++, 'or')) return undefined;
    if (at !== tokens.at(column.at)) return undefined;
    at += 2 * column.qualifiers.length + 1;
    if (!tokens.are(at, '=', `$${parameter}`)) return undefined;
    at += 2;
  }
  const [from, to] = [tokens.all[start]?.start, tokens.all[at - 1]?.end];
  const name = tokens.all[start + 2 * (first?.column.qualifiers.length ?? 0)]?.end;
  if (from === undefined || to === undefined || name === undefined) return undefined;
  const column = Buffer.from(text).subarray(from, name);
  return applyEdits(text, [
    { start: from, end: to, text: `${column} in (${list.map(({ parameter }) => `$${parameter}`).join(', ')})` },
  ]);
}
