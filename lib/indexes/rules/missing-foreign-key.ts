import { escapeIdentifier } from 'pg';
import * as z from 'zod';
import { plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { definedName, takenNames, withoutLeftover } from '../../queries/plan/advice/index-name.ts';
import type { Table } from '../../tables/snapshot.ts';
import { createIndex } from '../actions.ts';
import { covers, tableOf } from '../foreign-keys.ts';
import type { ForeignKey, Index, IndexSnapshot } from '../snapshot.ts';

/**
 * `indexes/missing-foreign-key`: a foreign key whose table has no index to find the rows that refer to one. Keys of one table that
 * one index would serve are one finding; a partition's part of a key belongs to that of the whole table, which is covered too where
 * every partition has an index of its own. ../foreign-keys.ts says what covers a key.
 * https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK
 */
export const missingForeignKey = defineRule({
  id: 'indexes/missing-foreign-key',
  title: 'Foreign key without an index',
  why: 'Every delete of a referenced row, and every change of its key, reads the whole referring table, and locks wait for it meanwhile.',
  severity: 'warning',
  options: z.strictObject({
    /** A smaller referring table is read as a whole quickly: the finding is only information. */
    warnFromRows: z.number().int().min(0).default(10_000),
  }),
  check(snapshot: IndexSnapshot, options): Draft[] {
    const indexes = Map.groupBy(snapshot.indexes, tableOf);
    const tables = new Map(snapshot.tables.map((table) => [tableOf(table), table]));
    const byParent = Map.groupBy(snapshot.tables, ({ parent }) => parent);
    const taken = Map.groupBy(snapshot.indexes, ({ schema }) => schema);
    const naked = snapshot.foreignKeys.filter((key) => {
      const table = tables.get(tableOf(key));
      return !key.inherited && table !== undefined && !isCovered(key, table, indexes, byParent);
    });
    return [...Map.groupBy(naked, tableOf)].flatMap(([name, keys]) => {
      const table = tables.get(name);
      if (!table) return [];
      return servedTogether(keys).map((group) =>
        report(group, table, snapshot, tables, taken.get(table.schema) ?? [], options.warnFromRows),
      );
    });
  },
});

function isCovered(
  key: ForeignKey,
  table: Table,
  indexes: ReadonlyMap<string, readonly Index[]>,
  byParent: ReadonlyMap<string | null, readonly Table[]>,
): boolean {
  // A list, not a recursion, of tables that need an index.
  const open = [table];
  for (let at = open.pop(); at; at = open.pop()) {
    if ((indexes.get(tableOf(at)) ?? []).some((index) => covers(index, key))) continue;
    const parts = byParent.get(at.sql) ?? [];
    if (parts.length === 0) return false;
    open.push(...parts);
  }
  return true;
}

/** Keys whose columns are among those of another come with it: its index begins with theirs. The widest is the first of each group. */
function servedTogether(keys: readonly ForeignKey[]): ForeignKey[][] {
  const groups: ForeignKey[][] = [];
  for (const key of keys.toSorted((a, b) => b.columns.length - a.columns.length || (a.name < b.name ? -1 : 1))) {
    const columns = new Set(key.columns);
    // Each key of the group must be inside of the one before it: only such can all come first.
    const group = groups.find((others) => columns.isSubsetOf(new Set(others.at(-1)?.columns)));
    if (group) group.push(key);
    else groups.push([key]);
  }
  return groups;
}

function report(
  keys: readonly ForeignKey[],
  table: Table,
  snapshot: IndexSnapshot,
  tables: ReadonlyMap<string, Table>,
  taken: readonly Index[],
  warnFromRows: number,
): Draft {
  const columns = [...new Set(keys.toReversed().flatMap((key) => key.columns))];
  const existing = taken.map((index) => ({
    name: index.index,
    // Only what is left on this very table, and at which nobody is at work, gives its name back.
    valid: index.valid || index.building || tableOf(index) !== tableOf(table),
    unique: index.unique,
  }));
  const name = definedName({ table: table.table, keys: columns.map((column) => ({ column })) }, takenNames(existing));
  const parents = keys.map((key) => tables.get(tableOf({ schema: key.toSchema, table: key.toTable })));
  const deletes = parents.reduce((sum, parent) => sum + (parent?.deletes ?? 0), 0);
  const rows = Math.max(table.rows ?? 0, table.liveRows);
  const targets = [...new Set(keys.map((key) => parentName(key)))].join(', ');
  const creation = createIndex(
    table,
    {
      name,
      keys: columns.map((column) => escapeIdentifier(column)),
      expectedBytes: expectedBytes(columns, table, rows, snapshot),
    },
    snapshot.tables,
    'If nobody ever deletes from the referenced table or changes its keys, and no statement joins by these columns, it can be left out.',
  );
  return {
    severity: rows >= warnFromRows ? 'warning' : 'info',
    subject: { database: snapshot.server.database, schema: table.schema, table: table.table, index: name },
    title: `No index behind ${plural(keys.length, 'foreign key')} of ${table.sql} (${columns.join(', ')})`,
    detail: `Whoever deletes from ${targets} reads all of ${table.sql} (${plural(rows, 'row')}); ${plural(deletes, 'row')} ${Math.round(deletes) === 1 ? 'was' : 'were'} deleted there since the counters began.`,
    evidence: {
      foreignKeys: keys.map((key) => key.name).join(', '),
      columns: columns.join(', '),
      references: targets,
      rows,
      deletesOfReferenced: deletes,
    },
    action: {
      ...creation,
      // The parts of a partitioned index can be made and attached where the last try has ended.
      sql: `${table.kind === 'partitioned table' ? '' : withoutLeftover(table.schema, name, existing)}${creation.sql}`,
    },
  };
}

function parentName({ toSchema, toTable }: ForeignKey): string {
  return `${toSchema}.${toTable}`;
}

/** An upper bound: as if no keys were equal. Null where the table was never analyzed. */
function expectedBytes(
  columns: readonly string[],
  table: Table,
  rows: number,
  { columns: known, server }: IndexSnapshot,
) {
  if (rows === 0) return null;
  const widths = columns.map(
    (name) =>
      known.find((each) => each.column === name && each.table === table.table && each.schema === table.schema)
        ?.averageBytes ?? 8,
  );
  const entry = 12 + Math.ceil(widths.reduce((sum, width) => sum + width, 0) / 8) * 8;
  return Math.ceil((rows * entry) / (0.9 * server.blockBytes) + 2) * server.blockBytes;
}
