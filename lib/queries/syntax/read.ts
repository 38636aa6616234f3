/** Makes blocks of the parser's tree. The depth of the tree is bounded where it is parsed, so that this may recurse. */
import type {
  Alias,
  CommonTableExpr,
  DeleteStmt,
  InsertStmt,
  JoinExpr,
  MergeStmt,
  Node,
  OnConflictClause,
  RangeVar,
  ResTarget,
  SelectStmt,
  SubLink,
  UpdateStmt,
  WithClause,
} from 'libpg-query';
import type {
  Assignment,
  Block,
  BlockKind,
  Conflict,
  Join,
  Lock,
  Place,
  Sort,
  Source,
  Syntax,
  Target,
} from './block.ts';
import { columnsIn, readConditions, readOperand } from './condition.ts';
import { isAggregate } from './function.ts';
import { as, lastName, names, nodesIn } from './node.ts';

/** The WITH queries that can be seen, nearest first. A query that cannot be followed, such as a recursive one, has no block. */
interface Scope {
  name: string;
  block: Block | undefined;
  outer: Scope | undefined;
}

/** What is known while a statement is read. */
interface Reading {
  blocks: Block[];
  subqueries: Map<object, Block>;
}

const statements = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'] as const;

/** The blocks of a statement; undefined for one that is none of SELECT, INSERT, UPDATE, DELETE and MERGE. */
export function readSyntax(text: string, statement: Node): Syntax | undefined {
  const reading: Reading = { blocks: [], subqueries: new Map() };
  const root = readStatement(reading, statement, 'statement', undefined, undefined);
  return root && { text, root, blocks: reading.blocks };
}

function readStatement(
  reading: Reading,
  node: Node | undefined,
  place: Place,
  parent: Block | undefined,
  scope: Scope | undefined,
): Block | undefined {
  const select = as('SelectStmt', node);
  if (select) return readSelect(reading, select, place, parent, scope);
  const insert = as('InsertStmt', node);
  if (insert) return readInsert(reading, insert, place, parent, scope);
  const update = as('UpdateStmt', node);
  if (update) return readUpdate(reading, update, place, parent, scope);
  const deletion = as('DeleteStmt', node);
  if (deletion) return readDelete(reading, deletion, place, parent, scope);
  const merge = as('MergeStmt', node);
  return merge && readMerge(reading, merge, place, parent, scope);
}

function newBlock(reading: Reading, kind: BlockKind, place: Place, parent: Block | undefined, node: object): Block {
  const own = { ...node, withClause: undefined, larg: undefined, rarg: undefined };
  const block: Block = {
    kind,
    place,
    parent,
    children: [],
    sources: [],
    joins: [],
    where: [],
    having: [],
    targets: [],
    groupBy: [],
    orderBy: [],
    distinct: 'no',
    limit: undefined,
    offset: undefined,
    locks: [],
    all: false,
    aggregates: false,
    windows: false,
    columns: [],
    conflict: undefined,
    assignments: [],
    uses: columnsIn(own),
    with: [],
    node,
  };
  reading.blocks.push(block);
  parent?.children.push(block);
  return block;
}

const setOperations: Record<string, BlockKind> = {
  SETOP_UNION: 'union',
  SETOP_INTERSECT: 'intersect',
  SETOP_EXCEPT: 'except',
};

