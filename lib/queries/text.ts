import { hasSqlDetails, loadModule, parseSync, scanSync } from 'libpg-query';
import type { StatementKind } from './snapshot.ts';

/** Loads PostgreSQL's parser (WebAssembly, 10 ms once). Call before {@link readText}. */
export const loadParser = loadModule;

const kindOfNode: Record<string, StatementKind> = {
  SelectStmt: 'select',
  InsertStmt: 'insert',
  UpdateStmt: 'update',
  DeleteStmt: 'delete',
  MergeStmt: 'merge',
};

/** Longer texts are cut for storage: nobody reads further, and some mappers write 100 kB. */
const maxLength = 4_000;

/**
 * What a statement text is, and the text fit to be stored and shown: without comments, and without
 * a constant that PostgreSQL left in it. It leaves them in utility statements (`ALTER ROLE …
 * PASSWORD '…'`), and a string in a GROUP BY; a number in a query is a position (`ORDER BY 1`) and stays.
 * A text that was cut off in the middle of a constant or comment ends before it.
 */
export function readText(text: string): { kind: StatementKind; query: string } {
  const { kind, readable } = parse(text);
  const isQuery = kind !== 'utility' && kind !== 'unknown';
  const query = mask(readable, !isQuery);
  return { kind, query: query.length > maxLength ? `${query.slice(0, maxLength).toWellFormed()}…` : query };
}

/** The kind, and as much of the text as the scanner can read. */
function parse(text: string): { kind: StatementKind; readable: string } {
  try {
    const statements = parseSync(text).stmts ?? [];
    const node = Object.keys(statements[0]?.stmt ?? {})[0] ?? '';
    return { kind: statements.length === 1 ? (kindOfNode[node] ?? 'utility') : 'utility', readable: text };
  } catch (error) {
    const unterminated = /^unterminated/.test((error as Error).message);
    const at = hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? 0) : 0;
    return { kind: 'unknown', readable: unterminated ? `${Array.from(text).slice(0, at).join('')}…` : text };
  }
}

/** Puts $n in the place of constants and takes comments out. The scanner counts in bytes of UTF-8. */
function mask(text: string, numbersToo: boolean): string {
  const cut = text.endsWith('…') ? text.slice(0, -1) : text;
  let tokens: ReturnType<typeof scanSync>['tokens'];
  try {
    tokens = scanSync(cut).tokens;
  } catch {
    // Nothing of a text that cannot even be scanned is known to be harmless.
    return '(unreadable)';
  }
  const bytes = Buffer.from(cut);
  let parameter = Math.max(0, ...tokens.map((token) => Number(/^\$(\d+)$/.exec(token.text)?.[1] ?? 0)));
  let masked = '';
  let at = 0;
  for (const token of tokens) {
    const comment = token.tokenName === 'C_COMMENT' || token.tokenName === 'SQL_COMMENT';
    const constant = isString(token.text) || (numbersToo && /^\.?\d/.test(token.text));
    if (!comment && !constant) continue;
    masked += bytes.subarray(at, token.start).toString() + (constant ? `$${++parameter}` : '');
    at = token.end;
  }
  return (masked + bytes.subarray(at).toString()).trim() + (cut === text ? '' : '…');
}

/** 'x', E'x', U&'x', B'1', X'F', N'x' and $tag$x$tag$. */
function isString(token: string): boolean {
  return /^(?:[ebxn]|u&)?'/i.test(token) || /^\$\D/.test(token);
}
