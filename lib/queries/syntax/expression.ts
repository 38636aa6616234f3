import type { Node } from 'libpg-query';
import type { Relation } from '../catalog.ts';
import { as, kindOf, lastName, names, nodesIn } from './node.ts';
import { parse } from './syntax.ts';

const shapes = new Map<string, string | undefined>();

/**
 * Whether an index of a table is over this very expression. Constants are not compared, as those of a statement are not
 * known, nor are casts, which PostgreSQL adds when it prints an expression: `lower((email)::text)`.
 */
export function hasExpressionIndex({ indexes }: Relation, expression: Node): boolean {
  const wanted = shapeOf(expression);
  return indexes.some(
    ({ valid, expressions }) => valid && expressions.some((each) => each !== null && indexedShape(each) === wanted),
  );
}

function indexedShape(expression: string): string | undefined {
  if (!shapes.has(expression)) {
    const node = parse(`select ${expression}`)?.root.targets[0]?.node;
    // Names and expressions of a schema are few; this is for a process that audits many databases for long.
    if (shapes.size > 10_000) shapes.clear();
    shapes.set(expression, node && shapeOf(node));
  }
  return shapes.get(expression);
}

/** An expression as text in which only its functions, operators and columns are left, without their qualifiers. */
export function shapeOf(node: Node): string {
  const cast = as('TypeCast', node);
  if (cast?.arg) return shapeOf(cast.arg);
  const collation = as('CollateClause', node);
  if (collation?.arg) return shapeOf(collation.arg);
  if (as('A_Const', node) || as('ParamRef', node)) return '?';
  const column = as('ColumnRef', node);
  if (column) return JSON.stringify(names(column.fields).at(-1) ?? '*');
  const call = as('FuncCall', node);
  if (call) return `${lastName(call.funcname)}(${(call.args ?? []).map(shapeOf)})`;
  const operation = as('A_Expr', node);
  if (operation) {
    const [left, right] = [operation.lexpr, operation.rexpr].map((side) => (side ? shapeOf(side) : ''));
    return `(${left} ${operation.kind} ${lastName(operation.name)} ${right})`;
  }
  return `${kindOf(node)}(${childrenOf(node).map(shapeOf)})`;
}

/** The nodes right below a node. */
function childrenOf(node: Node): Node[] {
  return [...nodesIn(Object.values(node), (child) => child === node)];
}
