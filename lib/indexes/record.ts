import type { AuditRecord, History } from '../postgres/history.ts';
import { loadParser } from '../queries/text.ts';
import { builtAmong } from './built.ts';
import { withObservations } from './observe.ts';
import type { IndexSnapshot } from './snapshot.ts';
import { withStatements } from './statements.ts';

/** What came of an audit of the indexes of a database: what its rules judge, and what is kept. */
export interface IndexRecord {
  input: IndexSnapshot;
  record: Pick<AuditRecord, 'snapshot' | 'rows' | 'summary' | 'builtAmong'>;
}

/** Puts a snapshot beside what the history knows: how its indexes were used before, and by which statements. */
export async function indexRecord(taken: IndexSnapshot, database: string, history: History): Promise<IndexRecord> {
  const [past, plans] = await Promise.all([history.indexUse(database), history.newestPlans(database)]);
  const observed = withObservations(taken, past);
  const input = plans ? { ...observed, indexes: withStatements(observed.indexes, plans) } : observed;
  const { indexes: rows, tables: _, columns: __, foreignKeys: ___, sequences: ____, ...snapshot } = input;
  const sizeBytes = rows.filter((index) => !index.partitioned).reduce((all, index) => all + index.sizeBytes, 0);
  await loadParser();
  return { input, record: { snapshot, rows, summary: { indexes: rows.length, sizeBytes }, builtAmong } };
}
