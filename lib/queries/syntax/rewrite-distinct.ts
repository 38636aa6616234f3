import { applyEdits } from '../explain/edits.ts';
import type { Block, Syntax } from './block.ts';
import { everyCondition } from './condition.ts';
import { hasDistinctRows } from './distinct-rows.ts';
import { as, nodesIn } from './node.ts';
import type { Tables } from './resolve.ts';
import { readTokens } from './tokens.ts';

/**
 * `SELECT DISTINCT` becomes `SELECT`, where it changes nothing.
 *
 * Proof: either no two rows are equal anyway (distinct-rows.ts), or the block is what IN or EXISTS asks, without LIMIT, and
 * those ask only whether a row is there, not how often
 * (https://www.postgresql.org/docs/current/functions-subquery.html).
 */
export function rewriteDistinct({ text, blocks }: Syntax, tables: Tables): string | undefined {
  for (const block of blocks.filter((each) => isNeedless(each, tables))) {
    const sql = replace(text, block);
    if (sql !== undefined) return sql;
  }
  return undefined;
}

/** Whether a block's DISTINCT changes nothing. A LIMIT without ORDER BY takes any rows, and other ones by another plan. */
export function isNeedless(block: Block, tables: Tables): boolean {
  if (block.distinct !== 'rows' || (isCut(block) && block.orderBy.length === 0)) return false;
  return hasDistinctRows(block, tables) || isOnlyAsked(block);
}

function isCut({ limit, offset }: Block): boolean {
  return limit !== undefined || offset !== undefined;
}

/** Whether a block is that of an IN or EXISTS, which ask only what is in it. */
function isOnlyAsked(block: Block): boolean {
  const { parent } = block;
  if (!parent || isCut(block)) return false;
  const conditions = [...parent.where, ...parent.having, ...parent.joins.flatMap(({ on }) => on)];
  for (const condition of everyCondition(conditions)) {
    if ((condition.is === 'exists' || condition.is === 'in subquery') && condition.block === block) return true;
  }
  return false;
}

/** Only where DISTINCT stands right before the first thing that is answered. */
function replace(text: string, { targets }: Block): string | undefined {
  const tokens = readTokens(text);
  const places = [...nodesIn(targets[0]?.node)].map(
    (node) => as('ColumnRef', node)?.location ?? as('FuncCall', node)?.location ?? Number.NaN,
  );
  const first = tokens.at(Math.min(...places.filter((place) => !Number.isNaN(place))));
  const [distinct, next] = [tokens.all[first - 1], tokens.all[first]];
  if (!distinct || !next || !tokens.are(first - 1, 'distinct')) return undefined;
  return applyEdits(text, [{ start: distinct.start, end: next.start, text: '' }]);
}
