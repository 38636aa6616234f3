/** The name of a table. */
export interface TableName {
  schema: string;
  table: string;
}

/** What belongs to tables, found by their names. */
export interface ByTable<Item> {
  /** Empty for a table that nothing belongs to. */
  get(name: TableName): readonly Item[];
  /** What belongs to each table, in the order in which the tables come first. */
  groups: readonly (readonly Item[])[];
}

/**
 * Groups what belongs to tables. With a map in a map, because of very many indexes it takes far longer to put two names together than
 * to look twice.
 */
export function byTable<Item extends TableName>(items: readonly Item[]): ByTable<Item> {
  const schemas = new Map<string, Map<string, Item[]>>();
  const groups: Item[][] = [];
  for (const item of items) {
    const tables = schemas.get(item.schema) ?? new Map<string, Item[]>();
    if (tables.size === 0) schemas.set(item.schema, tables);
    const group = tables.get(item.table) ?? [];
    if (group.length === 0) {
      tables.set(item.table, group);
      groups.push(group);
    }
    group.push(item);
  }
  const none: Item[] = [];
  return { groups, get: ({ schema, table }) => schemas.get(schema)?.get(table) ?? none };
}
