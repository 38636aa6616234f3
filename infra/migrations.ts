import { createHash } from 'node:crypto';
import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { migrations } from '../lib/postgres/migrations.ts';
import { migrateEntry } from './entries.ts';
import { type Service, ServiceFunction } from './function.ts';

/** A migration of the history takes seconds; waking an Aurora that sleeps takes fifteen. */
const timeout = Duration.minutes(3);

/**
 * Brings the history's schema up to date at every deployment that changes it, before anything else is replaced. Whatever must find the new schema depends
 * on it. CloudFormation gives up soon after the function would have.
 */
export class Migrations extends Construct {
  readonly function: ServiceFunction;

  constructor(scope: Construct, id: string, service: Service) {
    super(scope, id);
    this.function = new ServiceFunction(this, 'Migrate', {
      service,
      entry: migrateEntry,
      description: 'Brings the schema of the history up to date when the stack is deployed.',
      memoryMb: 512,
      timeout,
    });
    new CustomResource(this, 'Schema', {
      resourceType: 'Custom::StreamGateHistory',
      serviceToken: this.function.lambda.functionArn,
      serviceTimeout: timeout.plus(Duration.minutes(2)),
      properties: {
        // It is asked again when this changes.
        Schema: createHash('sha256').update(JSON.stringify(migrations)).digest('hex').slice(0, 16),
        RemoveData: String(service.stage.removeData),
      },
    });
  }
}
