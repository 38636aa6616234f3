import { setFlagsFromString } from 'node:v8';
import { fingerprintSync, hasSqlDetails, loadModule, parseSync, scanSync } from 'libpg-query';
import type { StatementKind } from './snapshot.ts';

/**
 * Loads PostgreSQL's parser (WebAssembly, 10 ms once). Call before {@link readText}.
 *
 * V8 is kept from optimizing WebAssembly in this process: for the parser's tables it takes 550 MB and half a second of two processors,
 * more than a Lambda function may have, to save 0.03 ms a text from then on (Node.js 24).
 */
export async function loadParser(): Promise<void> {
  setFlagsFromString('--no-wasm-tier-up');
  setFlagsFromString('--no-wasm-dynamic-tiering');
  await loadModule();
}

const kindOfNode: Record<string, StatementKind> = {
  SelectStmt: 'select',
  InsertStmt: 'insert',
  UpdateStmt: 'update',
  DeleteStmt: 'delete',
  MergeStmt: 'merge',
};

/** Longer texts are cut for storage: nobody reads further, and some mappers write 100 kB. */
const maxLength = 4_000;

/** What a statement text is, and what may be kept of it. */
export interface ReadText {
  kind: StatementKind;
  /** The whole text with $n for its constants and without comments. */
  text: string;
  /** The same, cut where it is very long. */
  query: string;
  /** Equal for texts that differ only in constants, spacing and comments; null when it cannot be parsed. */
  fingerprint: string | null;
  /** The tables and views that it names, in the order of the syntax tree. */
  tables: readonly NamedTable[];
}

/** A table as a statement names it. */
export interface NamedTable {
  schema: string | undefined;
  name: string;
}

/** Queries that were read lately: most statements of one audit are those of the audit before. */
const known = new Map<string, ReadText>();
const maxKnown = 10_000;

/** Longer ones are few, and not remembered. */
const maxKnownLength = 5_000;

/**
 * What a statement text is, and the text fit to be stored and shown: without comments, and without
 * a constant that PostgreSQL left in it. It leaves them in utility statements (`ALTER ROLE …
 * PASSWORD '…'`), in a GROUP BY, and anywhere in a statement whose entry was evicted while it ran. Only a
 * number that is a position (`ORDER BY 1`) stays.
 * A text that was cut off in the middle of a constant or comment ends before it.
 */
export function readText(text: string): ReadText {
  const before = known.get(text);
  if (before) return before;
  // The parser takes it for the end, and would leave what is behind it as it is. No text of PostgreSQL's own has one.
  const end = text.indexOf('\u0000');
  if (end >= 0) return readText(`${text.slice(0, end)}…`);
  const parsed = parse(text);
  const { kind, tables } = parsed;
  const masked = mask(parsed);
  const read = {
    kind,
    text: masked,
    query: masked.length > maxLength ? `${masked.slice(0, maxLength).toWellFormed()}…` : masked,
    fingerprint: kind === 'unknown' ? null : fingerprintSync(text),
    tables,
  };
  // PostgreSQL normalizes queries; what else there is may hold a password.
  if (isQuery(kind) && text.length <= maxKnownLength) {
    if (known.size >= maxKnown) known.delete(known.keys().next().value as string);
    known.set(text, read);
  }
  return read;
}

interface Parsed {
  kind: StatementKind;
  /** As much of the text as the scanner can read. */
  readable: string;
  /** It has a SET: what that sets may be written without quotes, as if it were a name. */
  sets: boolean;
  /** Where the numbers stand that name a column of the result, in bytes. */
  positions: ReadonlySet<number>;
  tables: readonly NamedTable[];
}

/** Statements that set a setting, for now or for a role, a database, a function or the server. */
const settingNodes: ReadonlySet<string> = new Set([
  'VariableSetStmt',
  'AlterRoleSetStmt',
  'AlterDatabaseSetStmt',
  'AlterSystemStmt',
  'AlterFunctionStmt',
  'CreateFunctionStmt',
]);

function parse(text: string): Parsed {
  try {
    const statements = parseSync(text).stmts ?? [];
    const node = Object.keys(statements[0]?.stmt ?? {})[0] ?? '';
    const kind = statements.length === 1 ? (kindOfNode[node] ?? 'utility') : 'utility';
    return {
      kind,
      readable: text,
      sets: settingNodes.has(node),
      positions: kind === 'utility' ? new Set() : positionsIn(statements),
      tables: kind === 'utility' ? [] : tablesIn(statements),
    };
  } catch (error) {
    const unterminated = /^unterminated/.test((error as Error).message);
    const at = hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? 0) : 0;
    const readable = unterminated ? `${Array.from(text).slice(0, at).join('')}…` : text;
    return {
      kind: 'unknown',
      readable,
      sets: /^\s*(?:set|alter|create)\s/i.test(text),
      positions: new Set(),
      tables: [],
    };
  }
}

