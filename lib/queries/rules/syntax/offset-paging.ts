import * as z from 'zod';
import { plural } from '../../../advice/format.ts';
import { columnsIn } from '../../syntax/condition.ts';
import { rounded } from '../counters/figures.ts';
import { statementRule, worth } from './statement-rule.ts';

/**
 * `queries/offset-paging`: pages of a list that are reached with OFFSET. What is skipped is computed first and then thrown
 * away (https://www.postgresql.org/docs/current/queries-limit.html), so that the last page costs as much as the whole list.
 * The numbers behind LIMIT and OFFSET are not known; what a call reads is.
 */
export const offsetPaging = statementRule({
  id: 'queries/offset-paging',
  title: 'Pages reached with OFFSET',
  why: 'OFFSET reads every row that it skips: each page takes longer than the one before, and a row that comes or goes in between moves all others.',
  severity: 'warning',
  options: z.strictObject({
    ...worth(),
    /** Blocks that a call reads, on average. A page that an index finds takes about as many blocks as it has rows. */
    minBlocksPerCall: z.number().positive().default(100),
    /** Blocks that a call reads for each row that it returns. */
    minBlocksPerRow: z.number().positive().default(3),
  }),
  judge({ syntax, rowsPerCall, blocksPerCall, options }) {
    const paged = syntax.blocks.find(({ limit, offset }) => limit !== undefined && offset !== undefined);
    const blocksPerRow = blocksPerCall / Math.max(rowsPerCall, 1);
    if (!paged || blocksPerCall < options.minBlocksPerCall || blocksPerRow < options.minBlocksPerRow) return undefined;
    const keys = paged.orderBy.flatMap(({ node }) => columnsIn(node).slice(0, 1)).map(({ name }) => name);
    const order = keys.length === paged.orderBy.length ? keys.join(', ') : '';
    return {
      title: 'Pages are reached with OFFSET',
      detail: `A page of ${plural(rowsPerCall, 'row')} takes ${plural(blocksPerCall, 'block')}: what OFFSET skips is read and thrown away.`,
      evidence: { blocksPerRow: rounded(blocksPerRow), ...(order === '' ? {} : { orderBy: order }) },
      action: {
        kind: 'code',
        caution: `Go on from the last row of the page before instead of counting rows: WHERE (${order || 'the columns of ORDER BY'}) > (its values) ORDER BY ${order || 'the same'} LIMIT n, with < where it runs downwards. The columns must tell every row apart, so end them with the key, and an index must have them in this order. Where only first pages are read, it is that index which is missing.`,
      },
    };
  },
});
