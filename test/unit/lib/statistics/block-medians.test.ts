import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blockMedians } from '../../../../lib/statistics/block-medians.ts';

test('few points stay, in order', () => {
  expect(
    blockMedians(
      [
        { x: 3, y: 1 },
        { x: 1, y: 5 },
      ],
      10,
    ),
  ).toEqual([
    { x: 1, y: 5 },
    { x: 3, y: 1 },
  ]);
  expect(blockMedians([], 10)).toEqual([]);
});

test('neighbours become their median', () => {
  const points = [1, 2, 3, 4, 5, 6].map((x) => ({ x, y: x === 2 ? 1_000 : 10 * x }));
  expect(blockMedians(points, 2)).toEqual([
    { x: 2, y: 30 },
    { x: 5, y: 50 },
  ]);
});

test('points with the same x become one', () => {
  expect(
    blockMedians(
      [1, 2, 9].map((y) => ({ x: 7, y })),
      10,
    ),
  ).toEqual([{ x: 7, y: 2 }]);
});

test('there are never more than asked for, each x comes once, and a line stays a line', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 1_000 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      (xs, most) => {
        const blocks = blockMedians(
          xs.map((x) => ({ x, y: 2 * x + 1 })),
          most,
        );
        expect(blocks.length).toBe(Math.min(most, xs.length));
        expect(blocks.every(({ x, y }) => y === 2 * x + 1)).toBe(true);
        expect(blocks.map(({ x }) => x)).toEqual([...new Set(blocks.map(({ x }) => x))].sort((a, b) => a - b));
      },
    ),
  );
});
