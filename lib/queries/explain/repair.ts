/**
 * Makes statements parse again whose constants were replaced by $n. PostgreSQL takes a parameter wherever it takes an
 * expression, but a constant stands in more places than that: `interval '1 day'` became `interval $1`, which is no SQL.
 *
 * It works in two steps. libpg-query's parser takes `interval $1` and `extract($1 from x)`, so that most of it is done by the
 * syntax tree; what even it refuses is done by the tokens before.
 */
import { type Node, scanSync, type TypeCast, type TypeName } from 'libpg-query';
import { as, lastName, names, nodesIn } from '../syntax/node.ts';
import { applyEdits, type Edit } from './edits.ts';
import { parameterOf, parseOne, readSource, type Source, sliceOf, type Token, tokensOf } from './source.ts';

/** What the parser takes a length or precision after; in its place it wants a number. */
const sizedTypes = new Set([
  ...['bit', 'char', 'character', 'dec', 'decimal', 'float', 'interval', 'nchar', 'numeric', 'second', 'time'],
  ...['timestamp', 'varchar', 'varying'],
]);

/** Without its length `char` is one character long. */
const unboundTypes: Record<string, string> = { char: 'bpchar', character: 'bpchar', nchar: 'bpchar' };

/** Types that a constant is often written after and that are no keywords. */
const typeNames = new Set([
  ...['bool', 'bytea', 'cidr', 'date', 'float4', 'float8', 'inet', 'int2', 'int4', 'int8', 'jsonb', 'money', 'text'],
  ...['timestamptz', 'timetz', 'tsquery', 'tsvector', 'uuid', 'varbit'],
]);

/** Repairs what even the lenient parser refuses. A text that needs none of it is returned as it is. */
export function repairTokens(text: string): string {
  return applyEdits(text, tokenRepairs(tokensOf(text) ?? []));
}

/** Parses a text after {@link repairTokens}; undefined as `parseOne`. */
export function readRepaired(text: string): Source | undefined {
  const tokens = tokensOf(text) ?? [];
  const edits = tokenRepairs(tokens);
  if (edits.length > 0) return readSource(applyEdits(text, edits));
  const statement = parseOne(text);
  return statement && { text, tokens, statement };
}

function tokenRepairs(tokens: readonly Token[]): Edit[] {
  return [...fused(tokens), ...escapes(tokens), ...lengths(tokens), ...jsonPaths(tokens)];
}

/**
 * What stood close to its quotes is part of a name now, or stuck to one: `like'a%'and` became `like$1and`. Only a number that is
 * missing among the parameters is taken out of a name.
 */
function* fused(tokens: readonly Token[]): Generator<Edit> {
  const numbers = new Set(tokens.map(parameterOf));
  const space = (at: number) => ({ start: at, end: at, text: ' ' });
  for (const [i, token] of tokens.entries()) {
    const { text, start, end } = token;
    const next = tokens[i + 1];
    if (parameterOf(token) > 0 && next?.start === end && /^\w/.test(next.text)) yield space(end);
    const [, word, number, rest] = /^(\w+)\$(\d+)([a-z]*)$/i.exec(text) ?? [];
    if (word === undefined || number === undefined || numbers.has(Number(number))) continue;
    // What is left of N'…', the only letter before a quote that is no part of the constant.
    if (/^n$/i.test(word)) {
      yield { start, end: start + word.length, text: '' };
      continue;
    }
    const isName = !typeNames.has(word.toLowerCase()) && !isKeyword(word);
    if (isName || (rest && !isKeyword(rest))) continue;
    yield space(start + word.length);
    if (rest) yield space(end - rest.length);
  }
}

function isKeyword(word: string): boolean {
  try {
    return (scanSync(word).tokens[0]?.keywordKind ?? 0) > 0;
  } catch {
    return false;
  }
}

/** The escape character of a `U&'…' UESCAPE '!'` belongs to the constant, which is gone. */
function* escapes(tokens: readonly Token[]): Generator<Edit> {
  for (const [i, { keyword, start }] of tokens.entries()) {
    const next = tokens[i + 1];
    if (keyword === 'uescape' && next && parameterOf(next) > 0) yield { start, end: next.end, text: '' };
  }
}

/** Takes the length or precision out of `varchar($1)`, `numeric($1, $2)` and `interval $1 second($2)`. */
function* lengths(tokens: readonly Token[]): Generator<Edit> {
  for (const [i, { keyword, start, end }] of tokens.entries()) {
    const list = sizedTypes.has(keyword) ? parameterList(tokens, i + 1) : undefined;
    if (!list) continue;
    const unbound = unboundTypes[keyword];
    const before = tokens[i - 1];
    if (unbound) yield { start: before?.keyword === 'national' ? before.start : start, end, text: unbound };
    yield list;
  }
}

/** The edit that removes a `($1)` or `($1, $2)` that begins with a token. */
function parameterList(tokens: readonly Token[], from: number): Edit | undefined {
  const open = tokens[from];
  if (open?.text !== '(') return undefined;
  for (let i = from + 1; parameterOf(tokens[i]) > 0; i += 2) {
    const after = tokens[i + 1];
    if (after?.text === ')') return { start: open.start, end: after.end, text: '' };
    if (after?.text !== ',') return undefined;
  }
  return undefined;
}

/** The paths of a JSON_TABLE must be constants; which ones makes no difference to a plan. */
function* jsonPaths(tokens: readonly Token[]): Generator<Edit> {
  let inside: number | undefined;
  for (const [i, token] of tokens.entries()) {
    if (token.keyword === 'json_table') inside = token.depth;
    else if (inside === undefined) continue;
    else if (token.depth <= inside && token.text === ')') inside = undefined;
    else if (parameterOf(token) > 0) {
      const isRowPath = token.depth === inside + 1 && /^(?:columns|as|passing)$/.test(tokens[i + 1]?.keyword ?? '');
      const isPath = isRowPath || tokens[i - 1]?.keyword === 'path';
      if (isPath) yield { start: token.start, end: token.end, text: "'$'" };
    }
  }
}

