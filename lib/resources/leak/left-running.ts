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
const connections = /Socket|TLS|Pipe/;

/** Judges what invocations leave running, for each type of resource. @param samples after the warm-up */
export function judgeLeftRunning(samples: readonly Sample[]): Record<string, LeftRunning> {
  const n = samples.length;
  const types = samples.flatMap(({ leftRunning }) =>
    Object.entries(leftRunning).flatMap(([type, count]) => (count > 0 ? [type] : [])),
  );
  return Object.fromEntries(
    [...Map.groupBy(types.sort(), (type) => type)].map(([type, { length: times }]) => {
      const interval = shareInterval(times, n);
      return [type, { verdict: verdictOn(type, n, interval[0]), share: times / n, interval, n }];
    }),
  );
}

function verdictOn(type: string, n: number, low: number): Verdict {
  if (n < minSamples) return 'insufficient-data';
  if (low > leakShare && !connections.test(type)) return 'leak';
  return low > suspectShare ? 'suspect' : 'healthy';
}
