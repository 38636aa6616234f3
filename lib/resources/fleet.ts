/**
 * Whether a function leaks, from all of its environments together. One lives for minutes or hours, and may end before it can be
 * judged: but all of a version run the same code, so that what they say adds up.
 */
import * as z from 'zod';
import { falseDiscoveryRates } from '../statistics/benjamini-hochberg.ts';
import { median } from '../statistics/median.ts';
import { Comparison, compareVersions, judgeComparison } from './fleet/compare.ts';
import { poolMeasures } from './fleet/pool.ts';
import { codeGrowth, unlessCompiling } from './leak/compiling.ts';
import { judge, type Measures, measure } from './leak/growth.ts';
import { LeakOptions } from './leak/options.ts';
import { pointsOf } from './leak/points.ts';
import { Growth, gravest, Verdict, verdicts } from './leak/verdict.ts';
import { judgeLeak } from './leak.ts';
import type { Series } from './sample.ts';

export { Comparison } from './fleet/compare.ts';

/** What counts as a leak in many environments. */
export const FleetOptions = LeakOptions.extend({
  /** An environment with fewer floors after its warm-up does not count. Fewer will do than for a verdict on it alone. */
  minFloors: z.int().min(5).default(5),
  /** With fewer environments there is no verdict. */
  minEnvironments: z.int().min(2).default(3),
  /** Of the functions that are said to leak, or to have become worse, this share may be wrong. */
  falseDiscoveryRate: z.number().positive().max(1).default(0.05),
});
export type FleetOptions = z.infer<typeof FleetOptions>;

/** The verdict on a version of a function. */
export const FleetVerdict = z
  .strictObject({
    function: z.string(),
    stage: z.string(),
    version: z.string(),
    verdict: Verdict,
    /** How many environments there are. */
    environments: z.number(),
    /** What would be said of each alone: how many environments get each verdict. */
    alone: z.record(Verdict, z.number()),
    /** All environments with enough floors together: `n` counts them, and p is adjusted for the number of functions. */
    heap: Growth,
    external: Growth,
    /** Beside the version before; null for the first one. */
    before: Comparison.nullable(),
  })
  .meta({ id: 'FleetVerdict', description: 'Whether a version of a function leaks, from its environments together.' });
export type FleetVerdict = z.infer<typeof FleetVerdict>;

/** The environments of a version, and what they say before p is adjusted. */
interface Version {
  series: readonly Series[];
  heap: Measures;
  /** By how much the compiled code grows in an invocation. */
  codePerInvocation: number;
  external: Measures;
  before: Omit<Comparison, 'verdict'> | null;
}

/**
 * Judges functions by the samples of their environments: each version by itself, and beside the one before it.
 *
 * @param series of any functions, stages and versions, in any order
 * @returns a verdict for each version, the older ones of a function first
 * @throws ZodError when an option is unknown or out of range
 */
export function judgeFleet(series: readonly Series[], options: z.input<typeof FleetOptions> = {}): FleetVerdict[] {
  const settings = FleetOptions.parse(options);
  const functions = Map.groupBy(series, ({ environment: { function: name, stage } }) => JSON.stringify([name, stage]));
  const versions = [...functions.values()].flatMap((several) => versionsOf(several, settings));
  const growthRates = falseDiscoveryRates(versions.flatMap(({ heap, external }) => [heap.p, external.p]));
  const comparisons = versions.flatMap(({ before }) => (before ? [before] : []));
  const comparisonRates = falseDiscoveryRates(comparisons.map(({ p }) => p));
  const thresholds = { minFloors: settings.minEnvironments, significance: settings.falseDiscoveryRate };
  return versions.map((version, place) => {
    const pooled = (measures: Measures, p = 1) =>
      judge({ ...measures, p }, settings.minBytesPerInvocation, thresholds, 'memory');
    const heap = unlessCompiling(pooled(version.heap, growthRates[2 * place]), version.codePerInvocation);
    const external = pooled(version.external, growthRates[2 * place + 1]);
    const { before } = version;
    const rate = before ? comparisonRates[comparisons.indexOf(before)] : undefined;
    return {
      ...nameOf(version.series),
      verdict: gravest([heap.verdict, external.verdict]),
      environments: version.series.length,
      alone: alone(version.series, settings),
      heap,
      external,
      before: before && judgeComparison({ ...before, p: rate ?? 1 }, settings),
    };
  });
}

/** The versions of a function, the oldest first. */
function versionsOf(series: readonly Series[], settings: FleetOptions): Version[] {
  const began = (several: readonly Series[]) => several.map(({ environment }) => environment.startedAt).sort()[0] ?? '';
  const byVersion = [...Map.groupBy(series, ({ environment }) => environment.version).values()].sort((a, b) =>
    began(a) < began(b) ? -1 : 1,
  );
  return byVersion.map((several, place) => {
    const before = byVersion[place - 1];
    const points = several.map(({ samples }) => pointsOf(samples, settings));
    const pool = (of: (typeof points)[number]['external'][]) =>
      poolMeasures(
        of
          .filter(({ length }) => length >= settings.minFloors)
          .map((one) => measure(one, settings.minBytesPerInvocation)),
      );
    const heaps = points.flatMap(({ heap }) => (heap.floors === 'forced' ? [heap] : []));
    const codes = heaps.filter(({ code }) => code.length >= settings.minFloors).map(({ code }) => codeGrowth(code));
    return {
      series: several,
      heap: pool(heaps.map((heap) => heap.points)),
      codePerInvocation: codes.length === 0 ? 0 : median(codes),
      external: pool(points.map(({ external }) => external)),
      before: before ? compareVersions(before, several, settings) : null,
    };
  });
}

function nameOf(series: readonly Series[]): Pick<FleetVerdict, 'function' | 'stage' | 'version'> {
  const { function: name = '', stage = '', version = '' } = series[0]?.environment ?? {};
  return { function: name, stage, version };
}

function alone(series: readonly Series[], settings: FleetOptions): FleetVerdict['alone'] {
  const { minEnvironments, falseDiscoveryRate, minFloors, ...options } = settings;
  const said = series.map((one) => judgeLeak(one, options).verdict);
  return Object.fromEntries(
    verdicts.map((verdict) => [verdict, said.filter((one) => one === verdict).length]),
  ) as FleetVerdict['alone'];
}
