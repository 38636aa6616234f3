/** What several environments say together. */
import { median } from '../../statistics/median.ts';
import { medianInterval } from '../../statistics/median-interval.ts';
import { normalUpperTail } from '../../statistics/normal.ts';
import { normalUpperQuantile } from '../../statistics/normal-quantile.ts';
import { stouffer } from '../../statistics/stouffer.ts';
import type { Measures } from '../leak/growth.ts';

/** A single environment is never surer than this. */
const surest = 1e-12;

/**
 * Brings the measures of environments together: their p-values by Stouffer's method, weighted by the square root of the number of
 * points, and of all else the median. `n` counts environments then, `interval` is that of the median growth, and `from` and `to`
 * span all of them.
 */
export function poolMeasures(measures: readonly Measures[]): Measures {
  const middle = (of: (one: Measures) => number) => (measures.length === 0 ? 0 : median(measures.map(of)));
  const chance = (of: (one: Measures) => number) => combined(measures, (one) => zOf(of(one))).p;
  const trend = combined(measures, ({ p, perInvocation }) => Math.sign(perInvocation) * zOf(p / 2));
  const [low, high] = measures.length === 0 ? [0, 0] : medianInterval(measures.map((one) => one.perInvocation));
  return {
    perInvocation: middle((one) => one.perInvocation),
    interval: [low, high],
    p: Math.min(1, 2 * normalUpperTail(Math.abs(trend.z))),
    n: measures.length,
    from: measures.reduce((first, { from }) => Math.min(first, from), measures[0]?.from ?? 0),
    to: measures.reduce((last, { to }) => Math.max(last, to), 0),
    grown: middle(({ grown }) => grown),
    early: middle(({ early }) => early),
    late: middle(({ late }) => late),
    pStopped: chance(({ pStopped }) => pStopped),
    pSlower: chance(({ pSlower }) => pSlower),
    pSlowerSteps: chance(({ pSlowerSteps }) => pSlowerSteps),
    pResting: chance(({ pResting }) => pResting),
    lastShare: middle(({ lastShare }) => lastShare),
    pLast: chance(({ pLast }) => pLast),
    pLastStep: chance(({ pLastStep }) => pLastStep),
    pWandering: chance(({ pWandering }) => pWandering),
  };
}

function combined(measures: readonly Measures[], z: (one: Measures) => number) {
  return stouffer(measures.map((one) => ({ z: z(one), weight: Math.sqrt(one.n) })));
}

function zOf(p: number): number {
  return normalUpperQuantile(Math.min(1 - surest, Math.max(surest, p)));
}
