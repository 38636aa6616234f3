import { CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { Api } from './api.ts';
import { Audits } from './audits.ts';
import type { Bundle } from './bundle.ts';
import { acknowledge } from './checks.ts';
import type { Service } from './function.ts';
import type { Stage } from './stages.ts';

/** The service in one stack: the API, the audits, and the secret with their settings. For any account and region. */
export class ServiceStack extends Stack {
  constructor(scope: Construct, stage: Stage, bundles: readonly Bundle[]) {
    super(scope, `StreamGate-${stage.name}`, {
      description: 'StreamGate: audits a PostgreSQL database and serves what it found.',
      terminationProtection: stage.protect,
      tags: { service: 'streamgate', stage: stage.name },
    });
    const service: Service = { stage, bundles, secret: this.secret(stage) };
    const api = new Api(this, 'Api', service);
    const audits = new Audits(this, 'Audits', service);
    new CfnOutput(this, 'Url', { value: api.url, description: 'Where the API answers.' });
    new CfnOutput(this, 'FailedAuditsUrl', {
      value: audits.failed.queueUrl,
      description: 'The queue of the audits that were given up.',
    });
  }

  /**
   * The secret with the settings of the functions: JSON with DATABASE_URL, STREAMGATE_DATABASES,
   * STREAMGATE_HISTORY_URL and STREAMGATE_TOKENS. It is made without a value, which CloudFormation
   * allows: a value that a template gives, a later template would write over the owner's.
   */
  private secret(stage: Stage): secrets.Secret {
    const secret = new secrets.Secret(this, 'Settings', {
      description:
        'Settings of StreamGate, as JSON: DATABASE_URL, STREAMGATE_DATABASES, STREAMGATE_HISTORY_URL, STREAMGATE_TOKENS.',
      removalPolicy: stage.protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    (secret.node.defaultChild as secrets.CfnSecret).generateSecretString = undefined;
    acknowledge(secret, {
      'AwsSolutions-SMG4':
        'It holds connection URLs of databases that belong to somebody else, and hashes of access tokens. Whoever owns a password changes it at the database and then here; a rotation function would need administrator rights on every monitored database, and StreamGate is to have none.',
    });
    new CfnOutput(this, 'SettingsSecretArn', {
      value: secret.secretArn,
      description: 'Put the settings into this secret, as JSON, after the first deployment.',
    });
    return secret;
  }
}
