/**
 * Takes the constants and comments out of the text of a statement, without PostgreSQL's parser: an application sends far more
 * texts than an audit reads, and should not load WebAssembly for them. It follows PostgreSQL's lexical rules
 * (https://www.postgresql.org/docs/current/sql-syntax-lexical.html); what they leave open is masked as a whole.
 */

/** What is shown of a text in which nobody knows where its strings end. */
export const unreadable = '(unreadable)';

/** Longer texts are cut: nobody reads further, and some mappers write 100 kB. */
const maxLength = 4_000;

/** A constant, in the place of which $n will stand. */
const constant = Symbol('constant');

type Piece = string | typeof constant;

/**
 * The text with $n in the place of its constants, counted on from the parameters that it has, with single spaces and
 * without comments. Of a SET, which takes values without quotes, everything behind the = or TO.
 *
 * @example maskText("select * from orders where id = 7 -- of bob") // 'select * from orders where id = $1'
 */
export function maskText(text: string): string {
  const pieces = new Scanner(text).pieces();
  if (pieces === undefined) return unreadable;
  let parameter = highestParameter(pieces);
  const masked = pieces.map((piece) => (piece === constant ? `$${++parameter}` : piece)).join('');
  const line = masked.trim();
  return line.length > maxLength ? `${line.slice(0, maxLength).toWellFormed()}…` : line;
}

function highestParameter(pieces: readonly Piece[]): number {
  let highest = 0;
  for (const piece of pieces) {
    if (piece !== constant && /^\$\d+$/.test(piece)) highest = Math.max(highest, Number(piece.slice(1)));
  }
  return highest;
}

const space = /[ \t\n\r\f\v]+/y;
const word = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const parameter = /\$\d+/y;
const dollarQuote = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
/** Underscores, hexadecimal digits and all: whatever follows a digit and belongs to it. */
const number = /(?:\d|\.\d)(?:[eE][+-]\d|[\w.])*/y;

class Scanner {
  readonly #text: string;
  readonly #pieces: Piece[] = [];
  #at = 0;
  #length = 0;
  /** The first word of a statement, in lower case; undefined before it. */
  #verb: string | undefined;
  /** Behind the = or TO of a SET. */
  #isValue = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Undefined where nothing can be told. What is longer than it may be ends somewhere behind that. */
  pieces(): readonly Piece[] | undefined {
    while (this.#at < this.#text.length && this.#length <= maxLength) {
      if (!this.#next()) return undefined;
    }
    return this.#pieces;
  }

  /** Reads one token. False where the text cannot be read. */
  #next(): boolean {
    const text = this.#text;
    switch (text[this.#at]) {
      case "'":
        return this.#string(false);
      case '"':
        this.#identifier();
        return true;
      case '$':
        this.#dollar();
        return true;
      case '-':
        if (text[this.#at + 1] === '-') this.#lineComment();
        else this.#symbol();
        return true;
      case '/':
        if (text[this.#at + 1] === '*') this.#blockComment();
        else this.#symbol();
        return true;
    }
    if (this.#take(space) !== undefined) this.#gap();
    else if (this.#take(number) !== undefined) this.#add(constant);
    else return this.#word();
    return true;
  }

  /** A word, and the string that it may be the beginning of: E'…', B'…', X'…', N'…', U&'…'. */
  #word(): boolean {
    const found = this.#take(word);
    if (found === undefined) {
      this.#symbol();
      return true;
    }
    const name = found.toLowerCase();
    const next = this.#text[this.#at];
    if (next === "'" && /^[ebxn]$/.test(name)) return this.#string(name === 'e');
    if (name === 'u' && next === '&' && this.#text[this.#at + 1] === "'") {
      this.#at++;
      return this.#string(false);
    }
    this.#add(this.#isValue ? constant : found);
    if (this.#verb === 'set' && name === 'to') this.#isValue = true;
    this.#verb ??= name;
    return true;
  }

  #symbol(): void {
    const symbol = this.#text[this.#at++] ?? '';
    if (symbol === ';') {
      this.#verb = undefined;
      this.#isValue = false;
    }
    this.#add(symbol);
    if (symbol === '=' && this.#verb === 'set') this.#isValue = true;
  }

  /**
   * A string. In a plain one a backslash before a quote may have escaped it, where standard_conforming_strings is off: then
   * what follows is not what it seems.
   */
  #string(hasEscapes: boolean): boolean {
    const text = this.#text;
    let at = this.#at + 1;
    while (at < text.length) {
      const character = text[at];
      if (character === '\\') {
        if (!hasEscapes && text[at + 1] === "'") return false;
        at += hasEscapes ? 2 : 1;
      } else if (character !== "'") at++;
      else if (text[at + 1] === "'") at += 2;
      else break;
    }
    this.#add(constant);
    this.#at = at + 1;
    return true;
  }

  /** The quotes in it are doubled, so what seems to be two identifiers is one. */
  #identifier(): void {
    const end = this.#text.indexOf('"', this.#at + 1);
    const after = end === -1 ? this.#text.length : end + 1;
    this.#add(this.#isValue ? constant : this.#text.slice(this.#at, after));
    this.#at = after;
  }

  #dollar(): void {
    const known = this.#take(parameter);
    if (known !== undefined) {
      this.#add(known);
      return;
    }
    const quote = this.#take(dollarQuote);
    if (quote === undefined) {
      this.#symbol();
      return;
    }
    const end = this.#text.indexOf(quote, this.#at);
    this.#at = end === -1 ? this.#text.length : end + quote.length;
    this.#add(constant);
  }

  #lineComment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#text.length : end;
    this.#gap();
  }

  /** Comments may stand inside each other. */
  #blockComment(): void {
    const text = this.#text;
    let depth = 0;
    do {
      if (text.startsWith('/*', this.#at)) depth++;
      else if (text.startsWith('*/', this.#at)) depth--;
      else {
        this.#at++;
        continue;
      }
      this.#at += 2;
    } while (depth > 0 && this.#at < text.length);
    this.#gap();
  }

  #gap(): void {
    if (this.#pieces.at(-1) !== ' ') this.#add(' ');
  }

  /** What a pattern matches here, and nothing further on. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #add(piece: Piece): void {
    this.#pieces.push(piece);
    this.#length += piece === constant ? 2 : piece.length;
  }
}
