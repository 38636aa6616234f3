import { checkMeasurements, checkQueries, isNamespace, wholePeriods } from './checks.ts';
import type { CloudWatchApi } from './cloudwatch/api.ts';
import { listFunctions } from './cloudwatch/list.ts';
import { readSeries } from './cloudwatch/read.ts';
import { requestsOf } from './cloudwatch/write.ts';
import { MetricsError } from './errors.ts';
import type { Metrics } from './metrics.ts';

export type { CloudWatchApi } from './cloudwatch/api.ts';

/** How CloudWatch is reached. */
export interface CloudWatchMetricsOptions {
  /** Gives the client, at the first use: loading it takes longer than anything else here. */
  connect: () => Promise<CloudWatchApi>;
  /** Default: `StreamGate`. */
  namespace?: string;
  /** How long one reading, writing or listing may take with all its requests and their retries, in milliseconds. Default: 30,000. */
  timeoutMs?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/**
 * Metrics in CloudWatch. In a Lambda function, write them to its log instead (see embedded.ts): that takes no request.
 *
 * A request that is throttled is sent again by the client of the SDK; give it as many attempts as there is time for.
 *
 * @throws MetricsError `option-invalid`
 * @example
 * const metrics = cloudWatchMetrics({ connect: async () => new CloudWatch({ maxAttempts: 8 }) });
 */
export function cloudWatchMetrics({
  connect,
  namespace = 'StreamGate',
  timeoutMs = 30_000,
  now = Date.now,
}: CloudWatchMetricsOptions): Metrics {
  if (!isNamespace(namespace))
    throw new MetricsError('option-invalid', `CloudWatch takes no namespace "${namespace}".`);
  let connected: CloudWatchApi | undefined;

  async function use<Result>(
    operation: Operation,
    work: (api: CloudWatchApi, abortSignal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const abortSignal = AbortSignal.timeout(timeoutMs);
    try {
      connected ??= await connect();
      return await work(connected, abortSignal);
    } catch (cause) {
      throw failed(operation, cause, abortSignal.aborted ? timeoutMs : undefined);
    }
  }

  return {
    async write(measurements) {
      checkMeasurements(measurements, now());
      await use('PutMetricData', async (api, abortSignal) => {
        for (const MetricData of requestsOf(measurements)) {
          await api.putMetricData({ Namespace: namespace, MetricData }, { abortSignal });
        }
      });
    },

    async read(queries, span) {
      checkQueries(queries, span);
      const whole = wholePeriods(span, now());
      const { series, notes } = await use('GetMetricData', (api, abortSignal) =>
        readSeries(api, queries, { namespace, span: whole, options: { abortSignal } }),
      );
      return {
        periodMs: whole.periodMs,
        series: queries.map((query, place) => ({ query, points: [], isComplete: false, ...series[place] })),
        notes,
      };
    },

    functions(since) {
      return use('ListMetrics', (api, abortSignal) =>
        listFunctions(api, { namespace, ageMs: now() - since, options: { abortSignal } }),
      );
    },
  };
}

type Operation = 'PutMetricData' | 'GetMetricData' | 'ListMetrics';

function failed(operation: Operation, cause: unknown, timeoutMs: number | undefined): MetricsError {
  const name = cause instanceof Error ? cause.name : String(cause);
  const late = timeoutMs === undefined ? '' : ` within ${timeoutMs} ms`;
  return new MetricsError(
    'store-failed',
    `CloudWatch did not carry out ${operation}${late}: ${name}. ${remedy(cause, name, operation)}`,
    {
      cause,
    },
  );
}

function remedy(cause: unknown, name: string, operation: Operation): string {
  if (cause instanceof Error && cause.message === 'Region is missing') return 'Set AWS_REGION.';
  switch (name) {
    case 'AccessDenied':
    case 'AccessDeniedException':
      return `Allow cloudwatch:${operation}.`;
    case 'CredentialsProviderError':
      return `Give the process AWS credentials that allow cloudwatch:${operation}.`;
    case 'Throttling':
    case 'ThrottlingException':
      return 'Give the client more attempts, or ask for less.';
    default:
      return operation === 'PutMetricData' ? 'What was sent before it is kept.' : 'Read again later.';
  }
}
