import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Series } from '../../../../lib/resources/sample.ts';
import { FunctionResources } from '../../../../lib/resources/snapshot.ts';
import { bytesPerProcessor, summarize } from '../../../../lib/resources/summarize.ts';
import { environment, sample, series } from './leak-series.ts';

const minutes = (count: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + count * 60_000).toISOString();

function of(overrides: Partial<Series['environment']>, samples: Series['samples']): Series {
  return { environment: environment(overrides), samples };
}

describe('functions are summed up', () => {
  test('by the version that ran last', () => {
    const [only, ...others] = summarize([
      of({ id: 'a', version: '7' }, [sample(10, { at: minutes(1), rssBytes: 1 })]),
      of({ id: 'b', version: '8' }, [sample(10, { at: minutes(2), rssBytes: 20 })]),
      of({ id: 'c', version: '8' }, [sample(10, { at: minutes(3), rssBytes: 40 })]),
    ]);
    expect(others).toEqual([]);
    expect(only).toMatchObject({ version: '8', environments: 2, samples: 2, from: minutes(2), to: minutes(3) });
    expect(only?.memory.rssBytes).toMatchObject({ current: 40, min: 20, max: 40, mean: 30, p50: 30 });
  });

  test('each stage by itself, in the order of the names', () => {
    const names = summarize([
      of({ function: 'b', stage: 'prod' }, [sample(1)]),
      of({ function: 'a', stage: 'prod' }, [sample(1)]),
      of({ function: 'b', stage: 'dev' }, [sample(1)]),
    ]).map(({ function: name, stage }) => `${name} ${stage}`);
    expect(names).toEqual(['a prod', 'b dev', 'b prod']);
  });

  test('but not without a sample', () => {
    expect(summarize([of({}, [])])).toEqual([]);
    expect(summarize([])).toEqual([]);
  });

  test('with the processor time by the time of the invocations', () => {
    const [found] = summarize([
      of({ memoryLimitBytes: bytesPerProcessor / 2 }, [
        sample(10, { at: minutes(1), cpuMs: 10, wallMs: 20, invocations: 10 }),
        sample(20, { at: minutes(2), cpuMs: 0, wallMs: 0, invocations: 0 }),
      ]),
    ]);
    expect(found?.cpu.percent).toMatchObject({ max: 50, min: 0, current: 0 });
    expect(found?.cpu.limits.processors).toBe(0.5);
    expect(found?.cpu.invocationMs?.max).toBe(2);
    expect(found?.cpu.wallMs).toBe(20);
    expect(found?.invocations).toBe(10);
  });

  test('with the cold starts of the time that is looked at', () => {
    const [found] = summarize([
      of({ id: 'old', startedAt: minutes(-60), initMs: 900 }, [sample(10, { at: minutes(1) })]),
      of({ id: 'new', startedAt: minutes(5), initMs: 100 }, [sample(10, { at: minutes(6) })]),
    ]);
    expect(found?.coldStarts).toEqual({ count: 1, meanInitMs: 500 });
  });

  test('with the collections of all kinds', () => {
    const kind = (count: number, totalMs: number, longestMs: number) => ({ count, totalMs, longestMs });
    const collections = { minor: kind(3, 4, 2), major: kind(1, 5, 5), incremental: kind(0, 0, 0), weak: kind(1, 1, 1) };
    const [found] = summarize([of({}, [sample(10, { cpuMs: 100, collections })])]);
    expect(found?.cpu.collections).toEqual({ count: 5, totalMs: 10, longestMs: 5, sharePercent: 10 });
  });

  test('with a forecast of when the memory of the function is reached', () => {
    const megabyte = 2 ** 20;
    const [found] = summarize([
      series({
        environment: { memoryLimitBytes: 256 * megabyte },
        samples: (invocation) => ({ rssBytes: 100 * megabyte + invocation * 1_000 }),
      }),
    ]);
    expect(found?.memoryTrend).toMatchObject({ verdict: 'rising', slope: expect.closeTo(1_000, 0) });
    expect(found?.memoryTrend.forecast?.x).toBeCloseTo((156 * megabyte) / 1_000, -1);
  });

  test('with at most as many points as a plot has room for, the last one among them', () => {
    const [found] = summarize([series({ invocations: 20_000 })]);
    expect(found?.memoryPlot.length).toBeLessThanOrEqual(200);
    expect(found?.memoryPlot.at(-1)?.invocation).toBe(20_000);
  });
});

test('what comes out is what is promised, whatever goes in', () => {
  const number = fc.integer({ min: 0, max: 2 ** 31 });
  const samples = fc
    .uniqueArray(fc.integer({ min: 1, max: 10_000 }), { maxLength: 30 })
    .chain((numbers) =>
      fc.tuple(
        ...numbers.map((invocation) =>
          fc
            .record({ rssBytes: number, heapUsedBytes: number, cpuMs: number, wallMs: number, externalBytes: number })
            .map((figures) => sample(invocation, { ...figures, at: minutes(invocation) })),
        ),
      ),
    );
  const one = fc
    .tuple(samples, fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'), fc.option(number))
    .map(([all, name, version, memoryLimitBytes]) => of({ function: name, version, memoryLimitBytes }, all));
  fc.assert(
    fc.property(fc.array(one, { maxLength: 5 }), (given) => {
      for (const found of summarize(given)) {
        FunctionResources.parse(found);
        const { min, p50, p95, p99, max, mean, current } = found.memory.rssBytes;
        expect([min, p50, p95, p99, max]).toEqual([min, p50, p95, p99, max].toSorted((a, b) => a - b));
        for (const value of [mean, current]) {
          expect(value).toBeGreaterThanOrEqual(min);
          expect(value).toBeLessThanOrEqual(max);
        }
      }
    }),
    { numRuns: 100 },
  );
});
