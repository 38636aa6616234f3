import { CloudWatch } from '@aws-sdk/client-cloudwatch';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { cloudWatchMetrics } from '../../../../lib/metrics/cloudwatch.ts';
import { MetricsError } from '../../../../lib/metrics/errors.ts';
import type { Metrics } from '../../../../lib/metrics/metrics.ts';
import { connectCloudWatch } from '../../../../lib/metrics/sdk.ts';
import { measurement, metricsContract, noon, query, shop } from './contract.ts';
import { FakeCloudWatch, type Fault } from './fake-cloudwatch.ts';

const minute = 60_000;
const hour = 60 * minute;

const aws = new FakeCloudWatch();
let endpoint: string;
let client: CloudWatch;

beforeAll(async () => {
  endpoint = await aws.listen();
  const credentials = { accessKeyId: 'AKIAFAKE', secretAccessKey: 'fake' };
  client = new CloudWatch({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 4 });
});

afterAll(async () => {
  client?.destroy();
  await aws.close();
});

beforeEach(() => {
  aws.reset();
  aws.now = () => noon;
  // Between two attempts the SDK waits for a random time.
  vi.spyOn(Math, 'random').mockReturnValue(0);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const open = (options: Partial<Parameters<typeof cloudWatchMetrics>[0]> = {}): Metrics =>
  cloudWatchMetrics({ connect: async () => client, now: () => noon, ...options });

const lately = { from: noon - hour, to: noon + hour, periodMs: minute };

const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('nothing failed'),
    (error: MetricsError) => error,
  );

metricsContract('CloudWatch', {
  open(now) {
    aws.now = now;
    return open({ now });
  },
});

describe('a request to write', () => {
  const inputs = () => aws.attempts.map(({ input }) => input.MetricData as { Values: number[] }[]);

  test('has at most 1,000 metrics', async () => {
    const names = Array.from({ length: 2_500 }, (_, place) => `M${place}`);
    await open().write(names.map((name) => measurement({ name })));
    expect(inputs().map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
    expect(aws.metricCount).toBe(2_500);
  });

  test('has at most 150 values of a metric, each once', async () => {
    const values = Array.from({ length: 320 }, (_, place) => place % 160);
    await open().write([measurement({ values })]);
    expect(inputs().map((data) => data.map(({ Values }) => Values.length))).toEqual([[150, 10]]);
  });

  test('has at most 1 MB, and is compressed', async () => {
    const measurements = Array.from({ length: 900 }, (_, place) =>
      measurement({ name: `M${place}`, values: Array.from({ length: 150 }, () => Math.sin(place++)) }),
    );
    await open().write(measurements);
    expect(aws.attempts.length).toBeGreaterThan(2);
    expect(aws.attempts.every(({ outcome, isCompressed }) => outcome === 'Done' && isCompressed)).toBe(true);
  });

  test('names the service, the function and the stage, and the unit', async () => {
    await open({ namespace: 'Shop' }).write([measurement()]);
    expect(aws.attempts[0]?.input).toEqual({
      Namespace: 'Shop',
      MetricData: [
        {
          MetricName: 'HeapUsed',
          Dimensions: [
            { Name: 'service', Value: 'shop' },
            { Name: 'function', Value: 'checkout' },
            { Name: 'stage', Value: 'prod' },
          ],
          Timestamp: noon / 1_000,
          Unit: 'Bytes',
          Values: [1],
          Counts: [1],
        },
      ],
    });
  });

  test('is not made for what CloudWatch would refuse', async () => {
    await failure(open().write([measurement({ values: [Number.NaN] })]));
    expect(aws.attempts).toEqual([]);
  });
});

describe('the fake refuses what CloudWatch refuses:', () => {
  const datum = { MetricName: 'M', Timestamp: new Date(noon), Unit: 'Count' as const, Value: 1 };
  const put = (overrides: object, count = 1) =>
    client.putMetricData({
      Namespace: 'Shop',
      MetricData: Array.from({ length: count }, () => ({ ...datum, ...overrides })),
    });

  test.each([
    ['a value that is not a number', { Value: Number.NaN }],
    ['an infinite value', { Value: Number.POSITIVE_INFINITY }],
    ['a value beyond 2^360', { Value: 2 ** 361 }],
    ['151 values', { Value: undefined, Values: Array(151).fill(1) }],
    ['as many counts as there are not values', { Value: undefined, Values: [1, 2], Counts: [1] }],
    ['a time more than two weeks ago', { Timestamp: new Date(noon - 14.1 * 24 * hour) }],
    ['a time more than two hours from now', { Timestamp: new Date(noon + 2.1 * hour) }],
    ['an empty dimension', { Dimensions: [{ Name: 'stage', Value: '' }] }],
  ])('%s', async (_, overrides) => {
    await expect(put(overrides)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    expect(aws.attempts.map(({ outcome }) => outcome)).toEqual(['InvalidParameterValueException']);
  });

  test('1,001 metrics', async () => {
    await expect(put({}, 1_001)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
  });

  test('501 queries', async () => {
    const MetricDataQueries = Array.from({ length: 501 }, (_, place) => ({
      Id: `q${place}`,
      MetricStat: { Metric: { Namespace: 'Shop', MetricName: 'M' }, Period: 60, Stat: 'Sum' },
    }));
    const reading = client.getMetricData({
      MetricDataQueries,
      StartTime: new Date(noon),
      EndTime: new Date(noon + hour),
    });
    await expect(reading).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
  });
});

describe('a reading', () => {
  const minutes = Array.from({ length: 60 }, (_, place) => place);

  test('goes on over all pages', async () => {
    await open().write(
      minutes.flatMap((at) => [
        measurement({ at: noon + at * minute, values: [at] }),
        measurement({ at: noon + at * minute, name: 'CpuTime', values: [100 + at] }),
      ]),
    );
    aws.pointsPerPage = 7;
    const { series } = await open().read([query(), query('Sum', { name: 'CpuTime' })], lately);
    expect(series[0]?.points.map(({ value }) => value)).toEqual(minutes);
    expect(series[1]?.points.map(({ value }) => value)).toEqual(minutes.map((at) => 100 + at));
    expect(series.map(({ isComplete }) => isComplete)).toEqual([true, true]);
    expect(aws.attempts.filter(({ operation }) => operation === 'GetMetricData')).toHaveLength(Math.ceil(120 / 7));
  });

  test('asks at most 500 questions at a time, for at most 100,800 points', async () => {
    const queries = Array.from({ length: 1_200 }, (_, place) => query('Sum', { name: `M${place}` }));
    await open().read(queries, lately);
    expect(
      aws.attempts.map(({ input }) => [(input.MetricDataQueries as unknown[]).length, input.MaxDatapoints]),
    ).toEqual([
      [500, 100_800],
      [500, 100_800],
      [200, 100_800],
    ]);
  });

  test('asks once more for what failed, and for that alone', async () => {
    await open().write([measurement({ values: [5] })]);
    aws.statuses.push('InternalError');
    const { series, notes } = await open().read([query()], lately);
    expect(series[0]).toMatchObject({ isComplete: true, points: [{ value: 5 }] });
    expect(notes).toEqual(['Trouble: Something went wrong.']);
  });

  test.each(['InternalError', 'Forbidden', 'PartialData'])(
    'says that it is not complete after %s again',
    async (status) => {
      await open().write([measurement({ values: [5] })]);
      aws.statuses.push(status, status);
      const { series } = await open().read([query()], lately);
      expect(series[0]).toMatchObject({ isComplete: false, points: [{ value: 5 }] });
    },
  );
});

describe('a list of functions', () => {
  const put = (dimensions: Record<string, string>, MetricName = 'ResidentMemory') =>
    client.putMetricData({
      Namespace: 'StreamGate',
      MetricData: [
        {
          MetricName,
          Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
          Timestamp: new Date(noon),
          Unit: 'Bytes',
          Value: 1,
        },
      ],
    });
  const lists = () => aws.attempts.filter(({ operation }) => operation === 'ListMetrics');

  test('asks for what is in use, and goes on over all pages', async () => {
    const names = Array.from({ length: 7 }, (_, place) => `F${place}`);
    await open().write(
      names.map((name) => measurement({ name: 'ResidentMemory', dimensions: { ...shop, function: name } })),
    );
    aws.metricsPerPage = 3;
    const { functions } = await open().functions(noon - hour);
    expect(functions.map(({ function: name }) => name)).toEqual(names);
    expect(lists().map(({ input }) => input)).toMatchObject(
      [undefined, '3', '6'].map((NextToken) => ({
        Namespace: 'StreamGate',
        MetricName: 'ResidentMemory',
        Dimensions: [{ Name: 'service' }, { Name: 'function' }, { Name: 'stage' }],
        RecentlyActive: 'PT3H',
        ...(NextToken ? { NextToken } : {}),
      })),
    );
  });

  test('has no metric with other dimensions, and none of another namespace', async () => {
    await put({ ...shop });
    await put({ ...shop, function: 'by environment', environment: 'a' });
    await put({ service: 'shop', stage: 'prod' });
    await open({ namespace: 'Other' }).write([
      measurement({ name: 'ResidentMemory', dimensions: { ...shop, function: 'other' } }),
    ]);
    expect(await open().functions(noon - hour)).toEqual({ functions: [shop], isComplete: true });
  });

  test('of a longer time has all that there is', async () => {
    await open().write([measurement({ name: 'ResidentMemory' })]);
    aws.now = () => noon + 24 * hour;
    const { functions } = await open({ now: aws.now }).functions(noon - hour);
    expect(functions).toEqual([shop]);
    expect(lists()[0]?.input).not.toHaveProperty('RecentlyActive');
  });

  test('ends though there are pages without end', async () => {
    const listMetrics = vi.fn(async () => ({ Metrics: [], NextToken: 'more' }));
    const api = { putMetricData: vi.fn(), getMetricData: vi.fn(), listMetrics };
    expect(await open({ connect: async () => api }).functions(noon)).toEqual({ functions: [], isComplete: false });
    expect(listMetrics).toHaveBeenCalledTimes(20);
  });

  test('that nobody may make says what to allow', async () => {
    aws.ever = 'denied';
    expect((await failure(open().functions(noon))).message).toContain('Allow cloudwatch:ListMetrics.');
  });
});

describe('an attempt that fails', () => {
  test.each<Fault>(['throttle', 'server-error', 'drop'])('with %s is repeated by the SDK', async (fault) => {
    aws.faults.push(fault, fault, fault);
    await open().write([measurement()]);
    expect(aws.attempts).toHaveLength(4);
    expect(aws.attempts.at(-1)?.outcome).toBe('Done');
    expect(aws.metricCount).toBe(1);
  });

  test.each([
    ['throttle', 'Throttling', 'Give the client more attempts, or ask for less.'],
    ['denied', 'AccessDenied', 'Allow cloudwatch:GetMetricData.'],
    ['server-error', 'InternalServiceFault', 'Read again later.'],
  ] as const)('with %s for good says so, and what to do', async (fault, name, remedy) => {
    aws.ever = fault;
    const error = await failure(open().read([query()], lately));
    expect(error).toBeInstanceOf(MetricsError);
    expect(error.code).toBe('store-failed');
    expect(error.message).toContain(name);
    expect(error.message).toContain(remedy);
    expect(aws.attempts).toHaveLength(fault === 'denied' ? 1 : 4);
  });

  test('because nobody is logged in says so', async () => {
    const credentials = async () => {
      throw Object.assign(new Error('no profile'), { name: 'CredentialsProviderError' });
    };
    const stranger = new CloudWatch({ endpoint, region: 'eu-central-1', credentials });
    const error = await failure(open({ connect: async () => stranger }).write([measurement()]));
    expect(error.message).toContain('Give the process AWS credentials that allow cloudwatch:PutMetricData.');
    stranger.destroy();
  });

  test('to connect is made again', async () => {
    const connect = vi.fn().mockRejectedValueOnce(new Error('no such package')).mockResolvedValue(client);
    const metrics = open({ connect });
    expect((await failure(metrics.write([measurement()]))).message).toContain('Error');
    await metrics.write([measurement()]);
    await metrics.write([measurement()]);
    expect(connect).toHaveBeenCalledTimes(2);
  });

  test('takes a bounded time when CloudWatch hangs', async () => {
    aws.ever = 'hang';
    const error = await failure(open({ timeoutMs: 50 }).write([measurement()]));
    expect(error.message).toContain('within 50 ms');
  });
});

test('a process without a region is told so', async () => {
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE', 'AWS_CONFIG_FILE'])
    vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', '/nonexistent');
  const error = await failure(open({ connect: connectCloudWatch }).functions(noon));
  expect(error.message).toContain('Set AWS_REGION.');
});

test('the client is made for the region of the process', async () => {
  vi.stubEnv('AWS_ENDPOINT_URL_CLOUDWATCH', endpoint);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAFAKE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'fake');
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  aws.faults.push('throttle', 'throttle', 'throttle', 'throttle', 'throttle');
  await open({ connect: connectCloudWatch }).write([measurement({ dimensions: shop })]);
  expect(aws.attempts).toHaveLength(6);
});

test('a namespace that CloudWatch does not take is refused', () => {
  for (const namespace of ['', ':a', 'AWS/Lambda', 'ä']) {
    expect(() => open({ namespace })).toThrow(expect.objectContaining({ code: 'option-invalid' }));
  }
});
