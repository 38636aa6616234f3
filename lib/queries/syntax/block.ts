/**
 * What a statement says, in the words that rules need:
 *
 * - block: one SELECT, VALUES, INSERT, UPDATE, DELETE or MERGE, or a UNION of two, with what it reads. Blocks are nested.
 * - source: what a block reads rows from: an item of FROM or USING, or the table that it changes.
 * - condition: what is asked of rows, in one normalized form (condition.ts).
 * - column: a name in an expression, with the qualifiers that are written before it. What it means tells resolve.ts.
 * - target: what a SELECT answers, or RETURNING.
 *
 * Places (`at`) are bytes of the text in UTF-8, as PostgreSQL's parser counts.
 */
import type { Node } from 'libpg-query';
import type { Condition, Operand } from './condition.ts';

/** What a block does. */
export type BlockKind =
  | 'select'
  | 'values'
  | 'union'
  | 'intersect'
  | 'except'
  | 'insert'
  | 'update'
  | 'delete'
  | 'merge';

/**
 * Where a block stands in its parent: as the statement itself, as a WITH query, in FROM (LATERAL or not), as one side of a
 * UNION, as the rows of an INSERT, in the target list, or somewhere in a condition or another expression.
 */
export type Place = 'statement' | 'with' | 'from' | 'lateral' | 'side' | 'rows' | 'target' | 'expression';

/** One query block. Lists are empty where they do not apply. */
export interface Block {
  kind: BlockKind;
  place: Place;
  parent: Block | undefined;
  /** The blocks right inside it, in the order of the text; the two sides of a UNION among them. */
  children: Block[];
  /** What it reads; for INSERT, UPDATE, DELETE and MERGE the first is the table that it changes. */
  sources: Source[];
  joins: Join[];
  /** The conjuncts of WHERE: all of them hold for every row. */
  where: Condition[];
  having: Condition[];
  targets: Target[];
  groupBy: Node[];
  orderBy: Sort[];
  distinct: 'no' | 'rows' | 'on';
  limit: Node | undefined;
  offset: Node | undefined;
  locks: Lock[];
  /** Of a UNION, INTERSECT or EXCEPT: whether duplicates stay. */
  all: boolean;
  /** Whether some aggregate function, not as a window function, stands in its targets or HAVING. */
  aggregates: boolean;
  /** Whether it has window functions or a WINDOW clause. */
  windows: boolean;
  /** Of an INSERT: the columns that are named, and what happens on conflict. */
  columns: string[];
  conflict: Conflict | undefined;
  /** Of an UPDATE: what is set. */
  assignments: Assignment[];
  /** Every column that the block itself names, not those of blocks inside it. */
  uses: ColumnUse[];
  /** The names of its own WITH queries. */
  with: string[];
  /** The parser's node, such as a SelectStmt. */
  node: object;
}

/** What a block reads rows from. */
export interface Source {
  /** The name that columns are qualified with; undefined for a subquery without one. */
  name: string | undefined;
  of:
    | { is: 'table'; schema: string | undefined; table: string; only: boolean }
    | { is: 'query'; block: Block }
    | { is: 'function'; name: string }
    | { is: 'unknown' };
  /** New names for its first columns, as in `t (a, b)`. */
  renamed: string[];
  /** Whether an outer join may put NULL in the place of its rows. */
  optional: boolean;
  lateral: boolean;
  /** Which item of FROM it belongs to: those that JOIN puts together share one. */
  item: number;
}

/** A JOIN as it is written, with the sources on both sides. */
export interface Join {
  type: 'inner' | 'left' | 'right' | 'full';
  natural: boolean;
  using: string[];
  on: Condition[];
  left: Source[];
  right: Source[];
}

/** A column as it is written: `s.t.c` has the qualifiers s and t. */
export interface ColumnUse {
  qualifiers: string[];
  name: string;
  at: number;
}

/** What is answered; `star` for `*` and `t.*`, with the qualifiers. */
export interface Target {
  /** The name that the text gives it with AS. */
  alias: string | undefined;
  node: Node;
  star: string[] | undefined;
  value: Operand;
}

/** An item of ORDER BY. */
export interface Sort {
  node: Node;
  descending: boolean;
}

/** A FOR UPDATE and the like. */
export interface Lock {
  strength: 'update' | 'no key update' | 'share' | 'key share';
  waits: 'waits' | 'skips' | 'fails';
}

/** ON CONFLICT. */
export interface Conflict {
  does: 'nothing' | 'update';
  /** The columns that conflict is inferred from; empty for a constraint's name or none. */
  columns: string[];
  assignments: Assignment[];
  where: Condition[];
}

/** `column = value` of a SET. */
export interface Assignment {
  column: string;
  value: Operand;
}

/** A parsed statement. */
export interface Syntax {
  text: string;
  root: Block;
  /** All blocks, parents before their children. */
  blocks: readonly Block[];
}

/** The two sides of a UNION, INTERSECT or EXCEPT. */
export function sidesOf(block: Block): Block[] {
  return block.children.filter(({ place }) => place === 'side');
}

/** Whether a block is the statement itself or a side of its UNIONs: what it answers is what the client gets. */
export function answersClient(block: Block): boolean {
  return (
    block.place === 'statement' || (block.place === 'side' && block.parent !== undefined && answersClient(block.parent))
  );
}

/** Every condition on the rows of a block that must hold for all of them: WHERE, and ON of inner joins. */
export function conjunctsOf(block: Block): Condition[] {
  return [...block.where, ...block.joins.filter(({ type }) => type === 'inner').flatMap(({ on }) => on)];
}
