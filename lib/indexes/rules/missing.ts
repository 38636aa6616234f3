import * as z from 'zod';
import { type Expectation, findingId, type Subject } from '../../advice/finding.ts';
import { bytes, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { Proposal } from '../advisor/proposal.ts';
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
    const worthwhile = proposals.filter(
      ({ savedPercent, writePercent }) => savedPercent - writePercent >= minSavedPercent,
    );
    const { database } = server;
    return worthwhile.map((all) => {
      const { table, columns, sql, undoSql, caution, ...proposal } = all;
      const { sizeBytes, savedPercent, writePercent, helps, why } = proposal;
      const writes = writePercent >= 0.1 ? `, and costs those who write ${percent(writePercent)}` : '';
      return {
        severity: savedPercent >= warnFromSavedPercent ? 'warning' : 'info',
        subject: subjectOf(database, all),
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
        ...expectationOf(all, database, worthwhile),
      };
    });
  },
});

function subjectOf(database: string, { schema, table, name }: Proposal): Subject {
  return { database, schema, table, index: name };
}

/** What is held against the times once the index is there. A statement that others help as well costs so little only with them. */
function expectationOf(proposal: Proposal, database: string, all: readonly Proposal[]): { expected?: Expectation } {
  const { costs, sizeBytes } = proposal;
  if (!costs) return {};
  const statements = costs.slice(0, shownIds).map((cost) => ({
    ...cost,
    together: all
      .filter((other) => other !== proposal && other.helps.includes(cost.queryId))
      .map((other) => findingId(missing.id, subjectOf(database, other))),
  }));
  return { expected: { sizeBytes: Math.round(sizeBytes), statements } };
}

/** So many statements are named. */
const shownIds = 10;

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function percent(value: number): string {
  return `${value.toLocaleString('en-US', { maximumSignificantDigits: 2 })} %`;
}
