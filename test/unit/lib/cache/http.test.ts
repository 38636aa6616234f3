import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CacheError } from '../../../../lib/cache/errors.ts';
import { cacheControl, cdnTag, etagOf, matches, respond, tagHeaderValue } from '../../../../lib/cache/http.ts';

/** What `code` of a CacheError says, or nothing where nothing is thrown. */
function refusal(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof CacheError) return error.code;
    throw error;
  }
  return undefined;
}

/** The directives of a Cache-Control header, each with its number of seconds. */
function directives(header: string): Map<string, number | undefined> {
  return new Map(
    header.split(', ').map((directive) => {
      const [name = '', value] = directive.split('=');
      return [name, value === undefined ? undefined : Number(value)];
    }),
  );
}

/** Any of Unicode's code points, and half ones too. fast-check's own "binary" takes a second to get ready. */
const character = fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code));

describe('cacheControl', () => {
  test('tells a CDN to keep, and a browser to ask', () => {
    expect(cacheControl({ freshMs: 60_000, staleMs: 300_000 })).toBe(
      'public, max-age=0, s-maxage=60, stale-while-revalidate=300, stale-if-error=300',
    );
  });

  test('leaves out what nothing is left of', () => {
    expect(cacheControl({ freshMs: 60_000, staleMs: 999 })).toBe('public, max-age=0, s-maxage=60');
    expect(cacheControl({ freshMs: 999, staleMs: 2_000 })).toBe(
      'public, max-age=0, s-maxage=0, stale-while-revalidate=2, stale-if-error=2',
    );
  });

  test.each([
    [0, 0],
    [999, 999],
    [-1, -60_000],
    [Number.NaN, Number.NaN],
    [Number.NEGATIVE_INFINITY, 0],
  ])('of %d ms fresh and %d ms stale keeps nothing', (freshMs, staleMs) => {
    expect(cacheControl({ freshMs, staleMs })).toBe('no-store');
  });

  test('keeps for ever no longer than every cache can count', () => {
    expect(directives(cacheControl({ freshMs: Infinity, staleMs: Infinity })).get('s-maxage')).toBe(2_147_483_647);
  });

  test('never allows more than was asked, and at most a second less', () => {
    const ms = fc.oneof(fc.integer({ min: -10_000, max: 10_000 }), fc.double({ min: 0, max: 1e12, noNaN: true }));
    fc.assert(
      fc.property(ms, ms, (freshMs, staleMs) => {
        const header = directives(cacheControl({ freshMs, staleMs }));
        const fresh = header.get('s-maxage') ?? 0;
        const stale = header.get('stale-while-revalidate') ?? 0;
        expect(header.get('stale-if-error') ?? 0).toBe(stale);
        for (const [seconds, asked] of [
          [fresh, freshMs],
          [stale, staleMs],
        ] as const) {
          const allowed = Math.max(0, asked) / 1000;
          expect(Number.isInteger(seconds)).toBe(true);
          expect(seconds).toBeLessThanOrEqual(allowed);
          expect(seconds).toBeGreaterThan(allowed - 1);
        }
        expect(header.has('no-store')).toBe(fresh + stale === 0);
        expect(header.has('public')).toBe(fresh + stale > 0);
      }),
    );
  });
});

describe('etagOf', () => {
  test('is strong, and the beginning of the SHA-256', () => {
    const digest = createHash('sha256').update('{"data":[]}').digest('base64url');
    expect(etagOf('{"data":[]}')).toBe(`"${digest.slice(0, 24)}"`);
  });

  test('sees the bytes and not how they are given', () => {
    fc.assert(
      fc.property(fc.string({ unit: character }), (text) => {
        const body = text.toWellFormed();
        expect(etagOf(Buffer.from(body))).toBe(etagOf(body));
        expect(etagOf(body)).toMatch(/^"[\w-]{24}"$/);
        expect(etagOf(`${body}.`)).not.toBe(etagOf(body));
      }),
    );
  });
});

