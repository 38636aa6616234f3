/** What the alarms and the dashboard look at: each metric once. */
import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { countedRules } from '../functions/audits/counted.ts';
import type { Api, Endpoint } from './api.ts';
import type { Audits } from './audits.ts';
import type { Edge } from './edge.ts';
import type { SecondLevel } from './second-level.ts';
import type { Stage } from './stage.ts';

/** What is observed. */
export interface Observed {
  stage: Stage;
  goals: Exclude<Stage['alarms'], false>;
  api: Api;
  audits: Audits;
  /** What was given up. */
  failed: sqs.Queue;
  edge: Edge | undefined;
  second: SecondLevel | undefined;
}

const five = Duration.minutes(5);

/** A metric of the API, of one of its routes or of all. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html */
export function apiMetric(api: Api, metricName: string, statistic: string, endpoint?: Endpoint): cloudwatch.Metric {
  const { method, path } = endpoint?.route ?? {};
  return new cloudwatch.Metric({
    namespace: 'AWS/ApiGateway',
    metricName,
    statistic,
    period: five,
    dimensionsMap: {
      ApiId: api.id,
      ...(method && path ? { Stage: '$default', Method: method, Resource: path } : {}),
    },
  });
}

/** A metric that StreamGate writes into its log. */
export function ownMetric({ name }: Stage, metricName: string, period = five, statistic = 'Sum'): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'StreamGate',
    metricName,
    statistic,
    period,
    dimensionsMap: { service: 'streamgate', stage: name },
  });
}

/** How many findings an audit had of the rules that are counted. */
export function findings(
  stage: Stage,
  metric: keyof typeof countedRules,
  period = Duration.hours(1),
): cloudwatch.Metric {
  return ownMetric(stage, metric, period, 'Maximum');
}

/** The share of gets that waited for no load, in percent: a ratio of sums. 100 where so few were asked for that it says nothing. */
export function hitPercent(stage: Stage, period = Duration.hours(1)): cloudwatch.MathExpression {
  return new cloudwatch.MathExpression({
    expression: 'IF(gets >= 1000, 100 * (1 - waits / gets), 100)',
    usingMetrics: { gets: ownMetric(stage, 'CacheGets', period), waits: ownMetric(stage, 'CacheWaits', period) },
    label: 'Hit rate',
    period,
  });
}

/** A metric of ElastiCache Serverless. https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/serverless-metrics-events-redis.html */
export function cacheMetric(second: SecondLevel, metricName: string, statistic: string): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'AWS/ElastiCache',
    metricName,
    statistic,
    period: five,
    dimensionsMap: { clusterId: second.cacheName },
  });
}

/** What CloudFront answered by itself in the last day, in percent: functions/facts.ts tells it, each time before the audit of the cache. */
export function edgeHits(stage: Stage, period = Duration.hours(1)): cloudwatch.Metric {
  return ownMetric(stage, 'EdgeHitRate', period, 'Minimum');
}

/** A metric of CloudFront, which there is in us-east-1 only. */
export function edgeMetric(edge: Edge, metricName: string, statistic: string): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'AWS/CloudFront',
    metricName,
    statistic,
    period: five,
    region: 'us-east-1',
    dimensionsMap: { DistributionId: edge.distribution.distributionId, Region: 'Global' },
  });
}
