import { escapeIdentifier } from 'pg';
import { plural } from '../advice/format.ts';
import { sqlState } from '../postgres/errors.ts';
import type { Extension, Note, Server } from '../postgres/server.ts';
import { type Session, statementMark } from '../postgres/session.ts';
import { joinRows } from './join.ts';
import type { QuerySnapshot } from './snapshot.ts';
import { informationSql, oldestExtension, type StatementRow, statementsSql, viewColumnsSql } from './statements.sql.ts';
import { loadParser, type NamedTable, readText } from './text.ts';

/** What pg_stat_statements tells. */
export interface ReadStatements extends Pick<QuerySnapshot, 'statements' | 'resetAt' | 'evictions' | 'notes'> {
  /** The whole texts by query id, where a statement has only the beginning of its own. */
  texts: ReadonlyMap<string, string>;
  /** The tables that the statements name. */
  tables: readonly NamedTable[];
}

/** Reads the statements of a database. What cannot be read is said in the notes, with the remedy. */
export async function readStatements(session: Session, server: Server): Promise<ReadStatements> {
  const nothing = (code: string, message: string): ReadStatements => {
    const notes = [{ code, message: `No statement was looked at: ${message}`, rules: ['queries/*', 'plans/*'] }];
    return { statements: [], resetAt: null, evictions: null, notes, texts: new Map(), tables: [] };
  };
  const extension = server.extensions.pg_stat_statements;
  if (!extension) {
    return nothing(
      'pg_stat_statements-missing',
      "pg_stat_statements is not installed. Set shared_preload_libraries = 'pg_stat_statements', restart, and CREATE EXTENSION pg_stat_statements in this database.",
    );
  }
  if (isOlder(extension.version, oldestExtension)) {
    return nothing(
      'pg_stat_statements-old',
      `pg_stat_statements ${extension.version} is older than the server. ALTER EXTENSION pg_stat_statements UPDATE.`,
    );
  }
  let seen: SeenStatements;
  try {
    seen = await readViews(session, extension.schema);
  } catch (error) {
    const [code, message] = whyUnread(error, extension, server) ?? [];
    if (code === undefined || message === undefined) throw error;
    return nothing(code, message);
  }
  const { rows, information } = seen;
  await loadParser();
  const visible = rows.filter((row) => row.queryId !== null && row.query !== null);
  const theirs = visible.filter((row) => !isOurs(row.query));
  const resetAt = information?.resetAt ?? null;
  const long = theirs.map(({ queryId, query }) => [queryId, readText(query)] as const);
  return {
    statements: joinRows(theirs).map((statement) => ({ ...statement, since: statement.since ?? resetAt })),
    resetAt,
    evictions: information?.evictions ?? null,
    notes: notesOn(server, rows.length - visible.length, information?.evictions ?? 0),
    texts: new Map(long.filter(([, { text, query }]) => text !== query).map(([queryId, { text }]) => [queryId, text])),
    tables: long.flatMap(([, { tables }]) => tables),
  };
}

/** The code of a note and what it says; undefined for what is not about pg_stat_statements alone. */
function whyUnread(error: unknown, extension: Extension, { role }: Server): [string, string] | undefined {
  switch (sqlState(error)) {
    case '42501': {
      const said = ((error as Error).cause as Error | undefined)?.message;
      return [
        'pg_stat_statements-permission',
        `the role may not read pg_stat_statements (${said}). GRANT SELECT ON ${viewsOf(extension)} TO ${escapeIdentifier(role)}, and USAGE on the schema.`,
      ];
    }
    case '55000':
      return [
        'pg_stat_statements-not-loaded',
        "pg_stat_statements is not loaded. Set shared_preload_libraries = 'pg_stat_statements' and restart the server.",
      ];
    case '22P05':
    case '22021':
      return [
        'pg_stat_statements-encoding',
        'a statement of another database has characters that the encoding of this one lacks.',
      ];
    case '55P03':
      return [
        'pg_stat_statements-locked',
        'somebody holds a lock on pg_stat_statements or a catalog, and StreamGate does not wait. The next audit tries again.',
      ];
    case '57014':
      return [
        'pg_stat_statements-timeout',
        'the server took longer than the statement timeout to list them. Try again when it is less busy, or lower pg_stat_statements.max.',
      ];
    default:
      return undefined;
  }
}

/** The views to grant: that of the reset came with 1.9. */
function viewsOf({ schema, version }: Extension): string {
  const view = `${escapeIdentifier(schema)}.pg_stat_statements`;
  return isOlder(version, { major: 1, minor: 9 }) ? view : `${view}, ${view}_info`;
}

/** A statement of StreamGate's: marked, or a check of a foreign key of its history, which PostgreSQL writes. */
function isOurs(query: string): boolean {
  return query.includes(statementMark) || query.includes('"streamgate"."');
}

/** Versions are `1.8` … `1.12`: two whole numbers, not a fraction. */
function isOlder(version: string, than: { major: number; minor: number }): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < than.major || (major === than.major && minor < than.minor);
}

interface SeenStatements {
  rows: StatementRow[];
  information: { evictions: number; resetAt: string } | undefined;
}

async function readViews(session: Session, schema: string): Promise<SeenStatements> {
  const columns = await session.read<{ name: string }>(viewColumnsSql, [schema]);
  const present = new Set(columns.map(({ name }) => name));
  const rows = await session.read<StatementRow>(statementsSql(schema, present));
  return { rows, information: present.has('toplevel') ? await readInformation(session, schema) : undefined };
}

/** Nothing where the role may read the statements but not this. */
async function readInformation(session: Session, schema: string) {
  try {
    const [row] = await session.read<NonNullable<SeenStatements['information']>>(informationSql(schema));
    return row;
  } catch (error) {
    if (sqlState(error) === '42501') return undefined;
    throw error;
  }
}

function notesOn(server: Server, hidden: number, evictions: number): Note[] {
  const notes: Note[] = [];
  if (hidden > 0) {
    notes.push({
      code: 'statements-hidden',
      rules: ['queries/*', 'plans/*'],
      message: `${plural(hidden, 'statement')} of other roles cannot be seen. GRANT pg_read_all_stats TO ${escapeIdentifier(server.role)} (a part of pg_monitor).`,
    });
  }
  if (evictions > 0) {
    notes.push({
      code: 'statements-evicted',
      // The rarest are evicted first, and a slow one that comes back is opened again.
      rules: [],
      message: `pg_stat_statements ran out of space ${plural(evictions, 'time')} since its reset and forgot the rarest statements. Raise pg_stat_statements.max.`,
    });
  }
  return notes;
}
