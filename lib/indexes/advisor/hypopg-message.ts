/** One message to the server that asks for plans with pretended indexes, and what the answers to it mean. */
import pg from 'pg';
import type { PlanSql } from '../../queries/explain/ask.ts';
import { type Candidate, definitionOf, sqlOf } from './candidate.ts';
import type { Cost } from './cost-source.ts';
import { type PlanCost, planCostOf } from './plan-cost.ts';

/** A statement, and the sets of candidates with which it is to be planned. */
export interface Wanted {
  sql: PlanSql;
  sets: readonly (readonly Candidate[])[];
}

/** Statements for one message, and how to read their rows. */
export interface Message {
  statements: readonly string[];
  /** @param rows of each statement; returns for each of what was wanted the costs of its sets */
  costsIn(rows: readonly object[][]): Cost[][];
}

/** The functions of HypoPG as statements. */
export interface HypopgSql {
  reset: string;
  hide(oid: string): string;
  unhide: string;
  /** A row for each index, in their order. */
  create(candidates: readonly Candidate[]): string;
}

/** The rows of {@link HypopgSql.create}. */
export interface Pretended {
  /** As plans call it. */
  name: string;
}

/** @param schema where the extension is */
export function hypopgSql(schema: string): HypopgSql {
  const functions = pg.escapeIdentifier(schema);
  const texts = new Map<string, string>();
  const textOf = (candidate: Candidate) => {
    const definition = definitionOf(candidate);
    // HypoPG makes names of its own.
    const text = texts.get(definition) ?? sqlOf(candidate, { name: 'pretended', concurrently: false });
    texts.set(definition, text);
    return text;
  };
  return {
    reset: `select ${functions}.hypopg_reset()`,
    hide: (oid) => `select ${functions}.hypopg_hide_index(${pg.escapeLiteral(oid)}::text::oid)`,
    unhide: `select ${functions}.hypopg_unhide_all_indexes()`,
    // All of them are one constant: pg_stat_statements keeps a list of constants for each length that it has.
    create: (candidates) =>
      `select made.indexname as name
       from json_array_elements_text(${pg.escapeLiteral(JSON.stringify(candidates.map(textOf)))}) with ordinality as wanted(sql, place)
       cross join lateral ${functions}.hypopg_create_index(wanted.sql) as made
       order by wanted.place`,
  };
}

/** How a message is written. */
export interface MessageOptions {
  /** Run before each set: what was pretended before is gone then. */
  clear: readonly string[];
  create: HypopgSql['create'];
  /** Definitions to leave out. */
  refused: ReadonlySet<string>;
  /** What takes longer to plan fails, and the message with it. */
  limitMs: number;
}

/** Writes the message. Nothing that it does to the transaction stays when it succeeds, and the indexes of its last set do. */
export function messageFor(wanted: readonly Wanted[], { clear, create, refused, limitMs }: MessageOptions): Message {
  const statements: string[] = [];
  const planned = wanted.map(({ sql, sets }) => {
    statements.push('savepoint streamgate_statement', ...sql.before(limitMs));
    const plans = sets.map((set) => {
      const candidates = new Map(set.map((candidate) => [definitionOf(candidate), candidate]));
      for (const definition of refused) candidates.delete(definition);
      const definitions = [...candidates.keys()];
      statements.push(...clear);
      const made = candidates.size > 0 ? statements.push(create([...candidates.values()])) - 1 : undefined;
      statements.push(...sql.prepare);
      const explained = statements.push(sql.explain) - 1;
      statements.push(...sql.after);
      return { definitions, made, explained };
    });
    statements.push('rollback to savepoint streamgate_statement');
    return plans;
  });
  return {
    statements,
    costsIn: (rows) =>
      planned.map((plans) =>
        plans.map(({ definitions, made, explained }) => {
          const [row] = (rows[explained] ?? []) as Record<string, unknown>[];
          const names = ((made === undefined ? [] : rows[made]) ?? []) as Pretended[];
          return costOf(planCostOf(row?.['QUERY PLAN']), definitions, names);
        }),
      ),
  };
}

/** The cost of a plan, and which of the pretended indexes it uses. @param names of the definitions, in their order */
export function costOf(plan: PlanCost | undefined, definitions: readonly string[], names: readonly Pretended[]): Cost {
  if (!plan) return { total: Number.NaN, used: null };
  return { total: plan.total, used: definitions.filter((_, i) => plan.indexes.has(names[i]?.name ?? '')) };
}
