/**
 * Two lines that meet in the middle of the x-axis, fitted by least squares: whether what grows goes on as it began.
 *
 * D. J. Hudson, "Fitting Segmented Curves Whose Join Points Have to be Estimated", Journal of the American Statistical
 * Association 61, 1966; here the place of the join is known, so that it is an ordinary linear model.
 */
import { studentUpperTail } from './student.ts';
import type { Point } from './theil-sen.ts';

/** The two lines. */
export interface BrokenLine {
  /** Slope of the first half of the x-axis. */
  early: number;
  /** Slope of the second half. */
  late: number;
  /** How many points there are beyond the three that the lines need. */
  degrees: number;
  /** The variances of the two slopes and their covariance. */
  variance: { early: number; late: number; both: number };
}

/** Fits the lines; undefined with fewer than four points, or when one half has too few. */
export function brokenLine(points: readonly Point[]): BrokenLine | undefined {
  const degrees = points.length - 3;
  const xs = points.map(({ x }) => x);
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  if (degrees < 1 || !(last > first)) return undefined;
  // In this unit the matrix is well conditioned whatever that of x is.
  const unit = (last - first) / 2;
  const rows = points.map(({ x }) => {
    const at = (x - first) / unit - 1;
    return { early: Math.min(0, at), late: Math.max(0, at) };
  });
  const means = { early: mean(rows.map(({ early }) => early)), late: mean(rows.map(({ late }) => late)) };
  const meanY = mean(points.map(({ y }) => y));
  const from = rows.map(({ early, late }) => ({ early: early - means.early, late: late - means.late }));
  const ys = points.map(({ y }) => y - meanY);
  const ee = sum(from.map(({ early }) => early * early));
  const ll = sum(from.map(({ late }) => late * late));
  const el = sum(from.map(({ early, late }) => early * late));
  const determinant = ee * ll - el * el;
  if (!(determinant > 1e-9)) return undefined;
  const ey = sum(from.map(({ early }, place) => early * (ys[place] ?? 0)));
  const ly = sum(from.map(({ late }, place) => late * (ys[place] ?? 0)));
  const early = (ll * ey - el * ly) / determinant;
  const late = (ee * ly - el * ey) / determinant;
  const residuals = from.map((row, place) => (ys[place] ?? 0) - early * row.early - late * row.late);
  const scale = sum(residuals.map((residual) => residual * residual)) / degrees / determinant / unit ** 2;
  return {
    early: early / unit,
    late: late / unit,
    degrees,
    variance: { early: ll * scale, late: ee * scale, both: -el * scale },
  };
}

/** How much each slope counts in a sum of both. */
export interface Weights {
  early: number;
  late: number;
}

/**
 * How likely a weighted sum of the slopes would look so large, or larger, if it were at most `most`: one-sided, by Student's t.
 *
 * @example chanceOf(line, { early: -1, late: 1 }, 0) // is the late slope the steeper one?
 */
export function chanceOf(line: BrokenLine, weights: Weights, most: number): number {
  const excess = weights.early * line.early + weights.late * line.late - most;
  const variance =
    weights.early ** 2 * line.variance.early +
    weights.late ** 2 * line.variance.late +
    2 * weights.early * weights.late * line.variance.both;
  // Points that lie on the lines leave nothing to chance.
  if (!(variance > 0)) return excess > 0 ? 0 : excess < 0 ? 1 : 0.5;
  return studentUpperTail(excess / Math.sqrt(variance), line.degrees);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
