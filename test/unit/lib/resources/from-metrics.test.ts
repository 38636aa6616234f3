import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memoryMetrics } from '../../../../lib/metrics/memory.ts';
import { type PooledFunction, pooledResourcePoints, summarizePooled } from '../../../../lib/resources/from-metrics.ts';
import { metricsOfSamples, type PooledPoint, readPooled } from '../../../../lib/resources/pooled.ts';
import { resourceRules, rulesOverMetrics } from '../../../../lib/resources/rules/index.ts';
import { FunctionResources, ResourcePoint } from '../../../../lib/resources/snapshot.ts';
import { noise } from '../../noise.ts';
import { environment, sample } from './leak-series.ts';

const megabyte = 2 ** 20;
const start = Date.UTC(2026, 0, 1);
const period = 300_000;
const shop = { service: 'shop', function: 'checkout', stage: 'prod' };

const point = (place: number, overrides: Partial<PooledPoint> = {}): PooledPoint => ({
  at: new Date(start + place * period).toISOString(),
  samples: 10,
  meanHeapUsedBytes: 40 * megabyte,
  meanHeapFloorBytes: 20 * megabyte,
  meanExternalBytes: 4 * megabyte,
  p95RssBytes: 130 * megabyte,
  largestRssBytes: 140 * megabyte,
  cpuMs: 100,
  wallMs: 1_000,
  cpuPercent: 10,
  meanLoopPercent: 20,
  longestLoopDelayMs: 5,
  collectionMs: 4,
  collectionPercent: 0.4,
  mostDescriptors: 20,
  mostResources: 3,
  ...overrides,
});

const of = (...points: PooledPoint[]): PooledFunction => ({ dimensions: shop, points });
const day = (course: (place: number) => Partial<PooledPoint> = () => ({})) =>
  of(...Array.from({ length: 288 }, (_, place) => point(place, course(place))));
const summarized = (given: PooledFunction) => summarizePooled(given) ?? expect.fail('nothing was summed up');

describe('a function that has metrics alone', () => {
  test('is told of as far as they tell', () => {
    const found = summarized(
      of(
        point(0, { samples: 30, cpuMs: 900, largestRssBytes: 200 * megabyte, mostDescriptors: null }),
        point(1, {
          samples: 10,
          p95RssBytes: 150 * megabyte,
          meanHeapUsedBytes: 80 * megabyte,
          longestLoopDelayMs: 50,
        }),
      ),
    );
    expect(FunctionResources.parse(found)).toEqual(found);
    expect(found).toMatchObject({
      source: 'metrics',
      function: 'checkout',
      stage: 'prod',
      version: null,
      environments: null,
      invocations: null,
      coldStarts: null,
      samples: 40,
      from: '2026-01-01T00:00:00.000Z',
      to: '2026-01-01T00:05:00.000Z',
      memory: {
        rssBytes: { current: 150 * megabyte, min: 130 * megabyte, max: 200 * megabyte, p50: 130 * megabyte },
        heapUsedBytes: { current: 80 * megabyte, mean: 50 * megabyte, p50: 40 * megabyte, p95: 80 * megabyte },
        descriptors: { current: 20 },
        limits: { memoryBytes: null, heapBytes: null },
      },
      cpu: {
        // 1,000 of 2,000 ms.
        percent: { mean: 50, current: 10, max: 90 },
        longestLoopDelayMs: 50,
        loopDelayMs: null,
        invocationMs: null,
        wallMs: 2_000,
        collections: { count: null, totalMs: 8, longestMs: null, sharePercent: 0.8 },
      },
      fleet: null,
      listenerWarnings: null,
    });
  });

  test('is said to have too little data for a verdict on leaks, however its heap grows', () => {
    const { leak, memoryTrend, memoryTrendOf } = summarized(
      day((place) => ({ meanHeapFloorBytes: (20 + place) * megabyte })),
    );
    expect(leak).toMatchObject({ verdict: 'insufficient-data', handles: {}, leftRunning: {}, outOfMemory: null });
    expect(memoryTrendOf).toEqual({ x: 'hours', y: 'heapFloorBytes' });
    expect(memoryTrend).toMatchObject({ verdict: 'rising', slope: expect.closeTo(12 * megabyte, 0) });
  });

  test('has the trend of its resident set where there is no floor', () => {
    const random = noise(1);
    const { memory, memoryTrend, memoryTrendOf } = summarized(
      day((place) => ({ meanHeapFloorBytes: null, p95RssBytes: (200 - place / 12 + random()) * megabyte })),
    );
    expect(memory.heapFloorBytes).toBeNull();
    expect(memoryTrendOf).toEqual({ x: 'hours', y: 'rssBytes' });
    expect(memoryTrend.verdict).toBe('falling');
    expect(memoryTrend.slope / megabyte).toBeCloseTo(-1, 1);
  });

  test('is plotted with at most 72 periods, the last one among them', () => {
    const { memoryPlot, cpuPlot } = summarized(day());
    expect([memoryPlot.length, cpuPlot.length]).toEqual([72, 72]);
    expect(memoryPlot.at(-1)?.at).toBe(point(287).at);
  });

  test('is not told of in periods that lack what every sample has', () => {
    const broken = point(1, { meanHeapUsedBytes: null });
    expect(summarized(of(point(0), broken))).toMatchObject({ samples: 10, to: point(0).at });
    expect(pooledResourcePoints(of(point(0), broken))).toHaveLength(1);
    expect(summarizePooled(of(broken))).toBeUndefined();
    expect(summarizePooled(of())).toBeUndefined();
  });

  test('has its periods for samples, the newest first', () => {
    const points = pooledResourcePoints(of(point(0), point(1, { wallMs: 0, cpuMs: 0, cpuPercent: null })));
    expect(points.map((each) => ResourcePoint.parse(each))).toEqual(points);
    expect(points).toMatchObject([
      { at: point(1).at, source: 'metrics', environment: null, cpu: { percent: 0, invocations: null } },
      { at: point(0).at, memory: { rssBytes: 130 * megabyte, handles: null }, cpu: { percent: 10 } },
    ]);
  });
});

