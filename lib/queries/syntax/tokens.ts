/** The words and signs of a text, and the ways between them. A word is a keyword in any case, never a name in quotes. */
import { type Token, tokensOf } from '../explain/source.ts';

export interface Tokens {
  all: readonly Token[];
  /** The index of the token that begins at a byte; -1 where none does. */
  at(start: number): number;
  /** Whether the tokens from an index on are these words and signs. */
  are(index: number, ...words: string[]): boolean;
  /** The index of the parenthesis that closes the one at an index; -1 where there is none. */
  closing(index: number): number;
  /**
   * The index of the first of some words behind an index, past whatever is in parentheses; -1 where the parentheses around
   * it close, or the text ends, before one comes.
   */
  next(index: number, ...words: string[]): number;
}

/** The tokens of a text that was parsed. */
export function readTokens(text: string): Tokens {
  const all = tokensOf(text) ?? [];
  const places = new Map(all.map(({ start }, index) => [start, index]));
  const next = (index: number, words: readonly string[]) => {
    const from = all[index];
    if (!from) return -1;
    const depth = from.text === '(' ? from.depth + 1 : from.depth;
    for (let i = index + 1; i < all.length; i++) {
      const token = all[i] as Token;
      if (token.depth <= depth && words.some((word) => isWord(token, word))) return token.depth === depth ? i : -1;
      if (token.depth < depth) return -1;
    }
    return -1;
  };
  return {
    all,
    at: (start) => places.get(start) ?? -1,
    are: (index, ...words) => index >= 0 && words.every((word, i) => isWord(all[index + i], word)),
    closing: (index) =>
      all.findIndex(({ text: sign, depth }, i) => i > index && sign === ')' && depth === all[index]?.depth),
    next: (index, ...words) => next(index, words),
  };
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.keyword === word || token?.text === word;
}
