import { StreamGateError } from '../errors.ts';
import type { Note, Server } from '../postgres/server.ts';
import { type Session, statementMark } from '../postgres/session.ts';
import { joinRows } from './join.ts';
import type { QuerySnapshot } from './snapshot.ts';
import { informationSql, oldestExtension, type StatementRow, statementsSql, viewColumnsSql } from './statements.sql.ts';
import { loadParser } from './text.ts';

/** Reads the statements of a database. What cannot be read is said in the notes, with the remedy. */
export async function collectQueries(session: Session, server: Server): Promise<QuerySnapshot> {
  const takenAt = new Date().toISOString();
  const nothing = (code: string, message: string): QuerySnapshot => {
    const notes = [{ code, message: `No statement was looked at: ${message}`, rules: ['queries/slow'] }];
    return { takenAt, server, statements: [], resetAt: null, evictions: null, notes };
  };
  const extension = server.extensions.pg_stat_statements;
  if (!extension) {
    return nothing(
      'pg_stat_statements-missing',
      "pg_stat_statements is not installed. Set shared_preload_libraries = 'pg_stat_statements', restart, and CREATE EXTENSION pg_stat_statements in this database.",
    );
  }
  if (isOlder(extension.version)) {
    return nothing(
      'pg_stat_statements-old',
      `pg_stat_statements ${extension.version} is older than the server. ALTER EXTENSION pg_stat_statements UPDATE.`,
    );
  }
  const present = new Set(
    (await session.read<{ name: string }>(viewColumnsSql, [extension.schema])).map(({ name }) => name),
  );
  let rows: StatementRow[];
  try {
    rows = await session.read<StatementRow>(statementsSql(extension.schema, present));
  } catch (error) {
    if (!(error instanceof StreamGateError)) throw error;
    if (error.code === 'database-permission') {
      return nothing(
        'pg_stat_statements-permission',
        `the role may not read pg_stat_statements. GRANT pg_monitor TO "${server.role}", or GRANT SELECT on the view.`,
      );
    }
    // 55000: the extension exists, but its library was not loaded at server start.
    if ((error.cause as { code?: string } | undefined)?.code === '55000') {
      return nothing(
        'pg_stat_statements-not-loaded',
        "pg_stat_statements is not loaded. Set shared_preload_libraries = 'pg_stat_statements' and restart the server.",
      );
    }
    throw error;
  }
  const information = present.has('toplevel') ? await readInformation(session, extension.schema) : undefined;
  await loadParser();
  const visible = rows.filter((row) => row.queryId !== null && row.query !== null);
  const statements = joinRows(visible.filter((row) => !row.query.includes(statementMark)));
  const resetAt = information?.resetAt ?? null;
  return {
    takenAt,
    server,
    statements: statements.map((statement) => ({ ...statement, since: statement.since ?? resetAt })),
    resetAt,
    evictions: information?.evictions ?? null,
    notes: notesOn(server, rows.length - visible.length, information?.evictions ?? 0),
  };
}

/** Versions are `1.8` … `1.12`: two whole numbers, not a fraction. */
function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < oldestExtension.major || (major === oldestExtension.major && minor < oldestExtension.minor);
}

async function readInformation(session: Session, schema: string) {
  const [row] = await session.read<{ evictions: number; resetAt: string }>(informationSql(schema));
  return row;
}

function notesOn(server: Server, hidden: number, evictions: number): Note[] {
  const notes: Note[] = [];
  if (hidden > 0) {
    notes.push({
      code: 'statements-hidden',
      // Hidden before and after: what is seen of the others means the same.
      rules: [],
      message: `${hidden} statement(s) of other roles are hidden. GRANT pg_read_all_stats TO "${server.role}" (a part of pg_monitor).`,
    });
  }
  if (evictions > 0) {
    notes.push({
      code: 'statements-evicted',
      // The rarest are evicted first, and a slow one that comes back is opened again.
      rules: [],
      message: `pg_stat_statements ran out of space ${evictions} time(s) since its reset and forgot the rarest statements. Raise pg_stat_statements.max.`,
    });
  }
  return notes;
}