test('only the rules that can judge metrics do, and their words are whole', () => {
  const alarming = summarized(
    day((place) => ({
      meanHeapFloorBytes: (100 + 10 * place) * megabyte,
      p95RssBytes: 3_000 * megabyte,
      largestRssBytes: 3_000 * megabyte,
      cpuMs: 990,
      cpuPercent: 99,
      longestLoopDelayMs: 5_000,
      collectionMs: 500,
      mostDescriptors: 1_000 + place,
    })),
  );
  const snapshot = { takenAt: '2026-01-02T00:00:00.000Z', database: 'shop', functions: [alarming], notes: [] };
  const found = resourceRules.flatMap((rule) => rule.check(snapshot, rule.options.parse({})));
  expect(found.map(({ rule }) => rule).sort()).toEqual(rulesOverMetrics.toSorted());
  expect(JSON.stringify(found)).not.toMatch(/null|NaN|undefined|Infinity/);
  expect(found.find(({ rule }) => rule === 'gc/share')?.detail).toContain("V8's limit is in no metric");
});

describe('laws', () => {
  const samples = fc.array(
    fc.record({
      minute: fc.integer({ min: 0, max: 40 }),
      environment: fc.constantFrom('a', 'b', 'c'),
      rssBytes: fc.integer({ min: 1, max: 1e9 }),
      heapUsedBytes: fc.integer({ min: 1, max: 1e9 }),
      cpuMs: fc.integer({ min: 0, max: 1_000 }),
      wallMs: fc.integer({ min: 1, max: 1_000 }),
    }),
    { minLength: 1, maxLength: 60 },
  );

  test('samples, extremes, means and sums are those of the samples, whichever environments they are of', async () => {
    await fc.assert(
      fc.asyncProperty(samples, async (given) => {
        const metrics = memoryMetrics({ now: () => start });
        for (const { minute, environment: id, ...figures } of given) {
          const at = new Date(start + minute * 60_000).toISOString();
          await metricsOfSamples(metrics, 'shop').append({
            environment: environment({ id, function: 'checkout' }),
            samples: [sample(1, { at, ...figures })],
          });
        }
        const span = { from: start, to: start + 3_600_000, periodMs: period };
        const { points } = await readPooled(metrics, shop, span);
        const { memory, cpu, samples: count } = summarized(of(...points));
        const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
        const share = (100 * sum(given.map(({ cpuMs }) => cpuMs))) / sum(given.map(({ wallMs }) => wallMs));
        expect(count).toBe(given.length);
        expect(memory.rssBytes.max).toBe(Math.max(...given.map(({ rssBytes }) => rssBytes)));
        expect(memory.heapUsedBytes.mean / (sum(given.map((one) => one.heapUsedBytes)) / given.length)).toBeCloseTo(
          1,
          9,
        );
        expect(cpu.percent.mean).toBeCloseTo(share, 6);
      }),
      { numRuns: 50 },
    );
  });

  test('a figure lies between its extremes, and percentiles do not cross', () => {
    const points = fc.array(
      fc.record({
        samples: fc.integer({ min: 1, max: 1_000 }),
        meanHeapUsedBytes: fc.integer({ min: 1, max: 1e9 }),
        p95RssBytes: fc.integer({ min: 1, max: 1e9 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(points, (given) => {
        const { memory } = summarized(
          of(...given.map((one, place) => point(place, { ...one, largestRssBytes: one.p95RssBytes }))),
        );
        for (const { min, p50, p95, p99, max, mean, current } of [memory.rssBytes, memory.heapUsedBytes]) {
          expect([min, p50, p95, p99, max]).toEqual([min, p50, p95, p99, max].toSorted((a, b) => a - b));
          for (const one of [mean, current]) expect(one >= min * 0.999_999 && one <= max * 1.000_001).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});
