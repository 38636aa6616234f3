import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { brokenLine, chanceOf } from '../../../../lib/statistics/broken-line.ts';

const overTime = (ys: readonly number[]) => ys.map((y, place) => ({ x: place + 1, y }));
const measured = overTime([1, 2.2, 2.9, 4.1, 5, 5.4, 6.1, 6.3, 7.2]);

/** numpy 2.4.6: numpy.linalg.lstsq of y on 1, min(0, x − 5) and max(0, x − 5); the probabilities by scipy 1.17.1, scipy.stats.t.sf. */
describe('numpy finds the same', () => {
  const line = brokenLine(measured);

  test('slopes and variances', () => {
    expect(line?.early).toBeCloseTo(0.9738095238095227, 10);
    expect(line?.late).toBeCloseTo(0.5195238095238099, 10);
    expect(line?.degrees).toBe(6);
    expect(line?.variance.early).toBeCloseTo(0.0019801209372637975, 12);
    expect(line?.variance.late).toBeCloseTo(0.001980120937263797, 12);
    expect(line?.variance.both).toBeCloseTo(-0.0011647770219198807, 12);
  });

  test('chances', () => {
    if (!line) throw new Error('There is a line.');
    expect(chanceOf(line, { early: 1, late: -1 }, 0)).toBeCloseTo(0.0006142527423133929, 10);
    expect(chanceOf(line, { early: -0.5, late: 1 }, 0)).toBeCloseTo(0.3041059014692686, 10);
  });
});

test('of points on two lines the slopes are certain', () => {
  const line = brokenLine(overTime([0, 2, 4, 6, 8, 9, 10, 11, 12]));
  if (!line) throw new Error('There is a line.');
  expect(line.early).toBeCloseTo(2, 9);
  expect(line.late).toBeCloseTo(1, 9);
  expect(chanceOf(line, { early: 0, late: 1 }, 0.5)).toBeLessThan(1e-9);
  expect(chanceOf(line, { early: 0, late: 1 }, 1.5)).toBeGreaterThan(1 - 1e-9);
});

test('of points at rest nothing is more likely than its opposite', () => {
  const line = brokenLine(overTime([3, 3, 3, 3, 3]));
  expect(line).toMatchObject({ early: 0, late: 0 });
  expect(line && chanceOf(line, { early: 0, late: 1 }, 0)).toBe(0.5);
});

test.each([[[]], [[1, 2, 3]]])('%j are too few', (ys) => {
  expect(brokenLine(overTime(ys))).toBeUndefined();
});

test('points in one place, or all at the two ends, fix no line', () => {
  expect(brokenLine([1, 1, 1, 1].map((x) => ({ x, y: 1 })))).toBeUndefined();
  expect(brokenLine([1, 1, 2, 2].map((x, y) => ({ x, y })))).toBeUndefined();
});

test('units do not matter: bytes over millions of invocations are judged as any', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 5, maxLength: 20 }),
      fc.constantFrom(1e-6, 1, 1e6),
      fc.constantFrom(1e-3, 1, 1e9),
      (ys, unitOfX, unitOfY) => {
        const [plain, scaled] = [
          brokenLine(overTime(ys)),
          brokenLine(overTime(ys).map(({ x, y }) => ({ x: x * unitOfX, y: y * unitOfY }))),
        ];
        if (!plain || !scaled) throw new Error('There is a line.');
        expect((scaled.late * unitOfX) / unitOfY).toBeCloseTo(plain.late, 6);
        const weights = { early: -0.5, late: 1 };
        if (plain.variance.late > 1e-9)
          expect(chanceOf(scaled, weights, 0)).toBeCloseTo(chanceOf(plain, weights, 0), 6);
      },
    ),
  );
});
