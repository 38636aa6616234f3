import { Duration } from 'aws-cdk-lib';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

/** The longest that a queue keeps a message. */
const retention = Duration.days(14);

/** What was given up: events that could not be handed over, and those whose function failed, with the error. */
export class FailedEvents extends Construct {
  readonly queue: sqs.Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.queue = new sqs.Queue(this, 'Queue', {
      enforceSSL: true,
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      retentionPeriod: retention,
    });
    const whyLast =
      'This is the dead-letter queue itself, of the schedules and of the functions that events are sent to. A message in it is for a person to read.';
    acknowledge(this.queue, { 'AwsSolutions-SQS3': whyLast, 'Serverless-SQSRedrivePolicy': whyLast });
  }
}
