import * as z from 'zod';
import { milliseconds, plural } from '../../../advice/format.ts';
import type { Relation } from '../../catalog.ts';
import { conditionColumns } from '../advice/conditions.ts';
import { suggestIndex } from '../advice/suggest-index.ts';
import { definePlanRule } from './define.ts';
import { percent } from './words.ts';

/**
 * `plans/trigger-time`: the triggers of a change take a large part of its time. Those of a foreign key look for rows that refer to what
 * is deleted, and read the whole table where its column has no index. Only a plan that was run tells.
 */
export const triggerTime = definePlanRule({
  id: 'plans/trigger-time',
  title: 'Time spent in triggers',
  why: 'A trigger runs once for each row, as a statement of its own that the plan does not show.',
  severity: 'warning',
  options: z.strictObject({
    /** Of the execution time. */
    minTriggerPercent: z.number().min(0).max(100).default(25),
    /** Shorter is not worth a word. */
    minTriggerMs: z.number().min(0).default(10),
  }),
  *inspect({ plan, input }, options) {
    const worst = (plan.triggers ?? []).toSorted((a, b) => b.totalMs - a.totalMs).at(0);
    const all = plan.executionMs;
    if (!worst || !all || worst.totalMs < options.minTriggerMs) return;
    const share = Math.min(1, worst.totalMs / all);
    if (share * 100 < options.minTriggerPercent) return;
    yield {
      share,
      weight: worst.totalMs,
      title: `The trigger ${worst.name} takes ${percent(share)} of the statement's time`,
      detail: `${plural(worst.calls, 'call')} took ${milliseconds(worst.totalMs)} of ${milliseconds(all)}.`,
      evidence: {
        trigger: worst.name,
        table: worst.relation,
        calls: worst.calls,
        triggerMs: worst.totalMs,
        executionMs: all,
      },
      action: missingIndex(worst.relation, input.relations) ?? {
        kind: 'code',
        caution:
          'Look at what the trigger does for each row. One of a foreign key reads the tables that refer to this one: give their columns an index. One of your own may do its work once for the statement: FOR EACH STATEMENT, with REFERENCING.',
      },
    };
  },
});

/** An index for a foreign key that refers to the table and has none; only where it is the only one. */
function missingIndex(name: string, relations: readonly Relation[]) {
  const missing = relations.flatMap((relation) =>
    relation.references
      .filter(({ toTable }) => toTable === name)
      .map(({ columns }) => {
        const condition = columns.map((column) => `("${column.replaceAll('"', '""')}" = $1)`).join(' AND ');
        return suggestIndex(relation, conditionColumns(condition));
      })
      .filter(({ kind }) => kind === 'create'),
  );
  const [only] = missing;
  return missing.length === 1 && only?.kind === 'create' ? only.action : undefined;
}
