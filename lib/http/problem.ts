import * as z from 'zod';
import { errorCodes, StreamGateError } from '../errors.ts';

/** An error answer, https://www.rfc-editor.org/rfc/rfc9457. `code` is stable and listed in docs/errors.md. */
export const Problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    code: z.string(),
    detail: z.string(),
  })
  .meta({ id: 'Problem', description: 'What went wrong and what to do about it (RFC 9457).' });
export type Problem = z.infer<typeof Problem>;

/** An HTTP answer of any status, as API Gateway takes it. */
export interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** Every answer says this, unless it says how it may be kept: nothing here is for shared caches or for browsers to guess about. */
export const commonHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** Turns any error into an answer. One that was not foreseen is told to nobody but the log. */
export function problem(error: unknown): Answer {
  const known =
    error instanceof StreamGateError
      ? error
      : new StreamGateError('internal', 'The request could not be served. The log has the reason.', { cause: error });
  if (known.code === 'internal') console.error(error);
  const body: Problem = {
    type: `urn:streamgate:error:${known.code}`,
    title: errorCodes[known.code].title,
    status: known.status,
    code: known.code,
    detail: known.message,
  };
  return {
    statusCode: known.status,
    headers: {
      ...commonHeaders,
      'content-type': 'application/problem+json',
      ...(known.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(known.status === 503 ? { 'retry-after': '10' } : {}),
    },
    body: JSON.stringify(body),
  };
}
