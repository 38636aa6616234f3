import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../../../lib/resources/leak/verdict.ts';
import { judgeLeak } from '../../../../lib/resources/leak.ts';
import type { Sample, Series } from '../../../../lib/resources/sample.ts';
import { environment, sample } from './leak-series.ts';

/** A value for each sample; one alone where it never changes. */
type Course = number | number[];

/**
 * What the monitor saw in a process of `bench/leaks`, on Node.js 24.21: 1,000 invocations, a sample in every 10, a floor in every
 * 100. They are of the tuning set and of the validation set; those of the proof set are for the bench alone.
 */
interface Recorded {
  name: string;
  verdict: Verdict;
  /** What the leak takes, as weighed by itself. */
  bytesPerInvocation?: number;
  /** The heap and the memory outside of it after each forced collection. */
  floors: [heapBytes: number, externalBytes: number][];
  /** The bytes of compiled code. */
  code: number[];
  descriptors: Course;
  resources: Record<string, Course>;
  leftRunning: Record<string, Course>;
}

const recorded: Recorded[] = JSON.parse(readFileSync(join(import.meta.dirname, 'recorded-series.json'), 'utf8'));

function seriesOf(one: Recorded, change: (sample: Sample) => Sample = (same) => same): Series {
  const at = (course: Course, place: number) => (typeof course === 'number' ? course : (course[place] ?? 0));
  const counts = (courses: Record<string, Course>, place: number) =>
    Object.fromEntries(Object.entries(courses).map(([type, course]) => [type, at(course, place)]));
  return {
    environment: environment(),
    samples: one.code.map((codeBytes, place) => {
      const invocation = 10 * (place + 1);
      const [heapBytes = 0, externalBytes = 0] = one.floors[invocation / 100 - 1] ?? [];
      return change(
        sample(invocation, {
          spaces: { code_space: codeBytes },
          floor: invocation % 100 === 0 ? { heapBytes, externalBytes, collectMs: 5 } : null,
          descriptors: at(one.descriptors, place),
          resources: counts(one.resources, place),
          leftRunning: counts(one.leftRunning, place),
        }),
      );
    }),
  };
}

describe('processes that were recorded', () => {
  test.each(recorded.map((one) => [one.name, one.verdict, one] as const))('%s: %s', (_, verdict, one) => {
    expect(judgeLeak(seriesOf(one)).verdict).toBe(verdict);
  });

  test('leak if and only if their name says so', () => {
    expect(recorded.length).toBeGreaterThan(20);
    for (const { name, verdict } of recorded) expect([name, verdict === 'leak']).toEqual([name, /^leak/.test(name)]);
  });

  test('leak as fast as was weighed, within 25 %', () => {
    const weighed = recorded.filter(({ bytesPerInvocation }) => bytesPerInvocation);
    expect(weighed.length).toBeGreaterThan(5);
    for (const one of weighed) {
      const { heap, external } = judgeLeak(seriesOf(one));
      const { perInvocation } = heap.verdict === 'leak' ? heap : external;
      expect(Math.abs(perInvocation / (one.bytesPerInvocation ?? 0) - 1)).toBeLessThan(0.25);
    }
  });

  test('are not taken for others where the compiled code is counted in: the flat one seems to grow', () => {
    const flat = recorded.find(({ name }) => name === 'flat');
    if (!flat) throw new Error('There is a flat one.');
    const { heap } = judgeLeak(seriesOf(flat, (one) => ({ ...one, spaces: {} })));
    expect(heap.perInvocation).toBeGreaterThan(2 * judgeLeak(seriesOf(flat)).heap.perInvocation);
  });
});

describe('an invocation that is frozen for 5 seconds', () => {
  /** What a process shows that was stopped by SIGSTOP within invocations: time passes, and the loop is late. */
  const frozen = (one: Sample): Sample =>
    one.invocation % 250 > 10
      ? one
      : {
          ...one,
          at: '2026-01-02T00:00:00.000Z',
          wallMs: one.wallMs + 5_000,
          eventLoop: { utilization: 0.01, meanDelayMs: 900, p99DelayMs: 5_003, longestDelayMs: 5_003 },
        };

  test.each(recorded.map((one) => [one.name, one] as const))('changes nothing that is said: %s', (_, one) => {
    expect(judgeLeak(seriesOf(one, frozen))).toEqual(judgeLeak(seriesOf(one)));
  });
});
