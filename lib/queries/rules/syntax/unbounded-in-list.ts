import * as z from 'zod';
import { count } from '../../../advice/format.ts';
import type { Statement } from '../../snapshot.ts';
import { conditionsOf, isUniqueBy } from '../../syntax/lookup.ts';
import { findOperand } from '../../syntax/resolve.ts';
import { rounded } from '../counters/figures.ts';
import { firstVerdict, statementRule, worth } from './statement-rule.ts';

/**
 * `queries/unbounded-in-list`: an IN list that is very long, or that comes in many lengths. Before PostgreSQL 18 each length is
 * a statement of its own to pg_stat_statements and to a driver's cache of prepared statements; 18 keeps only the first value
 * (https://www.postgresql.org/docs/18/pgstatstatements.html), and then the rows of a call tell how long the list is at least,
 * where the column is unique.
 *
 * Of statements that differ only in the length of their lists the one that takes most of the time is reported.
 */
export const unboundedInList = statementRule({
  id: 'queries/unbounded-in-list',
  title: 'IN list without a bound',
  why: 'Each length of the list is a statement of its own, to be parsed, planned and counted anew; long lists take long to plan and may become a reading of the whole table.',
  severity: 'info',
  options: z.strictObject({
    ...worth({ minMeanMs: 0 }),
    /** A list of so many values is long. */
    minValues: z.number().int().min(2).default(100),
    /** So many lengths of one list are many. */
    minLengths: z.number().int().min(2).default(10),
  }),
  judge({ syntax, tables, statement, rowsPerCall, input, options }) {
    const alike = alikeTo(statement, input.statements);
    // Another length of the list takes more time: that one is reported.
    if (alike.length >= options.minLengths && alike[0] !== statement) return undefined;
    return firstVerdict(conditionsOf(syntax), ({ block, condition }) => {
      if (condition.is !== 'in' || condition.items.some(({ is }) => is !== 'parameter')) return undefined;
      const found = findOperand(condition.operand, block, tables);
      const unique = found?.base !== undefined && isUniqueBy(found.base.relation, new Set([found.base.column.name]));
      const values = condition.squashed
        ? unique && block === syntax.root && block.sources.length === 1
          ? rowsPerCall
          : 0
        : condition.items.length;
      if (values < options.minValues && alike.length < options.minLengths) return undefined;
      const name = condition.operand.is === 'column' ? condition.operand.column.name : 'the column';
      return {
        title:
          values >= options.minValues
            ? `An IN list has ${condition.squashed ? 'at least ' : ''}${count(values)} values`
            : `An IN list comes in ${count(alike.length)} lengths`,
        detail: `${name} is looked for in a list${alike.length > 1 ? ` of which ${count(alike.length)} lengths were counted, each as a statement of its own` : ''}.`,
        evidence: { column: name, values: rounded(values), lengths: alike.length },
        action: {
          kind: 'code',
          caution: `Hand the list over as one array: ${name} = ANY ($1). That is one statement for any length. Bound the length in the application; for thousands of values join with unnest($1), for which PostgreSQL plans like for a table.`,
        },
      };
    });
  },
});

const groups = new WeakMap<readonly Statement[], Map<string | null, Statement[]>>();

/** The statements that differ from one in the length of lists at most, itself included; most total time first. */
function alikeTo(statement: Statement, statements: readonly Statement[]): readonly Statement[] {
  const known = groups.get(statements) ?? Map.groupBy(statements, ({ fingerprint }) => fingerprint);
  groups.set(statements, known);
  return (statement.fingerprint !== null && known.get(statement.fingerprint)) || [statement];
}
