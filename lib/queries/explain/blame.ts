import type { Alias, ColumnRef, CommonTableExpr, FuncCall, Node, SelectStmt } from 'libpg-query';
import { as, lastName, names, nodesIn } from '../syntax/node.ts';

/** Where PostgreSQL sees an error. */
export interface Place {
  /** The byte of the statement that it points at; undefined where it points nowhere. */
  place: number | undefined;
  /** The parameter that it names. */
  parameter: number | undefined;
}

/**
 * The parameters that the types at the place of an error hang on.
 *
 * @param suspected those that were blamed before
 */
export function blamedFor(
  statement: Node,
  { place, parameter }: Place,
  suspected: ReadonlySet<number> = new Set(),
): Set<number> {
  const blame = new Blame(statement);
  if (parameter !== undefined) return new Set([parameter, ...blame.besides(parameter)]);
  const nodes = [...nodesIn(statement)];
  // Without a place it is a function that takes anything and makes nothing of it: one after the other.
  if (place === undefined) {
    const calls = nodes.filter((node) => as('FuncCall', node));
    const fresh = calls.filter((node) => [...blame.of(node)].some((number) => !suspected.has(number)));
    return firstBlamed(fresh, blame);
  }
  // PostgreSQL points at an operator, the name of a function, or where an expression begins.
  const pointed = firstBlamed(
    nodes.filter((node) => placeOf(node) === place),
    blame,
  );
  if (pointed.size > 0) return pointed;
  const begun = nodes.filter((node) => beginOf(node) === place).reverse();
  const found = firstBlamed(begun, blame);
  return found.size > 0 ? found : blame.besideInUnion(new Set(begun));
}

function firstBlamed(nodes: readonly Node[], blame: Blame): Set<number> {
  for (const node of nodes) {
    const numbers = blame.of(node);
    if (numbers.size > 0) return numbers;
  }
  return new Set();
}

/** What is zero is left out, and no expression begins a statement. */
function placeOf(node: Node): number | undefined {
  return (Object.values(node)[0] as { location?: number }).location;
}

/** Where an expression begins: an operator stands behind its left side. */
function beginOf(node: Node): number {
  let begin = Number.POSITIVE_INFINITY;
  for (const inside of nodesIn(node)) begin = Math.min(begin, placeOf(inside) ?? begin);
  return begin;
}

/** Arguments whose type is fixed, by the name of the function: they are not to blame. */
const fixedArguments: Record<string, number> = {
  date_part: 0,
  date_trunc: 0,
  extract: 0,
  lag: 1,
  lead: 1,
  timezone: 0,
  to_char: 1,
};

/** Finds the parameters that the type of an expression hangs on. */
class Blame {
  readonly #statement: Node;
  /** Columns that were followed: a recursive query leads back to itself. */
  readonly #seen = new Set<object>();

  constructor(statement: Node) {
    this.#statement = statement;
  }

