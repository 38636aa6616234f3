/**
 * How many different combinations of values an index will hold: it decides how much deduplication saves.
 */
import type { Column, Relation } from '../../queries/catalog.ts';

/** What else is known of the combinations of columns. */
export interface Knowledge {
  /** The other tables: a foreign key has no more values than the table that it points at has rows. */
  relations?: readonly Relation[];
  /**
   * The different combinations of exactly these columns, where extended statistics tell them (`pg_stats_ext.n_distinct`).
   * https://www.postgresql.org/docs/current/planner-stats.html#PLANNER-STATS-EXTENDED-N-DISTINCT-COUNTS
   */
  combinations?: (relation: Relation, columns: readonly string[]) => number | undefined;
}

/** Rows that are null in the same columns, and how many different combinations of the others they hold. */
export interface Combinations {
  nulls: readonly string[];
  rows: number;
  distinct: number;
}

/** What the planner assumes of a column that has no statistics: DEFAULT_NUM_DISTINCT (src/include/utils/selfuncs.h). */
const unknownDistinct = 200;

/** So many rows ANALYZE looks at: 300 for each step of default_statistics_target. */
const sampledRows = 30_000;

/** A value that so large a share of the rows has is looked at apart from the others. */
const commonShare = 0.2;

/** The table's rows; before the first ANALYZE only those that were counted are known. */
export function rowsOf({ rows, liveRows }: Pick<Relation, 'rows' | 'liveRows'>): number {
  return Math.max(0, rows ?? liveRows);
}

/** The column of that name, if the relation is known to have it. */
export function columnOf(relation: Relation, name: string): Column | undefined {
  return relation.columns.find((column) => column.name === name);
}

/** How many different combinations of the columns' values there are among `entries` of the rows. */
export function distinctCombinations(
  relation: Relation,
  columns: readonly string[],
  entries: number,
  knowledge: Knowledge = {},
): number {
  return combinationsOf(relation, columns, entries, knowledge).reduce((sum, { distinct }) => sum + distinct, 0);
}

/**
 * The combinations of columns' values among `entries` of the rows. Columns of which extended statistics or a foreign key tell
 * the combinations are taken together; all others as if they had nothing to do with each other.
 */
export function combinationsOf(
  relation: Relation,
  columns: readonly string[],
  entries: number,
  knowledge: Knowledge = {},
): Combinations[] {
  const names = [...new Set(columns)];
  const unique = isUnique(relation, names);
  const rows = rowsOf(relation);
  return factorsOf(relation, names, knowledge)
    .reduce(multiply, [{ nulls: [], share: 1, counts: [] }])
    .map(({ nulls, share, counts }) => ({
      nulls,
      rows: share * entries,
      distinct: unique ? share * entries : distinctOf(counts, share * rows, share * entries),
    }));
}

/** A part of the rows, and how many different values each factor has among them. */
interface Part {
  nulls: readonly string[];
  share: number;
  counts: readonly number[];
}

/** A column, or several that depend on each other, as the parts into which it divides the rows. */
type Factor = readonly Part[];

function multiply(parts: readonly Part[], factor: Factor): Part[] {
  return parts.flatMap((part) =>
    factor.map(({ nulls, share, counts }) => ({
      nulls: [...part.nulls, ...nulls],
      share: part.share * share,
      counts: [...part.counts, ...counts],
    })),
  );
}

/** A count of one factor is exact; of several every combination is as likely, and some do not come up. */
function distinctOf(counts: readonly number[], rows: number, entries: number): number {
  const several = counts.filter((count) => count > 1);
  const product = several.reduce((all, count) => all * count, 1);
  if (several.length > 1) return Math.min(entries, drawn(product, entries));
  return thinned(Math.min(product, rows), rows, entries);
}

function factorsOf(relation: Relation, names: readonly string[], knowledge: Knowledge): Factor[] {
  const left = new Set(names);
  const factors: Factor[] = [];
  for (const { columns, distinct } of knownSets(relation, names, knowledge)) {
    if (!columns.every((column) => left.has(column))) continue;
    for (const column of columns) left.delete(column);
    factors.push([{ nulls: [], share: 1, counts: [distinct] }]);
  }
  return [...factors, ...[...left].map((name) => factorOf(relation, name, knowledge))];
}

