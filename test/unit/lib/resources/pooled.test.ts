import { beforeEach, describe, expect, test } from 'vitest';
import { memoryMetrics } from '../../../../lib/metrics/memory.ts';
import type { Measurement, Metrics, Unit } from '../../../../lib/metrics/metrics.ts';
import { sampleLine } from '../../../../lib/resources/emf.ts';
import { metricsOfSamples, readPooled } from '../../../../lib/resources/pooled.ts';
import type { Environment, Sample } from '../../../../lib/resources/sample.ts';
import { environment, sample } from './leak-series.ts';

const start = Date.UTC(2026, 0, 1);
const minute = 60_000;
const shop = { service: 'streamgate', function: 'shop', stage: 'prod' };
const hour = { from: start, to: start + 60 * minute, periodMs: minute };
const floor = (heapBytes: number) => ({ heapBytes, externalBytes: 1, collectMs: 1 });
const none = { count: 0, totalMs: 0, longestMs: 0 };

const at = (seconds: number, overrides: Partial<Sample>) =>
  sample(1, { at: new Date(start + 1_000 * seconds).toISOString(), ...overrides });

/** Two environments: in the first minute one of them works much, and the other little. */
const samples: readonly [Environment, Sample[]][] = [
  [
    environment({ id: 'a' }),
    [
      at(10, { cpuMs: 90, wallMs: 100, floor: floor(500), rssBytes: 10, resources: { Timeout: 2, TCPSocketWrap: 1 } }),
      at(70, { cpuMs: 10, wallMs: 100, rssBytes: 30, descriptors: null }),
    ],
  ],
  [
    environment({ id: 'b' }),
    [
      at(20, {
        cpuMs: 10,
        wallMs: 900,
        floor: floor(700),
        rssBytes: 20,
        collections: {
          minor: { ...none, totalMs: 20 },
          major: { ...none, totalMs: 30 },
          incremental: none,
          weak: none,
        },
      }),
    ],
  ],
];

/** What CloudWatch makes of a line of the log. */
function measurementsIn(line: string): Measurement[] {
  const document = JSON.parse(line);
  const [{ Metrics, Dimensions }] = document._aws.CloudWatchMetrics;
  const dimensions = Object.fromEntries(Dimensions[0].map((name: string) => [name, document[name]]));
  return Metrics.map(({ Name, Unit }: { Name: string; Unit: Unit }) => ({
    name: Name,
    unit: Unit,
    dimensions,
    at: document._aws.Timestamp,
    values: [document[Name]].flat(),
  }));
}

const writers: Record<string, (metrics: Metrics) => Promise<void>> = {
  'the log': async (metrics) => {
    for (const [where, several] of samples) {
      for (const one of several) await metrics.write(measurementsIn(sampleLine([one], where)));
    }
  },
  'a keeper': async (metrics) => {
    for (const [where, several] of samples) {
      await metricsOfSamples(metrics).append({ environment: where, samples: several });
    }
  },
};

describe.each(Object.entries(writers))('what came through %s', (_, write) => {
  let metrics: Metrics;
  beforeEach(async () => {
    metrics = memoryMetrics({ now: () => start + minute });
    await write(metrics);
  });

  test('is that of all environments together, by the minute', async () => {
    const { points, isComplete, periodMs, notes } = await readPooled(metrics, shop, hour);
    expect({ isComplete, periodMs, notes }).toEqual({ isComplete: true, periodMs: minute, notes: [] });
    expect(points).toHaveLength(2);
    expect(points[0]).toEqual({
      at: '2026-01-01T00:00:00.000Z',
      samples: 2,
      meanHeapUsedBytes: 40 * 2 ** 20,
      meanHeapFloorBytes: 600,
      meanExternalBytes: 4 * 2 ** 20,
      p95RssBytes: 20,
      largestRssBytes: 20,
      // 100 of 1,000 ms: the mean of the shares would be 45.6 %.
      cpuMs: 100,
      wallMs: 1_000,
      cpuPercent: 10,
      meanLoopPercent: 50,
      longestLoopDelayMs: 3,
      collectionMs: 50,
      collectionPercent: 5,
      mostDescriptors: 20,
      mostResources: 3,
    });
    expect(points[1]).toMatchObject({ samples: 1, meanHeapFloorBytes: null, mostDescriptors: null, cpuPercent: 10 });
  });

  test('is nothing for a function that wrote nothing', async () => {
    expect(await readPooled(metrics, { ...shop, function: 'cart' }, hour)).toMatchObject({ points: [] });
  });
});

test('an answer that is not complete says so', async () => {
  const read: Metrics['read'] = async (queries, { periodMs }) => ({
    periodMs,
    series: queries.map((query, place) => ({ query, points: [], isComplete: place !== 3 })),
    notes: ['Trouble'],
  });
  expect(await readPooled({ read }, shop, hour)).toMatchObject({ isComplete: false, notes: ['Trouble'] });
});
