import { escapeIdentifier } from 'pg';
import type { Action } from '../../../advice/finding.ts';
import type { Relation } from '../../catalog.ts';

/** PostgreSQL cuts longer names: https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
const maxNameBytes = 63;

/**
 * How to make an index, and how to drop it again. CONCURRENTLY lets writes go on while it is built; a partitioned table
 * knows no such way (https://www.postgresql.org/docs/current/sql-createindex.html).
 *
 * @param key the column or expression as SQL, such as `(lower("email"))`
 * @param words what the name is made of, after that of the table
 */
export function createIndex(
  { schema, table, kind }: Relation,
  {
    key,
    words,
    method = 'btree',
    before = '',
  }: { key: string; words: readonly string[]; method?: string; before?: string },
  caution: string,
): Action {
  const name = escapeIdentifier(`${shortenedTo(maxNameBytes - '_idx'.length, [table, ...words].join('_'))}_idx`);
  const how = kind === 'partitioned table' ? '' : 'CONCURRENTLY ';
  const locks = how === '' ? ' The table is partitioned: writes wait while the index is built.' : '';
  const using = method === 'btree' ? '' : `USING ${method} `;
  return {
    kind: 'sql',
    sql: `${before}CREATE INDEX ${how}${name} ON ${escapeIdentifier(schema)}.${escapeIdentifier(table)} ${using}(${key});`,
    undoSql: `DROP INDEX ${how}IF EXISTS ${escapeIdentifier(schema)}.${name};`,
    caution: `${caution}${locks}`,
  };
}

/** As much of a text as fits so many bytes of UTF-8. */
function shortenedTo(bytes: number, text: string): string {
  let short = text;
  while (Buffer.byteLength(short) > bytes) short = short.slice(0, -1).toWellFormed();
  return short;
}
