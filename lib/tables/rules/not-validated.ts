import * as z from 'zod';
import { plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { IndexSnapshot } from '../../indexes/snapshot.ts';
import { subjectOf } from '../subject.ts';

/**
 * `tables/not-validated`: constraints that were added NOT VALID and never validated: rows of before may break them.
 * https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-VALIDATE-CONSTRAINT
 */
export const notValidated = defineRule({
  id: 'tables/not-validated',
  title: 'Constraint that was never validated',
  why: 'Rows that were there before it may break it, the planner does not rely on it, and a restore may fail on them.',
  severity: 'info',
  options: z.strictObject({}),
  check(snapshot: IndexSnapshot): Draft[] {
    return snapshot.tables
      .filter((table) => table.notValidated.length > 0)
      .map((table) => ({
        subject: subjectOf(snapshot, table),
        title: `${plural(table.notValidated.length, 'constraint')} of ${table.sql} ${table.notValidated.length === 1 ? 'was' : 'were'} never validated`,
        detail: `Added with NOT VALID: ${table.notValidated.join(', ')}.`,
        evidence: { constraints: table.notValidated.join(', ') },
        action: {
          kind: 'sql' as const,
          sql: table.notValidated.map((name) => `ALTER TABLE ${table.sql} VALIDATE CONSTRAINT ${name};`).join('\n'),
          caution:
            'Reads the table, under a SHARE UPDATE EXCLUSIVE lock that lets reads and writes go on. It fails where a row breaks the constraint: mend the row first.',
        },
      }));
  },
});
