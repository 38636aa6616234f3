import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { ReadableSecret, ServiceFunction } from './function.ts';
import { type Network, privateSubnets } from './network.ts';
import type { Stage } from './stage.ts';

/** What a database is used for: to be watched, or to keep the history. */
export type Use = 'DATABASE' | 'HISTORY';

/** How functions reach a database. */
export interface Database {
  /** Gives a function the variables and the rights to log in. */
  bind(to: ServiceFunction, use: Use): void;
  /** Opens the way from the functions to it. */
  allow(network: Network): void;
}

/** The certificates of RDS, which Node.js does not know by itself. https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html */
const certificates = '/var/runtime/ca-cert.pem';

const secretVariable = {
  DATABASE: 'STREAMGATE_DATABASE_SECRET_ARN',
  HISTORY: 'STREAMGATE_HISTORY_SECRET_ARN',
} as const;
const urlVariable = { DATABASE: 'DATABASE_URL', HISTORY: 'STREAMGATE_HISTORY_URL' } as const;

/** Where a database is, as far as it is known. */
export interface Place {
  host?: string | undefined;
  port?: number | undefined;
  /** The database's name. */
  name?: string | undefined;
  /** Of the server: the functions are let in. Without it they may reach the port anywhere in the network. */
  securityGroup?: ec2.ISecurityGroup | undefined;
}

function urlOf({ host, port, name }: Place, user = ''): string {
  const authority = host ? `${user ? `${user}@` : ''}${host}${port ? `:${port}` : ''}` : '';
  return `postgres://${authority}/${name ?? ''}?sslmode=verify-full`;
}

/**
 * A database whose user and password are in a secret, as RDS writes it.
 *
 * @param place goes before what the secret says; the secret of a master user says nothing of it
 * @example databaseWithSecret(Secret.fromSecretCompleteArn(this, 'Login', arn), { host, name: 'shop' })
 */
export function databaseWithSecret(secret: ReadableSecret, place: Place = {}): Database {
  return {
    bind(to, use) {
      to.bindSecret(secretVariable[use], secret);
      to.lambda.addEnvironment(urlVariable[use], urlOf(place));
      to.lambda.addEnvironment('NODE_EXTRA_CA_CERTS', certificates);
    },
    allow: (network) => network.allow(place.port ?? 5432, 'PostgreSQL', place.securityGroup),
  };
}

/** Who logs in where with IAM. */
export interface RolePlace extends Place {
  host: string;
  name: string;
  user: string;
  /** Of the instance (`db-…`), the cluster (`cluster-…`) or the proxy (`prx-…`). */
  resourceId: string;
}

/** Who may log in with IAM, as policies name him. */
export function userArn(scope: Construct, resourceId: string, user: string): string {
  return Stack.of(scope).formatArn({
    service: 'rds-db',
    resource: 'dbuser',
    resourceName: `${resourceId}/${user}`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** Tells a function where it logs in with IAM, and lets it. */
export function bindRole(to: ServiceFunction, use: Use, place: RolePlace): void {
  const user = userArn(to, place.resourceId, place.user);
  to.bindResource({ [urlVariable[use]]: urlOf(place, place.user) }, ['rds-db:connect'], [user]);
  to.lambda.addEnvironment('NODE_EXTRA_CA_CERTS', certificates);
}

/**
 * A database of RDS or Aurora, or an RDS Proxy before it, that the functions' roles log in to: no password exists. Its user has been granted
 * `rds_iam`. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
 */
export function databaseWithRole(place: RolePlace): Database {
  return {
    bind: (to, use) => bindRole(to, use, place),
    allow: (network) => network.allow(place.port ?? 5432, 'PostgreSQL', place.securityGroup),
  };
}

/**
 * A small Aurora Serverless v2 with PostgreSQL 17, encrypted, in the network of the functions: for a trial, and for the history. With a smallest
 * capacity of 0 it sleeps after five minutes without a connection and is woken, in some 15 s, by the next audit.
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
 */
export class AuroraDatabase extends Construct implements Database {
  readonly cluster: rds.DatabaseCluster;
  readonly #login: Database;

  constructor(
    scope: Construct,
    id: string,
    props: { stage: Pick<Stage, 'protect'>; vpc: ec2.IVpc; minCapacity: number; maxCapacity: number },
  ) {
    super(scope, id);
    const { stage, vpc, minCapacity, maxCapacity } = props;
    const engine = rds.DatabaseClusterEngine.auroraPostgres({
      version: rds.AuroraPostgresEngineVersion.of('17.9', '17'),
    });
    const securityGroup = new ec2.SecurityGroup(this, 'Server', {
      vpc,
      description: 'The database of StreamGate',
      allowAllOutbound: false,
    });
    this.cluster = new rds.DatabaseCluster(this, 'Cluster', {
      engine,
      vpc,
      vpcSubnets: privateSubnets(vpc),
      securityGroups: [securityGroup],
      writer: rds.ClusterInstance.serverlessV2('Writer', { publiclyAccessible: false }),
      serverlessV2MinCapacity: minCapacity,
      serverlessV2MaxCapacity: maxCapacity,
      ...(minCapacity === 0 ? { serverlessV2AutoPauseDuration: Duration.minutes(5) } : {}),
      defaultDatabaseName: 'streamgate',
      credentials: rds.Credentials.fromGeneratedSecret('streamgate'),
      parameters: { 'rds.force_ssl': '1', shared_preload_libraries: 'pg_stat_statements' },
      storageEncrypted: true,
      backup: { retention: Duration.days(stage.protect ? 14 : 1) },
      deletionProtection: stage.protect,
      removalPolicy: stage.protect ? RemovalPolicy.SNAPSHOT : RemovalPolicy.DESTROY,
    });
    const { secret } = this.cluster;
    if (!secret) throw new Error('CDK made no secret for the cluster.');
    this.#login = databaseWithSecret(secret, { name: 'streamgate', securityGroup });
    acknowledge(this.cluster, {
      'AwsSolutions-RDS6':
        'One user logs in, with a password of 30 random characters that nobody knows and that lies in Secrets Manager. IAM logins are there for databases that exist (infra/database.ts); here they would need a statement to be run in the database before the first deployment could use it.',
      'AwsSolutions-RDS10':
        'On in stages with `protect`. A trial is to be removed with one command; its history can be made again by audits.',
      'AwsSolutions-RDS11':
        'The server is in subnets without a way to the internet and lets in one security group. Another port would hide it from nobody who is there.',
      'AwsSolutions-RDS16':
        'The log of PostgreSQL holds statements with their constants, and StreamGate keeps constants nowhere.',
      'AwsSolutions-SMG4':
        'Rotation needs a function of its own that may change the password, in the network, and the functions would have to be told: they read the secret anew every minute and take a new value without being deployed again, so that it can be changed by hand or by the rotation of a company.',
    });
  }

  bind(to: ServiceFunction, use: Use): void {
    this.#login.bind(to, use);
  }

  allow(network: Network): void {
    this.#login.allow(network);
  }
}
