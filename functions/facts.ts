import type { ElastiCache } from '@aws-sdk/client-elasticache';
import { type CacheService, type EdgeCounts, readCacheService, readEdgeCounts } from '../lib/aws/facts.ts';
import type { CloudWatchApi } from '../lib/metrics/cloudwatch/api.ts';
import type { AuditEvent } from './audits/audit.ts';
import { edgeHitsLine } from './edge-hits.ts';

/** What is known of the levels of the cache, as the audit of the cache takes it. */
export interface CacheFacts extends AuditEvent {
  /** The service behind the second level. */
  service?: CacheService;
  /** What CloudFront served. */
  edge?: EdgeCounts;
  /** What could not be asked, and why. */
  unknown: string[];
}

/**
 * Scheduled, in the place of the cache's audit: asks AWS what its levels look like from outside, and hands that on. A function of its own, outside of any
 * network, since the metrics of CloudFront are in us-east-1 alone. Lambda carries its answer to the audit, as the destination of its success. What
 * cannot be asked is said, and keeps nobody from the audit.
 */
export async function handler({ time }: AuditEvent): Promise<CacheFacts> {
  const { STREAMGATE_ELASTICACHE_NAME: name, STREAMGATE_DISTRIBUTION_ID: distribution } = process.env;
  const unknown: string[] = [];
  const ask = async <Fact>(what: string, question: () => Promise<Fact>): Promise<Fact | undefined> => {
    try {
      return await question();
    } catch (error) {
      console.error(error);
      unknown.push(`${what} could not be asked (${(error as Error).name}).`);
      return undefined;
    }
  };
  const [service, edge] = await Promise.all([
    name ? ask('ElastiCache', async () => readCacheService(name, await clients())) : undefined,
    distribution
      ? ask('CloudFront', async () => readEdgeCounts(distribution, await cloudWatch('us-east-1')))
      : undefined,
  ]);
  if (edge) tellCloudWatch(edge);
  return { time, unknown, ...(service ? { service } : {}), ...(edge ? { edge } : {}) };
}

/** In the log, where an alarm is made of it. */
function tellCloudWatch(edge: EdgeCounts): void {
  const { AWS_LAMBDA_FUNCTION_NAME, STREAMGATE_STAGE = 'default' } = process.env;
  const line = AWS_LAMBDA_FUNCTION_NAME && edgeHitsLine(edge, STREAMGATE_STAGE, Date.now());
  if (line) process.stdout.write(`${line}\n`);
}

/** The SDK tries again what was throttled. */
const maxAttempts = 6;

async function clients(): Promise<{ elastiCache: ElastiCache; cloudWatch: CloudWatchApi }> {
  const sdk = await import('@aws-sdk/client-elasticache');
  return { elastiCache: new sdk.ElastiCache({ maxAttempts }), cloudWatch: await cloudWatch() };
}

async function cloudWatch(region?: string): Promise<CloudWatchApi> {
  const sdk = await import('@aws-sdk/client-cloudwatch');
  return new sdk.CloudWatch({ maxAttempts, ...(region ? { region } : {}) });
}