/** Sets of two and more of the columns whose combinations are known, the larger sets first. */
function knownSets(relation: Relation, names: readonly string[], knowledge: Knowledge) {
  return subsetsOf(names)
    .flatMap((columns) => {
      const told = knowledge.combinations?.(relation, columns) ?? referencedRows(relation, columns, knowledge);
      return told === undefined ? [] : [{ columns, distinct: Math.min(told, rowsOf(relation)) }];
    })
    .toSorted((a, b) => b.columns.length - a.columns.length);
}

/** Of up to six columns; wider indexes are not proposed. */
function subsetsOf(names: readonly string[]): string[][] {
  const few = names.slice(0, 6);
  return Array.from({ length: 2 ** few.length }, (_, bits) => few.filter((__, i) => bits & (1 << i))).filter(
    (columns) => columns.length > 1,
  );
}

/** One column: its nulls, its commonest value if it is very common, and the others. */
function factorOf(relation: Relation, name: string, knowledge: Knowledge): Factor {
  const statistics = columnOf(relation, name)?.statistics;
  const distinct = distinctValues(relation, name, knowledge);
  const nullShare = Math.min(1, statistics?.nullFraction ?? 0);
  const commonest = Math.min(1 - nullShare, statistics?.commonestFraction ?? 0);
  const isCommon = commonest >= commonShare && distinct > 1;
  return [
    { nulls: [name], share: nullShare, counts: [] },
    { nulls: [], share: isCommon ? commonest : 0, counts: [] },
    {
      nulls: [],
      share: 1 - nullShare - (isCommon ? commonest : 0),
      counts: [Math.max(1, isCommon ? distinct - 1 : distinct)],
    },
  ].filter(({ share }) => share > 0);
}

/**
 * The different values of one column. Where ANALYZE has seen most values once at most, its estimate is weak: of 1.5 million keys
 * of orders it took 387,000 for all. A foreign key knows better then.
 */
function distinctValues(relation: Relation, name: string, knowledge: Knowledge): number {
  const seen = columnOf(relation, name)?.statistics?.distinct ?? unknownDistinct;
  const referenced = referencedRows(relation, [name], knowledge);
  const known = referenced === undefined ? seen : seen * 2 > sampledRows ? referenced : Math.min(seen, referenced);
  return Math.max(1, Math.min(known, rowsOf(relation)));
}

/** The rows of the table that a foreign key of exactly these columns points at. */
function referencedRows(relation: Relation, columns: readonly string[], { relations = [] }: Knowledge) {
  const reference = relation.references.find(
    (each) => each.columns.length === columns.length && each.columns.every((column) => columns.includes(column)),
  );
  const target = relations.find(({ schema, table }) => schema === reference?.toSchema && table === reference.toTable);
  return target && rowsOf(target);
}

function isUnique(relation: Relation, columns: readonly string[]): boolean {
  return relation.indexes.some(
    (index) =>
      index.unique &&
      index.valid &&
      index.predicate === null &&
      index.columns.every((column) => column !== null && columns.includes(column) && hasNoNulls(relation, column)),
  );
}

/** Nulls repeat in a unique index, too. */
function hasNoNulls(relation: Relation, name: string): boolean {
  const column = columnOf(relation, name);
  return column !== undefined && (column.notNull || column.statistics?.nullFraction === 0);
}

/** How many of `possible` combinations come up when `rows` are drawn, each as likely. */
function drawn(possible: number, rows: number): number {
  return possible * -Math.expm1(-rows / possible);
}

/** How many of the combinations of some rows are left among a part of them. */
function thinned(distinct: number, rows: number, entries: number): number {
  if (entries >= rows || rows <= 0) return Math.min(distinct, entries);
  return distinct * (1 - (1 - entries / rows) ** (rows / distinct));
}
