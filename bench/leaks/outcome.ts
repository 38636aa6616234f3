/** What the judge and the naive rules say of a process. */

import type { LeakVerdict, Verdict } from '../../lib/resources/leak/verdict.ts';
import { judgeLeak } from '../../lib/resources/leak.ts';
import type { Sample, Series } from '../../lib/resources/sample.ts';
import { naiveRules } from './naive.ts';
import type { Run } from './sets.ts';

/** How long a run takes that is judged once: 1,000 invocations are 10 floors. */
export const usualInvocations = 1_000;

/** So many invocations of an environment are left for its fleet. */
export const fleetInvocations = 600;

/** The outcome of a run. */
export interface Outcome {
  run: Run;
  /** After {@link usualInvocations}. */
  verdict: LeakVerdict;
  naive: Record<string, boolean>;
  /** At each floor from {@link usualInvocations} on. */
  looks: { invocation: number; verdict: Verdict }[];
  /** The first {@link fleetInvocations}. */
  young: Series;
}

/** Judges the samples of a run. */
export function outcomeOf(run: Run, series: Series): Outcome {
  const usual = until(series, usualInvocations);
  const ends = series.samples.flatMap(({ invocation, floor }) =>
    floor && invocation >= usualInvocations ? [invocation] : [],
  );
  return {
    run,
    verdict: judgeLeak(usual),
    naive: Object.fromEntries(Object.entries(naiveRules).map(([name, rule]) => [name, rule(usual.samples)])),
    looks: ends.map((invocation) => ({ invocation, verdict: judgeLeak(until(series, invocation)).verdict })),
    young: until(series, fleetInvocations),
  };
}

/** Whether memory alone says that there is a leak. */
export function isLeakByMemory({ heap, external }: LeakVerdict): boolean {
  return heap.verdict === 'leak' || external.verdict === 'leak';
}

function until({ environment, samples }: Series, last: number): Series {
  return { environment, samples: samples.filter(({ invocation }: Sample) => invocation <= last) };
}
