import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Bundle } from './bundle.ts';
import { acknowledge } from './checks.ts';
import type { Stage } from './stages.ts';

/** What every part of the service needs to know. */
export interface Service {
  stage: Stage;
  bundles: readonly Bundle[];
  /** Holds the settings that are nobody else's business. */
  secret: Secret;
}

/** What is special about a function. */
export interface ServiceFunctionProps {
  service: Service;
  /** Its file under functions/, without its ending. */
  entry: string;
  description: string;
  /** In MB. The share of a CPU goes with it: 1,769 MB have one whole. */
  memoryMb: number;
  timeout: Duration;
  /** How often it may run at the same time; as often as the account allows when not said. */
  concurrency?: number;
  /** What becomes of an event that fails, where the function is sent events and nobody waits for its answer. */
  events?: Required<Pick<lambda.EventInvokeConfigOptions, 'maxEventAge' | 'retryAttempts' | 'onFailure'>>;
}

/**
 * Hands a function its secret over HTTP, with a cache of its own: functions/secret.ts asks it.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
 */
const secretsExtension = lambda.ParamsAndSecretsLayerVersion.fromVersion(lambda.ParamsAndSecretsVersions.V1_0_103, {
  logLevel: lambda.ParamsAndSecretsLogLevel.WARN,
});

/** A Lambda function with all that each of ours has: its own role, its own log, traces, and the settings that it reads. */
export class ServiceFunction extends Construct {
  /** The function itself. */
  readonly lambda: lambda.Function;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    super(scope, id);
    const { service, entry } = props;
    const { stage } = service;
    const bundle = service.bundles.find((candidate) => candidate.entry === entry);
    if (!bundle) throw new Error(`There is no bundle of functions/${entry}.ts.`);

    const readsSettings = bundle.sources.includes('functions/environment.ts');
    const logGroup = new logs.LogGroup(this, 'Log', {
      retention: stage.logRetentionDays,
      removalPolicy: stage.protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    // The role that CDK would make has a managed policy, which allows writing to every log of the account.
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `Runs ${entry}.`,
    });
    logGroup.grantWrite(role);

    this.lambda = new lambda.Function(this, 'Function', {
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      code: lambda.Code.fromAsset(bundle.directory),
      handler: 'index.handler',
      description: props.description,
      memorySize: props.memoryMb,
      timeout: props.timeout,
      role,
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      tracing: lambda.Tracing.ACTIVE,
      environment: { NODE_OPTIONS: '--enable-source-maps' },
      ...(readsSettings ? { paramsAndSecrets: secretsExtension } : {}),
      ...(props.concurrency === undefined ? {} : { reservedConcurrentExecutions: props.concurrency }),
      ...props.events,
    });
    acknowledge(role, {
      'AwsSolutions-IAM5[Resource::*]':
        'xray:PutTraceSegments and xray:PutTelemetryRecords, the only actions on this resource, have no resource-level permissions: AWS takes no other resource for them.',
    });
    acknowledge(this.lambda, {
      'Serverless-LambdaDLQ':
        props.events === undefined
          ? 'Only API Gateway calls it, which waits for the answer. Lambda uses a dead-letter target for events alone, and no event is ever sent to this function.'
          : 'An event that failed goes to the onFailure destination (AWS::Lambda::EventInvokeConfig of this function), which the rule does not know: it keeps the error with the event, where a dead-letter target keeps the event alone.',
    });

    // What reads no settings, such as the description of the API, gets none and may not read the secret.
    if (readsSettings) {
      this.bindSecret(service.secret);
      this.lambda.addEnvironment('STREAMGATE_RETENTION_DAYS', String(stage.historyRetentionDays));
    }
  }

  /** Lets the function read its settings from a secret: the variable that names it, and the permission. */
  bindSecret(secret: Secret): void {
    this.lambda.addEnvironment('STREAMGATE_SECRET_ARN', secret.secretArn);
    secret.grantRead(this.lambda);
  }
}

/** A construct's id for a file under functions/: `optimization/indexes/unused` is `OptimizationIndexesUnused`. */
export function idOf(entry: string): string {
  return entry.replace(/(?:^|[/-])(\w)/g, (_, letter: string) => letter.toUpperCase());
}
