/**
 * Whether the last point goes on where the others lead to: the prediction interval of a line that is fitted to the others by
 * least squares. N. R. Draper, H. Smith, "Applied Regression Analysis", 3rd edition, 1998, section 3.1.
 */
import { studentUpperTail } from './student.ts';
import type { Point } from './theil-sen.ts';

/** What was expected of the last point. */
export interface Prediction {
  /** By how much it is below the line of the others. */
  shortfall: number;
  /** How likely it would be so far below, or further, if it belonged to them: one-sided, by Student's t. */
  p: number;
}

/** Compares the last point to the others; undefined with fewer than four points, or when the others have but one x. */
export function lastPoint(points: readonly Point[]): Prediction | undefined {
  const last = points.at(-1);
  const others = points.slice(0, -1);
  const n = others.length;
  if (!last || n < 3) return undefined;
  const middle = { x: sum(others.map(({ x }) => x)) / n, y: sum(others.map(({ y }) => y)) / n };
  const spread = sum(others.map(({ x }) => (x - middle.x) ** 2));
  if (!(spread > 0)) return undefined;
  const slope = sum(others.map(({ x, y }) => (x - middle.x) * (y - middle.y))) / spread;
  const yAt = (x: number) => middle.y + slope * (x - middle.x);
  const shortfall = yAt(last.x) - last.y;
  const variance = sum(others.map(({ x, y }) => (y - yAt(x)) ** 2)) / (n - 2);
  const deviation = Math.sqrt(variance * (1 + 1 / n + (last.x - middle.x) ** 2 / spread));
  if (deviation === 0) return { shortfall, p: shortfall > 0 ? 0 : shortfall < 0 ? 1 : 0.5 };
  return { shortfall, p: studentUpperTail(shortfall / deviation, n - 2) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
