import * as z from 'zod';
import { count } from '../../../advice/format.ts';
import { isStored, rowsOf } from '../../syntax/lookup.ts';
import { as, lastName } from '../../syntax/node.ts';
import { relationOf } from '../../syntax/resolve.ts';
import { statementRule, worth } from './statement-rule.ts';

/**
 * `queries/count-all`: `SELECT count(*) FROM t` of a large table, without a condition. PostgreSQL keeps no such number: it
 * reads every row, or every entry of an index, at every call
 * (https://wiki.postgresql.org/wiki/Slow_Counting).
 */
export const countAll = statementRule({
  id: 'queries/count-all',
  title: 'Counting a whole table',
  why: 'PostgreSQL keeps no count of rows: each call reads the whole table or one of its indexes, and takes longer as the table grows.',
  severity: 'info',
  options: z.strictObject({
    ...worth({ minMeanMs: 20 }),
    /** Smaller tables are left alone. */
    minRows: z.number().min(0).default(100_000),
  }),
  judge({ syntax, tables, options }) {
    for (const { kind, sources, where, groupBy, targets } of syntax.blocks) {
      const [source, ...others] = sources;
      const [target, ...more] = targets;
      const call = as('FuncCall', target?.node);
      const plain =
        kind === 'select' && where.length === 0 && groupBy.length === 0 && others.length === 0 && more.length === 0;
      const relation = source && relationOf(source, tables);
      if (!plain || !call || lastName(call.funcname) !== 'count' || call.over || call.agg_distinct || call.agg_filter)
        continue;
      if (!relation || !isStored(relation) || rowsOf(relation) < options.minRows) continue;
      return {
        relation,
        title: `All rows of ${relation.table} are counted`,
        detail: `${relation.table} has about ${count(rowsOf(relation))} rows, all of which are read to count them.`,
        evidence: { tableRows: rowsOf(relation) },
        action: {
          kind: 'code',
          caution: `Where about right is enough, read the planner's figure: SELECT reltuples FROM pg_class WHERE oid = '…'::regclass. Where it must be exact, cache it, or keep it in a table that a trigger or the application counts up and down.`,
        },
      };
    }
    return undefined;
  },
});
