import { type Node, parseSync, scanSync } from 'libpg-query';
import { isDeeperThan } from '../syntax/node.ts';

/** A word or sign of a statement. Places are bytes of the text in UTF-8. */
export interface Token {
  text: string;
  /** The text in small letters if it is a keyword, else empty: a name in quotes is never one. */
  keyword: string;
  start: number;
  end: number;
  /** How many parentheses, brackets and CASEs it stands in; these themselves stand outside. */
  depth: number;
}

/** A statement that was parsed. */
export interface Source {
  text: string;
  tokens: readonly Token[];
  statement: Node;
}

/** A deeper tree is not read: what follows it may then recurse. */
const maxLevels = 600;

/** The tokens of a text, without comments; undefined where it ends in the middle of one. */
export function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  let depth = 0;
  for (const { text: word, tokenName, keywordKind, start, end } of scan(text) ?? []) {
    if (tokenName === 'C_COMMENT' || tokenName === 'SQL_COMMENT') continue;
    const keyword = keywordKind > 0 ? word.toLowerCase() : '';
    if (word === ')' || word === ']' || keyword === 'end') depth = Math.max(0, depth - 1);
    tokens.push({ text: word, keyword, start, end, depth });
    if (word === '(' || word === '[' || keyword === 'case') depth++;
  }
  return tokens.length > 0 ? tokens : undefined;
}

function scan(text: string): ReturnType<typeof scanSync>['tokens'] | undefined {
  try {
    return scanSync(text).tokens;
  } catch {
    // The message quotes the text, and goes no further.
    return undefined;
  }
}

/** The one statement of a text; undefined for none, several, what cannot be parsed, and what is nested too deeply. */
export function parseOne(text: string): Node | undefined {
  // The parser sees nothing of what follows a NUL.
  if (text.includes('\0')) return undefined;
  try {
    const [first, ...others] = parseSync(text).stmts ?? [];
    return first?.stmt && others.length === 0 && !isDeeperThan(first.stmt, maxLevels) ? first.stmt : undefined;
  } catch {
    // Not PostgreSQL's SQL, or deeper than its parser's stack.
    return undefined;
  }
}

/** Parses a text; undefined as {@link parseOne}. */
export function readSource(text: string): Source | undefined {
  const tokens = tokensOf(text);
  const statement = tokens && parseOne(text);
  return statement && { text, tokens, statement };
}

/** The text of tokens in a row, as it stands in the statement. */
export function sliceOf(text: string, tokens: readonly Token[]): string {
  const [first, last] = [tokens[0], tokens.at(-1)];
  return first && last ? Buffer.from(text).toString('utf8', first.start, last.end) : '';
}

/** The number of a parameter, and 0 of everything else: `$12` is 12. */
export function parameterOf(token: Token | undefined): number {
  const number = token?.text.startsWith('$') ? Number(token.text.slice(1)) : 0;
  return Number.isInteger(number) ? number : 0;
}

/** The numbers of the parameters of a text. */
export function parametersIn(text: string): Set<number> {
  return new Set((tokensOf(text) ?? []).map(parameterOf).filter((number) => number > 0));
}
