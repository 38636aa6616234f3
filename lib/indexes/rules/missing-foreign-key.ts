import { escapeIdentifier } from 'pg';
import * as z from 'zod';
import { plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import { definedName, type NamedIndex, takenNames, withoutLeftover } from '../../queries/plan/advice/index-name.ts';
import type { ColumnStatistics, Table } from '../../tables/snapshot.ts';
import { createIndex } from '../actions.ts';
import { type ByTable, byTable } from '../by-table.ts';
import { covers } from '../foreign-keys.ts';
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
    const indexes = byTable(snapshot.indexes);
    const tables = byTable(snapshot.tables);
    const byParent = Map.groupBy(snapshot.tables, ({ parent }) => parent);
    const naked = snapshot.foreignKeys.filter((key) => {
      const [table] = tables.get(key);
      return !key.inherited && table !== undefined && !isCovered(key, table, indexes, byParent);
    });
    if (naked.length === 0) return [];
    const known: Known = { snapshot, tables, columns: byTable(snapshot.columns), indexOf: byName(snapshot.indexes) };
    return byTable(naked).groups.flatMap((keys) => {
      const [table] = keys[0] ? tables.get(keys[0]) : [];
      return table ? servedTogether(keys).map((group) => report(group, table, known, options.warnFromRows)) : [];
    });
  },
});

function isCovered(
  key: ForeignKey,
  table: Table,
  indexes: ByTable<Index>,
  byParent: ReadonlyMap<string | null, readonly Table[]>,
): boolean {
  // A list, not a recursion, of tables that need an index.
  const open = [table];
  for (let at = open.pop(); at; at = open.pop()) {
    if (indexes.get(at).some((index) => covers(index, key))) continue;
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

/** What is looked up for each finding. */
interface Known {
  snapshot: IndexSnapshot;
  tables: ByTable<Table>;
  columns: ByTable<ColumnStatistics>;
  /** The index of a name in a schema. */
  indexOf(schema: string, name: string): Index | undefined;
}

function byName(indexes: readonly Index[]): Known['indexOf'] {
  const found = new Map(indexes.map((index) => [`${index.schema}\0${index.index}`, index]));
  return (schema, name) => found.get(`${schema}\0${name}`);
}

/** The name of an index to be made, and the index that has it already: what is left of a build that failed. */
function nameOf(table: Table, columns: readonly string[], { indexOf }: Known): { name: string; left: NamedIndex[] } {
  const definition = { table: table.table, keys: columns.map((column) => ({ column })) };
  // Only names that are taken: to ask each time which of all are would take very long where there are very many.
  const taken: string[] = [];
  for (;;) {
    const name = definedName(definition, taken);
    const index = indexOf(table.schema, name);
    // Only what is left on this very table, and at which nobody is at work, gives its name back.
    const valid = !index || index.valid || index.building || index.table !== table.table;
    const left = index ? [{ name, valid, unique: index.unique }] : [];
    if (takenNames(left).length === 0) return { name, left };
    taken.push(name);
  }
}

function report(keys: readonly ForeignKey[], table: Table, known: Known, warnFromRows: number): Draft {
  const { snapshot, tables } = known;
  const columns = [...new Set(keys.toReversed().flatMap((key) => key.columns))];
  const { name, left } = nameOf(table, columns, known);
  const parents = keys.map((key) => tables.get({ schema: key.toSchema, table: key.toTable })[0]);
  const deletes = parents.reduce((sum, parent) => sum + (parent?.deletes ?? 0), 0);
  const rows = Math.max(table.rows ?? 0, table.liveRows);
  const targets = [...new Set(keys.map((key) => parentName(key)))].join(', ');
  const creation = createIndex(
    table,
    {
      name,
      keys: columns.map((column) => escapeIdentifier(column)),
      expectedBytes: expectedBytes(columns, table, rows, known),
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
      sql: `${table.kind === 'partitioned table' ? '' : withoutLeftover(table.schema, name, left)}${creation.sql}`,
    },
  };
}

function parentName({ toSchema, toTable }: ForeignKey): string {
  return `${toSchema}.${toTable}`;
}

/** An upper bound: as if no keys were equal. Null where the table was never analyzed. */
function expectedBytes(names: readonly string[], table: Table, rows: number, { columns, snapshot }: Known) {
  if (rows === 0) return null;
  const widths = names.map((name) => columns.get(table).find(({ column }) => column === name)?.averageBytes ?? 8);
  const entry = 12 + Math.ceil(widths.reduce((sum, width) => sum + width, 0) / 8) * 8;
  const { blockBytes } = snapshot.server;
  return Math.ceil((rows * entry) / (0.9 * blockBytes) + 2) * blockBytes;
}
