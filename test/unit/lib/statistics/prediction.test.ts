import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lastPoint } from '../../../../lib/statistics/prediction.ts';

const overTime = (ys: readonly number[]) => ys.map((y, place) => ({ x: place + 1, y }));

/** numpy 2.4.6 and scipy 1.17.1: the line of the first eight by numpy.linalg.lstsq, the chance by scipy.stats.t.sf. */
test('numpy finds the same', () => {
  const found = lastPoint(overTime([1, 2.2, 2.9, 4.1, 5, 5.4, 6.1, 6.3, 7.2]));
  expect(found?.shortfall).toBeCloseTo(0.4071428571428539, 12);
  expect(found?.p).toBeCloseTo(0.21263668853524406, 12);
});

test('what stops surprises, and what goes on does not', () => {
  expect(lastPoint(overTime([1, 2.1, 3, 3.9, 5, 6, 7, 7]))?.p).toBeLessThan(0.001);
  expect(lastPoint(overTime([1, 2.1, 3, 3.9, 5, 6, 7, 8]))?.p).toBeGreaterThan(0.4);
});

test('of points on a line the last one is certain', () => {
  expect(lastPoint(overTime([1, 2, 3, 4]))).toEqual({ shortfall: 0, p: 0.5 });
  expect(lastPoint(overTime([1, 2, 3, 3]))).toEqual({ shortfall: 1, p: 0 });
  expect(lastPoint(overTime([1, 2, 3, 5]))).toEqual({ shortfall: -1, p: 1 });
});

test('three points, or others in one place, predict nothing', () => {
  expect(lastPoint(overTime([1, 2, 3]))).toBeUndefined();
  expect(lastPoint([1, 1, 1, 2].map((x) => ({ x, y: 1 })))).toBeUndefined();
});

test('a line that is added changes nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 4, maxLength: 20 }),
      fc.integer({ min: -9, max: 9 }),
      (ys, slope) => {
        const [plain, tilted] = [lastPoint(overTime(ys)), lastPoint(overTime(ys.map((y, x) => y + slope * x)))];
        expect(tilted?.shortfall).toBeCloseTo(plain?.shortfall ?? 0, 7);
      },
    ),
  );
});
