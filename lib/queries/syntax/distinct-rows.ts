/**
 * Proves that a block answers no row twice. The rows of one table are told apart by the columns of a key of it that is
 * answered; a table that is joined adds no row where each of its keys' columns must be equal to something that is fixed by
 * the rows before it. That is how a foreign key is followed to its table.
 *
 * Nothing is proved by a key that is checked late (DEFERRABLE), of a table that others inherit from, of columns that may be
 * NULL, or of types whose equal values may look different.
 */
import type { Relation } from '../catalog.ts';
import { type Block, type ColumnUse, conjunctsOf, type Source } from './block.ts';
import { type Condition, type Operand, readColumn } from './condition.ts';
import { callsOnlyPlainFunctions } from './function.ts';
import { keysOf } from './lookup.ts';
import { as } from './node.ts';
import { find, findOperand, namesIn, relationOf, starSources, type Tables } from './resolve.ts';
import { isExact } from './type.ts';

/** Whether no two rows that a SELECT answers are equal, even if it has no DISTINCT. */
export function hasDistinctRows(block: Block, tables: Tables): boolean {
  if (block.kind !== 'select' || !callsOnlyPlainFunctions(block.targets.map(({ node }) => node))) return false;
  if (block.groupBy.length > 0) return answersItsGroups(block, tables);
  if (block.aggregates) return true;
  if (block.joins.some(({ type, natural }) => natural || type === 'right' || type === 'full')) return false;
  return block.sources.some(
    (source) => !source.optional && answersKey(block, source, tables) && fixesAll(block, [source], tables, provingKeys),
  );
}

/** Whether a SELECT answers one row at most, as far as any key tells. */
export function answersOneRow(block: Block, tables: Tables): boolean {
  if (block.kind !== 'select' || !callsOnlyPlainFunctions(block.targets.map(({ node }) => node))) return false;
  if (block.groupBy.length > 0) return false;
  if (block.aggregates || block.sources.length === 0) return true;
  const multiplies = block.joins.some(({ type }) => type === 'right' || type === 'full');
  return !multiplies && fixesAll(block, [], tables, keysOf);
}

/** A row is one group, and is told by what it is grouped by. */
function answersItsGroups(block: Block, tables: Tables): boolean {
  const columns = block.targets.flatMap(({ value }) => (value.is === 'column' ? value.column : []));
  return block.groupBy.every((item) => {
    if (as('A_Const', item)) return true;
    const use = readColumn(item);
    const source = use && find(use, block, tables)?.source;
    return columns.some((each) => each.name === use?.name && source && find(each, block, tables)?.source === source);
  });
}

function answersKey(block: Block, source: Source, tables: Tables): boolean {
  const relation = relationOf(source, tables);
  const answered = new Set<string>();
  for (const { star, value } of block.targets) {
    if (star && starSources(block, star).includes(source))
      for (const name of namesIn(source, tables) ?? []) answered.add(name);
    const found = findOperand(value, block, tables);
    if (found?.source === source && found.block === block && found.base) answered.add(found.base.column.name);
  }
  return (
    relation !== undefined &&
    provingKeys(relation, source).some((key) => key.every((name) => answered.has(name) && isNotNull(relation, name)))
  );
}

function isNotNull({ columns }: Relation, name: string): boolean {
  return columns.some((column) => column.name === name && column.notNull);
}

/** The keys of a table that prove something. */
function provingKeys(relation: Relation, { of }: Source): string[][] {
  const complete = relation.hasChildren !== true || (of.is === 'table' && of.only);
  const exact = (name: string) => relation.columns.some((column) => column.name === name && isExact(column.type));
  return complete ? keysOf(relation).filter((key) => key.every(exact)) : [];
}

type KeysOf = (relation: Relation, source: Source) => string[][];

/** Whether each row of some sources goes with at most one row of all others together. */
function fixesAll(block: Block, first: Source[], tables: Tables, keys: KeysOf): boolean {
  const fixed = new Set(first);
  for (let grown = true; grown; ) {
    grown = false;
    for (const source of block.sources) {
      if (fixed.has(source) || !isFixed(block, source, fixed, tables, keys)) continue;
      fixed.add(source);
      grown = true;
    }
  }
  return fixed.size === block.sources.length;
}

/** Whether at most one row of a source goes with a row of all other sources of its block together. */
export function isOneForOthers(block: Block, source: Source, tables: Tables): boolean {
  const others = new Set(block.sources.filter((each) => each !== source));
  return isFixed(block, source, others, tables, keysOf);
}

function isFixed(block: Block, source: Source, fixed: ReadonlySet<Source>, tables: Tables, keys: KeysOf): boolean {
  const relation = relationOf(source, tables);
  if (!relation) return false;
  const equal = new Set<string>();
  // What is asked ON a LEFT JOIN limits its right side only.
  const joins = block.joins.filter(({ type, right }) => type === 'left' && right.includes(source));
  for (const condition of [...conjunctsOf(block), ...joins.flatMap(({ on }) => on)]) {
    const name = fixedColumn(condition, block, source, fixed, tables);
    if (name !== undefined) equal.add(name);
  }
  for (const { using, left, right } of block.joins) {
    const [other, ...others] = left;
    const isBetweenTwo = right.length === 1 && right[0] === source && others.length === 0;
    if (isBetweenTwo && other && fixed.has(other)) for (const name of using) equal.add(name);
  }
  return keys(relation, source).some((key) => key.every((name) => equal.has(name)));
}

/** The column of a source that a condition sets equal to something that is fixed. */
function fixedColumn(
  condition: Condition,
  block: Block,
  source: Source,
  fixed: ReadonlySet<Source>,
  tables: Tables,
): string | undefined {
  if (condition.is !== 'comparison' || condition.operator !== '=') return undefined;
  const isOf = (operand: Operand) => {
    const found = findOperand(operand, block, tables);
    return found?.source === source && found.block === block ? found.base?.column.name : undefined;
  };
  const { left, right } = condition;
  if (isOf(left) !== undefined && isValueOf(right, block, fixed, tables)) return isOf(left);
  return isOf(right) !== undefined && isValueOf(left, block, fixed, tables) ? isOf(right) : undefined;
}

/** Whether an operand has one value for each row of the fixed sources. */
function isValueOf(operand: Operand, block: Block, fixed: ReadonlySet<Source>, tables: Tables): boolean {
  const isFixedColumn = (use: ColumnUse) => {
    const found = find(use, block, tables);
    return found !== undefined && (found.block !== block || fixed.has(found.source));
  };
  if (operand.is === 'cast') return isValueOf(operand.of, block, fixed, tables);
  return (
    operand.is === 'parameter' ||
    operand.is === 'constant' ||
    (operand.is === 'column' && isFixedColumn(operand.column))
  );
}
