import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Configuration } from './configuration.ts';
import type { Bundle } from './entries.ts';
import type { Network } from './network.ts';
import type { SecondLevel } from './second-level.ts';
import type { Stage } from './stage.ts';

/** A young generation of 2 MB is V8's own choice for 512 MB of memory; an audit, which has more, takes 20 MB less with it. */
const nodeOptions = '--enable-source-maps --max-semi-space-size=2';

/** What every part of the service needs to know. */
export interface Service {
  stage: Stage;
  bundles: readonly Bundle[];
  /** Where functions stand that read settings; undefined for no network of ours. */
  network: Network | undefined;
  /** Whether functions that read settings reach CloudWatch: an isolated network has no way to it. */
  reachesCloudWatch: boolean;
  /** Which rules are run; undefined for all of them, or for what was built with the code. */
  configuration: Configuration | undefined;
  /** The ElastiCache, where there is one. */
  second?: SecondLevel | undefined;
  /** Of CloudFront, where there is one. */
  distributionId?: string | undefined;
  /** Gives a function that reads settings all that they consist of: variables, and the right to read what they name. */
  bind(to: ServiceFunction): void;
}

/** What a function needs of a secret, of those that are made and of those that are there. */
export interface ReadableSecret {
  readonly secretArn: string;
  grantRead(grantee: iam.IGrantable): unknown;
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
  /** What becomes of an event, where the function is sent events and nobody waits for its answer. */
  events?: lambda.EventInvokeConfigOptions;
}

/**
 * Hands a function its secret over HTTP, with a cache of its own: functions/secret.ts asks it.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
 */
const secretsExtension = lambda.ParamsAndSecretsLayerVersion.fromVersion(lambda.ParamsAndSecretsVersions.V1_0_103, {
  logLevel: lambda.ParamsAndSecretsLogLevel.WARN,
});

/** What Lambda does in a function's name to put it into a network. https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html */
const networkActions = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** An auditor reads it. */
const whyWildcard =
  'xray:PutTraceSegments and xray:PutTelemetryRecords have no resource-level permissions: AWS takes no other resource for them. The same holds for cloudwatch:GetMetricData and cloudwatch:ListMetrics, which two functions have that read metrics, and for the ec2:Describe… actions that Lambda needs to put a function into a network; a second statement denies all ec2 actions to the code of the function itself.';

/** A Lambda function with all that each of ours has: its own role, its own log, traces, and the settings that it reads. */
export class ServiceFunction extends Construct {
  /** The function itself. */
  readonly lambda: lambda.Function;
  /** Its file under functions/, without its ending. */
  readonly entry: string;
  /** The memory that it has, in MB. */
  readonly memoryMb: number;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    super(scope, id);
    const { service, entry } = props;
    const { stage } = service;
    this.entry = entry;
    this.memoryMb = props.memoryMb;
    const bundle = service.bundles.find((candidate) => candidate.entry === entry);
    if (!bundle) throw new Error(`There is no bundle of functions/${entry}.ts.`);

    const reads = (file: string) => bundle.sources.includes(`functions/${file}.ts`);
    const network = reads('environment') ? service.network : undefined;
    const logGroup = new logs.LogGroup(this, 'Log', {
      retention: stage.logRetentionDays,
      removalPolicy: stage.protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    // The role that CDK would make has a managed policy, which allows writing to every log of the account.
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `Runs ${entry}.`,
      ...(network ? { inlinePolicies: { Network: networkPolicy() } } : {}),
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
      environment: { NODE_OPTIONS: nodeOptions, STREAMGATE_STAGE: stage.name },
      ...(network ? placed(network) : {}),
      ...(reads('secret') ? { paramsAndSecrets: secretsExtension } : {}),
      ...(props.concurrency === undefined ? {} : { reservedConcurrentExecutions: props.concurrency }),
      ...props.events,
    });
    acknowledge(role, {
      'AwsSolutions-IAM5[Resource::*]': whyWildcard,
      'Serverless-LambdaStarPermissions': whyWildcard,
    });
    acknowledge(this.lambda, {
      'Serverless-LambdaDLQ':
        props.events === undefined
          ? 'Whoever calls it waits for the answer. Lambda uses a dead-letter target for events alone, and no event is ever sent to this function but by CloudFormation, which reports a failure itself.'
          : 'An event that failed goes to the onFailure destination (AWS::Lambda::EventInvokeConfig of this function), which the rule does not know: it keeps the error with the event, where a dead-letter target keeps the event alone.',
    });

    // What reads no settings, such as the description of the API, gets none and may not read the secret.
    if (reads('environment')) {
      this.lambda.addEnvironment('STREAMGATE_RETENTION_DAYS', String(stage.historyRetentionDays));
      service.bind(this);
    }
    if (bundle.sources.includes('lib/advice/configuration.ts')) service.configuration?.bind(this);
  }

  /** Lets the function read a secret: the variable that names it, and the permission. */
  bindSecret(variable: string, secret: ReadableSecret): void {
    this.lambda.addEnvironment(variable, secret.secretArn);
    secret.grantRead(this.lambda);
  }

  /** Lets the function do one thing with one resource, and tells it its name. */
  bindResource(variables: Record<string, string>, actions: string[], resources: string[]): void {
    for (const [name, value] of Object.entries(variables)) this.lambda.addEnvironment(name, value);
    this.lambda.addToRolePolicy(new iam.PolicyStatement({ actions, resources }));
  }
}

function placed({ vpc, subnets, functions }: Network): Pick<
  lambda.FunctionProps,
  'vpc' | 'vpcSubnets' | 'securityGroups' | 'allowAllOutbound'
> & {
  vpc: ec2.IVpc;
} {
  return { vpc, vpcSubnets: subnets, securityGroups: [functions] };
}

/** Lambda may, the code of the function may not: only its requests say which function they come from. */
function networkPolicy(): iam.PolicyDocument {
  return new iam.PolicyDocument({
    statements: [
      new iam.PolicyStatement({ actions: networkActions, resources: ['*'] }),
      new iam.PolicyStatement({
        effect: iam.Effect.DENY,
        actions: networkActions,
        resources: ['*'],
        conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
      }),
    ],
  });
}

/** A construct's id for a file under functions/: `optimization/indexes/unused` is `OptimizationIndexesUnused`. */
export function idOf(entry: string): string {
  return entry.replace(/(?:^|[/-])(\w)/g, (_, letter: string) => letter.toUpperCase());
}
