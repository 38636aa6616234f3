import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalUpperTail } from '../../../../lib/statistics/normal.ts';
import { studentUpperTail } from '../../../../lib/statistics/student.ts';

/** scipy 1.17.1: scipy.stats.t.sf. */
test.each([
  [-2.5, 1, 0.8788810584091566],
  [4.3, 1, 0.07273273924637137],
  [0.7, 2, 0.2781965123164327],
  [4.3, 2, 0.025028577058545796],
  [2, 3, 0.06966298427942152],
  [4.3, 4, 0.006322809467551319],
  [-2.5, 5, 0.9727549503288119],
  [2, 7, 0.042809664281488025],
  [4.3, 10, 0.0007807200462776836],
  [0.7, 30, 0.24466022174983582],
  [4.3, 101, 0.00001973549566973398],
])('the tail above %d with %d degrees of freedom is %d', (t, degrees, probability) => {
  expect(studentUpperTail(t, degrees)).toBeCloseTo(probability, 13);
});

/** The table of every textbook: 5 % are above it. */
test.each([
  [6.314, 1],
  [2.92, 2],
  [1.943, 6],
  [1.697, 30],
])('above %d with %d degrees of freedom it is 0.05', (t, degrees) => {
  expect(studentUpperTail(t, degrees)).toBeCloseTo(0.05, 4);
});

test('without degrees of freedom there is no distribution', () => {
  expect(studentUpperTail(1, 0)).toBeNaN();
  expect(studentUpperTail(1, Number.NaN)).toBeNaN();
});

test('infinity leaves nothing above it', () => {
  expect(studentUpperTail(Number.POSITIVE_INFINITY, 5)).toBeCloseTo(0, 14);
  expect(studentUpperTail(Number.NEGATIVE_INFINITY, 5)).toBeCloseTo(1, 14);
});

test('it is symmetric, falls, and becomes normal', () => {
  fc.assert(
    fc.property(fc.double({ min: -9, max: 9, noNaN: true }), fc.integer({ min: 1, max: 200 }), (t, degrees) => {
      expect(studentUpperTail(t, degrees) + studentUpperTail(-t, degrees)).toBeCloseTo(1, 12);
      expect(studentUpperTail(t, degrees)).toBeGreaterThan(studentUpperTail(t + 0.1, degrees) - 1e-13);
      expect(studentUpperTail(t, 20_000)).toBeCloseTo(normalUpperTail(t), 3);
    }),
  );
});
