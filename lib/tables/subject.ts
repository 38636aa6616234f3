import type { Subject } from '../advice/finding.ts';
import type { IndexSnapshot } from '../indexes/snapshot.ts';
import type { Table } from './snapshot.ts';

/** The subject of a finding about a table. */
export function subjectOf({ server }: IndexSnapshot, { schema, table }: Pick<Table, 'schema' | 'table'>): Subject {
  return { database: server.database, schema, table };
}

/** Its rows, as far as they are known: the planner's estimate, or what the counters say. */
export function rowsOf({ rows, liveRows }: Table): number {
  return Math.max(rows ?? 0, liveRows);
}