  /** Of the parts of a node that PostgreSQL could not make fit. */
  of(node: Node): Set<number> {
    const expression = as('A_Expr', node);
    const choice = as('CaseExpr', node);
    const parts = expression
      ? [expression.lexpr, expression.rexpr]
      : choice?.arg
        ? [node, choice.arg, ...(choice.args ?? []).map((when) => as('CaseWhen', when)?.expr)]
        : [node];
    return new Set(parts.flatMap((part) => this.#of(part)));
  }

  /** The other parameters that are arguments of the same function. */
  besides(parameter: number): number[] {
    for (const node of nodesIn(this.#statement)) {
      const numbers = (as('FuncCall', node)?.args ?? []).flatMap((each) => as('ParamRef', each)?.number ?? []);
      if (numbers.includes(parameter)) return numbers;
    }
    return [];
  }

  /** What stands in the same column of the other parts of a UNION. */
  besideInUnion(pointed: ReadonlySet<Node>): Set<number> {
    for (const node of nodesIn(this.#statement)) {
      const parts = partsOf(node).map((select) => targetsOf(select).map((target) => target.node));
      const at = Math.max(...parts.map((targets) => targets.findIndex((target) => pointed.has(target))));
      const numbers = parts.length > 1 && at >= 0 ? this.#all(parts.map((targets) => targets[at])) : [];
      if (numbers.length > 0) return new Set(numbers);
    }
    return new Set();
  }

  #all(nodes: readonly (Node | undefined)[] | undefined): number[] {
    return (nodes ?? []).flatMap((node) => this.#of(node));
  }

  #of(node: Node | undefined): number[] {
    if (!node) return [];
    const parameter = as('ParamRef', node);
    if (parameter) return [parameter.number ?? 0];
    const column = as('ColumnRef', node);
    if (column) return this.#ofColumn(column);
    const expression = as('A_Expr', node);
    if (expression) {
      // What compares is a boolean, whatever it compares.
      const isComputing = expression.kind === 'AEXPR_OP' && !/^(?:[<>=!]+|[!~*]+)$/.test(lastName(expression.name));
      return isComputing || expression.kind === 'AEXPR_NULLIF' ? this.#all([expression.lexpr, expression.rexpr]) : [];
    }
    const call = as('FuncCall', node);
    if (call) return this.#ofCall(call);
    const choice = as('CaseExpr', node);
    if (choice)
      return this.#all([...(choice.args ?? []).map((when) => as('CaseWhen', when)?.result), choice.defresult]);
    const subquery = as('SubLink', node);
    if (subquery) {
      const isValue = subquery.subLinkType !== 'EXISTS_SUBLINK';
      return isValue ? this.#all([subquery.testexpr, ...this.#outputs(subquery.subselect)]) : [];
    }
    const list =
      as('List', node)?.items ??
      as('RowExpr', node)?.args ??
      as('A_ArrayExpr', node)?.elements ??
      as('CoalesceExpr', node)?.args ??
      as('MinMaxExpr', node)?.args;
    const inner = as('CollateClause', node)?.arg ?? as('NamedArgExpr', node)?.arg ?? as('A_Indirection', node)?.arg;
    return this.#all(list ?? [inner]);
  }

  #ofCall({ funcname, args = [] }: FuncCall): number[] {
    const fixed = fixedArguments[lastName(funcname)];
    return this.#all(args.filter((_, i) => i !== fixed));
  }

  /** A column of a subquery, a WITH query, a VALUES list or a function in FROM. */
  #ofColumn(column: ColumnRef): number[] {
    if (this.#seen.has(column)) return [];
    this.#seen.add(column);
    const path = names(column.fields);
    const [name, qualifier] = [path.at(-1) ?? '', path.at(-2)];
    const aliases = new Map<string, string>();
    for (const node of nodesIn(this.#statement)) {
      const table = as('RangeVar', node);
      if (table?.alias?.aliasname) aliases.set(table.alias.aliasname, table.relname ?? '');
    }
    const isOf = (alias: string | undefined) =>
      qualifier === undefined || alias === qualifier || (alias !== undefined && alias === aliases.get(qualifier));
    const found: Node[] = [];
    for (const node of nodesIn(this.#statement)) {
      const inner = as('RangeSubselect', node);
      const query = as('CommonTableExpr', node);
      const call = as('RangeFunction', node);
      if (inner && isOf(inner.alias?.aliasname))
        found.push(...this.#outputs(inner.subquery, name, renamed(inner.alias)));
      if (query && isOf(query.ctename)) found.push(...this.#outputs(query.ctequery, name, renamed(query)));
      if (
        call &&
        isOf(call.alias?.aliasname) &&
        (renamed(call.alias).includes(name) || call.alias?.aliasname === name)
      ) {
        found.push(...[...nodesIn(call.functions)].filter((each) => as('FuncCall', each)));
      }
    }
    return this.#all(found);
  }

  /** What a query answers in a column, in each of its parts; in all columns where none is asked for. */
  #outputs(query: Node | undefined, name?: string, renames: readonly string[] = []): Node[] {
    const outputs: Node[] = [];
    let at = name === undefined ? -1 : renames.indexOf(name);
    // The first part names the columns.
    for (const select of partsOf(query)) {
      const targets = targetsOf(select);
      if (name !== undefined && at < 0) at = targets.findIndex((target) => target.name === name);
      if (select.valuesLists && at < 0) at = Number(/^column(\d+)$/.exec(name ?? '')?.[1] ?? 0) - 1;
      const rows = select.valuesLists?.map((row) => as('List', row)?.items ?? []) ?? [targets.map(({ node }) => node)];
      for (const row of rows) outputs.push(...row.filter((_, i) => name === undefined || i === at));
    }
    return outputs;
  }
}

/** The SELECTs that a UNION, INTERSECT or EXCEPT is made of, in the order of the text; of another SELECT it alone. */
function partsOf(query: Node | undefined): SelectStmt[] {
  const parts: SelectStmt[] = [];
  const left = [as('SelectStmt', query)];
  for (let select = left.pop(); select; select = left.pop()) {
    if (select.larg) left.push(select.rarg, select.larg);
    else parts.push(select);
  }
  return parts;
}

function targetsOf(select: SelectStmt): { name: string | undefined; node: Node }[] {
  return (select.targetList ?? []).flatMap((item) => {
    const { name, val: node } = as('ResTarget', item) ?? {};
    const own = as('ColumnRef', node)?.fields ?? as('FuncCall', node)?.funcname;
    return node ? [{ name: name ?? (own && lastName(own)), node }] : [];
  });
}

function renamed(from: Alias | CommonTableExpr | undefined): string[] {
  return names(from && ('aliascolnames' in from ? from.aliascolnames : (from as Alias).colnames));
}
