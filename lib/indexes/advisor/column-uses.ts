/**
 * Reads from a statement's syntax what it does with the columns of its tables, scope by scope: through aliases, WITH queries,
 * subqueries and what they ask of the rows around them.
 *
 * - role: what a column is used for, such as equality with a value.
 * - branch: one side of an OR. It has a use of its own, for an index that serves one side need not serve the other.
 */
import type { Node, SelectStmt, SortBy } from 'libpg-query';
import type { Relation } from '../../queries/catalog.ts';
import {
  type Block,
  conjunctsOf,
  type ColumnUse as Named,
  type Source,
  type Syntax,
} from '../../queries/syntax/block.ts';
import { type Condition, columnsIn, type Operand, readColumn } from '../../queries/syntax/condition.ts';
import { isIndexable } from '../../queries/syntax/function.ts';
import { isStored } from '../../queries/syntax/lookup.ts';
import { as, lastName, nodesIn } from '../../queries/syntax/node.ts';
import { find, nameOf, namesIn, relationOf, starSources, type Tables, tablesOf } from '../../queries/syntax/resolve.ts';
import type { ColumnUse, ExpressionUse } from './candidates.ts';
import { conditionSql, expressionSql } from './condition-sql.ts';
import { columnOf } from './distinct.ts';

/** What a reader of statements may do. */
export interface ReadOptions {
  /** Whether constants of the text may become a part of an index. They are in its definition then, for all to see. */
  valuesAllowed: boolean;
}

/** A column of a stored table, and the source in FROM that it comes from. */
interface Found {
  source: Source;
  column: string;
}

/** A use in the making. */
interface Draft {
  relation: Relation;
  equality: Set<string>;
  range: Set<string>;
  join: Set<string>;
  group: Set<string>;
  order: ColumnUse['order'][number][];
  /** Null: the whole row. */
  projected: Set<string> | null;
  predicates: Map<string, string[]>;
  expressions: Map<string, ExpressionUse>;
  /** What each branch of an OR adds. */
  branches: Draft[];
}

type Drafts = Map<Source, Draft>;

/** So many branches of one table are followed. */
const maxBranches = 12;

/** A column with more different values tells things apart, not kinds of things: a constant of it is one request's. */
const maxKinds = 30;

/** WITH queries and subqueries that are nested deeper are not looked into. */
const maxLevels = 20;

/**
 * The uses of a statement: one for each table that it names, and one for each branch of an OR. What cannot be resolved for sure is
 * left out. The predicates have no fraction yet (`NaN`).
 *
 * @param relations the tables that the statement may mean
 */
export function columnUsesOf(
  queryId: string,
  syntax: Syntax,
  relations: readonly Relation[],
  options: ReadOptions,
): ColumnUse[] {
  const tables = tablesOf(relations);
  const reader = new Reader(tables, options);
  for (const block of syntax.blocks) reader.start(block);
  for (const block of syntax.blocks) reader.read(block);
  return [...reader.drafts.values()].flatMap((draft) => usesOf(queryId, draft));
}

function usesOf(queryId: string, draft: Draft): ColumnUse[] {
  const whole = useOf(queryId, [draft]);
  return [whole, ...draft.branches.slice(0, maxBranches).map((branch) => useOf(queryId, [draft, branch]))];
}

function useOf(queryId: string, drafts: readonly Draft[]): ColumnUse {
  const { relation } = drafts[0] as Draft;
  const all = (role: 'equality' | 'range' | 'join' | 'group') => [
    ...new Set(drafts.flatMap((each) => [...each[role]])),
  ];
  const isWhole = drafts.some(({ projected }) => projected === null);
  return {
    queryId,
    schema: relation.schema,
    table: relation.table,
    equality: all('equality'),
    range: all('range'),
    join: all('join'),
    group: all('group'),
    order: drafts.flatMap(({ order }) => order),
    projected: isWhole ? null : [...new Set(drafts.flatMap(({ projected }) => [...(projected ?? [])]))],
    predicates: drafts.flatMap(({ predicates }) =>
      [...predicates].map(([sql, columns]) => ({ sql, columns, fraction: Number.NaN })),
    ),
    expressions: drafts.flatMap(({ expressions }) => [...expressions.values()]),
  };
}

class Reader {
  readonly drafts: Drafts = new Map();
  private readonly tables: Tables;
  private readonly options: ReadOptions;
  /** Queries of which only matters whether they have a row. */
  private readonly existing = new Set<Block>();

  constructor(tables: Tables, options: ReadOptions) {
    this.tables = tables;
    this.options = options;
  }

  /** Notes the tables of a block. What is written has to be read whole. */
  start(block: Block): void {
    const isWritten = block.kind === 'update' || block.kind === 'delete' || block.kind === 'merge';
    for (const [i, source] of block.sources.entries()) {
      const relation = relationOf(source, this.tables);
      if (!relation || !isStored(relation) || block.kind === 'insert') continue;
      this.drafts.set(source, newDraft(relation, isWritten && i === 0));
    }
    for (const condition of conjunctsOf(block)) if (condition.is === 'exists') this.existing.add(condition.block);
  }

