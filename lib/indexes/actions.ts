import type { Action, Subject } from '../advice/finding.ts';
import type { Index, IndexSnapshot } from './snapshot.ts';

/** The subject of a finding about an index. */
export function subjectOf(snapshot: IndexSnapshot, index: Index): Subject {
  return { database: snapshot.server.database, schema: index.schema, table: index.table, index: index.index };
}

/**
 * How to drop an index, and how to get it back. CONCURRENTLY takes no lock that stops reads or writes
 * (https://www.postgresql.org/docs/current/sql-dropindex.html); a partitioned index and a constraint know no such way.
 * IF EXISTS, because two rules may find the same index superfluous.
 */
export function dropIndex(index: Index, caution: string): Action {
  const locks = `Takes an ACCESS EXCLUSIVE lock on ${index.sql.table} for a moment: set lock_timeout first.`;
  if (index.constraint && index.sql.constraint) {
    return {
      kind: 'sql',
      sql: `ALTER TABLE ${index.sql.table} DROP CONSTRAINT IF EXISTS ${index.sql.constraint};`,
      undoSql: addConstraint(index, index.constraint.definition),
      caution: `${caution} ${locks}`,
    };
  }
  if (index.partitioned) {
    return {
      kind: 'sql',
      sql: `DROP INDEX IF EXISTS ${index.sql.index};`,
      undoSql: `${withoutOnly(index)};`,
      caution: `${caution} ${locks} To undo it stops writes while the index is built.`,
    };
  }
  return {
    kind: 'sql',
    sql: `DROP INDEX CONCURRENTLY IF EXISTS ${index.sql.index};`,
    undoSql: `${concurrently(index.definition)};`,
    caution,
  };
}

/** A constraint's definition lacks the storage parameters of its index: where there are some, the index comes first. */
function addConstraint(
  { sql, options, fillfactor, definition, constraint }: Index,
  constraintDefinition: string,
): string {
  const add = `ALTER TABLE ${sql.table} ADD CONSTRAINT ${sql.constraint}`;
  if (options.length === 0 && fillfactor === defaultFillfactor) return `${add} ${constraintDefinition};`;
  const deferral = constraint?.deferrable
    ? constraintDefinition.slice(constraintDefinition.indexOf(' DEFERRABLE'))
    : '';
  return `${definition};\n${add} UNIQUE USING INDEX ${sql.name}${deferral};`;
}

/** Of a b-tree: https://www.postgresql.org/docs/current/sql-createindex.html#INDEX-RELOPTION-FILLFACTOR */
const defaultFillfactor = 90;

/** PostgreSQL prints every definition as `CREATE [UNIQUE] INDEX name ON …`. */
function concurrently(definition: string): string {
  const start = ['CREATE INDEX ', 'CREATE UNIQUE INDEX '].find((words) => definition.startsWith(words)) ?? '';
  return start === '' ? definition : `${start}CONCURRENTLY ${definition.slice(start.length)}`;
}

/** A partitioned index is printed `ON ONLY`, which would make it without its partitions' parts. */
function withoutOnly(index: Index): string {
  const head = `INDEX ${index.sql.name} ON`;
  return index.definition.replace(`${head} ONLY `, () => `${head} `);
}
