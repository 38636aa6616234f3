/**
 * Statements that change rows as the SELECT that finds these rows: to explain an UPDATE needs the right to update, and who
 * audits has none. What the change itself costs (writing rows, maintaining indexes, triggers) is in no plan anyway.
 *
 * - UPDATE, DELETE: the rows of the table that WHERE finds, by their ctid, so that an index alone does not do. Subqueries in
 *   SET are kept.
 * - MERGE: the join of the table with what is merged into it.
 * - INSERT … SELECT: the SELECT. INSERT … VALUES … ON CONFLICT (a, b): the row that would be in the way. INSERT … VALUES: these.
 * - In WITH: the rows that RETURNING gives. Those of an INSERT are not there yet: a single look-up stands for each.
 * - FOR UPDATE and FOR SHARE are left out: they need the right to update too.
 */
import type {
  CommonTableExpr,
  InsertStmt,
  MergeStmt,
  Node,
  RangeVar,
  ResTarget,
  UpdateStmt,
  WithClause,
} from 'libpg-query';
import { escapeIdentifier } from 'pg';
import { as, kindOf, nodesIn } from '../syntax/node.ts';
import type { Edit } from './edits.ts';
import { changingKinds } from './harmless.ts';
import { type Source, sliceOf, type Token } from './source.ts';

/** Whether a statement is, or has in a WITH, one that changes rows. */
export function changesRows(statement: Node): boolean {
  return changingKinds.has(kindOf(statement)) || changesIn(statement).length > 0;
}

/**
 * The changes that make a SELECT of a statement that changes rows; undefined where there is nothing to find: what a cursor
 * stands on.
 *
 * @param isView whether a relation has no rows of its own, and so no ctid
 */
export function toSelect(source: Source, isView: (relation: RangeVar) => boolean): Edit[] | undefined {
  const { statement, tokens } = source;
  const queries = changesIn(statement);
  const edits = queries.map((query) => {
    const span = querySpan(tokens, query);
    const own = query.ctequery && mainTokens(span, query.ctequery);
    const select = own && query.ctequery && converted({ source, tokens: own, place: 'with', isView }, query.ctequery);
    return select && [...apart(tokens, span, query), ...select];
  });
  if (edits.includes(undefined)) return undefined;
  const end = tokens.findLastIndex(({ text }) => text !== ';') + 1;
  const own = mainTokens(tokens.slice(0, end), statement);
  const isChange = changingKinds.has(kindOf(statement));
  const main = isChange ? converted({ source, tokens: own, place: 'statement', isView }, statement) : [];
  if (queries.length === 0) return main;
  return [
    ...edits.flatMap((each) => each ?? []),
    ...(main ?? replaced(own, 'select')),
    ...kept(statement, own, queries),
  ];
}

/** The tokens of a statement after its WITH. */
function mainTokens(tokens: readonly Token[], statement: Node): readonly Token[] {
  const { withClause } = (Object.values(statement)[0] ?? {}) as { withClause?: WithClause };
  const last = as('CommonTableExpr', withClause?.ctes?.at(-1));
  const inside = last && querySpan(tokens, last).at(-1);
  return inside ? tokens.slice(tokens.indexOf(inside) + 2) : tokens;
}

/** A SELECT in WITH that nobody reads is not planned: those that were changes are read for their rows' number. */
function kept(statement: Node, tokens: readonly Token[], queries: readonly CommonTableExpr[]): Edit[] {
  const read = new Set([...nodesIn(statement)].map((node) => as('RangeVar', node)?.relname));
  const unread = queries.flatMap(({ ctename = '' }) => (read.has(ctename) ? [] : [escapeIdentifier(ctename)]));
  const [first, last] = [tokens[0], tokens.at(-1)];
  if (unread.length === 0 || !first || !last) return [];
  const counts = unread.map((name) => `(select count(*) from ${name})`);
  return [
    { start: first.start, end: first.start, text: `select ${counts.join(', ')}, main.* from (` },
    { start: last.end, end: last.end, text: ') as main' },
  ];
}

