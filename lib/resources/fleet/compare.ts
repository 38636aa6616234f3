/** Whether a deployment made it worse: the growth in a version's environments beside that in the ones of the version before. */
import * as z from 'zod';
import { mannWhitney } from '../../statistics/mann-whitney.ts';
import { median } from '../../statistics/median.ts';
import { measure } from '../leak/growth.ts';
import type { LeakOptions } from '../leak/options.ts';
import { pointsOf } from '../leak/points.ts';
import type { Series } from '../sample.ts';

/** A version beside the one before it. */
export const Comparison = z.strictObject({
  verdict: z.enum(['worse', 'same', 'better', 'insufficient-data']),
  /** The version before. */
  version: z.string(),
  /** How many environments of each were compared. */
  environments: z.strictObject({ before: z.number(), now: z.number() }),
  /** By how much memory grows faster: heap and external together, the difference of the medians. */
  bytesPerInvocation: z.number(),
  /** How likely so much of a difference would be if there were none (Mann–Whitney), adjusted for the number of functions. */
  p: z.number(),
});
export type Comparison = z.infer<typeof Comparison>;

/** What decides. */
type Thresholds = LeakOptions & { minEnvironments: number; falseDiscoveryRate: number };

/**
 * Compares two versions, before p is adjusted. Young environments grow faster than old ones, since their caches fill: of the older
 * version only what lies within the life of the newer one's environments counts.
 */
export function compareVersions(
  before: readonly Series[],
  now: readonly Series[],
  options: Thresholds,
): Omit<Comparison, 'verdict'> {
  const life = now.reduce(
    (longest, { samples }) => samples.reduce((most, { invocation }) => Math.max(most, invocation), longest),
    0,
  );
  const slopes = (several: readonly Series[]) => several.flatMap((one) => memoryGrowth(one, life, options));
  const [old, young] = [slopes(before), slopes(now)];
  const isComparable = Math.min(old.length, young.length) >= options.minEnvironments;
  return {
    version: before[0]?.environment.version ?? '',
    environments: { before: old.length, now: young.length },
    bytesPerInvocation: isComparable ? median(young) - median(old) : 0,
    p: isComparable ? mannWhitney(young, old).p : 1,
  };
}

/** Judges a comparison whose p is adjusted. */
export function judgeComparison(comparison: Omit<Comparison, 'verdict'>, options: Thresholds): Comparison {
  const { environments, bytesPerInvocation, p } = comparison;
  const isComparable = Math.min(environments.before, environments.now) >= options.minEnvironments;
  const isDifferent = p < options.falseDiscoveryRate && Math.abs(bytesPerInvocation) >= options.minBytesPerInvocation;
  const verdict = isDifferent ? (bytesPerInvocation > 0 ? 'worse' : 'better') : 'same';
  return { verdict: isComparable ? verdict : 'insufficient-data', ...comparison };
}

/** Bytes per invocation up to an invocation; nothing for an environment that tells too little. */
function memoryGrowth({ samples }: Series, life: number, options: Thresholds): number[] {
  const { heap, external } = pointsOf(
    samples.filter(({ invocation }) => invocation <= life),
    options,
  );
  if (heap.floors !== 'forced' || heap.points.length < options.minFloors) return [];
  const growth = (points: typeof external) => measure(points, options.minBytesPerInvocation).perInvocation;
  return [growth(heap.points) + growth(external)];
}
