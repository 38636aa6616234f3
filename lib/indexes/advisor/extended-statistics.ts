import type { Session } from '../../postgres/session.ts';
import type { Relation } from '../../queries/catalog.ts';
import type { Knowledge } from './distinct.ts';

interface Row {
  schema: string;
  table: string;
  columns: string[];
  distinct: Record<string, number>;
}

/** https://www.postgresql.org/docs/current/view-pg-stats-ext.html */
const statisticsSql = `
select schemaname as schema, tablename as table, attnames::text[] as columns, n_distinct::text::json as distinct
from pg_stats_ext
where n_distinct is not null and schemaname || '.' || tablename = any ($1::text[])`;

/** What extended statistics tell of combinations of columns. Of several columns only the set that a statistics object names as a whole. */
export async function readCombinations(
  session: Session,
  relations: readonly Relation[],
): Promise<NonNullable<Knowledge['combinations']>> {
  const names = relations.map(({ schema, table }) => `${schema}.${table}`);
  const rows = names.length === 0 ? [] : await session.read<Row>(statisticsSql, [names]);
  return ({ schema, table }, columns) => {
    const told = rows.find(
      (row) =>
        row.schema === schema &&
        row.table === table &&
        row.columns.length === columns.length &&
        row.columns.every((column) => columns.includes(column)),
    );
    return told && Object.values(told.distinct).at(-1);
  };
}
