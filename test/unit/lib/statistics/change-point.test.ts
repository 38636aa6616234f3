import { describe, expect, test } from 'vitest';
import { riseIn } from '../../../../lib/statistics/change-point.ts';
import { noise } from '../../noise.ts';

describe('a rise', () => {
  test.each([
    [100, 12],
    [100, 50],
    [100, 96],
    [20, 15],
  ])('of %d values is found where it is, at %d or close by', (length, at) => {
    const random = noise(length + at);
    const values = Array.from({ length }, (_, place) => random() + (place >= at ? 2 : 0));
    const found = riseIn(values, 10, 4);
    // A high value just before a rise may seem to belong to it.
    expect(Math.abs((found?.at ?? 0) - at)).toBeLessThanOrEqual(2);
    expect(found?.p).toBeLessThan(0.01);
  });

  test('is not found in a fall, nor in what never changes', () => {
    const random = noise(1);
    const falling = Array.from({ length: 60 }, (_, place) => random() - (place >= 30 ? 2 : 0));
    expect(riseIn(falling, 10, 4)?.p ?? 1).toBeGreaterThan(0.5);
    expect(riseIn(new Array(60).fill(1), 10, 4)).toBeUndefined();
  });

  test('is not looked for in a series that is too short', () => {
    expect(riseIn([1, 2, 3], 2, 2)).toBeUndefined();
    expect(riseIn([], 1, 1)).toBeUndefined();
    expect(riseIn([1, 2, 3, 4], 2, 2)?.at).toBe(2);
  });

  test('is not made of the highest values of a series that had high ones before', () => {
    const values = Array.from({ length: 80 }, (_, place) => (place % 8 < 4 ? 1 : 5));
    expect(riseIn(values, 12, 4)?.p).toBeGreaterThan(0.01);
  });
});

test.each([20, 60, 200])('without a rise, p is small no more often than it says, in %d values', (length) => {
  const random = noise(length);
  const runs = 2_000;
  let found = 0;
  for (let run = 0; run < runs; run++) {
    const values = Array.from({ length }, random);
    if ((riseIn(values, 12, 4)?.p ?? 1) <= 0.05) found++;
  }
  expect(found / runs).toBeLessThan(0.05);
  expect(found / runs).toBeGreaterThan(0.005);
});
