/** Execution leaks: work that an invocation leaves behind, and that goes on in the next one, or in none. */
import { shareInterval } from '../../statistics/wilson.ts';
import type { Sample } from '../sample.ts';
import type { LeftRunning, Verdict } from './verdict.ts';

/** With fewer samples nothing is said. */
const minSamples = 20;

/** What surely happens in a larger share of the invocations is a habit. */
const leakShare = 0.5;

/** What surely happens in a larger share than this is no accident. */
const suspectShare = 0.05;

/** Connections stay open to be used again. One that is new in each invocation is a waste, but may be no work. */
const connections = /Connect|Socket|TLS|Pipe/;

/**
 * Judges what invocations leave running, for each type of resource. What stays open for good is no work but a pool, or a leak of
 * handles, and is judged as such: so it is when at least half as many are added over all as samples found one left.
 *
 * @param samples after the warm-up, the oldest first
 */
export function judgeLeftRunning(samples: readonly Sample[]): Record<string, LeftRunning> {
  const n = samples.length;
  const types = samples.flatMap(({ leftRunning }) =>
    Object.entries(leftRunning).flatMap(([type, count]) => (count > 0 ? [type] : [])),
  );
  return Object.fromEntries(
    [...Map.groupBy(types.sort(), (type) => type)].map(([type, { length: times }]) => {
      const interval = shareInterval(times, n);
      const kept = countOf(type, samples.at(-1)) - countOf(type, samples[0]);
      const verdict = verdictOn(type, n, 2 * kept >= times ? 0 : interval[0]);
      return [type, { verdict, share: times / n, interval, n, kept }];
    }),
  );
}

function countOf(type: string, sample: Sample | undefined): number {
  return sample && Object.hasOwn(sample.resources, type) ? (sample.resources[type] ?? 0) : 0;
}

function verdictOn(type: string, n: number, low: number): Verdict {
  if (n < minSamples) return 'insufficient-data';
  if (low > leakShare && !connections.test(type)) return 'leak';
  return low > suspectShare ? 'suspect' : 'healthy';
}
