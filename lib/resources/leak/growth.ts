/** Whether something grows on and on. What else grows is a cache, a pool or a burst: it slows down, or comes in jumps. */
import { blockMedians } from '../../statistics/block-medians.ts';
import { brokenLine, chanceOf } from '../../statistics/broken-line.ts';
import { mannKendall } from '../../statistics/mann-kendall.ts';
import { lastPoint } from '../../statistics/prediction.ts';
import { studentUpperTail } from '../../statistics/student.ts';
import { type Point, theilSen } from '../../statistics/theil-sen.ts';
import type { LeakOptions } from './options.ts';
import type { Growth } from './verdict.ts';

/** The measures of a growth, before they are judged. */
export type Measures = Omit<Growth, 'verdict' | 'reason'>;

/** What of the options says how sure a verdict must be. */
type Thresholds = Pick<LeakOptions, 'minFloors' | 'significance'>;

/** More points are brought together: beyond this, neighbours say the same. */
const maxPoints = 60;

/** So many points are looked at step by step: the fewer, the less of a step is noise. */
const maxSteps = 12;

/** A growth whose second half might be less than this share of the first one has perhaps come to rest. */
const lastingShare = 0.6;

/** How sure it must be that it has not. */
const lastingSignificance = 0.1;

/** How sure it must be that the second half does not grow. */
const restSignificance = 0.05;

/** Slower by this share of the growth, and by the least growth that counts: that much a program does while it warms up. */
const slowerShare = 0.1;

/** How sure it must be that it is slower. */
const slowerSignificance = 0.02;

/** How sure it must be that the steps do not go up by chance. */
const wanderingSignificance = 0.01;

/** Growth is ruled out when it is surely below so many times the least that counts. */
const ruledOut = 10;

/**
 * Measures how something grows.
 *
 * @param points after the warm-up, in the order of the invocations
 * @param least growth in an invocation that counts
 */
export function measure(points: readonly Point[], least: number): Measures {
  const judged = blockMedians(points, maxPoints);
  const blocks = blockMedians(points, maxSteps);
  const { slope = 0, interval = [0, 0] } = theilSen(judged) ?? {};
  const line = brokenLine(judged);
  return {
    perInvocation: slope,
    interval: [...interval],
    p: mannKendall(judged.map(({ y }) => y)).p,
    n: points.length,
    from: judged[0]?.x ?? 0,
    to: judged.at(-1)?.x ?? 0,
    grown: (judged.at(-1)?.y ?? 0) - (judged[0]?.y ?? 0),
    early: line?.early ?? 0,
    late: line?.late ?? 0,
    pStopped: line ? chanceOf(line, { early: -lastingShare, late: 1 }, 0) : 1,
    pSlower: line ? chanceOf(line, { early: 1, late: -1 }, 0) : 1,
    pResting: line ? chanceOf(line, { early: 0, late: -1 }, -least) : 1,
    ...lastStepOf(blocks, slope),
    pWandering: chanceOfWandering(stepsBetween(blocks)),
  };
}

/** Measures how something grows, and judges it. The parameters are those of {@link measure}. */
export function judgeGrowth(points: readonly Point[], least: number, options: LeakOptions): Growth {
  return judge(measure(points, least), least, options);
}

/** Judges measures: those of an environment, or of several together. */
export function judge(measures: Measures, least: number, { minFloors, significance }: Thresholds): Growth {
  return { ...outcomeOf(measures, least, minFloors, significance), ...measures };
}

function outcomeOf(
  measures: Measures,
  least: number,
  minFloors: number,
  significance: number,
): Pick<Growth, 'verdict' | 'reason'> {
  const { perInvocation, interval, p, n, pResting, pWandering } = measures;
  if (n < minFloors) return { verdict: 'insufficient-data', reason: 'too-few' };
  const isRising = p < significance && perInvocation >= least;
  if (!isRising && interval[1] < ruledOut * least) return { verdict: 'healthy', reason: 'flat' };
  if (pResting < restSignificance) return { verdict: 'healthy', reason: 'levelled-off' };
  if (!isRising) return { verdict: 'insufficient-data', reason: 'unclear' };
  if (isSlowingDown(measures, least)) return { verdict: 'suspect', reason: 'slowing-down' };
  if (pWandering >= wanderingSignificance) return { verdict: 'suspect', reason: 'uneven' };
  return { verdict: 'leak', reason: 'steady' };
}

/** Whether the growth is surely slower than it was, may have stopped in the second half, or has stopped just now. */
function isSlowingDown(
  { perInvocation, early, late, pStopped, pSlower, lastShare, pLast }: Measures,
  least: number,
): boolean {
  const isSlower = early - late > least + slowerShare * perInvocation && pSlower < slowerSignificance;
  const hasJustStopped = lastShare < lastingShare && pLast < slowerSignificance;
  return isSlower || hasJustStopped || pStopped >= lastingSignificance;
}

/** What the last step has brought of what it should have. */
function lastStepOf(points: readonly Point[], slope: number): Pick<Measures, 'lastShare' | 'pLast'> {
  const last = lastPoint(points);
  const [from, to] = points.slice(-2);
  const expected = from && to ? slope * (to.x - from.x) : 0;
  return last && expected > 0
    ? { lastShare: 1 - last.shortfall / expected, pLast: last.p }
    : { lastShare: 1, pLast: 1 };
}

/** How much more there is from one point to the next, for each unit of x. */
function stepsBetween(points: readonly Point[]): number[] {
  return points.slice(1).map(({ x, y }, place) => {
    const from = points[place] ?? { x, y };
    return (y - from.y) / (x - from.x);
  });
}

/** Student's t test of whether the steps are 0 on average. Unlike points, the steps of what wanders do not depend on each other. */
function chanceOfWandering(steps: readonly number[]): number {
  const degrees = steps.length - 1;
  const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  const variance = steps.reduce((sum, step) => sum + (step - mean) ** 2, 0) / degrees;
  if (degrees < 1) return 1;
  if (variance === 0) return mean > 0 ? 0 : 1;
  return studentUpperTail(mean / Math.sqrt(variance / steps.length), degrees);
}
