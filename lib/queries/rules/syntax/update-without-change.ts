import * as z from 'zod';
import { count } from '../../../advice/format.ts';
import type { Relation } from '../../catalog.ts';
import type { Assignment, Block } from '../../syntax/block.ts';
import { rowsOf } from '../../syntax/lookup.ts';
import { relationOf } from '../../syntax/resolve.ts';
import { rounded } from '../counters/figures.ts';
import { statementRule, type Verdict, worth } from './statement-rule.ts';

/**
 * `queries/update-without-change`: an update that writes what is there already. PostgreSQL makes a new version of the row all
 * the same, with WAL, index entries and work for vacuum
 * (https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-SPACE-RECOVERY).
 *
 * Certain is `SET a = a`, and an upsert that sets nothing but the columns of its conflict: they are equal, or there were none.
 * Likely is an upsert that sets `x = excluded.x` without a WHERE, on a table whose rows are updated over and over.
 */
export const updateWithoutChange = statementRule({
  id: 'queries/update-without-change',
  title: 'Update that changes nothing',
  why: 'A row that stays what it was is written again all the same: a dead version, WAL, index entries, triggers, and vacuum to clean up.',
  severity: 'warning',
  options: z.strictObject({
    ...worth({ minCalls: 100, minMeanMs: 0 }),
    /** How often each row of the table was updated, on average, from which an upsert is suspected. */
    minUpdatesPerRow: z.number().positive().default(100),
  }),
  judge({ syntax, tables, options }) {
    for (const block of syntax.blocks) {
      const [target] = block.sources;
      const relation = target && relationOf(target, tables);
      if (block.assignments.length > 0 && block.assignments.every((each) => setsItself(each, block)))
        return touched(relation);
      const { conflict } = block;
      if (!relation || conflict?.does !== 'update' || conflict.where.length > 0 || conflict.assignments.length === 0)
        continue;
      if (conflict.assignments.every((each) => setsItself(each, block) || setsKey(each, conflict.columns)))
        return touched(relation);
      const updatesPerRow = relation.updates / Math.max(rowsOf(relation), 1);
      if (conflict.assignments.every(isExcluded) && updatesPerRow >= options.minUpdatesPerRow)
        return suspected(relation, conflict.assignments, updatesPerRow);
    }
    return undefined;
  },
});

/** `a = a` or `a = t.a`. */
function setsItself({ column, value }: Assignment, { sources: [target] }: Block): boolean {
  if (value.is !== 'column' || value.column.name !== column) return false;
  const [qualifier = target?.name] = value.column.qualifiers.toReversed();
  return qualifier === target?.name;
}

/** `key = excluded.key`: on a conflict they are equal. */
function setsKey(assignment: Assignment, key: readonly string[]): boolean {
  return isExcluded(assignment) && key.includes(assignment.column);
}

function isExcluded({ column, value }: Assignment): boolean {
  return value.is === 'column' && value.column.name === column && value.column.qualifiers[0] === 'excluded';
}

function touched(relation: Relation | undefined): Verdict {
  return {
    relation,
    title: 'An update sets columns to what they are',
    detail: 'Every row that it finds is written again without a change.',
    action: {
      kind: 'code',
      caution:
        'Leave it out. Where it is there to get the row back from an upsert, write ON CONFLICT DO NOTHING and read the row where nothing was returned; where it is there to fire a trigger or to lock the row, say so: call what the trigger calls, or SELECT … FOR UPDATE.',
    },
  };
}

function suspected(relation: Relation, assignments: readonly Assignment[], updatesPerRow: number): Verdict {
  const columns = assignments.map(({ column }) => column);
  return {
    severity: 'info',
    relation,
    title: 'An upsert writes rows whether they change or not',
    detail: `The rows of ${relation.table} were updated ${count(updatesPerRow)} times each, on average.`,
    evidence: { updates: relation.updates, updatesPerRow: rounded(updatesPerRow), columns: columns.join(', ') },
    action: {
      kind: 'code',
      caution: `If many of the values are those that are there, add a WHERE to DO UPDATE: (${columns.map((name) => `${relation.table}.${name}`).join(', ')}) IS DISTINCT FROM (${columns.map((name) => `excluded.${name}`).join(', ')}). RETURNING then returns no row that stayed as it was.`,
    },
  };
}