  read(block: Block): void {
    const outer = block.joins.filter(({ type }) => type !== 'inner').flatMap(({ on }) => on);
    for (const condition of conjunctsOf(block))
      this.condition(condition, block, (found) => this.drafts.get(found.source));
    // An outer join's condition finds rows, but does not hold for all.
    for (const condition of outer) this.roles(condition, block, (found) => this.drafts.get(found.source));
    this.joins(block);
    this.order(block);
    this.group(block);
    this.extremes(block);
    this.projection(block);
  }

  private condition(condition: Condition, block: Block, draftOf: (found: Found) => Draft | undefined): void {
    this.roles(condition, block, draftOf);
    this.predicate(condition, block, draftOf);
    if (condition.is === 'or') for (const branch of condition.branches) this.branch(branch, block);
  }

  /** The conditions of one side of an OR add to each table that they are about. */
  private branch(conditions: readonly Condition[], block: Block): void {
    const added = new Map<Source, Draft>();
    const draftOf = ({ source }: Found) => {
      const draft = this.drafts.get(source);
      const branch = added.get(source) ?? (draft && newDraft(draft.relation, false));
      if (branch) added.set(source, branch);
      return branch;
    };
    for (const condition of conditions) this.condition(condition, block, draftOf);
    for (const [source, branch] of added) this.drafts.get(source)?.branches.push(branch);
  }

  private roles(condition: Condition, block: Block, draftOf: (found: Found) => Draft | undefined): void {
    const add = (role: 'equality' | 'range' | 'join', operand: Operand) => {
      const found = this.column(operand, block);
      if (found) draftOf(found)?.[role].add(found.column);
      else if (role !== 'join') this.expression(role, operand, block, draftOf);
    };
    switch (condition.is) {
      case 'comparison': {
        const { operator, left, right } = condition;
        if (operator === '<>') return;
        for (const [one, other] of [
          [left, right],
          [right, left],
        ] as const) {
          if (one.is === 'row') for (const item of one.items) add(operator === '=' ? 'equality' : 'range', item);
          else if (isValue(other)) add(operator === '=' ? 'equality' : 'range', one);
          else if (operator === '=') add('join', one);
          else add('range', one);
        }
        return;
      }
      case 'any':
        if (condition.operator === '=') add('equality', condition.operand);
        return;
      case 'in':
        if (!condition.negated) add('equality', condition.operand);
        return;
      case 'in subquery': {
        const [answered] = condition.block.targets;
        add('join', condition.operand);
        const found = answered && this.column(answered.value, condition.block);
        if (found) this.drafts.get(found.source)?.join.add(found.column);
        return;
      }
      case 'between':
        if (!condition.negated) add('range', condition.operand);
        return;
      case 'pattern':
        if (!condition.negated && !condition.ignoresCase) add('range', condition.operand);
        return;
      case 'null test':
        if (!condition.negated) add('equality', condition.operand);
        return;
      case 'truth':
        add('equality', condition.operand);
        return;
      case 'not':
        for (const inner of condition.of) if (inner.is === 'truth') add('equality', inner.operand);
    }
  }

  /** A function of a column that is compared. */
  private expression(
    role: 'equality' | 'range' | 'order',
    operand: Operand,
    block: Block,
    draftOf: (found: Found) => Draft | undefined,
  ): void {
    if (operand.is === 'call' && !isIndexable(operand.name)) return;
    const columns = columnsIn(operand.node).flatMap((use) => this.traced(use, block) ?? []);
    const [first] = columns;
    if (!first || columns.some(({ source }) => source !== first.source)) return;
    const draft = draftOf(first);
    const sql = draft && expressionSql(operand, draft.relation, this.options.valuesAllowed);
    if (sql) draft.expressions.set(`${role} ${sql}`, { sql, columns: columns.map(({ column }) => column), role });
  }

  private predicate(condition: Condition, block: Block, draftOf: (found: Found) => Draft | undefined): void {
    const columns = columnsIn(condition.node).flatMap((use) => this.traced(use, block) ?? []);
    const [only, ...others] = columns;
    if (!only || others.length > 0) return;
    const draft = draftOf(only);
    const distinct = draft && columnOf(draft.relation, only.column)?.statistics?.distinct;
    const isKind = distinct !== undefined && distinct <= maxKinds;
    const sql = conditionSql(condition, only.column, this.options.valuesAllowed && isKind);
    if (sql) draft?.predicates.set(sql, [only.column]);
  }

  /** USING and NATURAL name the columns of both sides. */
  private joins(block: Block): void {
    for (const { using, natural, left, right } of block.joins) {
      const namesOf = (sources: readonly Source[]) => sources.flatMap((source) => namesIn(source, this.tables) ?? []);
      const shared = natural ? namesOf(left).filter((name) => namesOf(right).includes(name)) : using;
      for (const source of [...left, ...right]) {
        const draft = this.drafts.get(source);
        for (const { name } of draft?.relation.columns ?? []) if (shared.includes(name)) draft?.join.add(name);
      }
    }
  }

