/** What is known of PostgreSQL's own functions by their names. A function of the user may bear such a name; hardly one does. */
import type { Node } from 'libpg-query';
import { as, lastName, nodesIn } from './node.ts';

const aggregates = new Set(
  `any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every json_agg
  json_object_agg jsonb_agg jsonb_object_agg max min mode percentile_cont percentile_disc range_agg range_intersect_agg
  regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop
  stddev_samp string_agg sum var_pop var_samp variance xmlagg`.split(/\s+/),
);

/**
 * Functions of one value that depend on nothing else and so may be indexed, whatever type they get:
 * https://www.postgresql.org/docs/current/xfunc-volatility.html
 */
const indexable = new Set(
  'abs btrim ceil ceiling char_length character_length floor initcap length lower ltrim md5 reverse rtrim sign trunc upper'.split(
    ' ',
  ),
);

/** Functions that answer one value a call, and the same one within a statement. */
const plain = new Set([
  ...aggregates,
  ...indexable,
  ...'coalesce concat concat_ws current_date date date_part date_trunc extract format greatest least left lpad now nullif position replace right round rpad split_part strpos substr substring timezone to_char to_date to_number to_timestamp'.split(
    ' ',
  ),
]);

/** Whether the call of a function is that of an aggregate. A window function is none. */
export function isAggregate(node: Node): boolean {
  const call = as('FuncCall', node);
  if (!call) return as('JsonArrayAgg', node) !== undefined || as('JsonObjectAgg', node) !== undefined;
  const { over, agg_star, agg_distinct, agg_order, agg_filter, agg_within_group } = call;
  if (over) return false;
  return (
    Boolean(agg_star || agg_distinct || agg_order || agg_filter || agg_within_group) ||
    aggregates.has(lastName(call.funcname))
  );
}

/** Whether an index may be built over the function. */
export function isIndexable(name: string): boolean {
  return indexable.has(name);
}

/** Whether the function is one of PostgreSQL's that answers one value, the same one within a statement. */
export function isPlain(name: string): boolean {
  return plain.has(name);
}

/**
 * Whether every function in an expression, its subqueries included, is known to answer one value and no other when it is
 * called again: no random(), no nextval(), nothing that returns several rows, nothing of the user's, and no TABLESAMPLE.
 */
export function callsOnlyPlainFunctions(tree: object | undefined): boolean {
  for (const node of nodesIn(tree)) {
    const call = as('FuncCall', node);
    if (as('RangeTableSample', node) || (call && !plain.has(lastName(call.funcname)))) return false;
  }
  return true;
}
