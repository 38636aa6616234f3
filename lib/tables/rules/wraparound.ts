import * as z from 'zod';
import { count } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { IndexSnapshot } from '../../indexes/snapshot.ts';
import { subjectOf } from '../subject.ts';

/** Three million before the end the server takes no more transactions that write: src/backend/access/transam/varsup.c. */
const lastTransaction = 2_147_483_648 - 3_000_000;

/**
 * `tables/wraparound`: a table whose oldest row has not been frozen for so many transactions that the server's last day comes nearer.
 * Autovacuum freezes at 200 million (autovacuum_freeze_max_age), whatever is switched off: to be far beyond that is to say that it
 * cannot. https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND
 */
export const wraparound = defineRule({
  id: 'tables/wraparound',
  title: 'Transaction ids run out',
  why: 'Two thousand million transactions after its oldest row the server refuses to write at all until that table is vacuumed.',
  severity: 'warning',
  options: z.strictObject({
    /** Transactions, or multixacts, since the oldest row was frozen. */
    maxAge: z.number().int().min(1).default(600_000_000),
    /** From here on it is critical. */
    criticalAge: z.number().int().min(1).default(1_200_000_000),
  }),
  check(snapshot: IndexSnapshot, { maxAge, criticalAge }): Draft[] {
    return snapshot.tables.flatMap((table) => {
      const age = Math.max(table.transactionAge ?? 0, table.multixactAge ?? 0);
      if (age <= maxAge) return [];
      return [
        {
          severity: age > criticalAge ? 'critical' : 'warning',
          subject: subjectOf(snapshot, table),
          title: `${table.sql} has rows that are ${count(age)} transactions old`,
          detail: `At ${count(lastTransaction)} the server stops taking writes; autovacuum should have frozen them at 200 million.`,
          evidence: {
            transactionAge: table.transactionAge ?? 0,
            multixactAge: table.multixactAge ?? 0,
            usedPercent: Math.round((1000 * age) / lastTransaction) / 10,
          },
          action: {
            kind: 'sql',
            sql: `VACUUM (FREEZE) ${table.sql};`,
            caution:
              'Stops neither reads nor writes, but reads the table. First end what holds it back: long transactions, prepared transactions, replication slots that nobody reads.',
          },
        },
      ];
    });
  },
});
