/**
 * Other texts that ask for the same, where it can be proved: each file `rewrite-*.ts` states its proof. A text is made by
 * changing the one that is there, not by printing a tree, so that it stays as its author wrote it. That it costs no more is
 * not proved here: EXPLAIN both before it is offered.
 */
import type { Relation } from '../catalog.ts';
import type { Statement } from '../snapshot.ts';
import type { Syntax } from './block.ts';
import { type Tables, tablesOf } from './resolve.ts';
import { rewriteCoalesce } from './rewrite-coalesce.ts';
import { rewriteCountDistinct } from './rewrite-count-distinct.ts';
import { rewriteDistinct } from './rewrite-distinct.ts';
import { rewriteNotIn } from './rewrite-not-in.ts';
import { rewriteOrAcross } from './rewrite-or-across.ts';
import { rewriteOrList } from './rewrite-or-list.ts';
import { rewriteUnion } from './rewrite-union.ts';
import { parse, syntaxOf } from './syntax.ts';

/** A text that answers what a statement answers, and the rule that proposes it. */
export interface Rewrite {
  rule: string;
  sql: string;
}

/** By the rule that proposes it. */
const rewriters: Record<string, (syntax: Syntax, tables: Tables) => string | undefined> = {
  'queries/not-in-subquery': rewriteNotIn,
  'queries/or-across-columns': rewriteOrAcross,
  'queries/needless-distinct': rewriteDistinct,
  'queries/union-not-all': rewriteUnion,
  'queries/or-list': rewriteOrList,
  'queries/count-distinct-large': rewriteCountDistinct,
  'queries/function-on-column': rewriteCoalesce,
};

/** The first rewrite of a statement that some rule proposes: its answer is the same for all data that the catalog allows. */
export function rewriteOf(statement: Pick<Statement, 'query'>, relations: readonly Relation[]): Rewrite | undefined {
  const syntax = syntaxOf(statement);
  const tables = tablesOf(relations);
  for (const rule of syntax ? Object.keys(rewriters) : []) {
    const sql = syntax && rewriteBy(rule, syntax, tables);
    if (sql !== undefined) return { rule, sql };
  }
  return undefined;
}

/** The rewrite that a rule proposes. */
export function rewriteBy(rule: string, syntax: Syntax, tables: Tables): string | undefined {
  const sql = rewriters[rule]?.(syntax, tables);
  return sql !== undefined && parse(sql) ? sql : undefined;
}
