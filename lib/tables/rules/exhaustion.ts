import * as z from 'zod';
import type { Action } from '../../advice/finding.ts';
import { count } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { IndexSnapshot } from '../../indexes/snapshot.ts';
import type { Sequence } from '../snapshot.ts';

/**
 * `sequences/exhaustion`: a sequence that nears its end, or that of the column that it fills: an `integer` ends at 2,147,483,647,
 * whatever its sequence could give. One that begins anew (CYCLE) never ends.
 * https://www.postgresql.org/docs/current/sql-createsequence.html
 */
export const exhaustion = defineRule({
  id: 'sequences/exhaustion',
  title: 'Sequence near its end',
  why: 'After the last value every INSERT fails, and to make room means to rewrite the table.',
  severity: 'warning',
  options: z.strictObject({
    /** Of its values, how many may be used. */
    maxUsedPercent: z.number().min(0).max(100).default(70),
    /** From here on it is critical. */
    criticalUsedPercent: z.number().min(0).max(100).default(90),
  }),
  check(snapshot: IndexSnapshot, { maxUsedPercent, criticalUsedPercent }): Draft[] {
    return snapshot.sequences
      .filter(({ usedPercent }) => usedPercent > maxUsedPercent)
      .map((sequence) => {
        const { column, limit, lastValue, usedPercent } = sequence;
        const left = Math.abs(limit - (lastValue ?? 0));
        return {
          severity: usedPercent > criticalUsedPercent ? 'critical' : 'warning',
          subject: {
            database: snapshot.server.database,
            schema: column?.schema ?? sequence.schema,
            ...(column ? { table: column.table } : {}),
            sequence: sequence.sequence,
          },
          title: `${sequence.sql} has used ${Math.floor(usedPercent)} % of its values`,
          detail: `It stands at ${count(lastValue ?? 0)} of ${count(limit)}${column ? `, and fills ${column.sql}.${column.columnSql} (${column.type})` : ''}: ${count(left)} are left. ${sequence.limitedBy === 'column' ? 'The column ends before the sequence does.' : 'The sequence ends there.'}`,
          evidence: {
            usedPercent: Math.round(usedPercent * 10) / 10,
            lastValue: lastValue ?? 0,
            limit,
            ...(column ? { column: column.column, columnType: column.type } : {}),
          },
          action: widen(sequence),
        };
      });
  },
});

const isWide = (type: string | undefined) => type === undefined || type === 'bigint' || type === 'numeric';

function widen({ sql, type, column, limit, lastValue }: Sequence): Action {
  const end = limit >= (lastValue ?? 0) ? 'MAXVALUE' : 'MINVALUE';
  if (isWide(column?.type)) {
    return {
      kind: 'sql',
      sql: isWide(type) ? `ALTER SEQUENCE ${sql} NO ${end};` : `ALTER SEQUENCE ${sql} AS bigint;`,
      caution:
        'The column is wide enough: only the sequence ends. Takes a SHARE ROW EXCLUSIVE lock on the sequence for a moment.',
    };
  }
  return {
    kind: 'code',
    caution: `ALTER TABLE ${column?.sql} ALTER COLUMN ${column?.columnSql} TYPE bigint rewrites the table under an ACCESS EXCLUSIVE lock. Without that lock: add a bigint column, keep it equal with a trigger, fill it in batches, index it with CONCURRENTLY, then swap the two in one short transaction. Columns that refer to it must be widened too, and so must its sequence (AS bigint).`,
  };
}
