import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Sketch } from '../../../../../lib/queries/track/sketch.ts';

const sketchOf = (durations: readonly number[]) => {
  const sketch = new Sketch();
  for (const ms of durations) sketch.record(ms);
  return sketch;
};

/** The least of them that so large a share does not exceed. */
const exact = (durations: readonly number[], share: number) =>
  durations.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(share * durations.length)) - 1] ?? Number.NaN;

/** From a microsecond to three hours, each order of magnitude as often as the others. */
const duration = fc.double({ min: -3, max: 7, noNaN: true }).map((exponent) => 10 ** exponent);
const durations = fc.array(duration, { minLength: 1, maxLength: 300 });
const share = fc.oneof(fc.constantFrom(0.5, 0.95, 0.99, 1), fc.double({ min: 0.001, max: 1, noNaN: true }));

test('a percentile is off by 1 % at most, whatever was recorded', () => {
  fc.assert(
    fc.property(durations, share, (all, share) => {
      const is = sketchOf(all).percentile(share) ?? Number.NaN;
      expect(Math.abs(is / exact(all, share) - 1)).toBeLessThan(0.010_001);
    }),
    { numRuns: 1_000 },
  );
});

test('sketches that are added up are as one of everything', () => {
  fc.assert(
    fc.property(durations, durations, share, (one, other, share) => {
      const sum = sketchOf(one);
      sum.add(sketchOf(other));
      const both = sketchOf([...one, ...other]);
      expect(sum.percentile(share)).toBe(both.percentile(share));
      expect(sum.total).toBe(both.total);
    }),
  );
});

describe('what is too short or too long', () => {
  test.each([0, -1, 1e-9, 0.001])('%d ms is a microsecond', (ms) => {
    expect(sketchOf([ms]).percentile(0.5)).toBeCloseTo(0.001, 4);
  });

  test.each([1e8, Number.POSITIVE_INFINITY])('%d ms is some hours', (ms) => {
    expect(sketchOf([ms]).percentile(0.5)).toBeGreaterThan(9_900_000);
  });
});

test('nothing has no percentile', () => {
  expect(new Sketch().percentile(0.5)).toBeNull();
});