  /** An order that is of one table alone an index can give. */
  private order(block: Block): void {
    const items = ((block.node as SelectStmt).sortClause ?? []).flatMap((item) => as('SortBy', item) ?? []);
    const found = items.map((item) => this.answered(item.node, block));
    const [first] = found;
    if (found.every((each) => each !== undefined && each.source === first?.source)) {
      const draft = first && this.drafts.get(first.source);
      for (const [i, item] of items.entries())
        draft?.order.push({ column: found[i]?.column ?? '', ...directionOf(item) });
    } else if (items.length === 1 && items[0]?.node) {
      const operand = block.targets.find(({ alias }) => alias !== undefined && alias === nameIn(items[0]?.node))?.value;
      if (operand) this.expression('order', operand, block, (each) => this.drafts.get(each.source));
    }
  }

  private group(block: Block): void {
    const distinct = block.distinct === 'rows' ? block.targets.map(({ node }) => node) : distinctOn(block);
    for (const node of [...block.groupBy, ...distinct]) {
      const found = this.answered(node, block);
      if (found) this.drafts.get(found.source)?.group.add(found.column);
    }
  }

  /** The least and the greatest value are the ends of an index. */
  private extremes(block: Block): void {
    if (block.groupBy.length > 0 || block.targets.length !== 1) return;
    const call = as('FuncCall', block.targets[0]?.node);
    if (!/^(?:min|max)$/.test(lastName(call?.funcname)) || call?.args?.length !== 1) return;
    const found = this.answered(call.args[0], block);
    const draft = found && this.drafts.get(found.source);
    if (draft?.order.length === 0)
      draft.order.push({ column: found?.column ?? '', descending: false, nullsFirst: false });
  }

  private projection(block: Block): void {
    for (const { star } of block.targets) {
      if (star === undefined || this.existing.has(block)) continue;
      for (const source of starSources(block, star)) this.readWhole(source);
    }
    for (const use of block.uses) {
      const found = this.traced(use, block);
      if (found) this.drafts.get(found.source)?.projected?.add(found.column);
      // A table's name that is used as if it were a column's means the whole row.
      else for (const source of block.sources) if (source.name === use.name) this.readWhole(source);
    }
  }

  private readWhole(source: Source): void {
    const draft = this.drafts.get(source);
    if (draft) draft.projected = null;
  }

  private column(operand: Operand, block: Block): Found | undefined {
    return operand.is === 'column' ? this.traced(operand.column, block) : undefined;
  }

  /** What an item of ORDER BY or GROUP BY means: a column, the name of what is answered, or its number. */
  private answered(node: Node | undefined, block: Block): Found | undefined {
    const number = as('A_Const', node)?.ival?.ival;
    const name = nameIn(node);
    const target =
      number === undefined
        ? block.targets.find(({ alias }) => alias !== undefined && alias === name)
        : block.targets[number - 1];
    const use = target ? readColumn(target.node) : node && readColumn(node);
    return use && this.traced(use, block);
  }

  /** Follows a column to the table that it is stored in. */
  private traced(named: Named, from: Block): Found | undefined {
    let use: Named | undefined = named;
    let block = from;
    for (let level = 0; use && level < maxLevels; level++) {
      const found = find(use, block, this.tables);
      if (!found?.base) return undefined;
      const { source } = found;
      if (source.of.is !== 'query') return { source, column: found.base.column.name };
      block = source.of.block;
      use = this.inside(block, use.name);
    }
    return undefined;
  }

  /** The column that a query answers under a name. */
  private inside(block: Block, name: string): Named | undefined {
    const target = block.targets.find((each) => each.star === undefined && nameOf(each) === name);
    if (target) return readColumn(target.node);
    const shown = block.targets.flatMap(({ star }) => (star ? starSources(block, star) : []));
    const source = shown.find((each) => namesIn(each, this.tables)?.includes(name));
    return source?.name === undefined ? undefined : { qualifiers: [source.name], name, at: 0 };
  }
}

function newDraft(relation: Relation, isWhole: boolean): Draft {
  return {
    relation,
    equality: new Set(),
    range: new Set(),
    join: new Set(),
    group: new Set(),
    order: [],
    projected: isWhole ? null : new Set(),
    predicates: new Map(),
    expressions: new Map(),
    branches: [],
  };
}

/** Whether an operand is the same for all rows of a statement. */
function isValue({ node }: Operand): boolean {
  return ![...nodesIn(node)].some((inside) => as('ColumnRef', inside) || as('SubLink', inside));
}

function nameIn(node: Node | undefined): string | undefined {
  const column = node && readColumn(node);
  return column?.qualifiers.length === 0 ? column.name : undefined;
}

function distinctOn({ node }: Block): Node[] {
  return ((node as SelectStmt).distinctClause ?? []).filter((item) => Object.keys(item).length > 0);
}

function directionOf({ sortby_dir, sortby_nulls }: SortBy): { descending: boolean; nullsFirst: boolean } {
  const descending = sortby_dir === 'SORTBY_DESC';
  const nullsFirst = sortby_nulls === 'SORTBY_NULLS_FIRST' || (descending && sortby_nulls !== 'SORTBY_NULLS_LAST');
  return { descending, nullsFirst };
}
