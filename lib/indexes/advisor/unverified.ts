/**
 * Names indexes whose worth nobody can tell without building them: HypoPG pretends no GIN index. They are named beside the advice,
 * and are no part of it.
 */
import pg from 'pg';
import type { Relation } from '../../queries/catalog.ts';
import { conjunctsOf, type Syntax } from '../../queries/syntax/block.ts';
import type { Condition, Operand } from '../../queries/syntax/condition.ts';
import { stored } from '../../queries/syntax/lookup.ts';
import { tablesOf } from '../../queries/syntax/resolve.ts';
import { rowsOf } from './distinct.ts';

/** An index that may help, and the statements that ask for it. */
export interface Unverified {
  schema: string;
  table: string;
  sql: string;
  why: string;
  queryIds: string[];
}

/** Tables with fewer rows are read as a whole as fast. */
const minRows = 1_000;

/** Looks for conditions that only a GIN index answers. */
export function unverifiedFor(
  statements: readonly { queryId: string; syntax: Syntax }[],
  relations: readonly Relation[],
): Unverified[] {
  const tables = tablesOf(relations);
  const found = new Map<string, Unverified>();
  for (const { queryId, syntax } of statements) {
    for (const block of syntax.blocks) {
      for (const condition of conjunctsOf(block)) {
        const asked = askedOf(condition);
        const column = asked && stored(asked.operand, block, tables)?.base;
        if (!asked || !column || rowsOf(column.relation) < minRows) continue;
        const { relation } = column;
        const gin = ginFor(asked.kind, column.column.name, column.column.type);
        if (
          !gin ||
          relation.indexes.some(({ method, columns }) => method === 'gin' && columns[0] === column.column.name)
        )
          continue;
        const sql = `CREATE INDEX CONCURRENTLY ON ${pg.escapeIdentifier(relation.schema)}.${pg.escapeIdentifier(relation.table)} USING gin (${gin.key});`;
        const before = found.get(sql)?.queryIds ?? [];
        const queryIds = [...new Set([...before, queryId])];
        found.set(sql, { schema: relation.schema, table: relation.table, sql, why: gin.why, queryIds });
      }
    }
  }
  return [...found.values()];
}

function askedOf(condition: Condition): { kind: 'pattern' | 'contains'; operand: Operand } | undefined {
  if (condition.is === 'pattern' && !condition.negated) return { kind: 'pattern', operand: condition.operand };
  if (condition.is !== 'truth' || condition.operand.is !== 'operation') return undefined;
  const { operator, left } = condition.operand;
  return left && /^(?:@>|&&|@@|\?|\?\||\?&)$/.test(operator) ? { kind: 'contains', operand: left } : undefined;
}

/** https://www.postgresql.org/docs/current/gin.html#GIN-BUILTIN-OPCLASSES, https://www.postgresql.org/docs/current/pgtrgm.html */
function ginFor(kind: 'pattern' | 'contains', column: string, type: string): { key: string; why: string } | undefined {
  const name = pg.escapeIdentifier(column);
  if (kind === 'pattern') {
    if (!/^(?:text|character)/.test(type)) return undefined;
    return { key: `${name} gin_trgm_ops`, why: 'For patterns that begin with anything; needs the extension pg_trgm.' };
  }
  if (type === 'jsonb') return { key: name, why: 'For what documents contain.' };
  if (type === 'tsvector') return { key: name, why: 'For words in a text.' };
  return type.endsWith('[]') ? { key: name, why: 'For what arrays contain.' } : undefined;
}
