import { createHash, timingSafeEqual } from 'node:crypto';
import { StreamGateError } from '../errors.ts';
import type { Scope } from '../settings.ts';

/** The SHA-256 of a token in hex: all that is ever kept of it. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/**
 * What the bearer of an `Authorization` header may do. Undefined when there is no bearer token, an
 * empty list when nobody knows it. The token's hash is compared with every known one in constant time.
 */
export function scopesOf(authorization: string | undefined, tokens: Record<string, Scope[]>): Scope[] | undefined {
  const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) return undefined;
  const hash = Buffer.from(hashToken(token), 'hex');
  let scopes: Scope[] = [];
  for (const [known, granted] of Object.entries(tokens)) {
    if (timingSafeEqual(hash, Buffer.from(known, 'hex'))) scopes = granted;
  }
  return scopes;
}

/**
 * Decides on a request: the one judgement that the Lambda authorizer and the local gateway share.
 *
 * @returns the scopes of the bearer
 * @throws StreamGateError `token-missing`, `token-unknown` or `scope-missing`
 */
export function authorize(authorization: string | undefined, needed: Scope, tokens: Record<string, Scope[]>): Scope[] {
  const scopes = scopesOf(authorization, tokens);
  if (scopes === undefined) {
    throw new StreamGateError('token-missing', 'Send the access token in the header "Authorization: Bearer <token>".');
  }
  if (scopes.length === 0) {
    throw new StreamGateError('token-unknown', 'The access token is not known here. Check it, or ask for a new one.');
  }
  if (!scopes.includes(needed)) {
    throw new StreamGateError(
      'scope-missing',
      `The access token may ${scopes.join(' and ')}, but this needs "${needed}".`,
    );
  }
  return scopes;
}
