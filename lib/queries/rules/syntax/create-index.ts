import { escapeIdentifier } from 'pg';
import type { Action } from '../../../advice/finding.ts';
import type { Relation } from '../../catalog.ts';
import { definedName, failedBuild, type NewKey, takenNames, withoutLeftover } from '../../plan/advice/index-name.ts';

/**
 * How to make an index, and how to drop it again. CONCURRENTLY lets writes go on while it is built; a partitioned table
 * knows no such way (https://www.postgresql.org/docs/current/sql-createindex.html).
 *
 * An expression must be immutable.
 */
export function createIndex(
  { schema, table, kind, indexes }: Relation,
  { method = 'btree', before = '', ...key }: NewKey & { method?: string; before?: string },
  caution: string,
): Action {
  const how = kind === 'partitioned table' ? '' : 'CONCURRENTLY ';
  const taken = how === '' ? indexes.map((index) => index.name) : takenNames(indexes);
  const plain = definedName({ table, method, keys: [key] }, taken);
  const name = escapeIdentifier(plain);
  const locks = how === '' ? ' The table is partitioned: writes wait while the index is built.' : ` ${failedBuild}`;
  const using = method === 'btree' ? '' : `USING ${method} `;
  const what = key.column ? escapeIdentifier(key.column) : `(${key.expression})`;
  const operators = key.operatorClass ? ` ${key.operatorClass}` : '';
  return {
    kind: 'sql',
    sql: `${before}${withoutLeftover(schema, plain, indexes)}CREATE INDEX ${how}IF NOT EXISTS ${name} ON ${escapeIdentifier(schema)}.${escapeIdentifier(table)} ${using}(${what}${operators});`,
    undoSql: `DROP INDEX ${how}IF EXISTS ${escapeIdentifier(schema)}.${name};`,
    caution: `${caution}${locks}`,
  };
}
