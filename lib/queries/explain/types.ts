/**
 * Types for parameters whose type PostgreSQL cannot tell, or tells wrongly: `$1 - $2`, `sum(CASE … THEN $3 ELSE $4 END)`,
 * `generate_series($1, $2)`, `created_at > now() - $1`.
 *
 * A string in a statement has no type either, so that PostgreSQL treats the parameter in its place as it treated the string.
 * What it stumbles over were numbers, or parameters whose type the client has told. So where it refuses a statement, the
 * parameters that decide about the place of the error are cast: to integer first, which every number becomes where one is
 * needed, then to other types, until it is content.
 *
 * https://www.postgresql.org/docs/current/typeconv.html
 */
import type { Node } from 'libpg-query';
import { as, nodesIn } from '../syntax/node.ts';
import { blamedFor, type Place } from './blame.ts';
import type { Edit } from './edits.ts';

/** The types that are tried, likely ones first. */
const candidates = [
  'integer',
  'interval',
  'boolean',
  'timestamptz',
  'text',
  'date',
  'uuid',
  'jsonb',
  'integer[]',
  'text[]',
] as const;

/** A type that a parameter is cast to. */
export type Candidate = (typeof candidates)[number];

/** Why PostgreSQL refuses a statement, and where. */
export interface Refusal extends Place {
  /** The SQLSTATE. */
  code: string;
}

/**
 * ambiguous_function, undefined_function, datatype_mismatch, cannot_coerce, ambiguous_parameter, indeterminate_datatype:
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const typeErrors = new Set(['42725', '42883', '42804', '42846', '42P08', '42P18']);

/** Whether an error is about types. */
export function isTypeError(code: string | undefined): boolean {
  return code !== undefined && typeErrors.has(code);
}

/** What was tried of each parameter; the last one stands. */
export type Guesses = ReadonlyMap<number, readonly Candidate[]>;

/** The guesses after an error; undefined where there is nothing left to try. */
export function nextGuesses(statement: Node, guesses: Guesses, error: Refusal): Guesses | undefined {
  const blamed = blamedFor(statement, error, new Set(guesses.keys()));
  // What nobody asks anything of, as an argument of json_build_object, may as well be text.
  const order = error.code === '42P18' ? (['text', ...candidates] as const) : candidates;
  const tried = new Set([...blamed].flatMap((number) => guesses.get(number) ?? []));
  const next = order.find((candidate) => !tried.has(candidate));
  if (blamed.size === 0 || next === undefined) return undefined;
  return new Map([...guesses, ...[...blamed].map((number) => [number, [...tried, next]] as const)]);
}

/** The casts in the text. What is cast already stays as it is. */
export function castEdits(statement: Node, guesses: Guesses): Edit[] {
  return [...loose(statement)].flatMap(({ place, number }) => {
    const type = guesses.get(number)?.at(-1);
    if (type === undefined) return [];
    const end = place + `$${number}`.length;
    return [
      { start: place, end: place, text: '(' },
      { start: end, end, text: `::${type})` },
    ];
  });
}

/** The parameters that are not cast right where they stand. */
function* loose(statement: Node): Generator<{ place: number; number: number }> {
  const cast = new Set<Node | undefined>();
  for (const node of nodesIn(statement)) {
    cast.add(as('TypeCast', node)?.arg);
    const parameter = as('ParamRef', node);
    if (parameter && !cast.has(node)) yield { place: parameter.location ?? 0, number: parameter.number ?? 0 };
  }
}
