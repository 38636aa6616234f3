import { escapeIdentifier } from 'pg';
import * as z from 'zod';
import type { Action } from '../../advice/finding.ts';
import { plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { Index, IndexSnapshot } from '../../indexes/snapshot.ts';
import type { Table } from '../snapshot.ts';
import { rowsOf, subjectOf } from '../subject.ts';

/**
 * `tables/no-primary-key`: a table without a primary key; a partition follows its parent. Without one, and without another replica
 * identity, a published table refuses every UPDATE and DELETE: that is critical.
 * https://www.postgresql.org/docs/current/logical-replication-publication.html#LOGICAL-REPLICATION-PUBLICATION-REPLICA-IDENTITY
 */
export const noPrimaryKey = defineRule({
  id: 'tables/no-primary-key',
  title: 'Table without a primary key',
  why: 'Nothing tells one row from another: rows can double unseen, a single one can hardly be mended, and tools that replicate or move the table need a key.',
  severity: 'warning',
  options: z.strictObject({
    /** Smaller tables are left alone. */
    minRows: z.number().int().min(0).default(0),
  }),
  check(snapshot: IndexSnapshot, { minRows }): Draft[] {
    const indexes = Map.groupBy(snapshot.indexes, ({ sql }) => sql.table);
    return snapshot.tables
      .filter(
        (table) =>
          table.kind !== 'materialized view' &&
          table.parent === null &&
          !table.hasPrimaryKey &&
          rowsOf(table) >= minRows,
      )
      .map((table) => {
        const own = indexes.get(table.sql) ?? [];
        const key = own.find((index) => couldBeKey(index, table));
        const refuses =
          table.publishesChanges && (table.replicaIdentity === 'default' || table.replicaIdentity === 'nothing');
        return {
          severity: refuses ? 'critical' : key ? 'info' : 'warning',
          subject: subjectOf(snapshot, table),
          title: `${table.sql} has no primary key`,
          detail: `${refuses ? 'It is published without a replica identity, so that every UPDATE and DELETE of it fails. ' : ''}It has ${plural(rowsOf(table), 'row')}${key ? `; ${key.sql.index} is unique and could be its key` : ''}.`,
          evidence: { rows: rowsOf(table), ...(key ? { uniqueIndex: key.index } : {}) },
          action: key && table.kind === 'table' ? promote(key, table) : addKey(table),
        };
      });
  },
});

/** https://www.postgresql.org/docs/current/sql-altertable.html, ADD table_constraint_using_index. */
function couldBeKey(index: Index, { notNull }: Table): boolean {
  return (
    index.unique &&
    index.valid &&
    index.method === 'btree' &&
    index.predicate === null &&
    !index.constraint?.deferrable &&
    index.elements.every(
      ({ column, descending, nullsFirst }) => column !== null && notNull.includes(column) && !descending && !nullsFirst,
    )
  );
}

function promote(index: Index, table: Table): Action {
  const columns = index.elements.map(({ column }) => escapeIdentifier(column ?? '')).join(', ');
  if (index.constraint) {
    return {
      kind: 'code',
      caution: `The constraint ${index.sql.constraint} holds the index, so it cannot become the key as it is: make a unique index on (${columns}) with CONCURRENTLY, then ALTER TABLE ${table.sql} ADD PRIMARY KEY USING INDEX with it, then drop the constraint.`,
    };
  }
  return {
    kind: 'sql',
    sql: `ALTER TABLE ${table.sql} ADD CONSTRAINT ${index.sql.name} PRIMARY KEY USING INDEX ${index.sql.name};`,
    caution: `Takes an ACCESS EXCLUSIVE lock on ${table.sql} for a moment: set lock_timeout first. Columns are not null already and the index is there, so nothing is read. To take it back is to drop the constraint, and the index with it.`,
  };
}

function addKey(table: Table): Action {
  return {
    kind: 'code',
    caution: `Choose the columns that name a row, make a unique index on them with CREATE UNIQUE INDEX CONCURRENTLY, and promote it: ALTER TABLE ${table.sql} ADD PRIMARY KEY USING INDEX …. Where no columns do, add an identity column: ALTER TABLE ${table.sql} ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY rewrites the table under an ACCESS EXCLUSIVE lock.`,
  };
}
