import { expect, test } from 'vitest';
import { normalDensity, normalUpperTail } from '../../../../lib/statistics/normal.ts';

/** scipy 1.17.1: scipy.stats.norm.sf. */
test.each([
  [-8, 0.9999999999999993],
  [-3.2, 0.9993128620620841],
  [-1, 0.8413447460685429],
  [0, 0.5],
  [0.1, 0.460172162722971],
  [1.96, 0.024997895148220435],
  [2.999, 0.0013543365337271057],
  [3, 0.0013498980316300933],
  [3.001, 0.0013454728250849653],
  [5, 2.866515718791933e-7],
  [12, 1.776482112077653e-33],
  [37, 5.7255712225239266e-300],
])('the tail above %d is %d', (z, probability) => {
  expect(normalUpperTail(z) / probability).toBeCloseTo(1, 12);
});

test('the density is that of the tables', () => {
  expect(normalDensity(0)).toBeCloseTo(0.3989422804, 10);
  expect(normalDensity(-2)).toBeCloseTo(0.0539909665, 10);
});
