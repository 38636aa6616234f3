import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytes, count, milliseconds, shortened } from '../../../../lib/advice/format.ts';

test.each([
  [0, '0'],
  [999, '999'],
  [1_234_567, '1,234,567'],
  [0.4, '0'],
  [2.5, '3'],
])('%d is counted as %s', (value, written) => expect(count(value)).toBe(written));

test.each([
  [0, '0 bytes'],
  [1, '1 bytes'],
  [1023, '1,023 bytes'],
  [1024, '1 kB'],
  [1536, '1.5 kB'],
  [10 * 1024, '10 kB'],
  [128 * 1024, '128 kB'],
  [1024 ** 2, '1 MB'],
  [2.25 * 1024 ** 3, '2.3 GB'],
  [1024 ** 4, '1 TB'],
  [5000 * 1024 ** 4, '5,000 TB'],
])('%d bytes read %s', (value, written) => expect(bytes(value)).toBe(written));

test.each([
  [0, '0 ms'],
  [0.42, '0.42 ms'],
  [12, '12 ms'],
  [123.4, '123 ms'],
  [3_400, '3.4 s'],
  [306_000, '5.1 min'],
  [9_000_000, '2.5 h'],
])('%d ms read %s', (value, written) => expect(milliseconds(value)).toBe(written));

test('a size never reads as more than 1,024 of its unit, whatever it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1024 ** 5 - 1 }), (value) => {
      const [number = ''] = bytes(value).split(' ');
      expect(Number(number.replaceAll(',', ''))).toBeLessThanOrEqual(1024);
    }),
  );
});

test('a text is shortened to a line', () => {
  expect(shortened('select\n  1')).toBe('select 1');
  expect(shortened(`select ${'x'.repeat(200)}`)).toHaveLength(80);
  expect(shortened(`${'x'.repeat(78)}😀😀`)).toBe(`${'x'.repeat(78)}\ufffd…`);
});
