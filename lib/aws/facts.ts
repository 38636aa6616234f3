/**
 * What AWS can tell of the second and the third level of the cache, and only AWS: asked for over its API, which a network without a way out
 * does not reach.
 */
import type { CallOptions, CloudWatchApi, MetricDataQuery } from '../metrics/cloudwatch/api.ts';

/** The part of the client of ElastiCache that is used: `new ElastiCache()` of `@aws-sdk/client-elasticache` has it. */
export interface ElastiCacheApi {
  describeServerlessCaches(
    input: { ServerlessCacheName: string },
    options?: CallOptions,
  ): Promise<{ ServerlessCaches?: ServerlessCache[] | undefined }>;
}

/** https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ServerlessCache.html */
export interface ServerlessCache {
  Engine?: string | undefined;
  FullEngineVersion?: string | undefined;
  MajorEngineVersion?: string | undefined;
  CacheUsageLimits?:
    | {
        DataStorage?: { Maximum?: number | undefined; Unit?: string | undefined } | undefined;
        ECPUPerSecond?: { Maximum?: number | undefined } | undefined;
      }
    | undefined;
}

/** The service behind the second level: what it is, what it may do, and what it did in the last day. */
export interface CacheService {
  name: string;
  /** `valkey`, `redis`, `memcached`. */
  engine: string;
  version: string;
  /** Null where none is set: then only the account's quota bounds what it costs. */
  maxBytes: number | null;
  /** ElastiCache processing units. */
  maxEcpuPerSecond: number | null;
  /** The most that it held; null without a figure. */
  usedBytes: number | null;
  /** The most in five minutes, by the second. */
  usedEcpuPerSecond: number | null;
  /** Commands that it refused, since they were too many. */
  throttled: number | null;
  /** Entries that it gave up for want of room, before they expired. */
  evictions: number | null;
}

/** What CloudFront answered in the last day, and what it had to ask for. */
export interface EdgeCounts {
  hits: number;
  misses: number;
}

const day = 86_400_000;
const periodSeconds = 300;

/** How long a question may take with all its attempts, in milliseconds. */
const timeoutMs = 20_000;

/** A GB as ElastiCache counts it: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DataStorage.html */
const bytesOf: Record<string, number> = { GB: 2 ** 30 };

/**
 * Asks for the service behind the second level.
 *
 * @param now milliseconds since 1970
 * @throws what the SDK throws; Error when there is no such cache
 */
export async function readCacheService(
  name: string,
  { elastiCache, cloudWatch }: { elastiCache: ElastiCacheApi; cloudWatch: CloudWatchApi },
  now = Date.now(),
): Promise<CacheService> {
  const abortSignal = AbortSignal.timeout(timeoutMs);
  const dimensions = [{ Name: 'clusterId', Value: name }];
  const metric = (MetricName: string, Stat: string) => ({ Namespace: 'AWS/ElastiCache', MetricName, Stat, dimensions });
  const [described, [held = [], worked = [], throttled = [], evicted = []]] = await Promise.all([
    elastiCache.describeServerlessCaches({ ServerlessCacheName: name }, { abortSignal }),
    valuesOf(
      cloudWatch,
      [
        metric('BytesUsedForCache', 'Maximum'),
        metric('ElastiCacheProcessingUnits', 'Sum'),
        metric('ThrottledCmds', 'Sum'),
        metric('Evictions', 'Sum'),
      ],
      now,
      abortSignal,
    ),
  ]);
  const [cache] = described.ServerlessCaches ?? [];
  if (!cache) throw new Error(`There is no serverless cache "${name}".`);
  const { DataStorage, ECPUPerSecond } = cache.CacheUsageLimits ?? {};
  const busiest = most(worked);
  return {
    name,
    engine: cache.Engine ?? 'unknown',
    version: cache.FullEngineVersion ?? cache.MajorEngineVersion ?? 'unknown',
    maxBytes: DataStorage?.Maximum ? DataStorage.Maximum * (bytesOf[DataStorage.Unit ?? 'GB'] ?? 1) : null,
    maxEcpuPerSecond: ECPUPerSecond?.Maximum ?? null,
    usedBytes: most(held),
    usedEcpuPerSecond: busiest === null ? null : busiest / periodSeconds,
    throttled: sum(throttled),
    evictions: sum(evicted),
  };
}

/**
 * Asks what CloudFront answered by itself.
 *
 * @param cloudWatch a client for us-east-1: there are no metrics of CloudFront anywhere else
 * @param now milliseconds since 1970
 */
export async function readEdgeCounts(
  distributionId: string,
  cloudWatch: CloudWatchApi,
  now = Date.now(),
): Promise<EdgeCounts> {
  const dimensions = [
    { Name: 'DistributionId', Value: distributionId },
    { Name: 'Region', Value: 'Global' },
  ];
  const metric = (MetricName: string, Stat: string) => ({ Namespace: 'AWS/CloudFront', MetricName, Stat, dimensions });
  const [requests = new Map<number, number>(), rates = new Map<number, number>()] = await seriesOf(
    cloudWatch,
    [metric('Requests', 'Sum'), metric('CacheHitRate', 'Average')],
    now,
    AbortSignal.timeout(timeoutMs),
  );
  let hits = 0;
  let all = 0;
  for (const [at, count] of requests) {
    const rate = rates.get(at);
    if (rate === undefined) continue;
    all += count;
    hits += (count * rate) / 100;
  }
  return { hits: Math.round(hits), misses: Math.round(all) - Math.round(hits) };
}

interface Metric {
  Namespace: string;
  MetricName: string;
  Stat: string;
  dimensions: { Name: string; Value: string }[];
}

async function valuesOf(api: CloudWatchApi, metrics: Metric[], now: number, abortSignal: AbortSignal) {
  return (await seriesOf(api, metrics, now, abortSignal)).map((series) => [...series.values()]);
}

/** Each metric of the last day, by the start of its periods. */
async function seriesOf(
  api: CloudWatchApi,
  metrics: readonly Metric[],
  now: number,
  abortSignal: AbortSignal,
): Promise<Map<number, number>[]> {
  const found = metrics.map(() => new Map<number, number>());
  let NextToken: string | undefined;
  do {
    const page = await api.getMetricData(
      {
        MetricDataQueries: metrics.map(question),
        StartTime: new Date(now - day),
        EndTime: new Date(now),
        ScanBy: 'TimestampAscending',
        MaxDatapoints: 100_800,
        ...(NextToken ? { NextToken } : {}),
      },
      { abortSignal },
    );
    for (const { Id, Timestamps = [], Values = [] } of page.MetricDataResults ?? []) {
      for (const [place, at] of Timestamps.entries()) {
        const value = Values[place];
        if (value !== undefined) found[Number(Id?.slice(1))]?.set(at.getTime(), value);
      }
    }
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}

function question({ Namespace, MetricName, Stat, dimensions }: Metric, place: number): MetricDataQuery {
  const Metric = { Namespace, MetricName, Dimensions: dimensions };
  return { Id: `q${place}`, MetricStat: { Metric, Period: periodSeconds, Stat } };
}

/** Null for no values: a service that nobody used tells nothing. */
function most(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => Math.max(a, b));
}

function sum(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => a + b);
}
