import { CfnOutput, RemovalPolicy } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { Alarms } from './alarms.ts';
import { Api } from './api.ts';
import { Audits } from './audits.ts';
import { builtBundles } from './built.ts';
import { Configuration, type RuleSettings } from './configuration.ts';
import { Dashboard } from './dashboard.ts';
import type { Database } from './database.ts';
import { Edge, tagHeader } from './edge.ts';
import type { Bundle } from './entries.ts';
import { FailedEvents } from './failed-events.ts';
import type { Service } from './function.ts';
import { Migrations } from './migrations.ts';
import { Network } from './network.ts';
import { OriginLock } from './origin-lock.ts';
import { SecondLevel } from './second-level.ts';
import { checkStage, type Stage, type StageSettings } from './stage.ts';

/** What StreamGate is told by the app that it is a part of; the rest is what a stage's file can say. */
export interface StreamGateProps extends Omit<StageSettings, 'network' | 'database' | 'region' | 'account'> {
  /** What its metrics are told apart by. Default: `default`. */
  name?: string;
  /** The database to watch. Without it, its URL is put into the secret of settings. */
  database?: Database | undefined;
  /** Where the history is kept, by a user who may write. Default: in the database that is watched. */
  history?: Database | undefined;
  /** Where the functions stand. Without it they stand in no network of yours. */
  vpc?: ec2.IVpc | undefined;
  /** The subnets there. Default: the private ones. */
  subnets?: ec2.SubnetSelection | undefined;
  /** False where the subnets have a way to Secrets Manager and S3 already. Default: true. */
  endpoints?: boolean;
  /** An endpoint for CloudWatch, too: the audit finds functions by their metrics that leave no samples. 15 USD a month. Default: false. */
  metricsEndpoint?: boolean;
  /** `streamgate.config.json`: its path, or what would be in it. Default: every rule is run, as it is. */
  configuration?: string | RuleSettings | undefined;
  /** A firewall for CloudFront (WAF, in us-east-1). */
  webAclArn?: string | undefined;
  /** The functions. Default: as they were built with this package. */
  bundles?: readonly Bundle[];
}

/**
 * StreamGate, complete: API, audits, alarms and dashboard; a second level and CloudFront where they are asked for. Any stack can have it.
 *
 * @example
 * new StreamGate(this, 'StreamGate', { vpc, database: databaseWithSecret(secret, { name: 'shop' }) });
 * @throws Error when what it is told is not right, naming the key
 */
export class StreamGate extends Construct {
  /** Where the service answers, without a slash at the end. */
  readonly url: string;
  readonly api: Api;
  readonly audits: Audits;
  /** Undefined without `edge`. */
  readonly edge: Edge | undefined;
  /** Undefined where `alarms` is false. */
  readonly alarms: Alarms | undefined;

  constructor(scope: Construct, id: string, props: StreamGateProps = {}) {
    super(scope, id);
    const { name = 'default', database, history = database, vpc, subnets, endpoints = true, ...rest } = props;
    const { webAclArn, metricsEndpoint = false, configuration, bundles = builtBundles(), ...settings } = rest;
    const kind = vpc ? 'isolated' : 'none';
    const stage = checkStage(name, { ...settings, network: { kind } }, `StreamGate ${this.node.path}`);

    const network = vpc && new Network(this, 'Network', { vpc, subnets, endpoints, metricsEndpoint });
    const used = [...new Set([database, history])].filter((each) => each !== undefined);
    for (const each of network ? used : []) each.allow(network as Network);
    if (!database) network?.allow(5432, 'PostgreSQL, at the URLs in the secret of settings');
    const secret = this.secret(stage);
    const second =
      network && stage.cache.kind === 'elasticache'
        ? new SecondLevel(this, 'SecondLevel', { network, ...stage.cache })
        : undefined;
    const service: Service = {
      stage,
      bundles,
      network,
      reachesCloudWatch: !network || !endpoints || metricsEndpoint,
      configuration: configuration === undefined ? undefined : new Configuration(this, 'Configuration', configuration),
      second,
      bind(to) {
        to.bindSecret('STREAMGATE_SECRET_ARN', secret);
        database?.bind(to, 'DATABASE');
        history?.bind(to, 'HISTORY');
        second?.bind(to);
        if (stage.edge) to.lambda.addEnvironment('STREAMGATE_TAG_HEADER', tagHeader);
      },
    };

    const migrations = new Migrations(this, 'Migrations', service);
    migrations.node.addDependency(...used.filter((each) => Construct.isConstruct(each)));
    const lock = stage.edge && new OriginLock(this, 'OriginLock');
    this.api = new Api(this, 'Api', service, lock);
    const { queue: failed } = new FailedEvents(this, 'Failed');
    const { domain } = stage.edge ?? {};
    this.edge = lock && new Edge(this, 'Edge', { service, lock, failed, origin: this.api.host, domain, webAclArn });
    this.url = this.edge?.url ?? this.api.url;
    const distributionId = this.edge?.distribution.distributionId;
    this.audits = new Audits(this, 'Audits', { ...service, distributionId }, failed, this.edge?.purge);
    // Who reads the new schema comes after it.
    for (const { function: reader } of [...this.api.endpoints, ...this.audits.audits])
      reader.lambda.node.addDependency(migrations);
    if (stage.alarms) {
      const observed = {
        stage,
        goals: stage.alarms,
        api: this.api,
        audits: this.audits,
        failed,
        edge: this.edge,
        second,
      };
      this.alarms = new Alarms(this, 'Alarms', observed);
      new Dashboard(this, 'Dashboard', { ...observed, alarms: this.alarms });
    }
    this.tell(secret, failed);
  }

  /**
   * The secret with the settings of the functions: JSON with STREAMGATE_TOKENS and, unless the database is known otherwise, DATABASE_URL,
   * STREAMGATE_DATABASES and STREAMGATE_HISTORY_URL. It is made without a value, which CloudFormation
   * allows: a value that a template gives, a later template would write over the owner's.
   */
  private secret(stage: Stage): secretsmanager.Secret {
    const secret = new secretsmanager.Secret(this, 'Settings', {
      description:
        'Settings of StreamGate, as JSON: STREAMGATE_TOKENS, DATABASE_URL, STREAMGATE_DATABASES, STREAMGATE_HISTORY_URL.',
      removalPolicy: stage.protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    (secret.node.defaultChild as secretsmanager.CfnSecret).generateSecretString = undefined;
    acknowledge(secret, {
      'AwsSolutions-SMG4':
        'It holds connection URLs of databases that belong to somebody else, and hashes of access tokens. Whoever owns a password changes it at the database and then here; a rotation function would need administrator rights on every monitored database, and StreamGate is to have none.',
    });
    return secret;
  }

  private tell(secret: secretsmanager.Secret, failed: sqs.Queue): void {
    const output = (id: string, value: string, description: string) => new CfnOutput(this, id, { value, description });
    output('Url', this.url, 'Where StreamGate answers.');
    output(
      'SettingsSecretArn',
      secret.secretArn,
      'Put the settings into this secret, as JSON, after the first deployment.',
    );
    output('FailedAuditsUrl', failed.queueUrl, 'The queue of the audits that were given up.');
    if (this.alarms) output('AlarmTopicArn', this.alarms.topic.topicArn, 'Subscribe to it to be told.');
  }
}
