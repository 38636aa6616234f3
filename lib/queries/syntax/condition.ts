/**
 * Conditions in one normalized form, whatever way they are written: `x <> ALL (SELECT …)` is a NOT IN, `x ~~ p` is a LIKE,
 * and of AND only the list of its parts is left. What has no form here is `other`.
 *
 * https://www.postgresql.org/docs/current/functions-comparisons.html
 */
import type { A_Expr, BoolExpr, Node, SubLink } from 'libpg-query';
import type { Block, ColumnUse } from './block.ts';
import { as, lastName, names, nodesIn } from './node.ts';
import { typeNameOf } from './type.ts';

/** A part of an expression. */
export type Operand = { node: Node } & (
  | { is: 'column'; column: ColumnUse }
  | { is: 'parameter'; number: number }
  /** What is no secret and so was left in the text: NULL, true, or a position. */
  | { is: 'constant' }
  /** Functions, and what is written like one: COALESCE, GREATEST, LEAST, NULLIF. */
  | { is: 'call'; name: string; arguments: Operand[] }
  | { is: 'cast'; type: string; of: Operand }
  | { is: 'operation'; operator: string; left: Operand | undefined; right: Operand | undefined }
  | { is: 'row'; items: Operand[] }
  | { is: 'subquery'; block: Block }
  | { is: 'other' }
);

/** What is asked of a row. */
export type Condition = { node: Node } & (
  | { is: 'comparison'; operator: string; left: Operand; right: Operand }
  /** `operator ANY (array)`. */
  | { is: 'any'; operator: string; operand: Operand; array: Operand }
  /** `squashed`: PostgreSQL 18 keeps only the first value of a list of constants. */
  | { is: 'in'; negated: boolean; operand: Operand; items: Operand[]; squashed: boolean }
  | { is: 'in subquery'; negated: boolean; operand: Operand; block: Block }
  | { is: 'exists'; negated: boolean; block: Block }
  | { is: 'null test'; negated: boolean; operand: Operand }
  | {
      is: 'pattern';
      matcher: 'like' | 'similar' | 'regex';
      ignoresCase: boolean;
      negated: boolean;
      operand: Operand;
      pattern: Operand;
    }
  | { is: 'between'; negated: boolean; operand: Operand; low: Operand; high: Operand }
  /** Each branch is a list of conditions that hold together. */
  | { is: 'or'; branches: Condition[][] }
  | { is: 'not'; of: Condition[] }
  /** A boolean expression that stands alone. */
  | { is: 'truth'; operand: Operand }
  | { is: 'other' }
);

/** Which block an EXISTS, an IN or a scalar subquery is. */
export type BlockOf = (subquery: SubLink) => Block | undefined;

const comparisons = new Set(['=', '<>', '<', '<=', '>', '>=']);

/** The operators behind LIKE and regular expressions: https://www.postgresql.org/docs/current/functions-matching.html */
const patternOperators: Record<string, { matcher: 'like' | 'regex'; ignoresCase: boolean; negated: boolean }> = {
  '~~': { matcher: 'like', ignoresCase: false, negated: false },
  '!~~': { matcher: 'like', ignoresCase: false, negated: true },
  '~~*': { matcher: 'like', ignoresCase: true, negated: false },
  '!~~*': { matcher: 'like', ignoresCase: true, negated: true },
  '~': { matcher: 'regex', ignoresCase: false, negated: false },
  '!~': { matcher: 'regex', ignoresCase: false, negated: true },
  '~*': { matcher: 'regex', ignoresCase: true, negated: false },
  '!~*': { matcher: 'regex', ignoresCase: true, negated: true },
};

/** The conditions that an expression asks for together. The depth of the tree is bounded where it is parsed. */
export function readConditions(node: Node | undefined, blockOf: BlockOf): Condition[] {
  if (!node) return [];
  const bool = as('BoolExpr', node);
  if (bool?.boolop === 'AND_EXPR') return (bool.args ?? []).flatMap((part) => readConditions(part, blockOf));
  return [readCondition(node, blockOf)];
}

