/**
 * What an index that was recommended has brought, beside what was expected of it: the size, and the time of a call after and before
 * beside the cost. Planner's costs are no times; the ratio of two costs is the promise that can be held against times.
 */
import * as z from 'zod';
import { median } from '../statistics/median.ts';
import type { Expectation } from './finding.ts';
import { type MeasuredWindow, type Measurement, measure, Proof } from './proof.ts';
import type { Recommendation } from './recommendation.ts';

/** An index that was recommended, and is there. */
export interface BuiltIndex {
  /** Qualified and quoted. It may have another name than the one that was recommended. */
  index: string;
  sizeBytes: number;
}

/** A statement that the index was said to help. A ratio is after / before: 0.1 is a tenth of what it was. */
const MeasuredStatement = Proof.extend({
  measuredRatio: z.number(),
  /** Of costs; null where nothing was expected, or where it was of several indexes that were not built at once. */
  expectedRatio: z.number().nullable(),
});

/** What an index that was recommended has brought. A ratio is after / before: 0.1 is a tenth of what it was. */
export const Effect = z
  .strictObject({
    /** The index that is there, qualified and quoted. It may have another name than the one that was recommended. */
    index: z.string(),
    /** When it was first seen, and as expected; null where nobody estimated it. */
    sizeBytes: z.number(),
    expectedBytes: z.number().nullable(),
    /** Of the time of all calls of the statements for which something was expected and that were measured; null without any. */
    measuredRatio: z.number().nullable(),
    /** Of costs, with the same weights. */
    expectedRatio: z.number().nullable(),
    statements: z.array(MeasuredStatement),
  })
  .meta({
    id: 'Effect',
    description: 'What an index that was recommended has brought, beside what was expected of it.',
  });
export type Effect = z.infer<typeof Effect>;

/** What came of all indexes that were recommended and built. */
export const Effects = z
  .strictObject({
    /** So many are there, and of so many a measured ratio stands beside an expected one. */
    built: z.number(),
    measured: z.number(),
    /** Measured / expected ratio: above 1 it helped less than expected. Null without any. */
    medianMeasuredToExpected: z.number().nullable(),
    /** Real / expected size. Null without any. */
    medianSizeToExpected: z.number().nullable(),
  })
  .meta({ id: 'Effects', description: 'What came of all indexes that were recommended and built.' });
export type Effects = z.infer<typeof Effects>;

/** So long after it was applied it is measured on; later other things have changed as well. */
const measuredForMs = 3 * 24 * 3_600_000;

/** Whether the windows of the statements of a recommendation are still wanted for what it has brought. */
export function isMeasuredAt({ appliedAt, effect }: Recommendation, at: string): boolean {
  return effect !== undefined && appliedAt !== null && Date.parse(at) - Date.parse(appliedAt) <= measuredForMs;
}

/**
 * Adds what an index has brought to a recommendation that was applied. Any other is handed back as the very same object, and so is one
 * of which nothing new is known.
 *
 * @param all the recommendations that it may have been expected to work together with
 */
export function effectOf(
  recommendation: Recommendation,
  {
    at,
    built,
    windows,
  }: {
    at: string;
    built?: ReadonlyMap<string, BuiltIndex>;
    windows: ReadonlyMap<string, readonly MeasuredWindow[]>;
  },
  all: readonly Recommendation[],
): Recommendation {
  const { id, appliedAt, expected, effect: before } = recommendation;
  const index = before ?? built?.get(id);
  if (appliedAt === null || index === undefined) return recommendation;
  if (before && !isMeasuredAt(recommendation, at)) return recommendation;
  const measured = measure(recommendation, windows);
  if (before && measured.length === 0) return recommendation;
  const effect = effectFrom(index, expected, measured, appliedTogether(recommendation, all));
  return JSON.stringify(effect) === JSON.stringify(before) ? recommendation : { ...recommendation, effect };
}

/** What was expected of several indexes can be held against the times only if there was no time with some of them. */
function appliedTogether(
  { appliedAt }: Recommendation,
  all: readonly Recommendation[],
): (ids: readonly string[]) => boolean {
  const applied = new Map(all.map((each) => [each.id, each.appliedAt]));
  return (ids) => ids.every((id) => applied.get(id) === appliedAt);
}

function effectFrom(
  { index, sizeBytes }: BuiltIndex,
  expected: Expectation | undefined,
  measured: readonly Measurement[],
  isTogether: (ids: readonly string[]) => boolean,
): Effect {
  const promises = new Map(
    (expected?.statements ?? [])
      .filter(({ costBefore, together }) => costBefore > 0 && isTogether(together))
      .map(({ queryId, costBefore, costAfter }) => [queryId, costAfter / costBefore]),
  );
  const statements = measured.map(({ callsPerHour, ...proof }) => ({
    ...proof,
    measuredRatio: proof.meanMsBefore > 0 ? proof.meanMsAfter / proof.meanMsBefore : 1,
    expectedRatio: promises.get(proof.queryId) ?? null,
    weight: callsPerHour * proof.meanMsBefore,
  }));
  const comparable = statements.flatMap(({ expectedRatio, ...rest }) =>
    expectedRatio === null ? [] : [{ ...rest, expectedRatio }],
  );
  const total = comparable.reduce((sum, { weight }) => sum + weight, 0);
  const share = (ratio: 'measuredRatio' | 'expectedRatio') =>
    total > 0 ? comparable.reduce((sum, each) => sum + each.weight * each[ratio], 0) / total : null;
  return {
    index,
    sizeBytes,
    expectedBytes: expected?.sizeBytes ?? null,
    measuredRatio: share('measuredRatio'),
    expectedRatio: share('expectedRatio'),
    statements: statements.map(({ weight: _, ...statement }) => statement),
  };
}

/** Sums up what came of recommendations; undefined where no index was built. */
export function effectsOf(recommendations: readonly Pick<Recommendation, 'effect'>[]): Effects | undefined {
  const effects = recommendations.flatMap(({ effect }) => effect ?? []);
  if (effects.length === 0) return undefined;
  const ratios = (pairs: readonly (readonly [number | null, number | null])[]) =>
    pairs.flatMap(([real, expected]) => (real !== null && expected !== null && expected > 0 ? [real / expected] : []));
  const times = ratios(effects.map(({ measuredRatio, expectedRatio }) => [measuredRatio, expectedRatio]));
  const sizes = ratios(effects.map(({ sizeBytes, expectedBytes }) => [sizeBytes, expectedBytes]));
  return {
    built: effects.length,
    measured: times.length,
    medianMeasuredToExpected: times.length > 0 ? median(times) : null,
    medianSizeToExpected: sizes.length > 0 ? median(sizes) : null,
  };
}
