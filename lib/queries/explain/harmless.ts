import type { Node } from 'libpg-query';
import { as, kindOf, nodesIn } from '../syntax/node.ts';
import { parseOne } from './source.ts';

declare const checked: unique symbol;

/** A text that was found to be one SELECT that changes and locks nothing. Nothing else is ever sent to be explained. */
export type Harmless = string & { readonly [checked]: true };

/** The text, if it is harmless: whatever it was made from, and whoever made it. */
export function harmless(text: string): Harmless | undefined {
  const statement = parseOne(text);
  return statement && isHarmless(statement) ? (text as Harmless) : undefined;
}

/** Whether a statement is a SELECT that makes no table and changes and locks no row. What its functions do is not known. */
export function isHarmless(statement: Node): boolean {
  if (!as('SelectStmt', statement)) return false;
  for (const node of nodesIn(statement)) {
    const select = as('SelectStmt', node);
    if (select?.intoClause || select?.lockingClause || changingKinds.has(kindOf(node))) return false;
  }
  return true;
}

/** The kinds of statements that change rows. */
export const changingKinds: ReadonlySet<string> = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);
