import { escapeIdentifier } from 'pg';
import type { Action, Subject } from '../advice/finding.ts';
import { bytes, milliseconds } from '../advice/format.ts';
import { failedBuild } from '../queries/plan/advice/index-name.ts';
import type { Table } from '../tables/snapshot.ts';
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
    undoSql: `${concurrently(definitionOf(index))};`,
    caution: `${caution} Reads and writes go on meanwhile; it waits for transactions that are open.`,
  };
}

/** A constraint's definition lacks the storage of its index: where that is unusual, the index comes first. */
function addConstraint(index: Index, constraintDefinition: string): string {
  const { sql, options, fillfactor, constraint, tablespace } = index;
  const add = `ALTER TABLE ${sql.table} ADD CONSTRAINT ${sql.constraint}`;
  if (options.length === 0 && fillfactor === defaultFillfactor && tablespace === null) {
    return `${add} ${constraintDefinition};`;
  }
  const deferral = constraint?.deferrable
    ? constraintDefinition.slice(constraintDefinition.indexOf(' DEFERRABLE'))
    : '';
  return `${definitionOf(index)};\n${add} UNIQUE USING INDEX ${sql.name}${deferral};`;
}

/** Of a b-tree: https://www.postgresql.org/docs/current/sql-createindex.html#INDEX-RELOPTION-FILLFACTOR */
const defaultFillfactor = 90;

/** As PostgreSQL prints it, and with its tablespace, which it does not print. */
function definitionOf({ definition, tablespace, predicate }: Index): string {
  if (tablespace === null) return definition;
  const end = predicate === null ? '' : ` WHERE ${predicate}`;
  return definition.endsWith(end)
    ? `${definition.slice(0, definition.length - end.length)} TABLESPACE ${tablespace}${end}`
    : definition;
}

/** PostgreSQL prints every definition as `CREATE [UNIQUE] INDEX name ON …`. */
function concurrently(definition: string): string {
  const start = ['CREATE INDEX ', 'CREATE UNIQUE INDEX '].find((words) => definition.startsWith(words)) ?? '';
  return start === '' ? definition : `${start}CONCURRENTLY ${definition.slice(start.length)}`;
}

/** A partitioned index is printed `ON ONLY`, which would make it without its partitions' parts. */
function withoutOnly(index: Index): string {
  const head = `INDEX ${index.sql.name} ON`;
  return definitionOf(index).replace(`${head} ONLY `, () => `${head} `);
}

/**
 * How to rebuild an index. https://www.postgresql.org/docs/current/sql-reindex.html: CONCURRENTLY cannot rebuild an exclusion
 * constraint's index. There is nothing to undo.
 */
export function rebuildIndex(index: Index, tableBytes: number, newBytes: number, caution = ''): Action {
  const space = `${caution === '' ? '' : `${caution} `}Needs about ${bytes(newBytes)} of free disk space and ${buildTime(tableBytes, newBytes)}.`;
  return index.exclusion
    ? {
        kind: 'sql',
        sql: `REINDEX INDEX ${index.sql.index};`,
        caution: `${space} Stops writes to ${index.sql.table} and reads by this index until it is done: choose a quiet hour.`,
      }
    : {
        kind: 'sql',
        sql: `REINDEX INDEX CONCURRENTLY ${index.sql.index};`,
        caution: `${space} Does not stop reads or writes. If it is interrupted, drop the invalid index with the suffix _ccnew.`,
      };
}

/** An index that is to be made. */
export interface NewIndex {
  name: string;
  /** What stands in the parentheses, in their order, as SQL. */
  keys: readonly string[];
  expectedBytes: number | null;
}

/**
 * How to make an index, and how to drop it again. A partitioned table knows no CONCURRENTLY
 * (https://www.postgresql.org/docs/current/sql-createindex.html, "Notes"): there the index is made on the table alone, which holds
 * no rows, then on every partition, and each part is attached to it; with the last one the whole is valid.
 */
