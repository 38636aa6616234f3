import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Endpoint } from './api.ts';
import type { DeployedAudit } from './audits.ts';
import { idOf } from './function.ts';
import { apiMetric, cacheMetric, edgeHits, findings, hitPercent, type Observed } from './metrics.ts';

/** No news of it is good news: nobody asked, and nothing failed. */
const quietIsFine = cloudwatch.TreatMissingData.NOT_BREACHING;

/** No news of it is the news. */
const quietIsBad = cloudwatch.TreatMissingData.BREACHING;

/** From this share of a limit on somebody should know. */
const nearLimit = 0.8;

const { GREATER_THAN_THRESHOLD: above, LESS_THAN_THRESHOLD: below } = cloudwatch.ComparisonOperator;

/** Of an audit: what takes a day at most can be looked at by the hour, and what is older than a day cannot. */
function periodOf(everyMinutes: number): Duration {
  return Duration.minutes(everyMinutes <= 60 ? 60 : 1_440);
}

/** What an alarm is made of; what is missing is always said. */
interface Condition extends Pick<cloudwatch.AlarmProps, 'threshold' | 'comparisonOperator' | 'treatMissingData'> {
  metric: cloudwatch.IMetric;
  /** What is wrong, and what to look at. */
  description: string;
  /** So many of so many periods. Default: 1 of 1. */
  of?: [number, number];
}

/**
 * The alarms, and one alarm over all of them that tells people: an incident sets off several, and is told once.
 *
 * Each says what no data means. Of routes there is one for each or, cheaper, one for all together; of audits there is always one for each.
 */
export class Alarms extends Construct {
  /** Who is told. */
  readonly topic: sns.Topic;
  /** The alarm that tells. */
  readonly page: cloudwatch.CompositeAlarm;
  readonly alarms: readonly cloudwatch.Alarm[];

  constructor(scope: Construct, id: string, observed: Observed) {
    super(scope, id);
    this.topic = this.topicFor(observed);
    const { goals, api, audits, failed } = observed;
    const endpoints = goals.everyRoute ? api.endpoints : [undefined];
    this.alarms = [
      ...endpoints.flatMap((endpoint) => this.endpointAlarms(observed, endpoint)),
      this.functionAlarm('Authorizer', 'Errors', api.authorizer.lambda.metricErrors({ statistic: 'Sum' })),
      ...audits.audits.flatMap((audit) => this.auditAlarms(audit)),
      this.alarm('FailedAudits', {
        metric: failed.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
        description: 'Audits were given up. The queue has their events and errors (FailedAuditsUrl).',
        threshold: 0,
        comparisonOperator: above,
        treatMissingData: quietIsFine,
      }),
      ...this.findingAlarms(observed),
      ...this.cacheAlarms(observed),
      ...this.edgeAlarms(observed),
    ];
    this.page = new cloudwatch.CompositeAlarm(this, 'Page', {
      alarmDescription: 'Something is wrong with StreamGate or with what it watches: see which of its alarms.',
      alarmRule: cloudwatch.AlarmRule.anyOf(
        ...this.alarms.map((alarm) => cloudwatch.AlarmRule.fromAlarm(alarm, cloudwatch.AlarmState.ALARM)),
      ),
    });
    this.page.addAlarmAction(new SnsAction(this.topic));
    this.page.addOkAction(new SnsAction(this.topic));
  }

