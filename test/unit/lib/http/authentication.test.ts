import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { authorize, hashToken, scopesOf } from '../../../../lib/http/authentication.ts';
import type { Scope } from '../../../../lib/settings.ts';

const tokens: Record<string, Scope[]> = {
  [hashToken('reader-token')]: ['read'],
  [hashToken('operator-token')]: ['read', 'operate'],
  [hashToken('retired-token')]: [],
};
const refused = (code: string) => expect.objectContaining({ code });

test('of a token only its SHA-256 is known', () => {
  expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

describe('the bearer of a token', () => {
  test.each([
    ['Bearer reader-token', ['read']],
    ['bearer reader-token', ['read']],
    ['BEARER   reader-token  ', ['read']],
    ['Bearer operator-token', ['read', 'operate']],
    ['Bearer retired-token', []],
    ['Bearer Reader-Token', []],
    ['Bearer reader-toke', []],
    ['Bearer reader-tokens', []],
    [`Bearer ${hashToken('reader-token')}`, []],
  ])('of "%s" may %j', (header, scopes) => {
    expect(scopesOf(header, tokens)).toEqual(scopes);
  });

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'reader-token',
    'Basic reader-token',
    'Bearer a b',
    'Bearerreader-token',
    ' Bearer reader-token',
    'Bearer reader-token, Bearer operator-token',
  ])('is nobody for %j', (header) => {
    expect(scopesOf(header, tokens)).toBeUndefined();
  });

  test('is known only by the right token', () => {
    const others = fc.stringMatching(/^[!-~]{1,40}$/).filter((token) => token !== 'reader-token');
    fc.assert(
      fc.property(others, (token) => {
        const one = { [hashToken('reader-token')]: ['read' as const] };
        expect(scopesOf(`Bearer ${token}`, one)).toEqual([]);
        expect(scopesOf(`Bearer ${token}`, { [hashToken(token)]: ['read'] })).toEqual(['read']);
      }),
    );
  });

  test('is unknown where there is no token at all', () => {
    expect(scopesOf('Bearer reader-token', {})).toEqual([]);
  });
});

describe('a request', () => {
  test('is let in with the scope that it needs', () => {
    expect(authorize('Bearer reader-token', 'read', tokens)).toEqual(['read']);
    expect(authorize('Bearer operator-token', 'operate', tokens)).toEqual(['read', 'operate']);
  });

  test.each([
    [undefined, 'read', 'token-missing'],
    ['Basic dXNlcjpwYXNz', 'read', 'token-missing'],
    ['Bearer unknown', 'read', 'token-unknown'],
    ['Bearer retired-token', 'read', 'token-unknown'],
    ['Bearer reader-token', 'operate', 'scope-missing'],
  ] as const)('with %s that needs to %s is refused: %s', (header, needed, code) => {
    expect(() => authorize(header, needed, tokens)).toThrow(refused(code));
  });

  test('is never answered with its token', () => {
    expect(() => authorize('Bearer Zq-secret', 'read', tokens)).toThrow(expect.not.stringMatching(/Zq-secret/));
    try {
      authorize('Bearer Zq-secret', 'read', tokens);
    } catch (error) {
      expect((error as Error).message).not.toContain('Zq-secret');
    }
  });
});