export function createIndex(table: Table, index: NewIndex, tables: readonly Table[], caution: string): Action {
  const { sql: on } = table;
  const nameIn: NameIn = (owner, name) => `${escapeIdentifier(owner.schema)}.${escapeIdentifier(name)}`;
  const keys = `(${index.keys.join(', ')})`;
  const size = index.expectedBytes === null ? '' : `About ${bytes(index.expectedBytes)} and `;
  const effort = `${size}${size === '' ? 'About ' : ''}${buildTime(table.sizeBytes, index.expectedBytes ?? table.sizeBytes / 4).replace('about ', '')} to build.`;
  if (table.kind !== 'partitioned table') {
    return {
      kind: 'sql',
      sql: `CREATE INDEX CONCURRENTLY IF NOT EXISTS ${escapeIdentifier(index.name)} ON ${on} ${keys};`,
      undoSql: `DROP INDEX CONCURRENTLY IF EXISTS ${nameIn(table, index.name)};`,
      caution: `${caution} ${effort} ${concurrentLock} ${failedBuild}`,
    };
  }
  return {
    kind: 'sql',
    sql: partitionSteps(table, index.name, keys, tables, nameIn).join('\n'),
    undoSql: `DROP INDEX IF EXISTS ${nameIn(table, index.name)};`,
    caution: `${caution} ${effort} The table is partitioned: run the statements one by one, outside of a transaction. ${concurrentLock}`,
  };
}

const concurrentLock =
  'Takes a SHARE UPDATE EXCLUSIVE lock, which lets reads and writes go on, and waits for transactions that are open.';

type NameIn = (owner: Table, name: string) => string;

function partitionSteps(table: Table, name: string, keys: string, tables: readonly Table[], nameIn: NameIn): string[] {
  return [
    `CREATE INDEX IF NOT EXISTS ${escapeIdentifier(name)} ON ONLY ${table.sql} ${keys};`,
    ...partSteps([{ owner: table, index: nameIn(table, name) }], `CREATE INDEX`, name, keys, tables, nameIn),
  ];
}

/** For every partition of tables that have a part of an index: the statements that make its own and attach it. */
function partSteps(
  open: { owner: Table; index: string; parts?: readonly Table[] }[],
  create: string,
  name: string,
  keys: string,
  tables: readonly Table[],
  nameIn: NameIn,
): string[] {
  const steps: string[] = [];
  // A list, not a recursion: each partition comes after the table that it is a part of.
  for (let at = open.shift(); at; at = open.shift()) {
    const { owner, index, parts = tables.filter((other) => other.parent === owner.sql) } = at;
    for (const part of parts) {
      const own = partName(part.table, name);
      const isWhole = part.kind === 'partitioned table';
      steps.push(
        `${create} ${isWhole ? '' : 'CONCURRENTLY '}IF NOT EXISTS ${escapeIdentifier(own)} ON ${isWhole ? 'ONLY ' : ''}${part.sql} ${keys};`,
        `ALTER INDEX ${index} ATTACH PARTITION ${nameIn(part, own)};`,
      );
      if (isWhole) open.push({ owner: part, index: nameIn(part, own) });
    }
  }
  return steps;
}

/**
 * How to complete a partitioned index that lacks parts: make them on the partitions that have none, and attach them.
 *
 * @returns how many partitions lack a part, and no action where none does
 */
export function attachMissing(
  index: Index,
  tables: readonly Table[],
  indexes: readonly Index[],
): { missing: number; action?: Action } {
  const whole = tables.find(({ sql }) => sql === index.sql.table);
  const having = new Set(indexes.filter(({ parent }) => parent === index.sql.index).map(({ sql }) => sql.table));
  const parts = tables.filter((table) => table.parent === index.sql.table && !having.has(table.sql));
  if (!whole || parts.length === 0) return { missing: parts.length };
  const create = index.unique ? 'CREATE UNIQUE INDEX' : 'CREATE INDEX';
  const keys = definitionOf(index).slice(index.definition.indexOf(' USING ') + 1);
  const nameIn: NameIn = (owner, name) => `${escapeIdentifier(owner.schema)}.${escapeIdentifier(name)}`;
  const open = [{ owner: whole, index: index.sql.index, parts }];
  return {
    missing: parts.length,
    action: {
      kind: 'sql',
      sql: partSteps(open, create, index.index, keys, tables, nameIn).join('\n'),
      caution: `Run the statements one by one, outside of a transaction. ${concurrentLock}`,
    },
  };
}

/** A name of at most 63 bytes: PostgreSQL cuts longer ones. */
function partName(partition: string, index: string): string {
  const clip = (text: string, most: number) =>
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(text).subarray(0, most), { stream: true });
  const tail = clip(index, 30);
  return `${clip(partition, 62 - Buffer.byteLength(tail))}_${tail}`;
}

/**
 * How long a build takes, roughly: the table is read at some 200 MB/s, and the index is sorted and written at 20 MB/s. Measured over
 * TPC-H: 23 s for 413 MB of indexes.
 */
export function buildTime(tableBytes: number, indexBytes: number): string {
  const ms = (tableBytes / 200e6 + indexBytes / 20e6) * 1000;
  return `about ${milliseconds(Math.max(100, ms))}`;
}