/** Repairs what the lenient parser takes and PostgreSQL does not. */
export function repairTree(source: Source, versionNumber: number): Edit[] {
  const edits: Edit[] = [];
  const index = new Map(source.tokens.map((token, i) => [token.start, i]));
  for (const node of nodesIn(source.statement)) {
    const cast = as('TypeCast', node);
    const call = as('FuncCall', node);
    if (cast) edits.push(...typedConstant(source, index, cast));
    if (call?.funcformat === 'COERCE_SQL_SYNTAX' && lastName(call.funcname) === 'extract') {
      edits.push(...extraction(source, index.get(call.location ?? 0), versionNumber));
    }
  }
  for (const type of typesIn(source.statement)) edits.push(...modifiers(source, index, type));
  return edits;
}

const intervalFields = new Set(['year', 'month', 'day', 'hour', 'minute', 'second', 'to']);

/** `date $1` and `interval $1 day` become casts: the parser gives only these no place. */
function typedConstant({ text, tokens }: Source, index: ReadonlyMap<number, number>, cast: TypeCast): Edit[] {
  const parameter = as('ParamRef', cast.arg);
  const type = index.get(cast.typeName?.location ?? 0);
  const value = index.get(parameter?.location ?? -1);
  if (!parameter || cast.location !== -1 || type === undefined || value === undefined || value <= type) return [];
  let after = value + 1;
  if (lastName(cast.typeName?.names) === 'interval') {
    while (intervalFields.has(tokens[after]?.keyword ?? '')) after++;
  }
  const [first, at, last] = [tokens[type], tokens[value], tokens[after - 1]];
  if (!first || !at || !last) return [];
  const name = [sliceOf(text, tokens.slice(type, value)), sliceOf(text, tokens.slice(value + 1, after))];
  return [
    { start: first.start, end: at.start, text: 'cast(' },
    { start: at.end, end: last.end, text: ` as ${name.join(' ').trim()})` },
  ];
}

/** `extract($1 from x)` becomes the function that it means: pg_catalog.extract, or date_part before PostgreSQL 14. */
function extraction({ tokens }: Source, at: number | undefined, versionNumber: number): Edit[] {
  const [word, , field, from] = at === undefined ? [] : tokens.slice(at, at + 4);
  if (!word || !field || parameterOf(field) === 0 || from?.keyword !== 'from') return [];
  const name = versionNumber >= 140_000 ? 'pg_catalog.extract' : 'pg_catalog.date_part';
  return [
    { start: word.start, end: word.end, text: name },
    { start: field.end, end: from.end, text: '::text,' },
  ];
}

/** Takes a length that is a parameter from a type that is no keyword: `::vector($1)`. */
function modifiers({ tokens }: Source, index: ReadonlyMap<number, number>, type: TypeName): Edit[] {
  const first = as('ParamRef', type.typmods?.[0]);
  const at = index.get(first?.location ?? -1);
  const edit = first && at !== undefined ? parameterList(tokens, at - 1) : undefined;
  return edit ? [edit] : [];
}

/** A type is no node of its own but a field of others. */
function* typesIn(tree: object): Generator<TypeName> {
  for (const node of nodesIn(tree)) {
    const content = Object.values(node)[0] as { typeName?: TypeName };
    if (typeof content === 'object' && content?.typeName && names(content.typeName.names).length > 0) {
      yield content.typeName;
    }
  }
}

/**
 * PostgreSQL 18 shows only the first of a list of constants, as `IN ($1 /*, … *\/)`; without the comment a space before the
 * parenthesis is left of it. The list becomes an array of unknown length: `= ANY ($1)`.
 * https://www.postgresql.org/docs/18/pgstatstatements.html
 */
export function widenLists({ tokens, statement }: Source, versionNumber: number): Edit[] {
  if (versionNumber < 180_000) return [];
  const index = new Map(tokens.map((token, i) => [token.start, i]));
  const edits: Edit[] = [];
  const squashed = (list: readonly Node[] | undefined, start = 0, end = 0): Token | undefined => {
    const only = list?.length === 1 ? as('ParamRef', list[0]) : undefined;
    const token = only && tokens[index.get(only.location ?? 0) ?? -1];
    return token && token.start === start + 1 && token.end < end ? token : undefined;
  };
  for (const node of nodesIn(statement)) {
    const expression = as('A_Expr', node);
    const list = as('List', expression?.rexpr)?.items;
    if (expression?.kind === 'AEXPR_IN' && squashed(list, expression.rexpr_list_start, expression.rexpr_list_end)) {
      const open = index.get(expression.rexpr_list_start ?? 0) ?? 0;
      const isNot = tokens[open - 2]?.keyword === 'not';
      const [first, last] = [tokens[isNot ? open - 2 : open - 1], tokens[open - 1]];
      if (first && last) edits.push({ start: first.start, end: last.end, text: isNot ? '<> all' : '= any' });
    }
    // An array that is compared or cast has the type that it is compared to or cast to.
    const array = as(
      'A_ArrayExpr',
      expression?.kind === 'AEXPR_IN' ? undefined : (expression?.rexpr ?? as('TypeCast', node)?.arg),
    );
    const item = array && squashed(array.elements, array.list_start, array.list_end);
    if (array && item) edits.push({ start: array.location ?? 0, end: (array.list_end ?? 0) + 1, text: item.text });
  }
  return edits;
}
