import * as z from 'zod';
import { plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { IndexSnapshot } from '../../indexes/snapshot.ts';
import { rowsOf, subjectOf } from '../subject.ts';

/**
 * `tables/autovacuum-disabled`: a table whose own settings switch autovacuum off. Only against wraparound it comes nevertheless.
 * https://www.postgresql.org/docs/current/sql-createtable.html#RELOPTION-AUTOVACUUM-ENABLED
 */
export const autovacuumDisabled = defineRule({
  id: 'tables/autovacuum-disabled',
  title: 'Autovacuum switched off for a table',
  why: 'Dead rows stay, statistics grow old, and index-only scans look up every row, until somebody vacuums by hand.',
  severity: 'warning',
  options: z.strictObject({}),
  check(snapshot: IndexSnapshot): Draft[] {
    return snapshot.tables
      .filter(({ autovacuum, kind }) => !autovacuum && kind !== 'partitioned table')
      .map((table) => ({
        subject: subjectOf(snapshot, table),
        title: `Autovacuum leaves ${table.sql} alone`,
        detail: `It has ${plural(rowsOf(table), 'row')} and ${plural(table.deadRows, 'dead one')}; it was ${table.vacuumedAt === null ? 'not vacuumed since the counters began' : `last vacuumed on ${table.vacuumedAt.slice(0, 10)}`}.`,
        evidence: {
          rows: rowsOf(table),
          deadRows: table.deadRows,
          ...(table.vacuumedAt === null ? {} : { vacuumedAt: table.vacuumedAt }),
        },
        action: {
          kind: 'sql' as const,
          sql: `ALTER TABLE ${table.sql} RESET (autovacuum_enabled);`,
          undoSql: `ALTER TABLE ${table.sql} SET (autovacuum_enabled = false);`,
          caution:
            'Takes a SHARE UPDATE EXCLUSIVE lock for a moment. If a job vacuums the table at a time of its own, leave it and dismiss this.',
        },
      }));
  },
});