function readCondition(node: Node, blockOf: BlockOf): Condition {
  const bool = as('BoolExpr', node);
  if (bool) return readBoolean(node, bool, blockOf);
  const expression = as('A_Expr', node);
  if (expression) return readExpression(node, expression, blockOf);
  const subquery = as('SubLink', node);
  if (subquery) return readSubquery(node, subquery, blockOf) ?? { is: 'other', node };
  const nullTest = as('NullTest', node);
  if (nullTest) {
    return {
      is: 'null test',
      node,
      negated: nullTest.nulltesttype === 'IS_NOT_NULL',
      operand: readOperand(nullTest.arg, blockOf),
    };
  }
  if (as('BooleanTest', node)) return { is: 'other', node };
  return { is: 'truth', node, operand: readOperand(node, blockOf) };
}

function readBoolean(node: Node, { boolop, args = [] }: BoolExpr, blockOf: BlockOf): Condition {
  if (boolop === 'OR_EXPR') return { is: 'or', node, branches: args.map((branch) => readConditions(branch, blockOf)) };
  const subquery = as('SubLink', args[0]);
  const inside = subquery && readSubquery(node, subquery, blockOf);
  if (inside && (inside.is === 'exists' || inside.is === 'in subquery')) return { ...inside, negated: !inside.negated };
  return { is: 'not', node, of: args.flatMap((part) => readConditions(part, blockOf)) };
}

function readSubquery(node: Node, subquery: SubLink, blockOf: BlockOf): Condition | undefined {
  const block = blockOf(subquery);
  if (!block) return undefined;
  const { subLinkType, testexpr, operName } = subquery;
  if (subLinkType === 'EXISTS_SUBLINK') return { is: 'exists', node, negated: false, block };
  if (subLinkType === 'EXPR_SUBLINK') return { is: 'truth', node, operand: { is: 'subquery', node, block } };
  const operator = operName ? lastName(operName) : '=';
  const operand = readOperand(testexpr, blockOf);
  if (subLinkType === 'ANY_SUBLINK' && operator === '=')
    return { is: 'in subquery', node, negated: false, operand, block };
  if (subLinkType === 'ALL_SUBLINK' && operator === '<>')
    return { is: 'in subquery', node, negated: true, operand, block };
  return undefined;
}

function readExpression(node: Node, { kind, name, lexpr, rexpr, ...places }: A_Expr, blockOf: BlockOf): Condition {
  const operator = lastName(name);
  const left = readOperand(lexpr, blockOf);
  const list = () => (as('List', rexpr)?.items ?? []).map((item) => readOperand(item, blockOf));
  switch (kind) {
    case 'AEXPR_OP': {
      const pattern = patternOperators[operator];
      if (pattern && lexpr)
        return { is: 'pattern', node, ...pattern, operand: left, pattern: readOperand(rexpr, blockOf) };
      if (comparisons.has(operator))
        return { is: 'comparison', node, operator, left, right: readOperand(rexpr, blockOf) };
      return { is: 'truth', node, operand: readOperand(node, blockOf) };
    }
    case 'AEXPR_OP_ANY':
      return { is: 'any', node, operator, operand: left, array: readOperand(rexpr, blockOf) };
    case 'AEXPR_IN': {
      const items = list();
      const squashed = items.length === 1 && isSquashed(items[0], places);
      return { is: 'in', node, negated: operator === '<>', operand: left, items, squashed };
    }
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR': {
      const ignoresCase = kind === 'AEXPR_ILIKE';
      const matcher = kind === 'AEXPR_SIMILAR' ? 'similar' : 'like';
      const pattern = readOperand(rexpr, blockOf);
      return {
        is: 'pattern',
        node,
        matcher,
        ignoresCase,
        negated: operator.startsWith('!'),
        operand: left,
        pattern: unescaped(pattern),
      };
    }
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN': {
      const [low, high] = list();
      if (!low || !high) return { is: 'other', node };
      return { is: 'between', node, negated: kind === 'AEXPR_NOT_BETWEEN', operand: left, low, high };
    }
    default:
      return { is: 'other', node };
  }
}

/** The parser wraps the pattern of SIMILAR TO, and of LIKE … ESCAPE, in a function. */
function unescaped(pattern: Operand): Operand {
  const wrapped = pattern.is === 'call' && /^(?:similar_to_escape|like_escape)$/.test(pattern.name);
  return (wrapped ? pattern.arguments[0] : undefined) ?? pattern;
}

