/**
 * Names of types as `format_type` writes them, and what PostgreSQL does where two types meet in a comparison.
 * https://www.postgresql.org/docs/current/typeconv-oper.html
 */
import type { TypeName } from 'libpg-query';
import { names } from './node.ts';

/** The parser's own names of types that SQL names otherwise. */
const sqlNames: Record<string, string> = {
  bool: 'boolean',
  bpchar: 'character',
  float4: 'real',
  float8: 'double precision',
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  time: 'time without time zone',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
  timetz: 'time with time zone',
  varbit: 'bit varying',
  varchar: 'character varying',
};

/** The name of a type as `format_type` writes it, without its length or precision. */
export function typeNameOf({ names: path, arrayBounds }: TypeName): string {
  const name = names(path).at(-1) ?? '';
  return `${sqlNames[name] ?? name}${arrayBounds?.length ? '[]' : ''}`;
}

/** `character varying(20)` becomes `character varying`, `timestamp(3) with time zone` loses its `(3)`. */
export function withoutModifier(type: string): string {
  return type.replace(/\([^)]*\)/, '');
}

/** Types whose values compare by one index, across the types of the family: a cast between them costs nothing. */
const families: Record<string, string> = {
  smallint: 'integer',
  integer: 'integer',
  bigint: 'integer',
  real: 'float',
  'double precision': 'float',
  numeric: 'numeric',
  text: 'text',
  'character varying': 'text',
  character: 'character',
  date: 'time',
  'timestamp without time zone': 'time',
  'timestamp with time zone': 'time',
  uuid: 'uuid',
  boolean: 'boolean',
};

/**
 * The family of operators that compares a type: https://www.postgresql.org/docs/current/indexes-opclass.html.
 * Undefined for a type that nothing is claimed of.
 */
export function familyOf(type: string): string | undefined {
  return families[withoutModifier(type)];
}

/** Where the families of two sides differ, the values of the first are cast to the type of the second. */
const castsTo: Record<string, readonly string[]> = {
  integer: ['numeric', 'float'],
  numeric: ['float'],
  character: ['text'],
};

/** Whether a comparison of a column with a value of another type casts the column, so that its index is of no use. */
export function castsColumn(column: string, other: string): boolean {
  const from = familyOf(column);
  const to = familyOf(other);
  return from !== undefined && to !== undefined && (castsTo[from]?.includes(to) ?? false);
}

/**
 * Whether values of a type that are equal are the same value, by every operator class and collation: no letters that are
 * equal to others, no -0, no trailing zeros that show.
 */
export function isExact(type: string): boolean {
  return /^(?:smallint|integer|bigint|uuid|date|timestamp with(?:out)? time zone|boolean)$/.test(withoutModifier(type));
}
