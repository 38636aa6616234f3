/** What rules ask of a table that they have found, and of the conditions on it. */
import type { Relation, TableIndex } from '../catalog.ts';
import { type Block, conjunctsOf, type Source, type Syntax } from './block.ts';
import { type Condition, columnsIn, type Operand } from './condition.ts';
import { type Found, find, relationOf, type Tables } from './resolve.ts';

/** How many rows a table has, as well as is known. */
export function rowsOf({ rows, liveRows }: Relation): number {
  return Math.max(rows ?? 0, liveRows);
}

/** Whether a relation keeps rows of its own, so that an index could help. */
export function isStored({ kind }: Relation): boolean {
  return kind === 'table' || kind === 'partitioned table' || kind === 'materialized view';
}

/** The indexes that find rows by a column, whatever else is asked: it comes first in them, and they hold all rows. */
export function indexesBy({ indexes }: Relation, column: string): TableIndex[] {
  return indexes.filter(({ columns, valid, predicate }) => valid && predicate === null && columns[0] === column);
}

/** Whether values of some columns tell one row at most. */
export function isUniqueBy(relation: Relation, columns: ReadonlySet<string>): boolean {
  return keysOf(relation).some((key) => key.every((column) => columns.has(column)));
}

/** The sets of columns that no two rows of a table share, NULLs aside. */
export function keysOf({ indexes }: Relation): string[][] {
  return indexes
    .filter(({ unique, valid, predicate, deferrable }) => unique && valid && predicate === null && deferrable !== true)
    .flatMap(({ columns }) => (columns.every((column) => column !== null) ? [columns] : []));
}

/** A column that a condition compares, and what it is compared to, if that is one thing. */
export interface Compared {
  operand: Operand;
  to: Operand | undefined;
}

/** Every condition that must hold for all rows of a block, of all blocks of a statement. */
export function* conditionsOf({ blocks }: Syntax): Generator<{ block: Block; condition: Condition }> {
  for (const block of blocks) for (const condition of conjunctsOf(block)) yield { block, condition };
}

/** An operand of a condition that is compared with a value. */
export interface ComparedWithValue {
  block: Block;
  condition: Condition;
  operand: Operand;
  to: Operand;
}

/** What those conditions compare with a value: with something that names no column. */
export function* comparedWithValues(syntax: Syntax): Generator<ComparedWithValue> {
  for (const { block, condition } of conditionsOf(syntax)) {
    for (const { operand, to } of isIndexable(condition) ? comparedIn(condition) : []) {
      if (to && columnsIn(to.node).length === 0) yield { block, condition, operand, to };
    }
  }
}

/** Whether an index could answer a condition, if it stood on a plain column: what is not equal is nearly everything. */
export function isIndexable(condition: Condition): boolean {
  switch (condition.is) {
    case 'comparison':
    case 'any':
      return condition.operator !== '<>';
    case 'in':
    case 'between':
    case 'null test':
      return !condition.negated;
    default:
      return false;
  }
}

/** Both sides of a comparison, the value that IN or BETWEEN looks for, and so on. */
export function comparedIn(condition: Condition): Compared[] {
  switch (condition.is) {
    case 'comparison':
      return [
        { operand: condition.left, to: condition.right },
        { operand: condition.right, to: condition.left },
      ];
    case 'any':
      return [{ operand: condition.operand, to: condition.array }];
    case 'between':
      return [{ operand: condition.operand, to: condition.low }];
    case 'in':
      return [{ operand: condition.operand, to: condition.items[0] }];
    case 'in subquery':
    case 'null test':
    case 'pattern':
      return [{ operand: condition.operand, to: undefined }];
    default:
      return [];
  }
}

/**
 * Whether an index finds the rows of a source by something else that is asked: then what one condition keeps an index from
 * doing hardly matters. Equality counts, to a value or to a column of another table.
 */
export function isFoundOtherwise(block: Block, source: Source, except: Condition, tables: Tables): boolean {
  return (
    isFoundByJoin(block, source, tables) || equalities(block, source, tables).some((each) => each.condition !== except)
  );
}

/** Whether an index finds the rows of a source by a value that a column of it is equal to. */
export function isFoundByValue(block: Block, source: Source, except: Condition, tables: Tables): boolean {
  return equalities(block, source, tables).some(({ condition, to }) => {
    return condition !== except && (to === undefined || columnsIn(to.node).length === 0);
  });
}

/** Whether JOIN … USING links an indexed column of a source. */
function isFoundByJoin({ joins }: Block, source: Source, tables: Tables): boolean {
  const relation = relationOf(source, tables);
  const using = joins.flatMap((join) => ([...join.left, ...join.right].includes(source) ? join.using : []));
  return relation !== undefined && using.some((name) => indexesBy(relation, name).length > 0);
}

/** The conditions that set an indexed column of a source equal to something, and to what. */
function equalities(
  block: Block,
  source: Source,
  tables: Tables,
): Array<{ condition: Condition; to: Operand | undefined }> {
  // What is asked ON a LEFT JOIN limits its right side only.
  const joins = block.joins.filter(({ type, right }) => type === 'left' && right.includes(source));
  return [...conjunctsOf(block), ...joins.flatMap(({ on }) => on)].filter(isEquality).flatMap((condition) =>
    comparedIn(condition).flatMap(({ operand, to }) => {
      const found = stored(operand, block, tables);
      const indexed = found?.source === source && indexesBy(found.base.relation, found.base.column.name).length > 0;
      return indexed ? [{ condition, to }] : [];
    }),
  );
}

function isEquality(condition: Condition): boolean {
  if (condition.is === 'in') return !condition.negated;
  return (condition.is === 'comparison' || condition.is === 'any') && condition.operator === '=';
}

/** The column of a stored table that an operand is, and nothing else; the table is one that the block itself reads. */
export function stored(
  operand: Operand,
  block: Block,
  tables: Tables,
): (Found & { base: NonNullable<Found['base']> }) | undefined {
  const found = operand.is === 'column' ? find(operand.column, block, tables) : undefined;
  return found?.base && found.block === block && isStored(found.base.relation)
    ? { ...found, base: found.base }
    : undefined;
}