/** The WITH queries of a statement that change rows. They stand at its top only. */
function changesIn(statement: Node): CommonTableExpr[] {
  const { withClause } = (Object.values(statement)[0] ?? {}) as { withClause?: WithClause };
  return (withClause?.ctes ?? []).flatMap((item) => {
    const query = as('CommonTableExpr', item);
    return query?.ctequery && changingKinds.has(kindOf(query.ctequery)) ? [query] : [];
  });
}

/** What changes rows is not merged into the query that reads it, nor does it return less because that asks for less. */
function apart(tokens: readonly Token[], span: readonly Token[], { ctematerialized }: CommonTableExpr): Edit[] {
  const open = span[0] && tokens[tokens.indexOf(span[0]) - 1];
  const isSaid = ctematerialized !== 'CTEMaterializeDefault';
  return open && !isSaid ? [{ start: open.start, end: open.start, text: 'materialized ' }] : [];
}

/** The tokens of a WITH query, between its parentheses. */
function querySpan(tokens: readonly Token[], { location = 0 }: CommonTableExpr): Token[] {
  const name = tokens.findIndex(({ start }) => start === location);
  const depth = tokens[name]?.depth;
  const word = tokens.findIndex((token, i) => i > name && token.keyword === 'as' && token.depth === depth);
  const open = tokens.findIndex((token, i) => i > word && token.text === '(');
  const close = tokens.findIndex((token, i) => i > open && token.text === ')' && token.depth === depth);
  return tokens.slice(open + 1, Math.max(open + 1, close));
}

/** A statement that changes rows. */
interface Parts {
  source: Source;
  /** Its own, from its verb on. */
  tokens: readonly Token[];
  place: 'statement' | 'with';
  isView: (relation: RangeVar) => boolean;
}

function converted(parts: Parts, statement: Node): Edit[] | undefined {
  const insert = as('InsertStmt', statement);
  if (insert) return fromInsert(parts, insert);
  const merge = as('MergeStmt', statement);
  if (merge) return fromMerge(parts, merge);
  const update = as('UpdateStmt', statement);
  const change = update ?? as('DeleteStmt', statement);
  if (!change?.relation || as('CurrentOfExpr', change.whereClause)) return undefined;
  return fromChange(parts, change.relation, update);
}

/** The first token of the statement itself, not of what is nested in it, with one of the keywords. */
function own({ tokens }: Parts, from: number, ...keywords: string[]): number {
  const depth = tokens[0]?.depth;
  return tokens.findIndex(
    (token, i) =>
      i >= from &&
      token.depth === depth &&
      keywords.includes(token.keyword) &&
      // IS DISTINCT FROM is no FROM.
      !(token.keyword === 'from' && tokens[i - 1]?.keyword === 'distinct'),
  );
}

/** The tokens from one to before another; to the end where there is no other. */
function between({ tokens }: Parts, from: number, to: number): Token[] {
  return from < 0 ? [] : tokens.slice(from, to < 0 ? tokens.length : to);
}

function textOf({ source }: Parts, tokens: readonly Token[]): string {
  return sliceOf(source.text, tokens);
}

/** The edit that writes something in the place of tokens. */
function replaced(tokens: readonly Token[], text: string): Edit[] {
  const [first, last] = [tokens[0], tokens.at(-1)];
  return first && last ? [{ start: first.start, end: last.end, text }] : [];
}

/** What RETURNING gives in a WITH, else what finds the row. */
function rowOf(parts: Parts, relation: RangeVar): string {
  const returning = own(parts, 0, 'returning');
  if (parts.place === 'with' && returning >= 0) return textOf(parts, parts.tokens.slice(returning + 1));
  const name = escapeIdentifier(relation.alias?.aliasname ?? relation.relname ?? '');
  return `${name}.${parts.isView(relation) ? '*' : 'ctid'}`;
}

