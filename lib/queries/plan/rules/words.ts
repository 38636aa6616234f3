/** How findings about plans are worded. */
import { count } from '../../../advice/format.ts';
import type { Test } from '../advice/conditions.ts';
import type { PlanNode } from '../tree.ts';
import type { TableName } from './define.ts';

/** The table that a finding about a scan is about: as the catalog knows it, else as the plan names it. */
export function tableOf({ relation }: PlanNode, known: TableName | undefined): TableName | undefined {
  if (known) return { schema: known.schema, table: known.table };
  return relation && { schema: relation.schema, table: relation.name };
}

/** `public.orders`. */
export function nameOf(table: TableName | undefined): string {
  if (!table) return 'a table';
  return table.schema === undefined ? table.table : `${table.schema}.${table.table}`;
}

/** The columns of tests, each once, and nothing else of them: a condition may hold a literal. */
export function columnsOf(tests: readonly Test[]): string {
  return [...new Set(tests.flatMap(({ columns }) => columns.map(({ column }) => column)))].join(', ');
}

/** 12 %, 0.4 %, less than 0.01 %. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.01) return 'less than 0.01 %';
  return `${value.toLocaleString('en-US', { maximumSignificantDigits: 2 })} %`;
}

/** "reads" where it was measured, else "is expected to read". */
export function does({ actual }: PlanNode, measured: string, infinitive: string): string {
  return actual ? measured : `is expected to ${infinitive}`;
}

/** 3.5 times, 120 times. */
export function times(value: number): string {
  return `${value < 10 ? value.toLocaleString('en-US', { maximumSignificantDigits: 2 }) : count(value)} times`;
}
