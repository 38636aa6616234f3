/** Whether something rises or falls from one invocation to the next, how fast, and when it reaches a limit. */
import * as z from 'zod';
import { blockMedians } from '../statistics/block-medians.ts';
import { brokenLine } from '../statistics/broken-line.ts';
import { mannKendall } from '../statistics/mann-kendall.ts';
import { varianceInflation } from '../statistics/serial-correlation.ts';
import { type Line, type Point, theilSen } from '../statistics/theil-sen.ts';

/** Differences that are smaller than this share of the values' spread are none. */
const rounding = 1e-9;

/** What counts as a trend. */
export const TrendOptions = z.strictObject({
  /** How likely a trend may be to be mere chance: a two-sided p-value, half of it for each direction. */
  significance: z.number().positive().max(1).default(0.02),
  /** A slope that is flatter than this is no trend, in units of y for each unit of x. */
  minSlope: z.number().nonnegative().default(0),
  /** With fewer points there is no verdict. */
  minPoints: z.int().min(4).default(8),
  /** Of the interval of the slope, and of the forecast. */
  confidence: z.number().positive().lt(1).default(0.95),
  /** More points than this are brought together in blocks: all pairs are looked at. */
  maxPoints: z.int().min(4).default(200),
  /** The forecast says when y reaches this. */
  limit: z.number().optional(),
});
export type TrendOptions = z.infer<typeof TrendOptions>;

/** When a trend reaches a limit, if it goes on. */
export const Forecast = z.strictObject({
  limit: z.number(),
  x: z.number(),
  /** By the interval of the slope: the earliest, and the latest; null when it may never be. */
  interval: z.tuple([z.number(), z.number().nullable()]),
});
export type Forecast = z.infer<typeof Forecast>;

/** The outcome. Slopes in units of y for each unit of x; 0 where there are too few points. */
export const Trend = z.strictObject({
  verdict: z.enum(['rising', 'falling', 'flat', 'insufficient-data']),
  slope: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  /** How likely so much of a trend would be if there were none: two-sided. */
  p: z.number(),
  /** How many points there are. */
  n: z.number(),
  /** Only for a trend that leads to the limit. */
  forecast: Forecast.optional(),
});
export type Trend = z.infer<typeof Trend>;

/**
 * Finds the trend of points: Mann–Kendall says whether there is one, corrected for serial correlation (Hamed and Rao, Yue and Wang), and
 * Theil–Sen how steep it is. Points without finite coordinates are left out; of several with the same x the median counts.
 *
 * @example trendOf(samples.map(({ invocation, rssBytes }) => ({ x: invocation, y: rssBytes })), { limit: 512 * 2 ** 20 })
 */
export function trendOf(points: readonly Point[], options: z.input<typeof TrendOptions> = {}): Trend {
  const { significance, minSlope, minPoints, confidence, maxPoints, limit } = TrendOptions.parse(options);
  const finite = points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  const judged = blockMedians(finite, maxPoints);
  const n = finite.length;
  const plain = judged.length < minPoints ? undefined : theilSen(judged, confidence);
  if (!plain) return { verdict: 'insufficient-data', slope: 0, interval: [0, 0], p: 1, n };
  const ys = judged.map(({ y }) => y);
  const inflation = varianceInflation(residuals(judged));
  const { p } = mannKendall(ys, 'either', inflation);
  const line = inflation === 1 ? plain : (theilSen(judged, confidence, inflation) ?? plain);
  const isTrend = p < significance && Math.abs(line.slope) >= minSlope && line.slope !== 0;
  const verdict = !isTrend ? 'flat' : line.slope > 0 ? 'rising' : 'falling';
  const forecast = isTrend && limit !== undefined ? forecastOf(line, judged, limit) : undefined;
  return { verdict, slope: line.slope, interval: [...line.interval], p, n, ...(forecast && { forecast }) };
}

/** The points less their trend, which may bend once: what is left of a curve looks like values that wander. */
function residuals(points: readonly Point[]): number[] {
  const line = brokenLine(points);
  const middle = ((points[0]?.x ?? 0) + (points.at(-1)?.x ?? 0)) / 2;
  const rest = points.map(({ x, y }) => y - (line ? (x < middle ? line.early : line.late) : 0) * (x - middle));
  const spread = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
  // What is left of points on a line is what the computer rounds.
  return spread(rest) <= rounding * spread(points.map(({ y }) => y)) ? rest.map(() => 0) : rest;
}

/** Goes on along the line from the last point; undefined when it leads away from the limit, or is beyond it. */
function forecastOf(
  { slope, intercept, interval }: Line,
  points: readonly Point[],
  limit: number,
): Forecast | undefined {
  const from = points.at(-1)?.x ?? 0;
  const missing = limit - (intercept + slope * from);
  if (missing === 0 || Math.sign(missing) !== Math.sign(slope)) return undefined;
  const [flattest, steepest] = slope > 0 ? interval : [interval[1], interval[0]];
  const reach = (by: number) => from + missing / by;
  return { limit, x: reach(slope), interval: [reach(steepest), flattest * slope > 0 ? reach(flattest) : null] };
}