  /** Encrypted with a key of its own: CloudWatch may not use the one of AWS. */
  private topicFor({ stage, goals }: Observed): sns.Topic {
    const key = new kms.Key(this, 'Key', {
      description: 'Alarms of StreamGate on their way to people',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const alarms = Stack.of(this).formatArn({ service: 'cloudwatch', resource: 'alarm', resourceName: '*' });
    key.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        // In the policy of a key this is the key.
        resources: ['*'],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnLike: { 'aws:SourceArn': alarms.replace('alarm/*', 'alarm:*') },
        },
      }),
    );
    const topic = new sns.Topic(this, 'Topic', {
      displayName: `StreamGate ${stage.name}`,
      masterKey: key,
      enforceSSL: true,
    });
    if (goals.email) topic.addSubscription(new EmailSubscription(goals.email));
    return topic;
  }

  private alarm(id: string, { description, of: [datapointsToAlarm, evaluationPeriods] = [1, 1], ...rest }: Condition) {
    return new cloudwatch.Alarm(this, id, {
      alarmDescription: description,
      datapointsToAlarm,
      evaluationPeriods,
      ...rest,
    });
  }

  private functionAlarm(of: string, what: 'Errors' | 'Throttles', metric: cloudwatch.Metric) {
    return this.alarm(`${of}${what}`, {
      metric,
      description:
        what === 'Errors'
          ? `${of} failed in a way that was not foreseen. Its log has the error.`
          : `${of} was asked for more often at a time than it may run.`,
      threshold: 0,
      comparisonOperator: above,
      treatMissingData: quietIsFine,
    });
  }

  private endpointAlarms({ api, goals }: Observed, endpoint: Endpoint | undefined): cloudwatch.Alarm[] {
    const id = endpoint ? idOf(endpoint.route.entry) : 'Api';
    const what = endpoint ? `${endpoint.route.method} ${endpoint.route.path}` : 'The API';
    const { metricErrors, metricThrottles } = endpoint
      ? {
          metricErrors: [this.functionAlarm(id, 'Errors', endpoint.function.lambda.metricErrors({ statistic: 'Sum' }))],
          metricThrottles: [
            this.functionAlarm(id, 'Throttles', endpoint.function.lambda.metricThrottles({ statistic: 'Sum' })),
          ],
        }
      : { metricErrors: [], metricThrottles: [] };
    return [
      this.alarm(`${id}Latency`, {
        metric: apiMetric(api, 'Latency', 'p95', endpoint),
        description: `${what}: 5 % of the requests took longer than ${goals.latencyMs} ms, in three of five periods of five minutes.`,
        threshold: goals.latencyMs,
        comparisonOperator: above,
        treatMissingData: quietIsFine,
        of: [3, 5],
      }),
      this.alarm(`${id}Failures`, {
        metric: apiMetric(api, '5xx', 'Sum', endpoint),
        description: `${what}: requests were answered with 5xx. A 503 says that the database did not answer, or that no audit has finished yet.`,
        threshold: 0,
        comparisonOperator: above,
        treatMissingData: quietIsFine,
        of: [2, 3],
      }),
      ...metricErrors,
      ...metricThrottles,
    ];
  }

  private auditAlarms({ part, everyMinutes, function: { lambda } }: DeployedAudit): cloudwatch.Alarm[] {
    const id = `Audit${idOf(part)}`;
    const period = periodOf(everyMinutes);
    const done = new cloudwatch.MathExpression({
      expression: 'FILL(calls, 0) - FILL(failures, 0)',
      usingMetrics: {
        calls: lambda.metricInvocations({ statistic: 'Sum', period }),
        failures: lambda.metricErrors({ statistic: 'Sum', period }),
      },
      label: `Audits of the ${part}`,
      period,
    });
    return [
      this.alarm(`${id}Missing`, {
        metric: done,
        description: `No audit of the ${part} has succeeded for two hours, or for as long as it pauses. What the API answers grows old.`,
        threshold: 1,
        comparisonOperator: below,
        treatMissingData: quietIsBad,
        of: everyMinutes <= 60 ? [2, 2] : [1, 1],
      }),
      this.functionAlarm(id, 'Throttles', lambda.metricThrottles({ statistic: 'Sum' })),
    ];
  }

  private findingAlarms({ stage, goals }: Observed): cloudwatch.Alarm[] {
    const found = (metric: Parameters<typeof findings>[1], description: string) =>
      this.alarm(metric, {
        metric: findings(stage, metric),
        description: `${description} GET /optimization/recommendations has them.`,
        threshold: 0,
        comparisonOperator: above,
        treatMissingData: quietIsFine,
      });
    return [
      found('SlowStatements', 'Statements are slow (queries/slow).'),
      found('Leaks', 'A function leaks memory (memory/leak).'),
      found('MemoryOverTarget', 'A function takes more memory than its target, or nearly all that it has.'),
      found('CpuOverTarget', 'A function computes for a larger share of its time than its target.'),
      this.alarm('HitRate', {
        metric: hitPercent(stage),
        description: `Of the gets of an hour less than ${goals.hitPercent} % were answered without a load.`,
        threshold: goals.hitPercent,
        comparisonOperator: below,
        treatMissingData: quietIsFine,
        of: [2, 3],
      }),
    ];
  }

  private edgeAlarms({ stage, goals, edge, audits }: Observed): cloudwatch.Alarm[] {
    if (!edge) return [];
    const { everyMinutes = 60 } = audits.audits.find(({ part }) => part === 'cache') ?? {};
    return [
      this.alarm('EdgeHitRate', {
        // Of a day: whether one hour of it was quiet makes no difference.
        metric: edgeHits(stage, periodOf(everyMinutes)),
        description: `Of the requests of the last day CloudFront answered less than ${goals.edgeHitPercent} % by itself. GET /optimization/cache/stats has the figures.`,
        threshold: goals.edgeHitPercent,
        comparisonOperator: below,
        // Too few requests to tell, or CloudFront could not be asked; that nobody asks any more is the alarm of the audit.
        treatMissingData: quietIsFine,
      }),
    ];
  }

  private cacheAlarms({ stage, second }: Observed): cloudwatch.Alarm[] {
    if (!second || stage.cache.kind !== 'elasticache') return [];
    const { maxGb, maxEcpuPerSecond } = stage.cache;
    const limit = (id: string, metric: cloudwatch.IMetric, threshold: number, description: string) =>
      this.alarm(id, { metric, threshold, description, comparisonOperator: above, treatMissingData: quietIsFine });
    return [
      limit(
        'CacheSize',
        cacheMetric(second, 'BytesUsedForCache', 'Maximum'),
        nearLimit * maxGb * 1e9,
        `The second level holds more than 80 % of its ${maxGb} GB. Beyond it entries are given up: raise cache.maxGb.`,
      ),
      limit(
        'CacheWork',
        cacheMetric(second, 'ElastiCacheProcessingUnits', 'Sum'),
        nearLimit * maxEcpuPerSecond * 300,
        `The second level does more than 80 % of the work that it may: raise cache.maxEcpuPerSecond.`,
      ),
      limit(
        'CacheThrottled',
        cacheMetric(second, 'ThrottledCmds', 'Sum'),
        0,
        'The second level refused commands since they were too many: raise cache.maxEcpuPerSecond.',
      ),
    ];
  }
}
