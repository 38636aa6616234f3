import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { audits, type ScheduledAudit } from '../functions/routes.ts';
import { auditEntry, factsEntry } from './entries.ts';
import { idOf, type Service, ServiceFunction } from './function.ts';

/** Enough for a snapshot of 10,000 statements and PostgreSQL's parser, and half a CPU to read them with. */
const auditMemoryMb = 1024;

/** What a Lambda function may take at most. */
const longestMinutes = 15;

/** How often a failed audit is tried again: the most that Lambda does for an event. */
const retries = 2;

/** An audit as it is deployed. */
export interface DeployedAudit extends ScheduledAudit {
  function: ServiceFunction;
}

/**
 * The scheduled audits, one function and one schedule each.
 *
 * An audit can fail at two places, and both end in the queue of failed audits: the scheduler cannot
 * hand its event over, or Lambda has taken the event and the function fails. The second is the
 * common one, and the scheduler never hears of it.
 */
export class Audits extends Construct {
  readonly audits: readonly DeployedAudit[];

  readonly #failed: sqs.Queue;

  /**
   * @param failed where audits end that were given up
   * @param purge is told of the audits that succeeded and after which CloudFront is to forget what they made old
   */
  constructor(scope: Construct, id: string, service: Service, failed: sqs.Queue, purge?: ServiceFunction) {
    super(scope, id);
    this.#failed = failed;
    // It holds nothing; one that stayed behind would be in the way of the next deployment.
    const group = new scheduler.ScheduleGroup(this, 'Group', { removalPolicy: RemovalPolicy.DESTROY });
    const { auditEveryMinutes, edge } = service.stage;
    this.audits = audits.map((audit) => {
      const everyMinutes = auditEveryMinutes[audit.part] ?? audit.everyMinutes;
      const told = edge?.purge.includes(audit.part) ? purge : undefined;
      return this.schedule({ ...audit, everyMinutes }, group, service, told);
    });
  }

  private schedule(
    audit: ScheduledAudit,
    group: scheduler.ScheduleGroup,
    service: Service,
    purge: ServiceFunction | undefined,
  ): DeployedAudit {
    const entry = auditEntry(audit);
    const interval = Duration.minutes(audit.everyMinutes);
    const auditor = new ServiceFunction(this, idOf(entry), {
      service,
      entry,
      description: `Audits the ${audit.part} of every configured database.`,
      memoryMb: auditMemoryMb,
      timeout: Duration.minutes(Math.min(audit.everyMinutes, longestMinutes)),
      // Two audits at once would put twice the load on the database, for the same answer.
      concurrency: 1,
      events: {
        // Once the next audit is due, this one is worth nothing. Lambda keeps an event for six hours at most.
        maxEventAge: Duration.minutes(Math.min(audit.everyMinutes, 360)),
        retryAttempts: retries,
        onFailure: new SqsDestination(this.#failed),
        ...(purge ? { onSuccess: exactly(purge) } : {}),
      },
    });
    if (audit.part === 'resources') bindMetrics(auditor, service.reachesCloudWatch);
    const called = audit.part === 'cache' ? (this.asker(service, auditor, interval) ?? auditor) : auditor;
    new scheduler.Schedule(this, `${idOf(entry)}Schedule`, {
      scheduleGroup: group,
      schedule: scheduler.ScheduleExpression.rate(interval),
      description: `Every ${audit.everyMinutes} minutes: audits the ${audit.part}.`,
      target: new LambdaInvoke(called.lambda, {
        // The window that is audited; the same again when the event is sent again. The part is for who is told of it.
        input: scheduler.ScheduleTargetInput.fromObject({
          time: scheduler.ContextAttribute.scheduledTime,
          part: audit.part,
        }),
        maxEventAge: interval,
        retryAttempts: retries,
        deadLetterQueue: this.#failed,
        role: this.callerOf(called, group, entry),
      }),
    });
    return { ...audit, function: auditor };
  }

  /**
   * Asks AWS what the levels of the cache look like from outside, before the audit of the cache, and hands that on to it. Outside of the network; undefined
   * where there is nothing to ask.
   */
  private asker(service: Service, auditor: ServiceFunction, interval: Duration): ServiceFunction | undefined {
    const { second, distributionId } = service;
    if (!second && !distributionId) return undefined;
    const asker = new ServiceFunction(this, 'Facts', {
      service,
      entry: factsEntry,
      description: 'Asks AWS about the levels of the cache, for the audit of the cache.',
      memoryMb: 256,
      timeout: Duration.minutes(1),
      events: {
        maxEventAge: Duration.minutes(Math.min(interval.toMinutes(), 360)),
        retryAttempts: retries,
        onFailure: new SqsDestination(this.#failed),
        onSuccess: exactly(auditor),
      },
    });
    asker.bindResource({}, ['cloudwatch:GetMetricData'], everyMetric);
    if (second)
      asker.bindResource(
        { STREAMGATE_ELASTICACHE_NAME: second.cacheName },
        ['elasticache:DescribeServerlessCaches'],
        [second.cache.attrArn],
      );
    if (distributionId) asker.lambda.addEnvironment('STREAMGATE_DISTRIBUTION_ID', distributionId);
    return asker;
  }

  /** The role in which the scheduler calls. The one that CDK would make may call every version of the function. */
  private callerOf(auditor: ServiceFunction, group: scheduler.ScheduleGroup, entry: string): iam.IRole {
    const role = new iam.Role(this, `${idOf(entry)}Caller`, {
      description: `Calls ${entry} on its schedule.`,
      // Only this group's schedules: https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account, 'aws:SourceArn': group.scheduleGroupArn },
        },
      }),
      inlinePolicies: {
        Call: new iam.PolicyDocument({
          statements: [
            new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [auditor.lambda.functionArn] }),
            new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.#failed.queueArn] }),
          ],
        }),
      },
    });
    return role.withoutPolicyUpdates();
  }
}

/** Metrics have no resources: AWS takes nothing else for what reads them. */
const everyMetric = ['*'];

/** Lets the audit of the functions find those that leave no samples in the history, by their metrics, where it reaches CloudWatch. */
function bindMetrics(auditor: ServiceFunction, reachesCloudWatch: boolean): void {
  if (!reachesCloudWatch) auditor.lambda.addEnvironment('STREAMGATE_METRICS', 'none');
  else auditor.bindResource({}, ['cloudwatch:GetMetricData', 'cloudwatch:ListMetrics'], everyMetric);
}

/** A function as a destination. What CDK would make of it may call every version of the function, too. */
function exactly({ lambda: { functionArn } }: ServiceFunction): lambda.IDestination {
  return {
    bind(_, caller) {
      caller.addToRolePolicy(new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn] }));
      return { destination: functionArn };
    },
  };
}
