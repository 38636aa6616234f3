import { StreamGateError } from '../../errors.ts';
import { sqlState } from '../../postgres/errors.ts';

/** Why there is no plan, in words that never change. */
export const failureCodes = [
  'utility',
  'cut-off',
  'syntax',
  'too-long',
  'nothing-to-plan',
  'types',
  'missing-relation',
  'missing-function',
  'temporary-table',
  'permission',
  'row-security',
  'locked',
  'timeout',
  'other',
] as const;

/** One of {@link failureCodes}. */
export type FailureCode = (typeof failureCodes)[number];

/** Why there is no plan. The message is a fixed sentence: PostgreSQL's own may quote a value. */
export interface Failure {
  code: FailureCode;
  message: string;
}

const messages: Record<FailureCode, string> = {
  utility: 'It is not one query or change of rows, and PostgreSQL does not plan it.',
  'cut-off': 'Its text is not whole.',
  syntax: 'Its text cannot be made to parse without its constants.',
  'too-long': 'Its text is too long or nested too deeply to be looked at.',
  'nothing-to-plan': 'It looks for no rows: it changes the one that a cursor stands on.',
  types: 'The types of its parameters cannot be found out.',
  'missing-relation': 'A table or a column that it names does not exist, or not any more.',
  'missing-function':
    'A function, an operator or a type that it names does not exist, or not any more, or not in the schemas that were looked into.',
  'temporary-table': 'It uses a temporary table, which only the session that made it can see.',
  permission:
    'The role may not read its tables, or not call its functions. GRANT pg_read_all_data, or before PostgreSQL 14 SELECT on them.',
  'row-security': 'Row-level security hides every row of a table of it from the role. ALTER ROLE it BYPASSRLS.',
  locked: 'A table of it is locked by somebody else, and StreamGate does not wait.',
  timeout: 'Planning it took too long.',
  other: 'PostgreSQL refuses to plan it.',
};

/** A failure with its sentence. */
export function failure(code: FailureCode): Failure {
  return { code, message: messages[code] };
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const codesByState: Record<string, FailureCode> = {
  '3F000': 'missing-relation',
  '42501': 'permission',
  '42601': 'syntax',
  '42703': 'missing-relation',
  '42704': 'missing-function',
  '42725': 'types',
  '42804': 'types',
  '42846': 'types',
  '42883': 'missing-function',
  '42P01': 'missing-relation',
  '42P08': 'types',
  '42P18': 'types',
  '54001': 'too-long',
  '54011': 'too-long',
  '55P03': 'locked',
  '57014': 'timeout',
};

/** What PostgreSQL's refusal means. @throws the error when it is not about the statement: the connection broke, say */
export function failureOf(error: unknown): Failure {
  if (error instanceof StreamGateError && error.code === 'plan-invalid') return failure('other');
  const state = sqlState(error);
  // Class 08 and 57P: the connection is gone, or the server goes down.
  if (state === undefined || /^(?:08|57P)/.test(state)) throw error;
  return failure(codesByState[state] ?? 'other');
}
