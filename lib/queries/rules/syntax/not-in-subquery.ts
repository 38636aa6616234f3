import * as z from 'zod';
import { count } from '../../../advice/format.ts';
import type { Column, PlannerSettings, Relation } from '../../catalog.ts';
import type { Block } from '../../syntax/block.ts';
import { conjunctsOf } from '../../syntax/block.ts';
import type { Condition } from '../../syntax/condition.ts';
import { comparedIn, conditionsOf, rowsOf } from '../../syntax/lookup.ts';
import { type Found, findOperand, type Tables } from '../../syntax/resolve.ts';
import { rewriteBy } from '../../syntax/rewrite.ts';
import { rounded } from '../counters/figures.ts';
import { type Case, firstVerdict, statementRule, type Verdict, worth } from './statement-rule.ts';

/**
 * `queries/not-in-subquery`: `x NOT IN (SELECT y …)`. One NULL among the y, and no row is answered any more
 * (https://www.postgresql.org/docs/current/functions-subquery.html#FUNCTIONS-SUBQUERY-NOTIN); and it
 * is never planned as an anti-join (up to PostgreSQL 18), but a hash of all y if work_mem holds them, and else a search through all of them for every row.
 *
 * A column that may be NULL is a trap whatever it costs; one that may not is reported where the statement is slow and the
 * other table is too large for a hash. Nothing is said where conditions of the subquery exclude NULL, or where the column is not known.
 */
export const notInSubquery = statementRule({
  id: 'queries/not-in-subquery',
  title: 'NOT IN over a subquery',
  why: 'A single NULL in the subquery makes the whole condition never true, and the planner cannot make it an anti-join.',
  severity: 'info',
  options: z.strictObject({
    ...worth({ minMeanMs: 0, minTotalMs: 0 }),
    /** Mean time from which a NOT IN over a column that is never NULL is reported, too. */
    slowMeanMs: z.number().min(0).default(20),
  }),
  judge(statement) {
    return firstVerdict(conditionsOf(statement.syntax), ({ block, condition }) =>
      judgeCondition(statement, block, condition),
    );
  },
});

type Options = { slowMeanMs: number };

function judgeCondition(statement: Case<Options>, _block: Block, condition: Condition): Verdict | undefined {
  if (condition.is !== 'in subquery' || !condition.negated) return undefined;
  const { tables, figures, options, syntax, input } = statement;
  const found = findOperand(condition.block.targets[0]?.value, condition.block, tables);
  if (!found?.base || condition.block.kind !== 'select') return undefined;
  const { relation, column } = found.base;
  const nullPercent = 100 * (column.statistics?.nullFraction ?? 0);
  const sql = rewriteBy('queries/not-in-subquery', syntax, tables);
  if (!found.notNull && !excludesNull(condition.block, found, tables)) {
    const isHit = nullPercent > 0;
    return {
      severity: isHit ? 'warning' : 'info',
      relation,
      title: 'NOT IN compares with a column that may be NULL',
      detail: isHit
        ? `${rounded(nullPercent)} % of ${relation.table}.${column.name} is NULL: if one such row is among those of the subquery, no row at all is answered.`
        : `${relation.table}.${column.name} may be NULL: with the first one, no row at all is answered.`,
      evidence: { column: column.name, nullPercent: rounded(nullPercent) },
      action: advice('or, if NULL is no mistake, add WHERE … IS NOT NULL to the subquery.'),
    };
  }
  if (figures.meanMs < options.slowMeanMs || isHashed(relation, column, input.settings)) return undefined;
  return {
    relation,
    title: 'NOT IN searches through a subquery for every row',
    detail: `The subquery reads ${relation.table}, whose ${count(rowsOf(relation))} rows are more than work_mem can hold as a hash.`,
    evidence: { column: column.name, tableRows: rowsOf(relation), ...(sql === undefined ? {} : { rewrite: sql }) },
    action:
      sql === undefined
        ? advice()
        : { kind: 'code', sql, caution: 'It answers the same rows: both columns are NOT NULL.' },
  };
}

function advice(otherwise = '') {
  return {
    kind: 'code' as const,
    caution: `Write NOT EXISTS (SELECT 1 FROM … WHERE y = x), which does not care for NULL and is planned as an anti-join${otherwise === '' ? '.' : `; ${otherwise}`}`,
  };
}

/**
 * Whether all values of a column fit the memory that a hash may take: else PostgreSQL searches through the subquery's rows
 * once for each row outside (subplan_is_hashable in subselect.c). What conditions the subquery has is left out of account.
 */
function isHashed(relation: Relation, { statistics }: Column, settings: PlannerSettings | null): boolean {
  const { workMemKilobytes = 4_096, hashMemMultiplier = 1 } = settings ?? {};
  const rowBytes = 8 * Math.ceil((statistics?.averageBytes ?? 8) / 8) + 24;
  return rowsOf(relation) * rowBytes <= 1_024 * workMemKilobytes * (hashMemMultiplier || 1);
}

/** Whether a condition of the subquery is not true for NULL: a comparison, or IS NOT NULL. */
function excludesNull(block: Block, { source, base }: Found, tables: Tables): boolean {
  return conjunctsOf(block).some((condition) => {
    if (condition.is === 'null test' && !condition.negated) return false;
    return comparedIn(condition).some(({ operand }) => {
      const found = findOperand(operand, block, tables);
      return found?.source === source && found.base?.column === base?.column;
    });
  });
}
