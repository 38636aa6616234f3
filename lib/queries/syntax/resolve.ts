/**
 * What the columns of a statement mean: which table they are of, through aliases, WITH queries and subqueries in FROM. The
 * search path of the statement is not known, so that a table is found by its name alone. What is ambiguous or unknown is not
 * resolved: it is better to say nothing than something wrong.
 * https://www.postgresql.org/docs/current/queries-table-expressions.html
 */
import type { Column, Relation } from '../catalog.ts';
import { type Block, type ColumnUse, type Source, sidesOf, type Target } from './block.ts';
import { type Operand, readColumn } from './condition.ts';
import { as, lastName } from './node.ts';

/** The tables that statements use. */
export interface Tables {
  named(schema: string | undefined, table: string): Relation | undefined;
  /** What {@link namesOf} has found. */
  names: WeakMap<Block, readonly string[] | undefined>;
}

/** A column that was found. */
export interface Found {
  /** The source that the column is of, and the block that has the source: one around that of the column if it is correlated. */
  source: Source;
  block: Block;
  /** The table and its column behind it; undefined for an expression of a subquery, and for an unknown table. */
  base: { relation: Relation; column: Column } | undefined;
  /** Whether it is certain that it is never NULL: by the catalog, and by no outer join. */
  notNull: boolean;
}

const known = new WeakMap<readonly Relation[], Tables>();

/** Looks up relations by their names; made once for each list. */
export function tablesOf(relations: readonly Relation[]): Tables {
  const made = known.get(relations);
  if (made) return made;
  const byName = Map.groupBy(relations, ({ table }) => table);
  const tables: Tables = {
    named(schema, table) {
      const candidates = (byName.get(table) ?? []).filter((each) => schema === undefined || each.schema === schema);
      return candidates.length === 1 ? candidates[0] : undefined;
    },
    names: new WeakMap(),
  };
  known.set(relations, tables);
  return tables;
}

/** The table that a source is, if it is one that is known. */
export function relationOf({ of }: Source, tables: Tables): Relation | undefined {
  return of.is === 'table' ? tables.named(of.schema, of.table) : undefined;
}

/** Finds what a column of a block means. */
export function find(use: ColumnUse, block: Block, tables: Tables): Found | undefined {
  for (let scope: Block | undefined = block; scope; scope = outerOf(scope)) {
    const source = use.qualifiers.length > 0 ? qualified(use, scope) : unqualified(use.name, scope, tables);
    if (source === 'ambiguous') return undefined;
    if (source) return foundIn(source, scope, use.name, tables);
  }
  return undefined;
}

/** Finds what an operand means, where it is a column and nothing else. */
export function findOperand(operand: Operand | undefined, block: Block, tables: Tables): Found | undefined {
  return operand?.is === 'column' ? find(operand.column, block, tables) : undefined;
}

/** The block whose columns an expression of this one can name, besides its own. */
export function outerOf({ place, parent }: Block): Block | undefined {
  if (!parent) return undefined;
  return place === 'target' || place === 'expression' || place === 'lateral' ? parent : outerOf(parent);
}

function qualified({ qualifiers }: ColumnUse, { sources }: Block): Source | 'ambiguous' | undefined {
  const [name, schema] = qualifiers.toReversed();
  const matching = sources.filter(
    (source) =>
      source.name === name &&
      (schema === undefined || (source.of.is === 'table' && (source.of.schema ?? schema) === schema)),
  );
  return matching.length > 1 ? 'ambiguous' : matching[0];
}

function unqualified(name: string, block: Block, tables: Tables): Source | 'ambiguous' | undefined {
  // `excluded` is seen only by its name.
  const sources = block.kind === 'insert' ? block.sources.slice(0, 1) : block.sources;
  const candidates = sources.map((source) => ({ source, names: namesIn(source, tables) }));
  const having = candidates.filter(({ names }) => names?.includes(name)).map(({ source }) => source);
  const unknown = candidates.some(({ names }) => names === undefined);
  if (having.length === 0) return unknown ? 'ambiguous' : undefined;
  if (having.length === 1) return unknown ? 'ambiguous' : having[0];
  return block.joins.some(({ using, natural }) => natural || using.includes(name)) ? having[0] : 'ambiguous';
}