/**
 * PostgreSQL 18 writes `($1 /*, … *\/)` for a list of constants, and the comment is taken out before the text is stored: what
 * is left is a space that nobody writes, before the closing parenthesis only. Where the comment was kept the space is wider.
 * https://www.postgresql.org/docs/current/pgstatstatements.html
 */
function isSquashed(item: Operand | undefined, places: Pick<A_Expr, 'rexpr_list_start' | 'rexpr_list_end'>): boolean {
  if (item?.is !== 'parameter') return false;
  const { location: at = 0 } = as('ParamRef', item.node) ?? {};
  const { rexpr_list_start: start = 0, rexpr_list_end: end = 0 } = places;
  return at === start + 1 && end > at + `$${item.number}`.length;
}

/** A part of an expression. Subqueries are the blocks that they were read as. */
export function readOperand(node: Node | undefined, blockOf: BlockOf): Operand {
  if (!node) return { is: 'other', node: {} as Node };
  const column = readColumn(node);
  if (column) return { is: 'column', node, column };
  const parameter = as('ParamRef', node);
  if (parameter) return { is: 'parameter', node, number: parameter.number ?? 0 };
  if (as('A_Const', node)) return { is: 'constant', node };
  const cast = as('TypeCast', node);
  if (cast?.typeName) return { is: 'cast', node, type: typeNameOf(cast.typeName), of: readOperand(cast.arg, blockOf) };
  const row = as('RowExpr', node);
  const items = (nodes: readonly Node[] | undefined) => (nodes ?? []).map((item) => readOperand(item, blockOf));
  if (row) return { is: 'row', node, items: items(row.args) };
  const subquery = as('SubLink', node);
  const block = subquery?.subLinkType === 'EXPR_SUBLINK' && blockOf(subquery);
  if (block) return { is: 'subquery', node, block };
  const call = readCall(node);
  if (call) return { is: 'call', node, name: call.name, arguments: items(call.arguments) };
  const operation = as('A_Expr', node);
  if (operation?.kind === 'AEXPR_OP') {
    const operand = (side: Node | undefined) => side && readOperand(side, blockOf);
    return {
      is: 'operation',
      node,
      operator: lastName(operation.name),
      left: operand(operation.lexpr),
      right: operand(operation.rexpr),
    };
  }
  return { is: 'other', node };
}

function readCall(node: Node): { name: string; arguments: Node[] } | undefined {
  const call = as('FuncCall', node);
  if (call) return { name: lastName(call.funcname), arguments: call.args ?? [] };
  const coalesce = as('CoalesceExpr', node);
  if (coalesce) return { name: 'coalesce', arguments: coalesce.args ?? [] };
  const extreme = as('MinMaxExpr', node);
  if (extreme) return { name: extreme.op === 'IS_LEAST' ? 'least' : 'greatest', arguments: extreme.args ?? [] };
  const nullIf = as('A_Expr', node);
  if (nullIf?.kind !== 'AEXPR_NULLIF') return undefined;
  return { name: 'nullif', arguments: [nullIf.lexpr, nullIf.rexpr].filter((side) => side !== undefined) };
}

/** The column that a node names; nothing for `*` and `t.*`. */
export function readColumn(node: Node): ColumnUse | undefined {
  const reference = as('ColumnRef', node);
  if (!reference) return undefined;
  const path = names(reference.fields);
  const name = path.pop();
  if (name === undefined || reference.fields?.some((field) => as('A_Star', field))) return undefined;
  return { qualifiers: path, name, at: reference.location ?? 0 };
}

/** The columns that an expression names, not those inside its subqueries. */
export function columnsIn(tree: object | undefined): ColumnUse[] {
  return [...nodesIn(tree, (node) => !as('SelectStmt', node))].flatMap((node) => readColumn(node) ?? []);
}

/** Conditions and all that are inside them, of OR and NOT, but not those of subqueries. */
export function* everyCondition(conditions: readonly Condition[]): Generator<Condition> {
  for (const condition of conditions) {
    yield condition;
    if (condition.is === 'or') for (const branch of condition.branches) yield* everyCondition(branch);
    if (condition.is === 'not') yield* everyCondition(condition.of);
  }
}
