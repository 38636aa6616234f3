import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalUpperTail } from '../../../../lib/statistics/normal.ts';
import { normalQuantile, normalUpperQuantile } from '../../../../lib/statistics/normal-quantile.ts';

/** scipy 1.17.1: scipy.stats.norm.ppf. The first two are those by which AS 241 itself is checked, for 0.25 and 0.001. */
test.each([
  [0.25, -0.6744897501960817],
  [0.001, -3.090232306167813],
  [1e-300, -37.0470962993612],
  [1e-20, -9.262340089798409],
  [1e-10, -6.361340902404056],
  [0.01, -2.3263478740408408],
  [0.025, -1.9599639845400545],
  [0.07, -1.4757910281791706],
  [0.3, -0.5244005127080409],
  [0.6, 0.2533471031357997],
  [0.925, 1.4395314709384563],
  [0.975, 1.959963984540054],
  [0.999, 3.090232306167813],
])('%d of the values are below %d', (probability, z) => {
  expect(normalQuantile(probability) / z).toBeCloseTo(1, 14);
});

test('the ends', () => {
  expect(normalQuantile(0.5)).toBe(0);
  expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
  expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
  for (const nonsense of [-0.1, 1.1, Number.NaN]) expect(normalQuantile(nonsense)).toBeNaN();
});

test('it undoes the tail', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-300, max: 0.999, noNaN: true }), (probability) => {
      expect(normalUpperTail(normalUpperQuantile(probability)) / probability).toBeCloseTo(1, 10);
    }),
  );
});
