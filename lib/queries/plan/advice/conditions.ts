/**
 * Reads the conditions of a plan. PostgreSQL prints them as SQL, so its own parser reads them, one by one of those that are
 * joined by AND: what is not SQL (`hashed SubPlan 1`) spoils only itself.
 *
 * - operand: one side of a comparison, as far as an index could hold it: a column, maybe in a cast or a call.
 * - test: what a condition asks of an operand, in the words of a b-tree.
 */
import { parseSync, type ScanToken, scanSync } from 'libpg-query';

/** A column of a condition. */
export interface ColumnName {
  /** The alias before the dot; null where the plan has only one relation. */
  alias: string | null;
  column: string;
}

/** One side of a comparison that holds nothing but a column. */
export interface Operand extends ColumnName {
  /** The type that the column is cast to, such as `text`; null without a cast. */
  cast: string | null;
  /** The function that is called with the column and else only with values: `lower`, `date_trunc`. */
  call: string | null;
}

/** What a condition asks. `or`: of several columns, one of which may do. `other`: what no b-tree can answer. */
export const testKinds = ['equality', 'range', 'pattern', 'null', 'not null', 'true', 'false', 'or', 'other'] as const;

/** One condition of those that are joined by AND. */
export interface Test {
  kind: (typeof testKinds)[number];
  /** What is tested: one operand, several in the order of a row comparison, none where it is no bare column. */
  operands: Operand[];
  /** Every column in the condition. */
  columns: ColumnName[];
  /** The numbers of the parameters in it. */
  parameters: number[];
  /** The column of another relation that it is compared to, as in a join. */
  against: Operand | null;
}

/**
 * The tests in a condition as EXPLAIN prints it, as one relation sees them: the columns of other relations are values to it.
 * Without an alias every column counts. What cannot be read is a test of the kind `other`, without columns.
 * PostgreSQL's parser must have been loaded; before that nothing can be read.
 *
 * @example
 * conditionColumns('((o.status = $1) AND (o.customer_id = c.id))', 'o')
 * // [{ kind: 'equality', operands: [{ column: 'status', … }] }, { kind: 'equality', operands: [{ column: 'customer_id', … }] }]
 */
export function conditionColumns(condition: string | undefined, alias?: string): Test[] {
  if (!condition) return [];
  const arms = armsOf(condition);
  if (arms.length === 0) return [other([], [])];
  return arms.flatMap((arm) => {
    const node = expressionOf(arm);
    if (node === undefined) return [other([], [])];
    const test = testOf(node, (name) => alias === undefined || name.alias === null || name.alias === alias);
    return test ? [test] : [];
  });
}

/** A key that rows are sorted by. */
export interface OrderKey {
  operand: Operand;
  descending: boolean;
  nullsFirst: boolean;
}

