import * as z from 'zod';
import type { Block, Source } from '../../syntax/block.ts';
import { columnsIn } from '../../syntax/condition.ts';
import { hasDistinctRows, isOneForOthers } from '../../syntax/distinct-rows.ts';
import { isStored } from '../../syntax/lookup.ts';
import { find, relationOf, starSources, type Tables } from '../../syntax/resolve.ts';
import { reads, statementRule, worth } from './statement-rule.ts';

/**
 * `queries/distinct-hides-join`: SELECT DISTINCT over a join with a table of which nothing is answered, and which has several
 * rows for one of the others. The join makes copies and DISTINCT takes them out again; EXISTS would make none.
 */
export const distinctHidesJoin = statementRule({
  id: 'queries/distinct-hides-join',
  title: 'DISTINCT that takes out what a join has doubled',
  why: 'The join makes a copy of a row for each row that it finds; all copies are then sorted or hashed to be thrown away.',
  severity: 'warning',
  options: z.strictObject({ ...worth(), ...reads }),
  judge({ syntax, tables, blocksPerCall, options }) {
    if (blocksPerCall < options.minBlocksPerCall) return undefined;
    for (const block of syntax.blocks) {
      const doubling =
        block.distinct === 'rows' && !hasDistinctRows(block, tables) ? doublingIn(block, tables) : undefined;
      const relation = doubling && relationOf(doubling, tables);
      if (!relation || !isStored(relation)) continue;
      return {
        relation,
        title: `DISTINCT takes out what the join with ${relation.table} has doubled`,
        detail: `Nothing of ${relation.table} is answered, and no key makes it one row for each of the others.`,
        evidence: { joined: relation.table },
        action: {
          kind: 'code',
          caution: `Ask only whether there is a row: WHERE EXISTS (SELECT 1 FROM ${relation.table} WHERE … the condition of the join …), and leave DISTINCT out if nothing else needs it.`,
        },
      };
    }
    return undefined;
  },
});

/** A joined table of which nothing is answered, and of which several rows may go with a row of the others. */
function doublingIn(block: Block, tables: Tables): Source | undefined {
  if (block.sources.length < 2 || block.aggregates || block.groupBy.length > 0) return undefined;
  const answered = new Set<Source>(block.targets.flatMap(({ star }) => (star ? starSources(block, star) : [])));
  for (const use of columnsIn([block.targets.map(({ node }) => node), block.orderBy.map(({ node }) => node)])) {
    const found = find(use, block, tables);
    if (!found) return undefined;
    answered.add(found.source);
  }
  if (answered.size === 0) return undefined;
  return block.sources.find(
    (source) =>
      !answered.has(source) && !source.optional && relationOf(source, tables) && !isOneForOthers(block, source, tables),
  );
}