function readSelect(
  reading: Reading,
  node: SelectStmt,
  place: Place,
  parent: Block | undefined,
  outer: Scope | undefined,
): Block {
  const kind = setOperations[node.op ?? ''] ?? (node.valuesLists ? 'values' : 'select');
  const block = newBlock(reading, kind, place, parent, node);
  const scope = readWith(reading, node.withClause, block, outer);
  for (const side of [node.larg, node.rarg]) if (side) readSelect(reading, side, 'side', block, scope);
  readFrom(reading, node.fromClause, block, scope);
  readSubqueries(reading, node.targetList, 'target', block, scope);
  const { whereClause, havingClause, groupClause, sortClause, limitCount, limitOffset, valuesLists, distinctClause } =
    node;
  const elsewhere = [
    whereClause,
    havingClause,
    groupClause,
    sortClause,
    limitCount,
    limitOffset,
    valuesLists,
    distinctClause,
  ];
  readSubqueries(reading, elsewhere, 'expression', block, scope);
  const blockOf = (subquery: SubLink) => reading.subqueries.get(subquery);
  block.where = readConditions(whereClause, blockOf);
  block.having = readConditions(havingClause, blockOf);
  block.targets = readTargets(reading, node.targetList);
  block.groupBy = groupClause ?? [];
  block.orderBy = (sortClause ?? []).flatMap(readSort);
  // A plain DISTINCT is a list of one empty node.
  if (distinctClause) block.distinct = distinctClause.some((item) => Object.keys(item).length > 0) ? 'on' : 'rows';
  block.limit = isNull(limitCount) ? undefined : limitCount;
  block.offset = limitOffset;
  block.locks = (node.lockingClause ?? []).flatMap(readLock);
  block.all = node.all ?? false;
  const answers = [...nodesInside([node.targetList, havingClause, sortClause])];
  block.aggregates = answers.some(isAggregate);
  block.windows = node.windowClause !== undefined || answers.some((each) => as('FuncCall', each)?.over !== undefined);
  return block;
}

/** LIMIT ALL is LIMIT NULL. */
function isNull(node: Node | undefined): boolean {
  return as('A_Const', node)?.isnull === true;
}

/** The nodes of an expression, not those of its subqueries. */
function nodesInside(tree: object): Generator<Node> {
  return nodesIn(tree, (node) => !as('SelectStmt', node));
}

function readInsert(
  reading: Reading,
  node: InsertStmt,
  place: Place,
  parent: Block | undefined,
  outer: Scope | undefined,
): Block {
  const block = newBlock(reading, 'insert', place, parent, node);
  const scope = readWith(reading, node.withClause, block, outer);
  if (node.relation) {
    const into = tableSource(node.relation, 0, undefined);
    block.sources.push(into, { ...into, name: 'excluded', item: 1 });
  }
  readStatement(reading, node.selectStmt, 'rows', block, scope);
  readSubqueries(reading, [node.onConflictClause, node.returningClause], 'expression', block, scope);
  block.columns = (node.cols ?? []).flatMap((column) => as('ResTarget', column)?.name ?? []);
  block.conflict = node.onConflictClause && readConflict(reading, node.onConflictClause);
  block.targets = readTargets(reading, node.returningClause?.exprs);
  return block;
}

function readConflict(reading: Reading, { action, infer, targetList, whereClause }: OnConflictClause): Conflict {
  return {
    does: action === 'ONCONFLICT_UPDATE' ? 'update' : 'nothing',
    columns: (infer?.indexElems ?? []).flatMap((element) => as('IndexElem', element)?.name ?? []),
    assignments: readAssignments(reading, targetList),
    where: readConditions(whereClause, (subquery) => reading.subqueries.get(subquery)),
  };
}

function readUpdate(
  reading: Reading,
  node: UpdateStmt,
  place: Place,
  parent: Block | undefined,
  outer: Scope | undefined,
): Block {
  const block = newBlock(reading, 'update', place, parent, node);
  const scope = readWith(reading, node.withClause, block, outer);
  if (node.relation) block.sources.push(tableSource(node.relation, 0, undefined));
  readFrom(reading, node.fromClause, block, scope);
  readSubqueries(reading, [node.targetList, node.whereClause, node.returningClause], 'expression', block, scope);
  block.where = readConditions(node.whereClause, (subquery) => reading.subqueries.get(subquery));
  block.assignments = readAssignments(reading, node.targetList);
  block.targets = readTargets(reading, node.returningClause?.exprs);
  return block;
}

function readDelete(
  reading: Reading,
  node: DeleteStmt,
  place: Place,
  parent: Block | undefined,
  outer: Scope | undefined,
): Block {
  const block = newBlock(reading, 'delete', place, parent, node);
  const scope = readWith(reading, node.withClause, block, outer);
  if (node.relation) block.sources.push(tableSource(node.relation, 0, undefined));
  readFrom(reading, node.usingClause, block, scope);
  readSubqueries(reading, [node.whereClause, node.returningClause], 'expression', block, scope);
  block.where = readConditions(node.whereClause, (subquery) => reading.subqueries.get(subquery));
  block.targets = readTargets(reading, node.returningClause?.exprs);
  return block;
}