/** Opaque tags with all that RFC 9110 allows in them, commas among it. */
const opaque = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(',', '!', '#', '~', '*', 'W', '/', 'a', '\x80', '\xff'),
      fc.integer({ min: 0x23, max: 0x7e }).map((code) => String.fromCharCode(code)),
    ),
    maxLength: 8,
  })
  .map((text) => `"${text}"`);
const listed = fc.tuple(fc.constantFrom('', 'W/'), opaque).map(([weak, tag]) => weak + tag);
const separator = fc.constantFrom(',', ', ', ' , ', ',,', '\t,\t ');

describe('matches', () => {
  test.each([
    ['"a"', '"a"', true],
    ['W/"a"', '"a"', true],
    ['"a"', 'W/"a"', true],
    ['"b", W/"a" ,"c"', '"a"', true],
    ['*', '"a"', true],
    [' * ', '"a"', true],
    ['"b"', '"a"', false],
    ['"a,b"', '"a"', false],
    ['"A"', '"a"', false],
    ['w/"a"', '"a"', false],
    ['', '"a"', false],
    [undefined, '"a"', false],
  ])('%j against %s: %j', (header, etag, expected) => {
    expect(matches(header, etag)).toBe(expected);
  });

  test.each(['a', '"a', 'a"', '"a" "a"', '"a"x', 'x"a"', '"a", *', '* "a"', '"a";', 'W/ "a"', '"a"\n', '\u0000"a"'])(
    'what cannot be read matches nothing: %j',
    (header) => {
      expect(matches(header, '"a"')).toBe(false);
    },
  );

  test('finds exactly what is in the list, whatever surrounds it', () => {
    fc.assert(
      fc.property(fc.array(listed, { maxLength: 5 }), separator, opaque, fc.boolean(), (list, comma, other, edges) => {
        const header = edges ? `${comma}${list.join(comma)}${comma}` : list.join(comma);
        const tags = list.map((tag) => tag.replace(/^W\//, ''));
        for (const tag of tags) expect(matches(header, tag)).toBe(true);
        expect(matches(header, other)).toBe(tags.includes(other));
      }),
    );
  });

  test('takes anything, and says no to it', () => {
    fc.assert(
      fc.property(fc.string({ unit: character }), (header) => {
        const read = matches(header, '"not in there at all"');
        expect(read).toBe(header.trim() === '*');
      }),
    );
  });

  test.each([' ', ',', '\t', '"', '"a"', '"a",', 'W/', '"a" '])('reads a long list of %j in linear time', (unit) => {
    const begun = performance.now();
    expect(matches(`${unit.repeat(200_000)}x`, '"a"')).toBe(false);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});

/** Labels as applications write them, and as nobody should. */
const label = fc.oneof(
  fc.string({ minLength: 1, maxLength: 300 }),
  fc.string({ unit: character, minLength: 1, maxLength: 300 }),
  fc.string({
    unit: fc.constantFrom('a', 'A', ',', '%', '2', 'C', '*', ' ', 'ß', '😀', '\ud800'),
    minLength: 1,
    maxLength: 6,
  }),
);

describe('cdnTag', () => {
  test.each([
    ['product:42', 'product:42'],
    ['cat=tv|brand="x"', 'cat=tv|brand="x"'],
    ['a,b', 'a%2Cb'],
    ['a b', 'a%20b'],
    ['100%', '100%25'],
    ['a*', 'a%2A'],
    ['Größe', 'Gr%C3%B6%C3%9Fe'],
    ['😀', '%F0%9F%98%80'],
    ['a\r\nset-cookie: x', 'a%0D%0Aset-cookie:%20x'],
  ])('writes %j as %s', (given, tag) => {
    expect(cdnTag(given)).toBe(tag);
  });

  test('has no tag for nothing', () => {
    expect(refusal(() => cdnTag(''))).toBe('tag-invalid');
  });

  test('leaves 256 characters as they are, and ends more in a hash', () => {
    expect(cdnTag('a'.repeat(256))).toBe('a'.repeat(256));
    const long = cdnTag('a'.repeat(257));
    expect(long).toHaveLength(256);
    expect(long).toMatch(/^a{223}~[\da-f]{32}$/);
    expect(cdnTag(`${'a'.repeat(300)}b`)).not.toBe(cdnTag(`${'a'.repeat(300)}c`));
  });

  test('is what CloudFront takes, whatever the label', () => {
    fc.assert(
      fc.property(label, (text) => {
        const tag = cdnTag(text);
        expect(tag).toMatch(/^[\x21-\x2b\x2d-\x7e]{1,256}$/);
        expect(tag).not.toContain('*');
        expect(cdnTag(text)).toBe(tag);
      }),
    );
  });

  test('of two labels differs, unless they differ in nothing that can be written', () => {
    fc.assert(
      fc.property(label, label, (one, other) => {
        expect(cdnTag(one) === cdnTag(other)).toBe(one.toWellFormed() === other.toWellFormed());
      }),
    );
  });
});

describe('tagHeaderValue', () => {
  test('has each tag once, whatever its case', () => {
    expect(tagHeaderValue(['a', 'b', 'a', 'A,', 'a,'])).toBe('a,b,a%2C');
  });

  test('takes 50 tags and no more', () => {
    const labels = Array.from({ length: 50 }, (_, number) => `t${number}`);
    expect(tagHeaderValue([...labels, 'T0']).split(',')).toHaveLength(50);
    expect(refusal(() => tagHeaderValue([...labels, 't50']))).toBe('tag-invalid');
  });

  test('can be read back: as many tags as labels, none of them empty', () => {
    fc.assert(
      fc.property(fc.uniqueArray(label, { maxLength: 50 }), (labels) => {
        const tags = labels.length === 0 ? [] : tagHeaderValue(labels).split(',');
        expect(new Set(tags.map((tag) => tag.toLowerCase()))).toEqual(
          new Set(labels.map((text) => cdnTag(text).toLowerCase())),
        );
      }),
    );
  });
});

describe('respond', () => {
  const answer = {
    body: '{"data":[]}',
    contentType: 'application/json',
    freshMs: 60_000,
    staleMs: 300_000,
    labels: ['queries/slow', 'database:shop'],
    tagHeader: 'cache-tag',
    vary: ['authorization', 'accept'],
  };

  test('sends the body with all that a cache needs', () => {
    expect(respond(answer)).toEqual({
      statusCode: 200,
      headers: {
        'cache-control': 'public, max-age=0, s-maxage=60, stale-while-revalidate=300, stale-if-error=300',
        'cache-tag': 'queries/slow,database:shop',
        'content-type': 'application/json',
        etag: etagOf(answer.body),
        vary: 'authorization, accept',
      },
      body: answer.body,
    });
  });

  test('does not send it to who has it, but says how long it is good from now on', () => {
    const full = respond(answer);
    const { 'content-type': _, ...rest } = full.headers;
    const known = respond({ ...answer, ifNoneMatch: `"old", W/${full.headers.etag}` });
    expect(known).toEqual({ statusCode: 304, headers: rest, body: '' });
  });

  test('sends it to who has another', () => {
    expect(respond({ ...answer, ifNoneMatch: etagOf('{"data":[1]}') })).toEqual(respond(answer));
  });

  test('has no tags where nobody looks for them, and none where nothing is kept', () => {
    expect(respond({ ...answer, tagHeader: undefined }).headers).not.toHaveProperty('cache-tag');
    expect(respond({ ...answer, labels: [] }).headers).not.toHaveProperty('cache-tag');
    const { headers } = respond({ ...answer, freshMs: 0, staleMs: 0, vary: undefined });
    expect(headers).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/json',
      etag: etagOf(answer.body),
    });
  });

  test('gives bytes back as the bytes that they are', () => {
    const body = Uint8Array.of(0, 255);
    expect(respond({ ...answer, body }).body).toBe(body);
  });

  test('refuses tags that CloudFront would lose', () => {
    const labels = Array.from({ length: 51 }, (_, number) => `t${number}`);
    expect(refusal(() => respond({ ...answer, labels }))).toBe('tag-invalid');
  });
});