/** The places of bare numbers in ORDER BY and GROUP BY, of a syntax tree and all queries inside it. */
function positionsIn(tree: unknown): Set<number> {
  const found = new Set<number>();
  for (const node of partsOf(tree)) {
    const { sortClause = [], groupClause = [] } = node as { sortClause?: SortItem[]; groupClause?: GroupItem[] };
    for (const { SortBy } of sortClause) addPosition(SortBy?.node, found);
    for (const item of groupClause) addPosition(item, found);
  }
  return found;
}

/** The tables that a syntax tree names. A name that a WITH defines is among them, and seldom that of a table. */
function tablesIn(tree: unknown): NamedTable[] {
  const found: NamedTable[] = [];
  for (const node of partsOf(tree)) {
    const { relname, schemaname } = node as { relname?: string; schemaname?: string };
    if (typeof relname === 'string') found.push({ schema: schemaname, name: relname });
  }
  return found;
}

/** Every part of a tree, in its order. A list and not a recursion, for the tree may be deeper than the stack. */
function* partsOf(tree: unknown): Generator<object> {
  const left: unknown[] = [tree];
  while (left.length > 0) {
    const node = left.pop();
    if (typeof node !== 'object' || node === null) continue;
    yield node;
    for (const child of Object.values(node).reverse()) left.push(child);
  }
}

type SortItem = { SortBy?: { node?: GroupItem } };
type GroupItem = { A_Const?: { ival?: { ival?: number }; location?: number } };

/** A result has no more columns: a larger number is no position. https://www.postgresql.org/docs/current/limits.html */
const maxColumns = 1_664;

function addPosition(item: GroupItem | undefined, found: Set<number>): void {
  // The parser leaves out what is zero.
  const position = item?.A_Const?.ival?.ival ?? 0;
  if (position > 0 && position <= maxColumns) found.add(item?.A_Const?.location ?? 0);
}

/** Puts $n in the place of constants and takes comments out. The scanner counts in bytes of UTF-8. */
function mask({ kind, readable: text, sets, positions }: Parsed): string {
  const cut = text.endsWith('…') ? text.slice(0, -1) : text;
  let tokens: ReturnType<typeof scanSync>['tokens'];
  try {
    tokens = scanSync(cut).tokens;
  } catch {
    // Nothing of a text that cannot even be scanned is known to be harmless.
    return '(unreadable)';
  }
  // A backslash in a plain string may have escaped its end, where standard_conforming_strings is off: then
  // what follows is not what it seems.
  if (!isQuery(kind) && tokens.some((token) => token.text.startsWith("'") && token.text.includes('\\')))
    return '(unreadable)';
  const bytes = Buffer.from(cut);
  const secretFrom = sets ? settingFrom(tokens) : 0;
  // Lists of a hundred thousand parameters exist, and are more than a call takes arguments.
  let parameter = tokens.reduce((most, { text: word }) => Math.max(most, Number(/^\$(\d+)$/.exec(word)?.[1] ?? 0)), 0);
  let masked = '';
  let at = 0;
  for (const [i, token] of tokens.entries()) {
    const comment = token.tokenName === 'C_COMMENT' || token.tokenName === 'SQL_COMMENT';
    const constant =
      isString(token.text) ||
      (secretFrom > 0 && i >= secretFrom && !/^[,;]$/.test(token.text)) ||
      (/^\.?\d/.test(token.text) && !positions.has(token.start));
    if (!comment && !constant) continue;
    masked += bytes.subarray(at, token.start).toString() + (constant ? `$${++parameter}` : '');
    at = token.end;
  }
  return (masked + bytes.subarray(at).toString()).trim() + (cut === text ? '' : '…');
}

/** The place of the first token of what a SET sets; 0 where there is none. */
function settingFrom(tokens: readonly { text: string }[]): number {
  const words = tokens.map(({ text }) => text.toLowerCase());
  const set = words.indexOf('set');
  return set < 0 ? 0 : words.findIndex((word, i) => i > set && (word === '=' || word === 'to')) + 1;
}

/** Whether PostgreSQL normalizes statements of this kind. */
function isQuery(kind: StatementKind): boolean {
  return kind !== 'utility' && kind !== 'unknown';
}

/** 'x', E'x', U&'x', B'1', X'F', N'x' and $tag$x$tag$. */
function isString(token: string): boolean {
  return /^(?:[ebxn]|u&)?'/i.test(token) || /^\$\D/.test(token);
}
