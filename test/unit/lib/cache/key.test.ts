import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CacheError } from '../../../../lib/cache/errors.ts';
import { checkKey, checkTags, maxKeyBytes, maxTags, textOf } from '../../../../lib/cache/key.ts';

/** The code of the CacheError that is thrown; any other error is thrown on. */
function refusal(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof CacheError) return error.code;
    throw error;
  }
  return undefined;
}

/** Whatever JSON can say, with -0 as 0. */
const plain = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)));

describe('the text of an identifier', () => {
  test('is the same whatever the order of properties', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, item]) => [name, shuffled(item)]),
      );
    };
    fc.assert(
      fc.property(plain, (id) => {
        expect(textOf(shuffled(id))).toBe(textOf(id));
      }),
    );
  });

  test('differs where identifiers differ', () => {
    fc.assert(
      fc.property(plain, plain, (one, other) => {
        if (typeof one === 'string' || typeof other === 'string') return;
        let isSame = true;
        try {
          expect(one).toStrictEqual(other);
        } catch {
          isSame = false;
        }
        expect(textOf(one) === textOf(other)).toBe(isSame);
      }),
      { numRuns: 500 },
    );
  });

  test('reads back as the identifier', () => {
    fc.assert(
      fc.property(plain, (id) => {
        if (typeof id !== 'string') expect(JSON.parse(textOf(id))).toStrictEqual(id);
      }),
    );
  });

  test.each<[string, unknown, unknown]>([
    ['maps', new Map([['a', 1]]), new Map([['a', 2]])],
    ['sets', new Set(['a']), new Set(['b'])],
    ['regular expressions', /a/, /b/],
    ['not a number, and nothing', Number.NaN, null],
    ['infinities', [Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY]],
    ['holes, and nothing', [undefined], [null]],
    ['functions in objects', { a: () => 1 }, {}],
  ])('%s: is refused, or differs where they differ', (_, one, other) => {
    const texts = [one, other].map((id) => {
      try {
        return textOf(id);
      } catch (error) {
        expect(error).toMatchObject({ code: 'key-invalid' });
        return Symbol('refused');
      }
    });
    expect(texts[0]).not.toBe(texts[1]);
  });

  test('properties that are undefined do not count', () => {
    expect(textOf({ a: 1, b: undefined })).toBe(textOf({ a: 1 }));
  });

  test('there is none for what has no text: that is refused in the words of the cache', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const id of [undefined, () => 1, Symbol('a'), cycle, { page: 5n }]) {
      expect(
        refusal(() => textOf(id)),
        String(id),
      ).toBe('key-invalid');
    }
    expect(textOf(5n)).toBe('5');
  });
});

describe('limits', () => {
  test('are of bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 1_100, size: 'max' }), (key) => {
        const isFine = Buffer.byteLength(key) <= maxKeyBytes && key.isWellFormed();
        expect(refusal(() => checkKey(key))).toBe(isFine ? undefined : 'key-invalid');
        expect(refusal(() => checkTags([key]))).toBe(isFine ? undefined : 'tag-invalid');
      }),
    );
  });

  test('at their edges', () => {
    for (const unit of ['a', 'é', '€', '🙂']) {
      const most = unit.repeat(Math.floor(maxKeyBytes / Buffer.byteLength(unit)));
      expect(checkKey(most)).toBe(most);
      expect(refusal(() => checkKey(most + unit))).toBe('key-invalid');
    }
    expect(refusal(() => checkKey(''))).toBe('key-invalid');
    expect(refusal(() => checkTags(Array(maxTags).fill('a')))).toBe(undefined);
    expect(refusal(() => checkTags(Array(maxTags + 1).fill('a')))).toBe('tag-invalid');
    expect(refusal(() => checkTags('a' as never))).toBe('tag-invalid');
    expect(refusal(() => checkTags([5 as never]))).toBe('tag-invalid');
  });
});