/** UPDATE t SET … FROM u WHERE …, and DELETE FROM t USING u WHERE …. */
function fromChange(parts: Parts, relation: RangeVar, update: UpdateStmt | undefined): Edit[] {
  const { tokens } = parts;
  const firstSet = as('ResTarget', update?.targetList?.[0])?.location ?? 0;
  const set = update ? tokens.findLastIndex(({ keyword, start }) => keyword === 'set' && start < firstSet) : -1;
  const others = own(parts, Math.max(2, set + 1), update ? 'from' : 'using');
  const where = own(parts, 2, 'where');
  const returning = own(parts, 2, 'returning');
  const afterSet = [others, where, returning].find((at) => at >= 0) ?? -1;
  const subqueries = update ? subqueriesIn(parts, between(parts, set + 1, afterSet), update) : [];
  const head = `select ${[rowOf(parts, relation), ...subqueries].join(', ')} from`;
  return [
    ...replaced(tokens.slice(0, update ? 1 : 2), head),
    ...replaced(between(parts, set, afterSet), ''),
    ...replaced(others < 0 ? [] : tokens.slice(others, others + 1), ','),
    ...replaced(between(parts, returning, -1), ''),
  ];
}

/** What SET asks other tables for, each as one column. */
function subqueriesIn(parts: Parts, tokens: readonly Token[], { targetList = [] }: UpdateStmt): string[] {
  const depth = tokens[0]?.depth;
  const items = split(tokens, (token) => token.text === ',' && token.depth === depth);
  return items.flatMap((item) => {
    if (!item.some(({ keyword }) => keyword === 'select')) return [];
    const equals = item.findIndex((token) => token.text === '=' && token.depth === depth);
    const value = textOf(parts, item.slice(equals + 1));
    const target = targetList.find((each) => (as('ResTarget', each)?.location ?? -1) >= (item[0]?.start ?? 0));
    const several = as('MultiAssignRef', as('ResTarget', target)?.val);
    // A subquery may answer only one column: its row.
    return [as('SubLink', several?.source) ? `(select several from ${value} as several)` : `(${value})`];
  });
}

function split(tokens: readonly Token[], isEnd: (token: Token) => boolean): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (isEnd(token)) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

/** Rows that are not matched stay in the join, on the side where they come from. */
function fromMerge(parts: Parts, { relation, mergeWhenClauses = [] }: MergeStmt): Edit[] | undefined {
  const using = own(parts, 2, 'using');
  const when = own(parts, using, 'when');
  if (!relation || using < 0 || when < 0) return undefined;
  const kinds = mergeWhenClauses.map((clause) => as('MergeWhenClause', clause)?.matchKind);
  const isOuter = {
    right: kinds.includes('MERGE_WHEN_NOT_MATCHED_BY_TARGET'),
    left: kinds.includes('MERGE_WHEN_NOT_MATCHED_BY_SOURCE'),
  };
  const join = isOuter.left ? (isOuter.right ? 'full join' : 'left join') : isOuter.right ? 'right join' : 'join';
  return [
    ...replaced(parts.tokens.slice(0, 2), `select ${rowOf(parts, relation)} from`),
    ...replaced(parts.tokens.slice(using, using + 1), join),
    ...replaced(between(parts, when, -1), ''),
  ];
}

function fromInsert(parts: Parts, insert: InsertStmt): Edit[] | undefined {
  const { tokens, place } = parts;
  const select = as('SelectStmt', insert.selectStmt);
  const rows = select && rowsOf(parts, insert);
  const query = select?.valuesLists
    ? (lookUp(parts, insert, rows ?? []) ?? given(parts, rows ?? []))
    : textOf(parts, rows ?? []);
  // Without any query it is DEFAULT VALUES.
  const returning = place === 'with' ? own(parts, 1, 'returning') : -1;
  if (returning < 0) return replaced(tokens, query ? wrapped(query, select?.withClause) : 'select');
  if (!insert.relation) return undefined;
  // Nobody knows the row that is not there yet: its first page stands for it.
  const name = escapeIdentifier(insert.relation.alias?.aliasname ?? insert.relation.relname ?? '');
  const into = textOf(parts, between(parts, 2, targetEnd(parts)));
  const only = parts.isView(insert.relation) ? 'limit 1' : `where ${name}.ctid = '(0,1)'`;
  const row = `select ${textOf(parts, tokens.slice(returning + 1))} from ${into} ${only}`;
  if (select?.valuesLists || !query) return replaced(tokens, row);
  return replaced(tokens, `select inserted.* from (${query}) as given, (${row}) as inserted`);
}

