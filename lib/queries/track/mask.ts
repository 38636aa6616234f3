/**
 * Takes the constants and comments out of the text of a statement, without PostgreSQL's parser: an application sends far more
 * texts than an audit reads, and should not load WebAssembly for them. It follows PostgreSQL's lexical rules
 * (https://www.postgresql.org/docs/current/sql-syntax-lexical.html); what they leave open is masked as a whole.
 */

/** What is shown of a text in which nobody knows where its strings end. */
export const unreadable = '(unreadable)';

/** Longer texts are cut: nobody reads further, and some mappers write 100 kB. */
const maxLength = 4_000;

/** A text that was masked. */
export interface MaskedText {
  /** What may be shown of it. */
  query: string;
  /** The constants that are not shown. Of a text that was not read to its end, the whole of it. */
  constants: readonly string[];
  /** Whether it has neither constants nor comments. */
  isPlain: boolean;
}

/**
 * Masks a text: $n in the place of its constants, counted on from the parameters that it has, with single spaces and
 * without comments. Of a SET, which takes values without quotes, everything behind the = or TO.
 *
 * @example maskText('select * from orders where id = 7 -- of bob').query // 'select * from orders where id = $1'
 */
export function maskText(text: string): MaskedText {
  const scanner = new Scanner(text);
  if (!scanner.read()) return { query: unreadable, constants: [text], isPlain: false };
  const { constants, hasComments } = scanner;
  const line = scanner.masked().trim();
  if (line.length <= maxLength) return { query: line, constants, isPlain: constants.length === 0 && !hasComments };
  return { query: `${line.slice(0, maxLength).toWellFormed()}…`, constants: [text], isPlain: false };
}

/** Underscores, hexadecimal digits and all: whatever follows a digit and belongs to it. */
const number = /(?:\d|\.\d)(?:[eE][+-]\d|[\w.])*/y;
const parameter = /\$(\d+)/y;
const dollarQuote = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;

/** Reads a text once, from its beginning to its end. What stays as it is, is put aside in pieces as long as can be. */
class Scanner {
  /** The constants that were read: each stands behind the piece of the same number. */
  readonly constants: string[] = [];
  hasComments = false;
  readonly #text: string;
  /** What stands before each constant. */
  readonly #pieces: string[] = [];
  /** What stands behind the last constant, but for what is not put aside yet. */
  #piece = '';
  /** From here to where it reads everything stays as it is. */
  #from = 0;
  #at = 0;
  #length = 0;
  #highestParameter = 0;
  /** The first word of a statement, in lower case; undefined before it. */
  #verb: string | undefined;
  /** Behind the = or TO of a SET. */
  #isValue = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** False where nothing can be told. What is longer than it may be ends somewhere behind that. */
  read(): boolean {
    while (this.#at < this.#text.length && this.#length + this.#at - this.#from <= maxLength) {
      if (!this.#next()) return false;
    }
    this.#putAside();
    return true;
  }

  /** What may be shown of what was read. */
  masked(): string {
    let masked = '';
    let last = this.#highestParameter;
    for (const piece of this.#pieces) masked += `${piece}$${++last}`;
    return masked + this.#piece;
  }

  /** Reads one token. False where the text cannot be read. */
  #next(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    if (isLetter(code)) return this.#word();
    if (isSpace(code)) this.#space();
    else if (isDigit(code)) this.#number();
    else return this.#mark(this.#text[this.#at] ?? '');
    return true;
  }

  #mark(mark: string): boolean {
    const following = this.#text[this.#at + 1];
    if (mark === "'") return this.#string(this.#at, false);
    if (mark === '"') this.#identifier();
    else if (mark === '$') this.#dollar();
    else if (mark === '-' && following === '-') this.#lineComment();
    else if (mark === '/' && following === '*') this.#blockComment();
    else if (mark === '.' && isDigit(this.#text.charCodeAt(this.#at + 1))) this.#number();
    else this.#symbol(mark);
    return true;
  }

  /** A word, and the string that it may be the beginning of: E'…', B'…', X'…', N'…', U&'…'. */
  #word(): boolean {
    const text = this.#text;
    const start = this.#at;
    let end = start + 1;
    while (end < text.length && continuesWord(text.charCodeAt(end))) end++;
    this.#at = end;
    if (end - start === 1 && (text[end] === "'" || text[end] === '&')) {
      const name = text[start]?.toLowerCase() ?? '';
      if (text[end] === "'" && 'ebxn'.includes(name)) return this.#string(start, name === 'e');
      if (text.startsWith("&'", end) && name === 'u') {
        this.#at++;
        return this.#string(start, false);
      }
    }
    if (this.#isValue) this.#constant(start);
    else if (this.#verb === undefined) this.#verb = text.slice(start, end).toLowerCase();
    else if (this.#verb === 'set') this.#isValue = text.slice(start, end).toLowerCase() === 'to';
    return true;
  }

  #symbol(symbol: string): void {
    this.#at++;
    if (symbol === ';') {
      this.#verb = undefined;
      this.#isValue = false;
    } else if (symbol === '=' && this.#verb === 'set') this.#isValue = true;
  }

  #number(): void {
    const start = this.#at;
    this.#take(number);
    this.#constant(start);
  }

  /**
   * A string. In a plain one a backslash before a quote may have escaped it, where standard_conforming_strings is off: then
   * what follows is not what it seems.
   *
   * @param start where it begins, with whatever stands before its quote
   */
  #string(start: number, hasEscapes: boolean): boolean {
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
    this.#at = at + 1;
    this.#constant(start);
    return true;
  }

  /** The quotes in it are doubled, so what seems to be two identifiers is one. */
  #identifier(): void {
    const start = this.#at;
    const end = this.#text.indexOf('"', start + 1);
    this.#at = end === -1 ? this.#text.length : end + 1;
    if (this.#isValue) this.#constant(start);
  }

  #dollar(): void {
    const start = this.#at;
    const known = this.#take(parameter);
    if (known !== undefined) {
      this.#highestParameter = Math.max(this.#highestParameter, Number(known.slice(1)));
      return;
    }
    const quote = this.#take(dollarQuote);
    if (quote === undefined) {
      this.#symbol('$');
      return;
    }
    const end = this.#text.indexOf(quote, this.#at);
    this.#at = end === -1 ? this.#text.length : end + quote.length;
    this.#constant(start);
  }

  #lineComment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.hasComments = true;
    this.#gap(end === -1 ? this.#text.length : end);
  }

