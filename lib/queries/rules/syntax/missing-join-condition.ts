import * as z from 'zod';
import { count } from '../../../advice/format.ts';
import { type Block, type ColumnUse, conjunctsOf, type Source } from '../../syntax/block.ts';
import { type Condition, columnsIn } from '../../syntax/condition.ts';
import { answersOneRow } from '../../syntax/distinct-rows.ts';
import { isUniqueBy, rowsOf } from '../../syntax/lookup.ts';
import { find, relationOf, type Tables } from '../../syntax/resolve.ts';
import { statementRule, worth } from './statement-rule.ts';

/**
 * `queries/missing-join-condition`: tables in FROM, separated by commas, that no condition links: every row of one goes with
 * every row of the other (https://www.postgresql.org/docs/current/queries-table-expressions.html#QUERIES-JOIN).
 *
 * Left alone is what was said on purpose (CROSS JOIN, JOIN … ON true), what has one row (an aggregate, a lookup by a key), what
 * follows from the row beside it (LATERAL, functions), tables that are each filtered by a column of one name, such as
 * tenant_id, and every statement with a column that cannot be told for sure.
 */
export const missingJoinCondition = statementRule({
  id: 'queries/missing-join-condition',
  title: 'Tables without a join condition',
  why: 'Each row of one table is put together with each row of the other: as many rows as both numbers multiplied.',
  severity: 'warning',
  options: z.strictObject({
    ...worth({ minCalls: 2 }),
    /** The rows of the tables, multiplied, from which it matters. */
    minProduct: z.number().positive().default(100_000),
  }),
  judge({ syntax, tables, options }) {
    for (const block of syntax.blocks) {
      const groups = unlinked(block, tables);
      const [first, second] = groups;
      if (!first || !second) continue;
      const sizes = groups.map((group) => Math.max(1, ...group.map((source) => sizeOf(source, tables))));
      const product = sizes.reduce((all, size) => all * size, 1);
      if (product < options.minProduct) continue;
      const [one, other] = [nameOf(first), nameOf(second)];
      return {
        title: `${one} and ${other} are joined without a condition`,
        detail: `No condition links ${one} with ${other}: up to ${count(product)} pairs of rows are made.`,
        evidence: { tables: `${one}, ${other}`, pairs: product },
        action: {
          kind: 'code',
          caution: `Add the condition that says which rows of ${one} and ${other} belong together. If every pair is wanted, write CROSS JOIN, so that it is seen.`,
        },
      };
    }
    return undefined;
  },
});

function nameOf([source]: readonly Source[]): string {
  return source?.of.is === 'table' ? source.of.table : (source?.name ?? 'a subquery');
}

function sizeOf(source: Source, tables: Tables): number {
  const relation = relationOf(source, tables);
  if (relation) return rowsOf(relation);
  return source.of.is === 'query' ? Math.max(0, ...source.of.block.sources.map((inner) => sizeOf(inner, tables))) : 0;
}

/** The groups of sources of a block that nothing links; one group at most where something cannot be told. */
function unlinked(block: Block, tables: Tables): Source[][] {
  if (!/^(?:select|update|delete)$/.test(block.kind) || block.sources.length < 2) return [];
  const group = new Map(block.sources.map((source) => [source, source.item]));
  const link = (sources: readonly Source[]) => {
    const [first, ...others] = sources.map((source) => group.get(source));
    for (const [source, number] of group) if (others.includes(number) && first !== undefined) group.set(source, first);
  };
  for (const condition of conjunctsOf(block)) {
    const sources = sourcesIn(columnsIn(condition.node), block, block, tables);
    if (sources === undefined) return [];
    link(sources);
  }
  // What a subquery asks of several tables links them, whatever it is.
  for (const inside of descendants(block)) {
    const sources = sourcesIn(inside.uses, inside, block, tables);
    if (sources === undefined) return [];
    link(sources);
  }
  for (const sources of sharedFilters(block, tables)) link(sources);
  const counting = block.sources.filter((source) => multiplies(source, block, tables));
  return [...Map.groupBy(counting, (source) => group.get(source)).values()];
}

/** The sources of a block that columns are of; undefined if one cannot be told. */
function sourcesIn(uses: readonly ColumnUse[], from: Block, block: Block, tables: Tables): Source[] | undefined {
  const found = uses.map((use) => find(use, from, tables));
  return found.includes(undefined) ? undefined : found.flatMap((each) => (each?.block === block ? each.source : []));
}

function descendants(block: Block): Block[] {
  return block.children.flatMap((child) => [child, ...descendants(child)]);
}

/** Whether a source has rows of its own, and more than one of them. */
function multiplies(source: Source, block: Block, tables: Tables): boolean {
  if (source.lateral) return false;
  if (source.of.is === 'query') {
    const { block: inner } = source.of;
    return inner.kind === 'select' && inner.limit === undefined && !answersOneRow(inner, tables);
  }
  const relation = relationOf(source, tables);
  const pinned = new Set(filters(block, tables).flatMap((filter) => (filter.source === source ? filter.name : [])));
  return relation !== undefined && rowsOf(relation) > 1 && !isUniqueBy(relation, pinned);
}

/** The sources that are each filtered by a column of the same name. */
function sharedFilters(block: Block, tables: Tables): Source[][] {
  return [...Map.groupBy(filters(block, tables), ({ name }) => name).values()].map((same) =>
    same.map(({ source }) => source),
  );
}

/** The columns that are set equal to a value. */
function filters(block: Block, tables: Tables): Array<{ source: Source; name: string }> {
  return conjunctsOf(block).flatMap((condition: Condition) => {
    if (condition.is !== 'comparison' || condition.operator !== '=') return [];
    const [use, ...others] = columnsIn(condition.node);
    const found = use && others.length === 0 ? find(use, block, tables) : undefined;
    return use && found?.block === block ? [{ source: found.source, name: use.name }] : [];
  });
}
