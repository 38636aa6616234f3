import { CloudWatch } from '@aws-sdk/client-cloudwatch';
import { ElastiCache } from '@aws-sdk/client-elasticache';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { handler } from '../../../../functions/facts.ts';
import { readCacheService, readEdgeCounts } from '../../../../lib/aws/facts.ts';
import { FakeCloudWatch } from '../metrics/fake-cloudwatch.ts';
import { FakeElastiCache } from './fake-elasticache.ts';

const minute = 60_000;
const now = Date.parse('2026-11-23T12:00:00Z');

const metrics = new FakeCloudWatch();
const caches = new FakeElastiCache();
let elastiCache: ElastiCache;
let cloudWatch: CloudWatch;
let endpoints: { metrics: string; caches: string };

beforeAll(async () => {
  endpoints = { metrics: await metrics.listen(), caches: await caches.listen() };
  const common = { region: 'eu-central-1', credentials: { accessKeyId: 'AKID', secretAccessKey: 's' }, maxAttempts: 3 };
  elastiCache = new ElastiCache({ ...common, endpoint: endpoints.caches });
  cloudWatch = new CloudWatch({ ...common, endpoint: endpoints.metrics });
});

afterAll(() => Promise.all([metrics.close(), caches.close()]));

beforeEach(() => {
  metrics.reset();
  metrics.now = () => now;
  caches.faults.length = 0;
  caches.attempts.length = 0;
  caches.caches.shop = {
    Engine: 'valkey',
    MajorEngineVersion: '8',
    FullEngineVersion: '8.1',
    CacheUsageLimits: { DataStorage: { Maximum: 2, Unit: 'GB' }, ECPUPerSecond: { Maximum: 5_000 } },
  };
  // Between two attempts the SDK waits for a random time.
  vi.spyOn(Math, 'random').mockReturnValue(0);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const publish = (MetricName: string, ...values: [minutesAgo: number, value: number][]) =>
  metrics.publish(
    'AWS/ElastiCache',
    { MetricName, Dimensions: [{ Name: 'clusterId', Value: 'shop' }] },
    values.map(([minutesAgo, value]) => ({ atMs: now - minutesAgo * minute, value })),
  );

const read = (name = 'shop') => readCacheService(name, { elastiCache, cloudWatch }, now);

describe('the service behind the second level', () => {
  test('is told with its limits and the most that it did in a day', async () => {
    publish('BytesUsedForCache', [1_500, 9e9], [600, 1e9], [20, 7e8]);
    // Two minutes of the same five, and a quieter one.
    publish('ElastiCacheProcessingUnits', [604, 300_000], [603, 300_000], [20, 30_000]);
    publish('ThrottledCmds', [604, 3], [20, 4]);
    publish('Evictions', [604, 10]);
    expect(await read()).toEqual({
      name: 'shop',
      engine: 'valkey',
      version: '8.1',
      maxBytes: 2 * 2 ** 30,
      maxEcpuPerSecond: 5_000,
      usedBytes: 1e9,
      usedEcpuPerSecond: 2_000,
      throttled: 7,
      evictions: 10,
    });
  });

  test('is told without what nobody set, and without figures that there are not', async () => {
    caches.caches.shop = { Engine: 'valkey', MajorEngineVersion: '8' };
    expect(await read()).toMatchObject({
      version: '8',
      maxBytes: null,
      maxEcpuPerSecond: null,
      usedBytes: null,
      usedEcpuPerSecond: null,
      throttled: null,
      evictions: null,
    });
  });

  test('is asked for again when it is throttled, or the connection breaks', async () => {
    caches.faults.push('throttle', 'drop');
    expect(await read()).toMatchObject({ engine: 'valkey' });
    expect(caches.attempts).toEqual(['Throttling', 'drop', 'Done']);
  });

  test.each([
    ['denied', 'shop', /AccessDenied|not authorized/],
    ['server-error', 'shop', /internal error/i],
    [undefined, 'nobody', /not found/],
  ] as const)('%s is an error (%s)', async (fault, name, message) => {
    if (fault) caches.faults.push(fault, fault, fault);
    await expect(read(name)).rejects.toThrow(message);
  });

  test('is read page by page', async () => {
    publish('BytesUsedForCache', ...Array.from({ length: 50 }, (_, i): [number, number] => [5 + 5 * i, 1e6 + i]));
    metrics.pointsPerPage = 20;
    expect(await read()).toMatchObject({ usedBytes: 1e6 + 49 });
    expect(metrics.attempts).toHaveLength(3);
  });
});

describe('CloudFront', () => {
  const edge = (MetricName: string, ...values: [number, number][]) =>
    metrics.publish(
      'AWS/CloudFront',
      {
        MetricName,
        Dimensions: [
          { Name: 'DistributionId', Value: 'E1' },
          { Name: 'Region', Value: 'Global' },
        ],
      },
      values.map(([minutesAgo, value]) => ({ atMs: now - minutesAgo * minute, value })),
    );

  test('tells hits by weighing each rate with its requests', async () => {
    edge('Requests', [60, 900], [30, 100]);
    edge('CacheHitRate', [60, 100], [30, 0]);
    expect(await readEdgeCounts('E1', cloudWatch, now)).toEqual({ hits: 900, misses: 100 });
  });

  test('leaves out what it has no rate for', async () => {
    edge('Requests', [60, 900], [30, 100]);
    edge('CacheHitRate', [60, 50]);
    expect(await readEdgeCounts('E1', cloudWatch, now)).toEqual({ hits: 450, misses: 450 });
  });

  test('that nobody used served nothing', async () => {
    expect(await readEdgeCounts('E1', cloudWatch, now)).toEqual({ hits: 0, misses: 0 });
  });
});

describe('the function that asks', () => {
  const time = '2026-11-23T12:00:00Z';
  const stub = (variables: Record<string, string>) => {
    const all = {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKID',
      AWS_SECRET_ACCESS_KEY: 's',
      AWS_ENDPOINT_URL_ELASTICACHE: endpoints.caches,
      AWS_ENDPOINT_URL_CLOUDWATCH: endpoints.metrics,
      ...variables,
    };
    for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
    metrics.now = Date.now;
  };

  test('hands on what both levels tell', async () => {
    stub({ STREAMGATE_ELASTICACHE_NAME: 'shop', STREAMGATE_DISTRIBUTION_ID: 'E1' });
    expect(await handler({ time })).toMatchObject({
      time,
      service: { name: 'shop', engine: 'valkey' },
      edge: { hits: 0, misses: 0 },
      unknown: [],
    });
  });

  test('asks about nothing that there is not', async () => {
    stub({});
    expect(await handler({ time })).toEqual({ time, unknown: [] });
    expect([caches.attempts, metrics.attempts]).toEqual([[], []]);
  });

  test('says what could not be asked, and hands on the rest', async () => {
    stub({ STREAMGATE_ELASTICACHE_NAME: 'shop', STREAMGATE_DISTRIBUTION_ID: 'E1' });
    vi.spyOn(console, 'error').mockReturnValue();
    caches.faults.push('denied');
    expect(await handler({ time })).toEqual({
      time,
      edge: { hits: 0, misses: 0 },
      unknown: [expect.stringMatching(/^ElastiCache could not be asked \(\w+\)\.$/)],
    });
  });
});