function foundIn(source: Source, block: Block, name: string, tables: Tables): Found {
  const nothing: Found = { source, block, base: undefined, notNull: false };
  const relation = relationOf(source, tables);
  if (relation) {
    const column = relation.columns[namesIn(source, tables)?.indexOf(name) ?? -1];
    return column
      ? { source, block, base: { relation, column }, notNull: column.notNull && !source.optional }
      : nothing;
  }
  if (source.of.is !== 'query' || source.renamed.length > 0) return nothing;
  const inner = source.of.block;
  // Of a UNION no single table is behind; ROLLUP and the like put NULL where a column has none.
  if (sidesOf(inner).length > 0 || inner.groupBy.some((item) => as('GroupingSet', item))) return nothing;
  const target = inner.targets.find((each) => each.star === undefined && nameOf(each) === name);
  const use = target ? readColumn(target.node) : starred(inner, name, tables);
  const behind = use && find(use, inner, tables);
  return behind ? { source, block, base: behind.base, notNull: behind.notNull && !source.optional } : nothing;
}

/** The column of a block's own that one of its stars stands for. */
function starred(block: Block, name: string, tables: Tables): ColumnUse | undefined {
  const shown = block.targets.flatMap(({ star }) => (star ? starSources(block, star) : []));
  const [source, ...others] = shown.filter((each) => namesIn(each, tables)?.includes(name) ?? true);
  return source?.name !== undefined && others.length === 0 ? { qualifiers: [source.name], name, at: 0 } : undefined;
}

/** The sources whose columns a star shows. */
export function starSources({ sources, kind }: Block, qualifiers: readonly string[]): Source[] {
  const visible = kind === 'insert' ? sources.slice(0, 1) : sources;
  return qualifiers.length === 0 ? visible : visible.filter(({ name }) => name === qualifiers.at(-1));
}

/** More columns than this no query can have. https://www.postgresql.org/docs/current/limits.html */
const maxColumns = 1_664;

/** The names of the columns of a source; undefined where they are not known. */
export function namesIn(source: Source, tables: Tables): readonly string[] | undefined {
  const { of, renamed } = source;
  if (of.is === 'function') return scalar(of.name, source);
  if (of.is === 'unknown') return undefined;
  const own =
    of.is === 'query' ? namesOf(of.block, tables) : relationOf(source, tables)?.columns.map(({ name }) => name);
  return own && renamed.length > 0 ? [...renamed, ...own.slice(renamed.length)] : own;
}

/** What these functions return is one column, which has the name of the alias. */
function scalar(name: string, source: Source): readonly string[] | undefined {
  if (name !== 'generate_series' && name !== 'unnest') return undefined;
  return source.renamed.length > 0 ? source.renamed : [source.name ?? name];
}

/** The names of the columns that a block answers; undefined where they are not known. */
export function namesOf(block: Block, tables: Tables): readonly string[] | undefined {
  if (!tables.names.has(block)) tables.names.set(block, readNames(block, tables));
  return tables.names.get(block);
}

function readNames(block: Block, tables: Tables): readonly string[] | undefined {
  const [side] = sidesOf(block);
  if (side) return namesOf(side, tables);
  if (block.kind === 'values') return undefined;
  const all: string[] = [];
  for (const target of block.targets) {
    const shown = target.star
      ? starSources(block, target.star).map((source) => namesIn(source, tables))
      : [[nameOf(target)]];
    for (const names of shown) {
      if (names === undefined || all.length + names.length > maxColumns) return undefined;
      all.push(...names);
    }
  }
  // NATURAL and USING show a column of both sides once; its name is what counts here.
  return all;
}

/**
 * The name that a target gets from PostgreSQL where the text gives none (FigureColname in parse_target.c). What has none that
 * could be asked for is empty.
 */
export function nameOf({ alias, node }: Pick<Target, 'alias' | 'node'>): string {
  if (alias !== undefined) return alias;
  const column = readColumn(node);
  if (column) return column.name;
  const call = as('FuncCall', node);
  if (call) return lastName(call.funcname);
  const cast = as('TypeCast', node);
  if (cast?.arg) return nameOf({ alias, node: cast.arg }) || lastName(cast.typeName?.names);
  if (as('CoalesceExpr', node)) return 'coalesce';
  if (as('CaseExpr', node)) return 'case';
  return '';
}
