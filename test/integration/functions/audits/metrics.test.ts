import { CloudWatch } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../../../functions/routes.ts';
import type { Recommendation } from '../../../../lib/advice/recommendation.ts';
import { cloudWatchMetrics } from '../../../../lib/metrics/cloudwatch.ts';
import { openHistory } from '../../../../lib/postgres/history.ts';
import type { Note } from '../../../../lib/postgres/server.ts';
import { metricsOfSamples } from '../../../../lib/resources/pooled.ts';
import type { Sample } from '../../../../lib/resources/sample.ts';
import type { CpuPoint, MemoryPoint, MemoryStatistics, MemoryTrends } from '../../../../lib/resources/snapshot.ts';
import { environment, sample } from '../../../unit/lib/resources/leak-series.ts';
import { type Api, configure, serveApi } from '../../api.ts';
import { createDatabase, type TestDatabase } from '../../database.ts';
import { FakeCloudWatch } from '../../lib/metrics/fake-cloudwatch.ts';
import { auditFunctions } from './audit-functions.ts';

const megabyte = 2 ** 20;
const minute = 60_000;
const now = Date.now();
const aws = new FakeCloudWatch();

let kept: TestDatabase;
let api: Api;
let endpoint: string;
let client: CloudWatch;

/** The service with metrics in a namespace of its own: what was read of one stands for a quarter of an hour. */
const serve = (namespace: string) =>
  configure({
    DATABASE_URL: kept.url,
    STREAMGATE_HISTORY_URL: kept.url,
    STREAMGATE_METRICS: 'cloudwatch',
    STREAMGATE_METRICS_NAMESPACE: namespace,
    AWS_ENDPOINT_URL_CLOUDWATCH: endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIAFAKE',
    AWS_SECRET_ACCESS_KEY: 'fake',
  });

/** A sample in each of the last two hours' minutes, the oldest first. */
const samples = (overrides: (place: number) => Partial<Sample> = () => ({})) =>
  Array.from({ length: 120 }, (_, place) =>
    sample(10 * (place + 1), { at: new Date(now - (120 - place) * minute).toISOString(), ...overrides(place) }),
  );

/** What the monitor of a function sends to CloudWatch. */
const write = (namespace: string, name: string, of: Sample[]) =>
  metricsOfSamples(cloudWatchMetrics({ connect: async () => client, namespace }), 'shop').append({
    environment: environment({ function: name }),
    samples: of,
  });

async function leave(name: string, version: string, of: Sample[]) {
  const history = openHistory(kept.url);
  await history.samples.append({
    environment: environment({ id: name + version, function: name, version }),
    samples: of,
  });
  await history.close();
}

const audit = (minutesAgo: number) => auditFunctions(new Date(now - minutesAgo * minute));

const body = async <Data>(path: string) =>
  (await api.get(`/optimization/${path}`)).body as { data: Data; meta: { notes: Note[]; total?: number } };
/** But for this process, which leaves samples, too. */
const others = async () => {
  const { data, meta } = await body<MemoryStatistics>('memory/stats');
  return { functions: data.functions.filter(({ function: name }) => name !== 'local'), meta };
};
const found = async () =>
  (await body<Recommendation[]>('recommendations?status=all')).data.map(
    ({ rule, status, subject }) => `${rule} of ${subject.function}: ${status}`,
  );

beforeAll(async () => {
  kept = await createDatabase({ extensions: false });
  const history = openHistory(kept.url);
  await history.migrate();
  await history.close();
  endpoint = await aws.listen();
  const credentials = { accessKeyId: 'AKIAFAKE', secretAccessKey: 'fake' };
  client = new CloudWatch({ endpoint, region: 'eu-central-1', credentials });
  const floor = (place: number) => ({ heapBytes: (20 + place) * megabyte, externalBytes: megabyte, collectMs: 1 });
  const large = samples((place) => ({ rssBytes: 600 * megabyte, floor: place % 10 === 0 ? floor(place) : null }));
  await write('Shop', 'cart', large);
  await write('Shop', 'late', samples());
  // One that leaves its samples, too, as StreamGate's own functions do.
  await write('Shop', 'both', large);
  await leave('both', '7', large);
  await serve('Shop');
  aws.attempts.length = 0;
  await audit(4);
  api = await serveApi();
}, 120_000);

