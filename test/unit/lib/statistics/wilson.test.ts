import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareInterval } from '../../../../lib/statistics/wilson.ts';

/** scipy 1.17.1: scipy.stats.binomtest(hits, trials).proportion_ci(confidence, method='wilson'). */
test.each([
  [3, 20, 0.95, 0.05236874589621662, 0.3604188647407569],
  [0, 100, 0.95, 0, 0.03699349820698568],
  [96, 96, 0.95, 0.9615244121423243, 1],
  [7, 9, 0.9, 0.503642782376754, 0.9235052624456035],
])('%d of %d', (hits, trials, confidence, low, high) => {
  const [from, to] = shareInterval(hits, trials, confidence);
  expect(from).toBeCloseTo(low, 12);
  expect(to).toBeCloseTo(high, 12);
});

test('without trials the share may be anything', () => {
  expect(shareInterval(0, 0)).toEqual([0, 1]);
});

test('the share lies in its interval, and what is left of it is the mirror image', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (trials, part) => {
      const hits = Math.round(part * trials);
      const [low, high] = shareInterval(hits, trials);
      expect(low).toBeLessThanOrEqual(hits / trials);
      expect(high).toBeGreaterThanOrEqual(hits / trials);
      const [rest, most] = shareInterval(trials - hits, trials);
      expect(rest).toBeCloseTo(1 - high, 9);
      expect(most).toBeCloseTo(1 - low, 9);
    }),
  );
});
