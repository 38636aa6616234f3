import { applyEdits } from '../explain/edits.ts';
import { type Block, conjunctsOf, type Syntax, sidesOf } from './block.ts';
import type { Condition, Operand } from './condition.ts';
import { hasDistinctRows } from './distinct-rows.ts';
import { keysOf } from './lookup.ts';
import { findOperand, relationOf, type Tables } from './resolve.ts';
import { readTokens } from './tokens.ts';

/**
 * `SELECT … UNION SELECT …` becomes `UNION ALL`, where no row can come twice.
 *
 * Proof: neither side answers a row twice (distinct-rows.ts). Both read the same table alone and answer its key in the same
 * places, so that equal rows of the two would be one row of the table; but one side asks what the other denies: a column IS
 * NULL there and IS NOT NULL, or compared to something, here; or it is `<` of a parameter here and `>=` of the same there.
 */
export function rewriteUnion({ text, blocks }: Syntax, tables: Tables): string | undefined {
  for (const block of blocks) {
    const [left, right] = sidesOf(block);
    if (block.kind !== 'union' || block.all || !left || !right) continue;
    // A LIMIT without ORDER BY takes any rows, and other ones by another plan.
    const isCut = [block, left, right].some(({ limit, offset }) => limit !== undefined || offset !== undefined);
    if (isCut || !areDisjoint(left, right, tables)) continue;
    const sql = replace(text, left, right);
    if (sql !== undefined) return sql;
  }
  return undefined;
}

function areDisjoint(left: Block, right: Block, tables: Tables): boolean {
  const relation = onlyRelation(left, tables);
  if (!relation || relation !== onlyRelation(right, tables)) return false;
  if (!hasDistinctRows(left, tables) || !hasDistinctRows(right, tables)) return false;
  if ([left, right].some(({ groupBy, aggregates }) => groupBy.length > 0 || aggregates)) return false;
  const places = (block: Block) =>
    block.targets.map(({ value }) => findOperand(value, block, tables)?.base?.column.name);
  const [one, other] = [places(left), places(right)];
  const answersSameKey = keysOf(relation).some((key) =>
    key.every((name) => one.some((each, i) => each === name && other[i] === name)),
  );
  if (!answersSameKey) return false;
  return conjunctsOf(left).some((condition) =>
    conjunctsOf(right).some((denied) => contradict(asked(condition, left, tables), asked(denied, right, tables))),
  );
}

function onlyRelation({ sources }: Block, tables: Tables) {
  const [source, ...others] = sources;
  return source && others.length === 0 ? relationOf(source, tables) : undefined;
}

/** What a condition asks of a column, as far as it can be contradicted. `compared` cannot be true for NULL. */
type Asked = { column: string } & (
  | { is: 'null' | 'not null' | 'true' | 'false' }
  | { is: 'compared'; operator: string; parameter: number | undefined }
);

function asked(condition: Condition, block: Block, tables: Tables): Asked | undefined {
  const column = (operand: Operand | undefined) => findOperand(operand, block, tables)?.base?.column;
  if (condition.is === 'null test') {
    const name = column(condition.operand)?.name;
    return name === undefined ? undefined : { column: name, is: condition.negated ? 'not null' : 'null' };
  }
  const [inner] = condition.is === 'not' && condition.of.length === 1 ? condition.of : [condition];
  if (inner?.is === 'truth') {
    const found = column(inner.operand);
    return found?.type === 'boolean'
      ? { column: found.name, is: condition.is === 'not' ? 'false' : 'true' }
      : undefined;
  }
  if (condition.is !== 'comparison') return undefined;
  const name = column(condition.left)?.name;
  if (name === undefined || condition.right.is !== 'parameter') return undefined;
  return { column: name, is: 'compared', operator: condition.operator, parameter: condition.right.number };
}

const opposites: Record<string, string> = { '=': '<>', '<>': '=', '<': '>=', '>=': '<', '>': '<=', '<=': '>' };

function contradict(one: Asked | undefined, other: Asked | undefined): boolean {
  if (!one || !other || one.column !== other.column) return false;
  if (one.is === 'null') return other.is !== 'null';
  if (other.is === 'null') return true;
  if (one.is === 'compared' && other.is === 'compared') {
    return one.parameter === other.parameter && opposites[one.operator] === other.operator;
  }
  return (one.is === 'true' && other.is === 'false') || (one.is === 'false' && other.is === 'true');
}

function replace(text: string, left: Block, right: Block): string | undefined {
  const [after, before] = [Math.max(...placesIn(left.node)), Math.min(...placesIn(right.node))];
  const { all } = readTokens(text);
  const [union, ...others] = all.filter(
    ({ start, text: word }) => start > after && start < before && word.toLowerCase() === 'union',
  );
  const next = union && all[all.indexOf(union) + 1];
  if (!union || !next || others.length > 0) return undefined;
  const distinct = next.text.toLowerCase() === 'distinct';
  return applyEdits(text, [{ start: union.end, end: distinct ? next.end : union.end, text: ' all' }]);
}

/** Where the parts of a tree stand in the text. */
function placesIn(tree: object): number[] {
  const places: number[] = [];
  const left: object[] = [tree];
  for (let at = left.pop(); at; at = left.pop()) {
    const { location } = at as { location?: number };
    if (typeof location === 'number' && location > 0) places.push(location);
    for (const child of Object.values(at)) if (typeof child === 'object' && child !== null) left.push(child);
  }
  return places;
}