afterAll(async () => {
  client?.destroy();
  await api?.close();
  await aws.close();
  await kept?.drop();
});

describe('a function that is in CloudWatch alone', () => {
  test('is told of beside the others, of which each counts once', async () => {
    const { functions, meta } = await others();
    expect(meta.notes).toEqual([]);
    expect(functions).toMatchObject([
      { function: 'both', source: 'samples', version: '7', environments: 1, invocations: 1_200 },
      { function: 'cart', source: 'metrics', version: null, environments: null, invocations: null },
      { function: 'late', source: 'metrics' },
    ]);
    expect(functions[1]).toMatchObject({
      rssBytes: { max: 600 * megabyte, p95: 600 * megabyte },
      limits: { memoryBytes: null },
      isWithinTarget: false,
    });
  });

  test('was read with two requests, for nobody but itself', async () => {
    expect(aws.attempts.map(({ operation, outcome }) => [operation, outcome])).toEqual([
      ['ListMetrics', 'Done'],
      ['GetMetricData', 'Done'],
    ]);
    const asked = JSON.stringify(aws.attempts[1]?.input);
    expect(asked).toContain('"cart"');
    expect(asked).not.toContain('"both"');
  });

  test('has no verdict on leaks, but a trend of its heap over the hours', async () => {
    const { data } = await body<MemoryTrends>('memory/trends?function=cart');
    expect(data.functions).toMatchObject([
      {
        leak: { verdict: 'insufficient-data' },
        fleet: null,
        trend: { verdict: 'rising' },
        trendOf: { x: 'hours', y: 'heapFloorBytes' },
      },
    ]);
    expect((data.functions[0]?.trend.slope ?? 0) / megabyte).toBeCloseTo(60, -1);
  });

  test('has its periods for samples', async () => {
    const { data, meta } = await body<MemoryPoint[]>('memory/metrics?function=cart&limit=3');
    expect(data).toHaveLength(3);
    expect(meta.total).toBeGreaterThanOrEqual(24);
    expect(data[0]).toMatchObject({ source: 'metrics', environment: null, rssBytes: 600 * megabyte, handles: null });
    expect((await body<CpuPoint[]>('cpu/metrics?function=cart&limit=1')).data[0]).toMatchObject({ percent: 50 });
  });

  test.each(routes.filter(({ path }) => /\/(memory|cpu)\//.test(path)))('$path keeps its promise', async (route) => {
    const { status, body: answered } = await api.get(`${route.path}?function=cart`);
    expect(status).toBe(200);
    expect(route.response.parse(answered)).toEqual(answered);
    expect(JSON.stringify(answered)).toContain('"source":"metrics"');
  });

  test('has findings where metrics are enough for a rule', async () => {
    expect(await found()).toContain('memory/over-target of cart (prod): open');
  });
});

test('what was read is not read again for a quarter of an hour, and goes when there are samples', async () => {
  await leave('late', '7', samples());
  aws.attempts.length = 0;
  await audit(3);
  expect(aws.attempts).toEqual([]);
  expect((await others()).functions).toMatchObject([
    { function: 'both', source: 'samples' },
    { function: 'cart', source: 'metrics' },
    { function: 'late', source: 'samples' },
  ]);
});

test('that CloudWatch refuses is a note with a remedy: the other functions are judged, and nothing is taken for mended', async () => {
  // A newer version of the other one takes less.
  await leave('both', '8', samples().slice(-1));
  aws.ever = 'denied';
  await serve('Forbidden');
  await audit(2);
  const { functions, meta } = await others();
  expect(functions.map(({ function: name }) => name)).toEqual(['both', 'late']);
  expect(meta.notes).toMatchObject([
    { code: 'metrics-unreadable', rules: [], message: expect.stringContaining('Allow cloudwatch:ListMetrics.') },
  ]);
  expect(await found()).toEqual(
    expect.arrayContaining([
      'memory/over-target of cart (prod): open',
      expect.stringMatching(/^memory\/over-target of both \(prod\): (?!open)/),
    ]),
  );
  aws.ever = undefined;
});

test('where metrics are switched off nobody is asked', async () => {
  aws.attempts.length = 0;
  await configure({ DATABASE_URL: kept.url, STREAMGATE_HISTORY_URL: kept.url });
  await audit(1);
  expect(aws.attempts).toEqual([]);
  expect((await others()).meta.notes).toEqual([]);
});
