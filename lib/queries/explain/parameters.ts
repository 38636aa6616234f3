/**
 * Whether a statement's plan depends on a value: a status that nearly all rows have is another matter than one that a few have,
 * and the plan that fits all values fits neither.
 *
 * No value comes here. PostgreSQL itself takes one from its statistics and puts it into a setting of the transaction, and
 * `current_setting` stands in the place of the parameter: a STABLE function, whose result the planner looks at for its
 * estimates and does not write into the plan. What only a constant can be used for, a partial index or a partition, is not seen.
 * https://www.postgresql.org/docs/current/view-pg-stats.html, https://www.postgresql.org/docs/current/xfunc-volatility.html
 */
import type { ColumnRef, Node, RangeVar, SelectStmt } from 'libpg-query';
import type { Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import { readJsonPlan } from '../plan/json.ts';
import { shapeOf } from '../plan/shape.ts';
import type { ParameterCosts } from '../snapshot.ts';
import { as, lastName, names, nodesIn } from '../syntax/node.ts';
import { type Answer, askPlan, type Question } from './ask.ts';
import { applyEdits } from './edits.ts';
import { harmless } from './harmless.ts';
import { type Schemas, schemaOf } from './schemas.ts';
import { parameterOf, parseOne, tokensOf } from './source.ts';

/** A parameter that is compared for equality with a column of a table, or with one that may be of any of several. */
export interface Compared {
  parameter: number;
  column: string;
  relations: RangeVar[];
  /** Whether the parameter is an array of which one item has to be equal. */
  isArray: boolean;
}

/** A column whose values are not equally common. */
interface Skewed {
  at: number;
  schema: string;
  table: string;
  column: string;
  type: string;
  inherited: boolean;
}

/** So much more common the most common value must be than a rare one, for the plan to be asked for both. */
const minSkew = 10;

/**
 * Of several columns the most skewed one. A rare value is one from the histogram, where there is one, for it is in no list of
 * common values; else the last of that list.
 */
const skewedSql = `
select c.at, s.schemaname as schema, s.tablename as table, s.attname as column, format_type(a.atttypid, a.atttypmod) as type, s.inherited
from unnest($1::int[], $2::text[], $3::text[], $4::text[]) as c(at, schema, name, col)
join pg_stats s on s.schemaname = c.schema and s.tablename = c.name and s.attname = c.col
join pg_namespace n on n.nspname = s.schemaname
join pg_class r on r.relnamespace = n.oid and r.relname = s.tablename and s.inherited = (r.relkind = 'p')
join pg_attribute a on a.attrelid = r.oid and a.attname = s.attname
cross join lateral (
  select s.most_common_freqs[1] as common,
    case when s.histogram_bounds is null then s.most_common_freqs[cardinality(s.most_common_freqs)]
    else (1 - s.null_frac - (select sum(f) from unnest(s.most_common_freqs) f))
      / greatest(case when s.n_distinct < 0 then -s.n_distinct * greatest(r.reltuples, 1) else s.n_distinct end - cardinality(s.most_common_freqs), 1) end as rare
) f
where f.common >= $5 * greatest(f.rare, 0)
order by f.common / greatest(f.rare, 1e-9) desc
limit 1`;

const valueSql = (value: string) => `
select set_config('streamgate.value', ${value}, true) is not null as set
from pg_stats s where s.schemaname = $1 and s.tablename = $2 and s.attname = $3 and s.inherited = $4`;

const commonSql = valueSql('(s.most_common_vals::text::text[])[1]');
const rareSql = valueSql(`coalesce(
  (s.histogram_bounds::text::text[])[cardinality(s.histogram_bounds::text::text[]) / 2 + 1],
  (s.most_common_vals::text::text[])[cardinality(s.most_common_vals::text::text[])])`);

/**
 * What a statement costs with the most common and with a rare value of the parameter that matters most; null where none is
 * compared with a skewed column, or where the role may not see the statistics.
 *
 * @throws StreamGateError when PostgreSQL refuses the question
 */
export async function parameterCosts(
  session: Session,
  server: Server,
  schemas: Schemas,
  { plan: generic, question }: Answer,
): Promise<ParameterCosts | null> {
  const statement = parseOne(question.text);
  const compared = statement ? comparedIn(statement) : [];
  const skewed = await mostSkewed(session, schemas, question.path, compared);
  const found = skewed && compared[skewed.at];
  if (!skewed || !found) return null;
  const place = [skewed.schema, skewed.table, skewed.column, skewed.inherited];
  const text = harmless(withValue(question.text, found, skewed.type));
  if (!text) return null;
  const ask = async (sql: string) => {
    const value: Question = { ...question, text, before: { sql, parameters: place } };
    const plan = readJsonPlan(await askPlan(session, server, value));
    // The plan goes no further: only its cost and its shape are kept.
    return { cost: plan.root.estimate.totalCost, shape: shapeOf(plan) };
  };
  const common = await ask(commonSql);
  const rare = await ask(rareSql);
  return {
    common: common.cost,
    rare: rare.cost,
    generic: generic.root.estimate.totalCost,
    shapesDiffer: new Set([common.shape, rare.shape, shapeOf(generic)]).size > 1,
    parameter: found.parameter,
    column: skewed.column,
  };
}

async function mostSkewed(
  session: Session,
  schemas: Schemas,
  path: readonly string[],
  compared: readonly Compared[],
): Promise<Skewed | undefined> {
  const columns = compared.flatMap(({ relations, column }, at) =>
    relations.flatMap((relation) => {
      const schema = schemaOf(relation, path, schemas);
      return schema === undefined ? [] : [{ at, schema, table: relation.relname ?? '', column }];
    }),
  );
  if (columns.length === 0) return undefined;
  const [skewed] = await session.read<Skewed>(skewedSql, [
    columns.map(({ at }) => at),
    columns.map(({ schema }) => schema),
    columns.map(({ table }) => table),
    columns.map(({ column }) => column),
    minSkew,
  ]);
  return skewed;
}

/** The statement with a value of the setting in the place of a parameter, wherever it stands. */
function withValue(text: string, { parameter, isArray }: Compared, type: string): string {
  const value = `pg_catalog.current_setting('streamgate.value')::${type}`;
  const tokens = (tokensOf(text) ?? []).filter((token) => parameterOf(token) === parameter);
  return applyEdits(
    text,
    tokens.map(({ start, end }) => ({ start, end, text: isArray ? `(array[${value}])` : `(${value})` })),
  );
}

/** The parameters that columns are compared with, in each SELECT with the tables of its own FROM. */
export function comparedIn(statement: Node): Compared[] {
  return [...nodesIn(statement)].flatMap((node) => {
    const select = as('SelectStmt', node);
    return select ? comparedInSelect(select) : [];
  });
}

function comparedInSelect({ fromClause, whereClause }: SelectStmt): Compared[] {
  const outside = (node: Node) => !as('SelectStmt', node);
  const relations = [...nodesIn(fromClause, outside)].flatMap((node) => as('RangeVar', node) ?? []);
  const conditions = [...nodesIn([fromClause, whereClause], outside)];
  return conditions.flatMap((node) => {
    const { kind, name, lexpr, rexpr } = as('A_Expr', node) ?? {};
    if (lastName(name) !== '=') return [];
    const isList = kind === 'AEXPR_IN';
    const value = isList ? as('List', rexpr)?.items?.[0] : rexpr;
    const isArray = kind === 'AEXPR_OP_ANY';
    if (kind !== 'AEXPR_OP' && !isList && !isArray) return [];
    const sides = [
      { column: as('ColumnRef', lexpr), parameter: numberOf(value) },
      { column: as('ColumnRef', value), parameter: isList || isArray ? 0 : numberOf(lexpr) },
    ];
    return sides.flatMap(({ column, parameter }) => {
      if (!column || parameter === 0) return [];
      return [{ parameter, isArray, ...named(column, relations) }];
    });
  });
}

/** The number of a parameter, cast or not. */
function numberOf(node: Node | undefined): number {
  return as('ParamRef', as('TypeCast', node)?.arg ?? node)?.number ?? 0;
}

/** The tables that a column may be of. */
function named({ fields }: ColumnRef, relations: readonly RangeVar[]): Pick<Compared, 'column' | 'relations'> {
  const path = names(fields);
  const [column = '', qualifier] = [path.at(-1), path.at(-2)];
  const isOf = ({ alias, relname }: RangeVar) => qualifier === undefined || qualifier === (alias?.aliasname ?? relname);
  return { column, relations: relations.filter(isOf) };
}
