import * as z from 'zod';
import { bytes, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { IndexSnapshot } from '../snapshot.ts';

/**
 * `indexes/missing`: an index that the advisor chose for the statements of the database, by what PostgreSQL itself expects of
 * it. Where the advisor did not run there is nothing to judge.
 */
export const missing = defineRule({
  id: 'indexes/missing',
  title: 'Missing index',
  why: 'Statements read far more than they need, because no index leads them to their rows.',
  severity: 'info',
  options: z.strictObject({
    /** Of the cost of all statements together. */
    minSavedPercent: z.number().min(0).max(100).default(1),
    warnFromSavedPercent: z.number().min(0).max(100).default(10),
  }),
  check({ server, proposals = [] }: IndexSnapshot, { minSavedPercent, warnFromSavedPercent }): Draft[] {
    return proposals
      .filter(({ savedPercent, writePercent }) => savedPercent - writePercent >= minSavedPercent)
      .map(({ schema, table, name, columns, sql, undoSql, caution, ...proposal }) => {
        const { sizeBytes, savedPercent, writePercent, helps, why } = proposal;
        const writes = writePercent >= 0.1 ? `, and costs those who write ${percent(writePercent)}` : '';
        return {
          severity: savedPercent >= warnFromSavedPercent ? 'warning' : 'info',
          subject: { database: server.database, schema, table, index: name },
          title: `${table} lacks an index on ${columns.join(', ')}`,
          detail: `It would save ${percent(savedPercent)} of the cost of all statements${writes}, helps ${plural(helps.length, 'statement')}, and takes about ${bytes(sizeBytes)}. ${why.join(' ')}`,
          evidence: {
            savedPercent: round(savedPercent),
            writePercent: round(writePercent),
            sizeBytes: Math.round(sizeBytes),
            statements: helps.length,
            queryIds: helps.slice(0, shownIds).join(', '),
          },
          impact: { costRatio: round(1 - (savedPercent - writePercent) / 100) },
          action: { kind: 'sql', sql, undoSql, caution },
        };
      });
  },
});

/** So many statements are named. */
const shownIds = 10;

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function percent(value: number): string {
  return `${value.toLocaleString('en-US', { maximumSignificantDigits: 2 })} %`;
}
