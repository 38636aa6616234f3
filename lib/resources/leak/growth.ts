/** Whether something grows on and on. What else grows is a cache, a pool or a burst: it slows down, or comes in jumps. */
import { blockMedians } from '../../statistics/block-medians.ts';
import { brokenLine, chanceOf } from '../../statistics/broken-line.ts';
import { mannKendall } from '../../statistics/mann-kendall.ts';
import { lastPoint } from '../../statistics/prediction.ts';
import { differenceTail, meanTail } from '../../statistics/t-test.ts';
import { type Point, theilSen } from '../../statistics/theil-sen.ts';
import type { LeakOptions } from './options.ts';
import type { Growth } from './verdict.ts';

/** The measures of a growth, before they are judged. */
export type Measures = Omit<Growth, 'verdict' | 'reason'>;

/** What grows: memory, which is measured with some noise, or a number of things, which is exact. */
export type Kind = 'memory' | 'things';

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

/** How sure it must be that it is slower, by the points. */
const slowerSignificance = 0.02;

/** And how sure by the steps. Those of memory have its noise in them. */
const slowerSteps = { memory: 0.1, things: 0.02 } as const;

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
  const steps = stepsBetween(blocks);
  const half = Math.floor(steps.length / 2);
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
    pSlowerSteps: differenceTail(steps.slice(0, half), steps.slice(-half)),
    pResting: line ? chanceOf(line, { early: 0, late: -1 }, -least) : 1,
    ...lastStepOf(blocks, slope),
    pLastStep: differenceTail(steps.slice(0, -1), steps.slice(-1)),
    pWandering: meanTail(steps),
  };
}

/** Measures how something grows, and judges it. The parameters are those of {@link measure}. */
export function judgeGrowth(points: readonly Point[], least: number, options: LeakOptions, kind: Kind): Growth {
  return judge(measure(points, least), least, options, kind);
}

/** Judges measures: those of an environment, or of several together. */
export function judge(measures: Measures, least: number, thresholds: Thresholds, kind: Kind): Growth {
  return { ...outcomeOf(measures, least, thresholds, kind), ...measures };
}

function outcomeOf(
  measures: Measures,
  least: number,
  { minFloors, significance }: Thresholds,
  kind: Kind,
): Pick<Growth, 'verdict' | 'reason'> {
  const { perInvocation, interval, p, n, pResting, pWandering } = measures;
  if (n < minFloors) return { verdict: 'insufficient-data', reason: 'too-few' };
  const isRising = p < significance && perInvocation >= least;
  if (!isRising && interval[1] < ruledOut * least) return { verdict: 'healthy', reason: 'flat' };
  if (pResting < restSignificance) return { verdict: 'healthy', reason: 'levelled-off' };
  if (!isRising) return { verdict: 'insufficient-data', reason: 'unclear' };
  if (isSlowingDown(measures, least, slowerSteps[kind])) return { verdict: 'suspect', reason: 'slowing-down' };
  if (pWandering >= wanderingSignificance) return { verdict: 'suspect', reason: 'uneven' };
  return { verdict: 'leak', reason: 'steady' };
}

/**
 * Whether the growth is surely slower than it was, may have stopped in the second half, or has stopped just now. Where pieces come
 * by chance, points lean on those before them, and their line looks surer than it is: the steps have to say so, too.
 */
function isSlowingDown(measures: Measures, least: number, stepSignificance: number): boolean {
  const { perInvocation, early, late, pStopped, pSlower, pSlowerSteps, lastShare, pLast, pLastStep } = measures;
  const isSurely = (points: number, steps: number) => points < slowerSignificance && steps < stepSignificance;
  const isSlower = early - late > least + slowerShare * perInvocation && isSurely(pSlower, pSlowerSteps);
  const hasJustStopped = lastShare < lastingShare && isSurely(pLast, pLastStep);
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

/** How much more there is from one point to the next, for each unit of x. Unlike points, the steps of what wanders do not depend on each other. */
function stepsBetween(points: readonly Point[]): number[] {
  return points.slice(1).map(({ x, y }, place) => {
    const from = points[place] ?? { x, y };
    return (y - from.y) / (x - from.x);
  });
}