/** Of a MERGE the table and what is merged into it; its WHEN clauses are read for their subqueries only. */
function readMerge(
  reading: Reading,
  node: MergeStmt,
  place: Place,
  parent: Block | undefined,
  outer: Scope | undefined,
): Block {
  const block = newBlock(reading, 'merge', place, parent, node);
  const scope = readWith(reading, node.withClause, block, outer);
  if (node.relation) block.sources.push(tableSource(node.relation, 0, undefined));
  readFrom(reading, node.sourceRelation && [node.sourceRelation], block, scope);
  const rest = [node.joinCondition, node.mergeWhenClauses, node.returningClause];
  readSubqueries(reading, rest, 'expression', block, scope);
  return block;
}

function readWith(
  reading: Reading,
  clause: WithClause | undefined,
  block: Block,
  outer: Scope | undefined,
): Scope | undefined {
  const queries = (clause?.ctes ?? []).flatMap((query) => as('CommonTableExpr', query) ?? []);
  block.with = queries.map(({ ctename = '' }) => ctename);
  // WITH RECURSIVE lets each query see itself and those that follow: what it sees so is not followed.
  const unread = (scope: Scope | undefined, { ctename = '' }: CommonTableExpr): Scope => ({
    name: ctename,
    block: undefined,
    outer: scope,
  });
  let scope = clause?.recursive ? queries.reduce(unread, outer) : outer;
  for (const query of queries) {
    const read = readStatement(reading, query.ctequery, 'with', block, scope);
    const renames = (query.aliascolnames?.length ?? 0) > 0 || query.search_clause || query.cycle_clause;
    scope = { name: query.ctename ?? '', block: renames ? undefined : read, outer: scope };
  }
  return scope;
}

/** Reads the subqueries of an expression as blocks inside `block`. */
function readSubqueries(
  reading: Reading,
  tree: object | undefined,
  place: Place,
  block: Block,
  scope: Scope | undefined,
): void {
  const into = (node: Node) =>
    !statements.some((kind) => as(kind, node)) && (as('MultiAssignRef', node)?.colno ?? 1) === 1;
  for (const node of nodesIn(tree, into)) {
    const subquery = as('SubLink', node);
    const read = subquery && readStatement(reading, subquery.subselect, place, block, scope);
    if (read) reading.subqueries.set(subquery, read);
  }
}

function readTargets(reading: Reading, list: readonly Node[] | undefined): Target[] {
  return (list ?? []).flatMap((item) => {
    const { name: alias, val: node } = as('ResTarget', item) ?? ({} as ResTarget);
    if (!node) return [];
    const fields = as('ColumnRef', node)?.fields;
    const star = fields?.some((field) => as('A_Star', field)) ? names(fields) : undefined;
    return [{ alias, node, star, value: readOperand(node, (subquery) => reading.subqueries.get(subquery)) }];
  });
}

function readAssignments(reading: Reading, list: readonly Node[] | undefined): Assignment[] {
  return (list ?? []).flatMap((item) => {
    const { name, val, indirection } = as('ResTarget', item) ?? ({} as ResTarget);
    if (name === undefined) return [];
    const value = readOperand(val, (subquery) => reading.subqueries.get(subquery));
    // Of a[1] = b the column is not set to b.
    return [{ column: name, value: indirection ? { is: 'other', node: item } : value }];
  });
}

function readSort(item: Node): Sort[] {
  const { node, sortby_dir } = as('SortBy', item) ?? {};
  return node ? [{ node, descending: sortby_dir === 'SORTBY_DESC' }] : [];
}

const strengths: Record<string, Lock['strength']> = {
  LCS_FORUPDATE: 'update',
  LCS_FORNOKEYUPDATE: 'no key update',
  LCS_FORSHARE: 'share',
  LCS_FORKEYSHARE: 'key share',
};
const waits: Record<string, Lock['waits']> = { LockWaitSkip: 'skips', LockWaitError: 'fails' };

