import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { AuroraDatabase, type Database, databaseWithRole, databaseWithSecret } from './database.ts';
import { ProxiedDatabase } from './proxy.ts';
import type { Stage } from './stage.ts';

/** The database that a stage asks for; undefined where its URL is put into the secret of settings. */
export function databaseOf(scope: Construct, stage: Stage, vpc: ec2.IVpc | undefined): Database | undefined {
  const { database } = stage;
  if (database.kind === 'settings') return undefined;
  if (database.kind === 'aurora') {
    if (!vpc) throw new Error('An Aurora stands in a network.');
    return new AuroraDatabase(scope, 'Database', { ...database, stage, vpc });
  }
  const securityGroup = database.securityGroupId
    ? ec2.SecurityGroup.fromSecurityGroupId(scope, 'Server', database.securityGroupId)
    : undefined;
  const secret =
    database.kind === 'secret'
      ? secretsmanager.Secret.fromSecretCompleteArn(scope, 'Login', database.secretArn)
      : undefined;
  if (database.proxy) {
    const { host, name, user } = database;
    if (!vpc || !host || !name || !user) throw new Error('checkStage() asks for these.');
    return new ProxiedDatabase(scope, 'Proxy', {
      vpc,
      secret,
      place: { ...database, host, name, user, securityGroup },
    });
  }
  if (database.kind === 'iam') return databaseWithRole({ ...database, securityGroup });
  return databaseWithSecret(secret as secretsmanager.ISecret, { ...database, securityGroup });
}