/** The keys of a Sort; undefined when one is more than a column, or has an order of its own. */
export function orderKeys(sortKey: readonly string[]): OrderKey[] | undefined {
  const keys = sortKey.map(orderKey);
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

/** An expression of an index as PostgreSQL prints it, where it is a column in a cast or a call. */
export function operandOf(expression: string): Operand | undefined {
  const [arm = ''] = armsOf(expression);
  return bareOperand(expressionOf(arm));
}

type Tree = Record<string, unknown>;
type Expression = {
  A_Expr?: { kind?: string; name?: NameNode[]; lexpr?: Expression; rexpr?: Expression };
  BoolExpr?: { boolop?: string; args?: Expression[] };
  NullTest?: { arg?: Expression; nulltesttype?: string };
  BooleanTest?: { arg?: Expression; booltesttype?: string };
  ColumnRef?: { fields?: NameNode[] };
  TypeCast?: { arg?: Expression; typeName?: { names?: NameNode[]; arrayBounds?: unknown[] } };
  FuncCall?: { funcname?: NameNode[]; args?: Expression[] };
  RowExpr?: { args?: Expression[] };
};
type NameNode = { String?: { sval?: string } };

/** Nested deeper than this nothing is read: the parser and the walks below would go as deep. */
const maxDepth = 100;

/** The conditions that are joined by AND, without the parentheses around each. */
function armsOf(condition: string): string[] {
  const bytes = Buffer.from(condition);
  const left = [scan(condition)];
  const arms: string[] = [];
  for (let tokens = left.pop(); tokens; tokens = left.pop()) {
    const bare = withoutParentheses(tokens);
    const parts = splitAtAnd(bare);
    if (parts.length > 1) left.push(...parts.toReversed());
    else if (bare.length > 0) arms.push(textOf(bytes, bare));
  }
  return arms;
}

interface Token {
  text: string;
  start: number;
  end: number;
  depth: number;
}

/** The tokens with how many parentheses are around each; none where the text cannot be scanned or is too deep. */
function scan(text: string): Token[] {
  let depth = 0;
  let deepest = 0;
  const tokens = tokensOf(text).map(({ text: word, start, end }) => {
    if (word === ')') depth--;
    const token = { text: word, start, end, depth };
    if (word === '(') depth++;
    deepest = Math.max(deepest, depth);
    return token;
  });
  return deepest <= maxDepth ? tokens : [];
}

function tokensOf(text: string): ScanToken[] {
  try {
    return scanSync(text).tokens;
  } catch {
    return [];
  }
}

function withoutParentheses(tokens: Token[]): Token[] {
  const [first] = tokens;
  if (first?.text !== '(') return tokens;
  const closing = tokens.findIndex(({ text, depth }) => text === ')' && depth === first.depth);
  return closing === tokens.length - 1 ? withoutParentheses(tokens.slice(1, -1)) : tokens;
}

function splitAtAnd(tokens: Token[]): Token[][] {
  const depth = tokens[0]?.depth;
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (token.depth === depth && token.text === 'AND') parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

/** An InitPlan's value is known before the scan begins: to it, it is a value like any other. */
function textOf(bytes: Buffer, tokens: Token[]): string {
  return tokens
    .map(({ text, start, end }, i) => {
      if (text === 'InitPlan') return 'NULL';
      if (tokens[i - 1]?.text === 'InitPlan') return '';
      // With the space before it that it had.
      return bytes.subarray(tokens[i - 1]?.end ?? start, end).toString();
    })
    .join('');
}

function expressionOf(arm: string): Expression | undefined {
  try {
    const [statement] = parseSync(`SELECT 1 WHERE ${arm}`).stmts ?? [];
    return (statement?.stmt as { SelectStmt?: { whereClause?: Expression } } | undefined)?.SelectStmt?.whereClause;
  } catch {
    return undefined;
  }
}

/** The test of an expression; undefined when it concerns none of the relation's columns. */
function testOf(node: Expression, isOwn: (name: ColumnName) => boolean): Test | undefined {
  const { columns, parameters } = namesIn(node);
  const own = columns.filter(isOwn);
  if (own.length === 0) return undefined;
  const found = shapeOf(node, isOwn);
  return found ? { ...found, columns: own, parameters } : other(own, parameters);
}

type Shape = Pick<Test, 'kind' | 'operands' | 'against'>;

function shapeOf(node: Expression, isOwn: (name: ColumnName) => boolean): Shape | undefined {
  if (node.A_Expr) return comparison(node.A_Expr, isOwn);
  if (node.NullTest) {
    return single(node.NullTest.arg, node.NullTest.nulltesttype === 'IS_NULL' ? 'null' : 'not null');
  }
  if (node.BoolExpr?.boolop === 'NOT_EXPR')
    return node.BoolExpr.args?.[0]?.ColumnRef && single(node.BoolExpr.args[0], 'false');
  if (node.BoolExpr?.boolop === 'OR_EXPR') return alternatives(node.BoolExpr.args ?? [], isOwn);
  if (node.BooleanTest?.booltesttype === 'IS_TRUE') return single(node.BooleanTest.arg, 'true');
  if (node.BooleanTest?.booltesttype === 'IS_FALSE') return single(node.BooleanTest.arg, 'false');
  return node.ColumnRef && single(node, 'true');
}

function single(node: Expression | undefined, kind: Test['kind']): Shape | undefined {
  const operand = bareOperand(node);
  return operand && { kind, operands: [operand], against: null };
}

const kindOfOperator: Record<string, Test['kind']> = {
  '=': 'equality',
  '<': 'range',
  '<=': 'range',
  '>': 'range',
  '>=': 'range',
  '~~': 'pattern',
  '~~*': 'pattern',
  '~': 'pattern',
  '~*': 'pattern',
  '^@': 'pattern',
};

function comparison(
  { kind: form, name, lexpr, rexpr }: NonNullable<Expression['A_Expr']>,
  isOwn: (name: ColumnName) => boolean,
): Shape | undefined {
  const kind = kindOfOperator[name?.at(-1)?.String?.sval ?? ''];
  const ofRow = form === 'AEXPR_OP';
  if (!kind || !(ofRow || (form === 'AEXPR_OP_ANY' && kind === 'equality'))) return undefined;
  const sides = [lexpr, rexpr].map((node) => ({ node, own: namesIn(node ?? {}).columns.some(isOwn) }));
  // With no alias to tell them apart, the first of two columns is what is tested, and the second what it is compared to.
  const tested = sides.find(({ own }) => own);
  const value = sides.find((side) => side !== tested);
  const against = bareOperand(value?.node) ?? null;
  if (!tested || (value?.own && (!against || sameRelation(tested.node, against)))) return undefined;
  const operands = (tested.node?.RowExpr?.args ?? [tested.node]).map(bareOperand);
  return operands.every((operand) => operand !== undefined) ? { kind, operands, against } : undefined;
}

function sameRelation(node: Expression | undefined, { alias }: Operand): boolean {
  return namesIn(node ?? {}).columns.some((name) => name.alias === alias);
}

/** `a = 1 OR a = 2` is what `a = ANY ('{1,2}')` is. */
function alternatives(nodes: Expression[], isOwn: (name: ColumnName) => boolean): Shape {
  const tests = nodes.map((node) => testOf(node, isOwn));
  const [first] = tests;
  const same = tests.every(
    (test) =>
      test?.kind === 'equality' &&
      test.operands.length === 1 &&
      JSON.stringify(test.operands) === JSON.stringify(first?.operands),
  );
  return same && first
    ? { kind: 'equality', operands: first.operands, against: null }
    : { kind: 'or', operands: [], against: null };
}

function bareOperand(node: Expression | undefined): Operand | undefined {
  const name = nameOf(node?.ColumnRef);
  if (name) return { ...name, cast: null, call: null };
  if (node?.TypeCast) {
    const inner = nameOf(node.TypeCast.arg?.ColumnRef);
    const { names = [], arrayBounds } = node.TypeCast.typeName ?? {};
    return inner && { ...inner, cast: `${names.at(-1)?.String?.sval ?? ''}${arrayBounds ? '[]' : ''}`, call: null };
  }
  const { funcname = [], args = [] } = node?.FuncCall ?? {};
  const tested = args.filter((argument) => namesIn(argument).columns.length > 0);
  const inner = tested.length === 1 ? bareOperand(tested[0]) : undefined;
  if (!inner || inner.call !== null) return undefined;
  return { ...inner, call: funcname.at(-1)?.String?.sval ?? '' };
}

function nameOf(reference: Expression['ColumnRef']): ColumnName | undefined {
  const names = reference?.fields?.map(({ String: word }) => word?.sval) ?? [];
  const column = names.at(-1);
  return column === undefined ? undefined : { alias: names.at(-2) ?? null, column };
}

/** Every column and parameter in a syntax tree. */
function namesIn(tree: Expression): { columns: ColumnName[]; parameters: number[] } {
  const columns: ColumnName[] = [];
  const parameters: number[] = [];
  const left: unknown[] = [tree];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (typeof at !== 'object' || at === null) continue;
    const { ColumnRef, ParamRef } = at as Tree & Expression & { ParamRef?: { number?: number } };
    const name = nameOf(ColumnRef);
    if (name) columns.push(name);
    // The parser leaves out what is zero.
    if (ParamRef) parameters.push(ParamRef.number ?? 0);
    left.push(...Object.values(at).toReversed());
  }
  return { columns, parameters };
}

function other(columns: ColumnName[], parameters: number[]): Test {
  return { kind: 'other', operands: [], columns, parameters, against: null };
}

type SortBy = { node?: Expression; sortby_dir?: string; sortby_nulls?: string };

function orderKey(key: string): OrderKey | undefined {
  try {
    const [statement] = parseSync(`SELECT 1 ORDER BY ${key}`).stmts ?? [];
    const { sortClause = [] } =
      (statement?.stmt as { SelectStmt?: { sortClause?: { SortBy?: SortBy }[] } } | undefined)?.SelectStmt ?? {};
    const by = sortClause.length === 1 ? sortClause[0]?.SortBy : undefined;
    const operand = bareOperand(by?.node);
    if (!by || !operand || by.sortby_dir === 'SORTBY_USING') return undefined;
    const descending = by.sortby_dir === 'SORTBY_DESC';
    const nullsFirst =
      by.sortby_nulls === 'SORTBY_NULLS_DEFAULT' ? descending : by.sortby_nulls === 'SORTBY_NULLS_FIRST';
    return { operand, descending, nullsFirst };
  } catch {
    return undefined;
  }
}
