import * as z from 'zod';
import type { Action } from '../../../advice/finding.ts';
import { plural } from '../../../advice/format.ts';
import type { Relation } from '../../catalog.ts';
import { conditionColumns } from '../advice/conditions.ts';
import { type Hidden, hiddenIndex } from '../advice/scan-advice.ts';
import { suggestIndex } from '../advice/suggest-index.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { isSelective, tableScan } from './figures.ts';
import { does, nameOf, tableOf } from './words.ts';

/**
 * `plans/expression-hides-index`: the condition tests a cast or a function of a column, and the index on the column itself
 * cannot answer that. https://www.postgresql.org/docs/current/indexes-expressional.html
 */
export const expressionHidesIndex = defineNodeRule({
  id: 'plans/expression-hides-index',
  title: 'An expression hides an index',
  why: 'An index knows the values of its column, not those of an expression over it: the whole table is read although the index is there.',
  severity: 'warning',
  options: z.strictObject({
    /** Tables with fewer rows are read as a whole as fast. */
    minRows: z.number().int().min(1).default(10_000),
    /** With more rows kept, an index would not help. */
    maxKeptPercent: z.number().min(0).max(100).default(5),
    /** Of the statement's time, or cost. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { node } = place;
    const scan = tableScan(place, context);
    const known = context.tableOf(node);
    if (!scan || !known || !isSelective(scan, options.maxKeptPercent)) return undefined;
    if (Math.min(scan.read, scan.rows) < options.minRows) return undefined;
    const tests = conditionColumns(node.conditions.filter, node.relation?.alias);
    const hidden = hiddenIndex(known, tests);
    if (!hidden) return undefined;
    const { call, cast, column } = hidden.operand;
    const expression = call === null ? `${column}::${cast}` : `${call}(${column})`;
    return {
      table: tableOf(node, known),
      weight: scan.read,
      share: scan.share,
      title: `${expression} keeps ${hidden.index} from being used`,
      detail: `The sequential scan of ${nameOf(known)} ${does(node, 'read', 'read')} ${plural(scan.read, 'row')} to keep ${plural(scan.kept, 'row')}. ${hidden.index} holds ${column} (${hidden.type}), and the condition tests ${expression}.`,
      evidence: { rowsRead: scan.read, rowsKept: scan.kept, hiddenIndex: hidden.index, expression },
      action: remedy(known, hidden),
    };
  },
});

function remedy(table: Relation, { operand, type }: Hidden): Action {
  const { column, call } = operand;
  if (call === null) {
    return {
      kind: 'code',
      caution: `Give the parameter the type of ${column} (${type}), or cast the parameter instead of the column. For a part of a time, compare the column with the beginning and the end of it: column >= $1 AND column < $2.`,
    };
  }
  const suggestion = suggestIndex(table, [
    { kind: 'equality', operands: [operand], columns: [], parameters: [], against: null },
  ]);
  if (suggestion.kind === 'create') return suggestion.action;
  return {
    kind: 'code',
    caution: `Write the condition so that ${column} stands alone on its side, or make an index on the expression, if its functions are immutable.`,
  };
}