  /** Comments may stand inside each other. */
  #blockComment(): void {
    const text = this.#text;
    let at = this.#at;
    let depth = 0;
    do {
      if (text.startsWith('/*', at)) depth++;
      else if (text.startsWith('*/', at)) depth--;
      else {
        at++;
        continue;
      }
      at += 2;
    } while (depth > 0 && at < text.length);
    this.hasComments = true;
    this.#gap(at);
  }

  #space(): void {
    let end = this.#at + 1;
    while (end < this.#text.length && isSpace(this.#text.charCodeAt(end))) end++;
    const isBlank = end === this.#at + 1 && this.#text[this.#at] === ' ';
    if (isBlank && !this.#isBehindSpace()) this.#at = end;
    else this.#gap(end);
  }

  /** A single space takes the place of what stands between here and there. */
  #gap(end: number): void {
    const isBehindSpace = this.#isBehindSpace();
    this.#putAside();
    if (!isBehindSpace) {
      this.#piece += ' ';
      this.#length++;
    }
    this.#at = end;
    this.#from = end;
  }

  #isBehindSpace(): boolean {
    return this.#at > this.#from ? this.#text[this.#at - 1] === ' ' : this.#piece.endsWith(' ');
  }

  /** What was read from there on is a constant. */
  #constant(start: number): void {
    const end = this.#at;
    this.#at = start;
    this.#putAside();
    this.#pieces.push(this.#piece);
    this.#piece = '';
    this.constants.push(this.#text.slice(start, end));
    this.#length += 2;
    this.#at = end;
    this.#from = end;
  }

  #putAside(): void {
    if (this.#at === this.#from) return;
    this.#piece += this.#text.slice(this.#from, this.#at);
    this.#length += this.#at - this.#from;
    this.#from = this.#at;
  }

  /** What a pattern matches here, and nothing further on. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code >= 128;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function continuesWord(code: number): boolean {
  return isLetter(code) || isDigit(code) || code === 36;
}

/** Blank, tab, line feed, vertical tab, form feed, carriage return. */
function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}
