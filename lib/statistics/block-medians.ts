import { median } from './median.ts';
import type { Point } from './theil-sen.ts';

/**
 * Fewer points that say the same: neighbours form blocks of equal size, and each block is the median of its points. What
 * neighbours have in common counts once then, and all pairs of points can be looked at. In the order of x, one point for each x.
 *
 * @param most so many blocks at most
 */
export function blockMedians(points: readonly Point[], most: number): Point[] {
  const single = [...Map.groupBy(points, ({ x }) => x).values()].map(middle).sort((a, b) => a.x - b.x);
  const blocks = Math.min(most, single.length);
  return Array.from({ length: blocks }, (_, block) =>
    middle(
      single.slice(Math.round((block * single.length) / blocks), Math.round(((block + 1) * single.length) / blocks)),
    ),
  );
}

function middle(points: readonly Point[]): Point {
  return { x: median(points.map(({ x }) => x)), y: median(points.map(({ y }) => y)) };
}