function readLock(item: Node): Lock[] {
  const { strength = '', waitPolicy = '' } = as('LockingClause', item) ?? {};
  const known = strengths[strength];
  return known ? [{ strength: known, waits: waits[waitPolicy] ?? 'waits' }] : [];
}

function readFrom(reading: Reading, items: readonly Node[] | undefined, block: Block, scope: Scope | undefined): void {
  for (const item of items ?? []) {
    const number = Math.max(-1, ...block.sources.map((source) => source.item)) + 1;
    block.sources.push(...readItem(reading, item, number, block, scope));
  }
}

function readItem(reading: Reading, item: Node, number: number, block: Block, scope: Scope | undefined): Source[] {
  const table = as('RangeVar', item);
  if (table) return [tableSource(table, number, scope)];
  const join = as('JoinExpr', item);
  if (join) return readJoin(reading, join, number, block, scope);
  const subquery = as('RangeSubselect', item);
  if (subquery) {
    const place = subquery.lateral ? 'lateral' : 'from';
    const inner = readStatement(reading, subquery.subquery, place, block, scope);
    const of: Source['of'] = inner ? { is: 'query', block: inner } : { is: 'unknown' };
    return [newSource(of, subquery.alias, undefined, number, subquery.lateral ?? false)];
  }
  // A function may always use what stands before it, as if LATERAL were written.
  readSubqueries(reading, item, 'expression', block, scope);
  const call = as('RangeFunction', item);
  const functions = (call?.functions ?? []).flatMap((each) => as('FuncCall', as('List', each)?.items?.[0]) ?? []);
  const [only] = functions;
  if (call && only && functions.length === 1 && !call.coldeflist && !call.ordinality) {
    const name = lastName(only.funcname);
    return [newSource({ is: 'function', name }, call.alias, name, number, true)];
  }
  const tableFunction = as('RangeTableFunc', item) ?? as('JsonTable', item) ?? call;
  const sampled = as('RangeTableSample', item);
  if (sampled?.relation) return readItem(reading, sampled.relation, number, block, scope);
  return [newSource({ is: 'unknown' }, tableFunction?.alias, undefined, number, true)];
}

function newSource(
  of: Source['of'],
  alias: Alias | undefined,
  name: string | undefined,
  item: number,
  lateral: boolean,
): Source {
  return { name: alias?.aliasname ?? name, of, renamed: names(alias?.colnames), optional: false, lateral, item };
}

/** A table, or the WITH query that has its name. */
function tableSource(
  { schemaname: schema, relname: table = '', alias, inh }: RangeVar,
  item: number,
  scope: Scope | undefined,
): Source {
  let found = schema === undefined ? scope : undefined;
  while (found && found.name !== table) found = found.outer;
  if (found)
    return newSource(found.block ? { is: 'query', block: found.block } : { is: 'unknown' }, alias, table, item, false);
  return newSource({ is: 'table', schema, table, only: inh !== true }, alias, table, item, false);
}

const joinTypes: Record<string, Join['type']> = { JOIN_LEFT: 'left', JOIN_RIGHT: 'right', JOIN_FULL: 'full' };

function readJoin(reading: Reading, node: JoinExpr, item: number, block: Block, scope: Scope | undefined): Source[] {
  const { larg, rarg, quals, usingClause, isNatural, jointype, alias } = node;
  const left = larg ? readItem(reading, larg, item, block, scope) : [];
  const right = rarg ? readItem(reading, rarg, item, block, scope) : [];
  readSubqueries(reading, quals, 'expression', block, scope);
  const type = joinTypes[jointype ?? ''] ?? 'inner';
  if (type === 'left' || type === 'full') for (const source of right) source.optional = true;
  if (type === 'right' || type === 'full') for (const source of left) source.optional = true;
  // A name for the whole join hides the names inside it.
  if (alias) return [newSource({ is: 'unknown' }, alias, undefined, item, false)];
  const on = readConditions(quals, (subquery) => reading.subqueries.get(subquery));
  block.joins.push({ type, natural: isNatural ?? false, using: names(usingClause), on, left, right });
  return [...left, ...right];
}