/** Two WITH cannot follow each other. */
function wrapped(query: string, own: WithClause | undefined): string {
  return own ? `select * from (${query}) as given` : query;
}

/** Where the name of the table that is inserted into ends, its alias included. */
function targetEnd(parts: Parts): number {
  const { tokens } = parts;
  let at = 3;
  while (tokens[at]?.text === '.') at += 2;
  return tokens[at]?.keyword === 'as' ? at + 2 : at;
}

/** The tokens of what gives the rows: after the names of the columns, before ON CONFLICT and RETURNING. */
function rowsOf(parts: Parts, { cols }: InsertStmt): Token[] {
  const { tokens } = parts;
  const depth = tokens[0]?.depth;
  let start = targetEnd(parts);
  if (cols) start = tokens.findIndex((token, i) => i > start && token.text === ')' && token.depth === depth) + 1;
  if (tokens[start]?.keyword === 'overriding') start += 3;
  const conflict = tokens.findIndex(
    (token, i) => i > start && token.depth === depth && token.keyword === 'on' && tokens[i + 1]?.keyword === 'conflict',
  );
  return between(parts, start, conflict < 0 ? own(parts, start, 'returning') : conflict);
}

/** The SELECT of the row that ON CONFLICT looks for; undefined where its place is not told by columns that have values. */
function lookUp(parts: Parts, insert: InsertStmt, rows: readonly Token[]): string | undefined {
  const { relation, cols = [], onConflictClause } = insert;
  const depth = rows[0]?.depth ?? 0;
  const close = rows.findIndex((token, i) => i > 0 && token.text === ')' && token.depth === depth);
  const values = split(rows.slice(2, close), (token) => token.text === ',' && token.depth === depth + 1);
  const columns = cols.map((column) => (as('ResTarget', column) as ResTarget).name);
  const keys = (onConflictClause?.infer?.indexElems ?? []).map((item) => as('IndexElem', item)?.name);
  const name = escapeIdentifier(relation?.alias?.aliasname ?? relation?.relname ?? '');
  const conditions = keys.flatMap((key) => {
    const value = key === undefined ? [] : (values[columns.indexOf(key)] ?? []);
    const isGiven = value.length > 0 && value[0]?.keyword !== 'default';
    return key !== undefined && isGiven ? [`${name}.${escapeIdentifier(key)} = (${textOf(parts, value)})`] : [];
  });
  if (!relation || keys.length === 0 || conditions.length < keys.length) return undefined;
  const into = textOf(parts, between(parts, 2, targetEnd(parts)));
  return `select ${rowOf({ ...parts, place: 'statement' }, relation)} from ${into} where ${conditions.join(' and ')}`;
}

/** VALUES without a table, where there is no DEFAULT. */
function given(parts: Parts, rows: readonly Token[]): string {
  const depth = (rows[0]?.depth ?? 0) + 1;
  const between = split(rows, (token) => token.keyword === 'default' && token.depth === depth);
  return between.map((tokens) => textOf(parts, tokens)).join(' null ');
}

/** The changes that leave out FOR UPDATE, FOR SHARE and the like, wherever they stand. */
export function withoutLocks({ tokens, statement }: Source): Edit[] {
  let isLocking = false;
  for (const node of nodesIn(statement)) isLocking ||= as('SelectStmt', node)?.lockingClause !== undefined;
  if (!isLocking) return [];
  return tokens.flatMap((token, i) => {
    const strength = tokens.slice(i + 1, i + 4).map(({ keyword }) => keyword);
    const words = lockWords.find((each) => each.every((word, at) => strength[at] === word));
    if (token.keyword !== 'for' || !words) return [];
    let end = i + 1 + words.length;
    if (tokens[end]?.keyword === 'of') {
      // OF a, b.c, …
      do {
        end += 2;
        while (tokens[end]?.text === '.') end += 2;
      } while (tokens[end]?.text === ',');
    }
    if (tokens[end]?.keyword === 'nowait') end += 1;
    if (tokens[end]?.keyword === 'skip') end += 2;
    return replaced(tokens.slice(i, end), '');
  });
}

const lockWords = [['update'], ['share'], ['no', 'key', 'update'], ['key', 'share']];
