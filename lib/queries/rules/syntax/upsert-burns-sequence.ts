import * as z from 'zod';
import { count, plural } from '../../../advice/format.ts';
import type { Column, Relation } from '../../catalog.ts';
import type { QueryInput, Statement } from '../../snapshot.ts';
import type { Block } from '../../syntax/block.ts';
import { keysOf } from '../../syntax/lookup.ts';
import { relationOf } from '../../syntax/resolve.ts';
import { rounded } from '../counters/figures.ts';
import { statementRule, worth } from './statement-rule.ts';

const day = 86_400_000;

/** The largest values of the types: https://www.postgresql.org/docs/current/datatype-numeric.html */
const largest: Record<string, number> = { smallint: 2 ** 15 - 1, integer: 2 ** 31 - 1 };

/**
 * `queries/upsert-burns-sequence`: INSERT … ON CONFLICT that mostly meets a row that is there already, into a table whose key
 * of type integer comes of a sequence. The number is taken before the conflict is seen, and is not given back
 * (https://www.postgresql.org/docs/current/functions-sequence.html), so that the sequence runs out long before the table is
 * large.
 *
 * The conflicts of DO NOTHING are the rows that were not inserted. Those of DO UPDATE are at least the rows of the statement
 * less all inserts into the table, where the table's counters are as old as the statement's.
 */
export const upsertBurnsSequence = statementRule({
  id: 'queries/upsert-burns-sequence',
  title: 'Upsert that uses up a sequence',
  why: 'Each attempt takes a number of the sequence, also where the row is there already; when the sequence is at its end, no insert works any more.',
  severity: 'info',
  options: z.strictObject({
    ...worth({ minMeanMs: 0, minTotalMs: 0 }),
    /** Rows that the statement tried to insert. */
    minAttempts: z.number().positive().default(10_000),
    /** The share of them that was there already, in percent. */
    minConflictPercent: z.number().min(0).max(100).default(50),
    /** The finding is a warning where an empty sequence would be used up within so many days. */
    warningDays: z.number().positive().default(730),
  }),
  judge({ syntax: { root }, tables, statement, input, options }) {
    const [target] = root.sources;
    const relation = root.kind === 'insert' && target ? relationOf(target, tables) : undefined;
    const key = relation && sequenceOf(relation, root);
    const tried = relation && attempts(relation, root, statement, input);
    if (!relation || !key || !tried || tried.all < options.minAttempts) return undefined;
    const conflictPercent = (100 * tried.conflicts) / tried.all;
    if (conflictPercent < options.minConflictPercent) return undefined;
    const days = daysUntil(largest[key.type] ?? Number.POSITIVE_INFINITY, tried.all, statement, input);
    return {
      severity: days !== undefined && days <= options.warningDays ? 'warning' : 'info',
      relation,
      title: `An upsert uses up the numbers of ${relation.table}.${key.name}`,
      detail: `Of ${count(tried.all)} attempts at least ${count(tried.conflicts)} found the row there already, and each took a number of type ${key.type}.${days === undefined ? '' : ` At this rate an ${key.type} lasts ${plural(days, 'day')} in all.`}`,
      evidence: {
        column: key.name,
        columnType: key.type,
        attempts: tried.all,
        conflictPercent: rounded(conflictPercent),
        ...(days === undefined ? {} : { daysInAll: Math.round(days) }),
      },
      action: {
        kind: 'code',
        caution: `Look whether the row is there before inserting it: INSERT … SELECT … WHERE NOT EXISTS (…) ON CONFLICT …, or UPDATE first and INSERT where no row was updated. Or make ${key.name} a bigint in time: on a large table that takes a new column, filled in batches.`,
      },
    };
  },
});

/** The key that an INSERT leaves to its default, where it is of a type that runs out. */
function sequenceOf(relation: Relation, { columns, conflict }: Block): Column | undefined {
  if (!conflict || columns.length === 0) return undefined;
  const keys = keysOf(relation).flatMap(([first, ...others]) =>
    first !== undefined && others.length === 0 ? first : [],
  );
  return relation.columns.find(
    ({ name, type, notNull }) =>
      keys.includes(name) && notNull && type in largest && !columns.includes(name) && !conflict.columns.includes(name),
  );
}

function attempts(relation: Relation, block: Block, { calls, rows, since }: Statement, { server }: QueryInput) {
  if (block.conflict?.does === 'update') {
    const reset = server.statisticsResetAt;
    const covered = reset === null || (since !== null && Date.parse(reset) <= Date.parse(since));
    return covered ? { all: rows, conflicts: Math.max(0, rows - relation.inserts) } : undefined;
  }
  const values = block.children.find(({ place, kind }) => place === 'rows' && kind === 'values');
  const perCall = (values?.node as { valuesLists?: unknown[] } | undefined)?.valuesLists?.length;
  return perCall === undefined ? undefined : { all: calls * perCall, conflicts: Math.max(0, calls * perCall - rows) };
}

/** For how many days a sequence lasts at the rate of the statement. */
function daysUntil(end: number, attempted: number, { since }: Statement, { takenAt }: QueryInput): number | undefined {
  const age = since === null ? Number.NaN : Date.parse(takenAt) - Date.parse(since);
  return age >= day ? (end / attempted) * (age / day) : undefined;
}
