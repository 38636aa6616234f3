/**
 * Statements that read tables through views, as PostgreSQL itself reads them: each view is replaced by a subquery, its definition.
 * https://www.postgresql.org/docs/current/rules-views.html
 *
 * - level: a view that a definition names is one level deeper than that definition.
 */
import type { Node, RangeVar } from 'libpg-query';
import type { Session } from '../../postgres/session.ts';
import type { Relation } from '../../queries/catalog.ts';
import { repairTokens } from '../../queries/explain/repair.ts';
import { parseOne } from '../../queries/explain/source.ts';
import type { Syntax } from '../../queries/syntax/block.ts';
import { as, isDeeperThan, lastName, names, nodesIn } from '../../queries/syntax/node.ts';
import { readSyntax } from '../../queries/syntax/read.ts';
import { nameOf } from '../../queries/syntax/resolve.ts';
import { parse } from '../../queries/syntax/syntax.ts';
import { isRefusal } from './attempt.ts';

/** The definitions of views, by {@link keyOf}. Every name in them has its schema. */
export type Views = ReadonlyMap<string, Node>;

/** Views behind views are followed for so many levels, */
const maxLevels = 8;

/** and so many are read. */
const maxViews = 500;

/** So many are put into one statement: each may name several. */
const maxExpansions = 50;

/** A deeper tree is not read: what follows recurses. */
const maxTreeLevels = 600;

const definitionsSql = `
select n.nspname as schema, c.relname as name, pg_get_viewdef(c.oid) as definition
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join unnest($1::text[], $2::text[]) as wanted(schema, name) on wanted.schema = n.nspname and wanted.name = c.relname
where c.relkind = 'v'`;

function keyOf(schema: string, name: string): string {
  return JSON.stringify([schema, name]);
}

/**
 * Reads the definitions of the views among the relations, and of those behind them. One that cannot be read is left out: what is behind
 * it gets no candidates.
 *
 * @throws StreamGateError when the database cannot be asked
 */
export async function readViews(session: Session, relations: readonly Relation[]): Promise<Views> {
  const views = new Map<string, Node>();
  let wanted = relations.flatMap(({ kind, schema, table }) => (kind === 'view' ? [{ schema, name: table }] : []));
  for (let level = 0; level < maxLevels && wanted.length > 0; level++) {
    const found = await readDefinitions(session, wanted.slice(0, maxViews - views.size));
    for (const { schema, name, definition } of found) {
      const statement = parseOne(definition);
      if (statement) views.set(keyOf(schema, name), statement);
    }
    const behind = found.flatMap(({ schema, name }) => sourcesOf(views.get(keyOf(schema, name))));
    wanted = behind.filter(({ schema, name }) => !views.has(keyOf(schema, name)));
  }
  return views;
}

async function readDefinitions(session: Session, wanted: readonly { schema: string; name: string }[]) {
  if (wanted.length === 0) return [];
  try {
    // What is on the search path is printed without its schema: on that of a session is nothing but the catalog.
    return await session.read<{ schema: string; name: string; definition: string }>(definitionsSql, [
      wanted.map(({ schema }) => schema),
      wanted.map(({ name }) => name),
    ]);
  } catch (error) {
    // Somebody holds a lock on a table behind one of them.
    if (isRefusal(error)) return [];
    throw error;
  }
}

function sourcesOf(statement: Node | undefined): { schema: string; name: string }[] {
  return [...nodesIn(statement)].flatMap((node) => {
    const { schemaname, relname } = as('RangeVar', node) ?? {};
    return schemaname && relname ? [{ schema: schemaname, name: relname }] : [];
  });
}

/**
 * What a text says, with its views replaced by what they stand for; as `parse`.
 *
 * @param relations those that the statement may mean: a name that two of them have is not replaced
 */
export function parseThroughViews(text: string, views: Views, relations: readonly Relation[]): Syntax | undefined {
  if (views.size === 0) return parse(text);
  const statement = parseOne(text) ?? parseOne(repairTokens(text));
  if (!statement || text.endsWith('…') || !expand(statement, views, relations)) return parse(text);
  return isDeeperThan(statement, maxTreeLevels) ? parse(text) : readSyntax(text, statement);
}

/** Replaces in place, level by level: the tree is nobody else's. Returns whether there was anything to replace. */
function expand(statement: Node, views: Views, relations: readonly Relation[]): boolean {
  const queries = new Set([...nodesIn(statement)].flatMap((node) => as('CommonTableExpr', node)?.ctename ?? []));
  let open = [statement];
  let replaced = 0;
  for (let level = 0; level < maxLevels && open.length > 0; level++) {
    const next: Node[] = [];
    const named = namesIn(statement);
    for (const node of open.flatMap((each) => [...nodesIn(each)])) {
      const table = as('RangeVar', node);
      // In a definition only what is no table has no schema.
      const definition = table && viewOf(table, views, level === 0 ? relations : [], queries);
      if (!definition || replaced === maxExpansions) continue;
      const subquery = structuredClone(definition);
      if (!table.alias?.colnames) answerOnly(subquery, named, table.alias?.aliasname ?? table.relname ?? '');
      replace(node, table, subquery);
      next.push(subquery);
      replaced++;
    }
    open = next;
  }
  return replaced > 0;
}

function viewOf(
  { schemaname, relname = '' }: RangeVar,
  views: Views,
  relations: readonly Relation[],
  queries: ReadonlySet<string>,
): Node | undefined {
  if (schemaname !== undefined) return views.get(keyOf(schemaname, relname));
  if (queries.has(relname)) return undefined;
  const [only, ...others] = relations.filter(({ table }) => table === relname);
  return only && others.length === 0 ? views.get(keyOf(only.schema, only.table)) : undefined;
}

/** The target of an INSERT, UPDATE or DELETE is no node of its own, and is never replaced. */
function replace(node: Node, { relname = '', alias }: RangeVar, subquery: Node): void {
  const slot = node as unknown as Record<string, unknown>;
  delete slot.RangeVar;
  slot.RangeSubselect = { subquery, alias: alias ?? { aliasname: relname } };
}

/** The columns that a statement names anywhere; undefined where a star, or NATURAL, stands for all. */
function namesIn(statement: Node): Set<string> | undefined {
  const found = new Set<string>();
  for (const node of nodesIn(statement)) {
    const fields = as('ColumnRef', node)?.fields ?? [];
    const join = as('JoinExpr', node);
    if (join?.isNatural || fields.some((field) => as('A_Star', field))) return undefined;
    for (const name of [lastName(fields), ...names(join?.usingClause)]) found.add(name);
  }
  return found;
}

/**
 * Takes from a definition what the statement does not ask for: PostgreSQL does not read it either, and an index need not hold it. Only
 * where nothing else depends on what is answered.
 */
function answerOnly(definition: Node, named: ReadonlySet<string> | undefined, source: string): void {
  const select = as('SelectStmt', definition);
  // Who names the view as if it were a column asks for all of it.
  if (!select || named === undefined || named.has(source)) return;
  if (select.distinctClause || select.groupClause || select.sortClause || select.op !== 'SETOP_NONE') return;
  const asked = (select.targetList ?? []).filter((node) => {
    const target = as('ResTarget', node);
    return target === undefined || named.has(nameOf({ alias: target.name, node: target.val ?? ({} as Node) }));
  });
  if (asked.length > 0) select.targetList = asked;
}
