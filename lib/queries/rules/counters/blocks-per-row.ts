import * as z from 'zod';
import { bytes, count, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { QueryInput, Statement } from '../../snapshot.ts';
import { basisOf, blocksOf, impactPerDay, judgedStatements, period, rounded, subjectOf } from './figures.ts';

/**
 * `queries/blocks-per-row`: a statement that asks for very many blocks for each row that it returns or changes: it looks at
 * rows that it does not need. One that returns sums must look at all of them, and counters do not tell it apart; its
 * plan does, where there is one.
 */
export const blocksPerRow = defineRule({
  id: 'queries/blocks-per-row',
  title: 'Many blocks for few rows',
  why: 'What is looked at and thrown away takes time and memory in proportion to the table, and more with every row that is added.',
  severity: 'warning',
  options: z.strictObject({
    /** Blocks for each row; for each call where it returns less than a row. An index finds a row in about five. */
    minBlocksPerRow: z.number().positive().default(1_000),
    minCalls: z.number().int().min(1).default(20),
  }),
  check(input: QueryInput, options): Draft[] {
    return judgedStatements(input, options.minCalls).flatMap((judged): Draft[] => {
      const { statement, figures } = judged;
      const perRow = blocksOf(figures) / Math.max(figures.rows, figures.calls);
      if (statement.kind === 'insert' || perRow < options.minBlocksPerRow) return [];
      const sums = isSumming(input, statement);
      if (sums === true) return [];
      return [
        {
          severity: sums === false ? 'warning' : 'info',
          subject: subjectOf(input, statement),
          title: `A statement looks at ${bytes(perRow * input.server.blockBytes)} for each row: ${shortened(statement.query)}`,
          detail: `${period(figures)} ${count(figures.calls)} calls asked for ${count(blocksOf(figures) / figures.calls)} blocks each and ${statement.kind === 'select' ? 'returned' : 'changed'} ${rounded(figures.rows / figures.calls).toLocaleString('en-US')} rows.${sums === undefined ? ' If it counts or sums them up, that may be as it must be.' : ''}`,
          evidence: {
            statement: statement.query,
            ...basisOf(figures),
            calls: figures.calls,
            blocksPerRow: rounded(perRow),
            blocksPerCall: rounded(blocksOf(figures) / figures.calls),
            rowsPerCall: rounded(figures.rows / figures.calls),
            meanMs: rounded(figures.meanMs),
          },
          ...impactPerDay(input, judged),
          action: {
            kind: 'code',
            caution:
              'Look at its plan for a condition that is a Filter and not an Index Cond: an index on those columns lets it find the rows instead of looking for them. `streamgate advise` proposes one and checks it.',
          },
        },
      ];
    });
  },
});

/** Whether it makes one row of many; undefined when nobody knows. What changes rows returns those that it changed. */
function isSumming({ plans }: QueryInput, { queryId, kind }: Statement): boolean | undefined {
  if (kind !== 'select') return kind === 'unknown' ? undefined : false;
  const plan = plans.find((each) => each.queryId === queryId)?.plan;
  if (!plan) return undefined;
  const nodes = [plan.root];
  // The list grows while it is walked.
  for (const node of nodes) {
    if (/Aggregate|Group|Unique/.test(node.type)) return true;
    nodes.push(...node.children);
  }
  return false;
}
