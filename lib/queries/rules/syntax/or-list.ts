import * as z from 'zod';
import { conditionsOf } from '../../syntax/lookup.ts';
import { rewriteBy } from '../../syntax/rewrite.ts';
import { orList } from '../../syntax/rewrite-or-list.ts';
import { firstVerdict, statementRule, worth } from './statement-rule.ts';

/** PostgreSQL 18 makes an IN of it when it plans: https://www.postgresql.org/docs/18/release-18.html */
const madeByPlanner = 180_000;

/**
 * `queries/or-list`: `a = $1 OR a = $2 OR …` over one column. Before PostgreSQL 18 each branch is a search of the index of its
 * own in the plan, or one more comparison for every row; of IN it is one search for all, and a hash where rows are compared.
 */
export const chainOfOrs = statementRule({
  id: 'queries/or-list',
  title: 'A chain of ORs over one column',
  why: 'Each branch is planned and searched for by itself, which IN would do at once.',
  severity: 'info',
  options: z.strictObject({
    ...worth(),
    /** Fewer branches are left alone. */
    minBranches: z.number().int().min(2).default(5),
  }),
  judge({ syntax, tables, input, options }) {
    if (input.server.versionNumber >= madeByPlanner) return undefined;
    return firstVerdict(conditionsOf(syntax), ({ block, condition }) => {
      const list = orList(condition, block, tables);
      const [first] = list ?? [];
      if (!list || !first || list.length < options.minBranches) return undefined;
      const sql = rewriteBy('queries/or-list', syntax, tables);
      return {
        title: `${list.length} ORs ask for one column`,
        detail: `${first.column.name} is compared with ${list.length} values, one by one.`,
        evidence: { column: first.column.name, branches: list.length, ...(sql === undefined ? {} : { rewrite: sql }) },
        action: {
          kind: 'code',
          ...(sql === undefined ? {} : { sql }),
          caution: `Write ${first.column.name} IN (…), which means the same; or = ANY ($1) with an array, which is one statement for any number of values.`,
        },
      };
    });
  },
});
