import * as z from 'zod';
import type { Block } from '../../syntax/block.ts';
import { type Condition, columnsIn } from '../../syntax/condition.ts';
import {
  comparedIn,
  conditionsOf,
  indexesBy,
  isFoundByValue,
  isFoundOtherwise,
  isIndexable,
  isStored,
  rowsOf,
} from '../../syntax/lookup.ts';
import { type Found, find, type Tables } from '../../syntax/resolve.ts';
import { rewriteBy } from '../../syntax/rewrite.ts';
import { createIndex } from './create-index.ts';
import { type Case, firstVerdict, readsTable, statementRule, type Verdict, worth } from './statement-rule.ts';

/**
 * `queries/or-across-columns`: an OR that no index can answer. PostgreSQL combines indexes for an OR
 * (https://www.postgresql.org/docs/current/indexes-bitmap-scans.html), but only where each branch has one, and all are of one
 * table. So it is reported where one branch lacks an index that the others have, and where the branches ask for columns of
 * different tables.
 *
 * Left alone: `a < $1 OR a = $1 AND b < $2`, the way to the next page; branches that all have an index; and rows that
 * something else finds.
 */
export const orAcrossColumns = statementRule({
  id: 'queries/or-across-columns',
  title: 'OR that no index answers',
  why: 'One branch without an index makes those of the others useless: every row may satisfy it, so every row is read.',
  severity: 'warning',
  options: z.strictObject({ ...worth(), ...readsTable }),
  judge(statement) {
    if (statement.blocksPerCall < statement.options.minBlocksPerCall) return undefined;
    return firstVerdict(conditionsOf(statement.syntax), ({ block, condition }) =>
      condition.is === 'or' ? judgeOr(statement, block, condition) : undefined,
    );
  },
});

function judgeOr(
  { syntax, tables, options }: Case<{ minRows: number }>,
  block: Block,
  condition: Condition & { is: 'or' },
): Verdict | undefined {
  const branches = condition.branches.map((branch) => askedIn(branch, block, tables));
  const [first] = branches.flatMap((branch) => branch ?? []);
  // A branch that is not understood may be anything.
  if (!first || branches.some((branch) => branch === undefined) || isPaging(branches)) return undefined;
  const all = branches.flatMap((branch) => branch ?? []);
  const sources = new Set(all.map(({ source }) => source));
  if (Math.max(...all.map(({ base }) => rowsOf(base.relation))) < options.minRows) return undefined;
  // What links the tables with each other finds no row before some are found otherwise.
  const isFound = sources.size > 1 ? isFoundByValue : isFoundOtherwise;
  if ([...sources].some((source) => isFound(block, source, condition, tables))) return undefined;
  if (sources.size > 1) return acrossTables(all, rewriteBy('queries/or-across-columns', syntax, tables));
  const lacking = branches.filter((branch) => !branch?.some(isIndexed)).flatMap((branch) => branch?.[0] ?? []);
  return lacking.length > 0 && lacking.length < branches.length ? withoutIndex(first, lacking) : undefined;
}

type Asked = Found & { base: NonNullable<Found['base']> };

/** The columns that a branch compares with values; undefined where one of its conditions is of another kind. */
function askedIn(branch: readonly Condition[], block: Block, tables: Tables): Asked[] | undefined {
  const asked = branch.map((condition) => {
    const values = (isIndexable(condition) ? comparedIn(condition) : []).filter(
      ({ to }) => to === undefined || columnsIn(to.node).length === 0,
    );
    const [operand] = values.flatMap(({ operand }) => (operand.is === 'column' ? operand.column : []));
    const found = operand && find(operand, block, tables);
    return found?.base && found.block === block && isStored(found.base.relation)
      ? { ...found, base: found.base }
      : undefined;
  });
  return asked.some((found) => found === undefined) ? undefined : asked.flatMap((found) => found ?? []);
}

/** Whether every branch asks for one same column. */
function isPaging(branches: readonly (Asked[] | undefined)[]): boolean {
  const [first = []] = branches;
  return first.some(({ source, base }) =>
    branches.every((branch) => branch?.some((each) => each.source === source && each.base.column === base.column)),
  );
}

function isIndexed({ base: { relation, column } }: Asked): boolean {
  return indexesBy(relation, column.name).length > 0;
}

function namesOf(asked: readonly Asked[]): string {
  return [...new Set(asked.map(({ base: { relation, column } }) => `${relation.table}.${column.name}`))].join(', ');
}

function acrossTables(asked: readonly Asked[], sql: string | undefined): Verdict {
  return {
    title: 'An OR asks for columns of different tables',
    detail: `${namesOf(asked)}: the tables must be joined before it is known which rows are wanted.`,
    evidence: { columns: namesOf(asked), ...(sql === undefined ? {} : { rewrite: sql }) },
    action: {
      kind: 'code',
      ...(sql === undefined ? {} : { sql }),
      caution:
        sql === undefined
          ? 'Make a statement of each branch, each of which an index can answer, and put them together with UNION. UNION also drops rows that are equal: keep the key among the columns.'
          : 'It answers the same rows, each once, in another order perhaps.',
    },
  };
}

function withoutIndex({ base: { relation } }: Asked, lacking: readonly Asked[]): Verdict {
  const [column] = lacking.map(({ base }) => base.column.name);
  return {
    relation,
    title: 'One branch of an OR has no index',
    detail: `${namesOf(lacking)} has none, so that the indexes of the other branches are of no use.`,
    evidence: { columns: namesOf(lacking), tableRows: rowsOf(relation) },
    action: createIndex(
      relation,
      { column: column ?? '' },
      'PostgreSQL can then combine the indexes of all branches. Every write to the table must keep the index up.',
    ),
  };
}
