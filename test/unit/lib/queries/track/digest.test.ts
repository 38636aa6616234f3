import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOfText, digestOfValues } from '../../../../../lib/queries/track/digest.ts';

test('a hundred thousand texts that are alike have as many digests', () => {
  const texts = Array.from({ length: 100_000 }, (_, i) => `select * from orders where id = ${i}`);
  expect(new Set(texts.map(digestOfText)).size).toBe(texts.length);
});

test('a digest is a number that is exact', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(Number.isSafeInteger(digestOfText(text))).toBe(true);
      expect(digestOfText(text)).toBe(digestOfText(text.slice(0)));
    }),
  );
});

const parameter = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string()));

test('values have the same digest when their texts are the same, and else another', () => {
  fc.assert(
    fc.property(fc.array(parameter), fc.array(parameter), (one, other) => {
      const written = (values: unknown[]) =>
        JSON.stringify(values, (_, value) => (Array.isArray(value) || value === null ? value : String(value)));
      expect(digestOfValues(one) === digestOfValues(other)).toBe(written(one) === written(other));
      expect(digestOfValues(one)).toBe(digestOfValues(structuredClone(one)));
    }),
    { numRuns: 1_000 },
  );
});

test('what values are with depends on the other digest', () => {
  expect(digestOfValues([1], 5)).not.toBe(digestOfValues([1], 6));
});

test('anything at all has one, however long and deep it is', () => {
  const deep: unknown[] = [];
  deep.push(deep);
  fc.assert(fc.property(fc.array(fc.anything()), (values) => Number.isSafeInteger(digestOfValues(values))));
  for (const value of [deep, Symbol('x'), () => {}, 5n, Number.NaN, new Array(1_000_000), Object.create(null)]) {
    expect(Number.isSafeInteger(digestOfValues([value]))).toBe(true);
  }
});
