import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Duration, milliseconds } from '../../../../lib/cache/duration.ts';

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

test('a number with a unit is so many of them', () => {
  const unit = fc.constantFrom(...(Object.keys(units) as Array<keyof typeof units>));
  fc.assert(
    fc.property(fc.nat(1e6), fc.nat(99), unit, (whole, hundredths, unit) => {
      const text = `${whole}.${String(hundredths).padStart(2, '0')}`;
      expect(milliseconds(`${whole}${unit}` as Duration, 'x')).toBe(whole * units[unit]);
      expect(milliseconds(`${text}${unit}` as Duration, 'x')).toBe(Number(text) * units[unit]);
    }),
  );
});

test('a number is milliseconds', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, noNaN: true }), (ms) => {
      expect(milliseconds(ms, 'x')).toBe(ms);
    }),
  );
});

test.each<[unknown]>([
  [-1],
  [Number.NaN],
  [''],
  ['1'],
  ['s'],
  ['1 s'],
  ['-1s'],
  ['1e3s'],
  ['1s '],
  ['1S'],
  ['.5s'],
  [undefined],
  [null],
  [true],
  [{}],
  [5n],
])('%s is refused, with the name of the option', (duration) => {
  expect(() => milliseconds(duration as Duration, 'maxLag')).toThrow(
    expect.objectContaining({ code: 'option-invalid', message: expect.stringContaining('maxLag') }),
  );
});
