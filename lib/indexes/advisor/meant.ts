import type { Relation } from '../../queries/catalog.ts';
import type { NamedTable } from '../../queries/text.ts';

/** Whether a plan means this table by a name: plans name the schema only where they were asked to. */
export function isMeant({ schema, table }: Pick<Relation, 'schema' | 'table'>, name: NamedTable): boolean {
  return table === name.name && (name.schema === undefined || name.schema === schema);
}
