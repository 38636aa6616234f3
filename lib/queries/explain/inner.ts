/**
 * Queries inside of statements that PostgreSQL does not plan but runs: cursors on the server (DECLARE), statements prepared in
 * SQL (PREPARE), new tables (CREATE TABLE … AS) and exports (COPY … TO). Their time is that of the query.
 */
import { sliceOf, type Token, tokensOf } from './source.ts';

/** The text of the query inside of a statement that is none itself; undefined where there is none. */
export function innerQuery(text: string): string | undefined {
  // Not parsed: the names of files and the separators of a COPY are no constants that a parameter may stand for.
  const tokens = tokensOf(text) ?? [];
  const last = tokens.findLastIndex((token) => token.text !== ';');
  const inner = queryTokens(tokens.slice(0, last + 1));
  return inner && inner.length > 0 ? sliceOf(text, inner) : undefined;
}

function queryTokens(tokens: readonly Token[]): readonly Token[] | undefined {
  switch (tokens[0]?.keyword) {
    case 'declare':
      return after(tokens, 'for');
    case 'prepare':
      return after(tokens, 'as');
    case 'copy':
      return tokens[1]?.text === '(' ? insideParentheses(tokens) : undefined;
    case 'create':
      return makesRows(tokens) ? withoutData(after(tokens, 'as')) : undefined;
  }
  return undefined;
}

const storages = new Set(['global', 'local', 'temp', 'temporary', 'unlogged']);

/** CREATE TABLE and CREATE MATERIALIZED VIEW, if with AS. */
function makesRows(tokens: readonly Token[]): boolean {
  const kind = tokens.slice(1).find(({ keyword }) => !storages.has(keyword));
  return kind?.keyword === 'table' || kind?.keyword === 'materialized';
}

function after(tokens: readonly Token[], keyword: string): readonly Token[] {
  const at = tokens.findIndex((token) => token.keyword === keyword && token.depth === 0);
  return at < 0 ? [] : tokens.slice(at + 1);
}

function insideParentheses(tokens: readonly Token[]): readonly Token[] {
  const close = tokens.findIndex((token) => token.text === ')' && token.depth === 0);
  return tokens.slice(2, Math.max(2, close));
}

/** WITH DATA and WITH NO DATA stand behind the query. */
function withoutData(tokens: readonly Token[]): readonly Token[] {
  const end = tokens.findLastIndex((token) => token.keyword === 'with');
  const words = tokens.slice(end).map(({ keyword }) => keyword);
  return /^with (?:no )?data$/.test(words.join(' ')) ? tokens.slice(0, end) : tokens;
}
