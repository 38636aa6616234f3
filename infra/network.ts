import { type CfnResource, type CustomResourceProviderBase, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Stage } from './stage.ts';

/** Where functions are to stand. */
export interface NetworkProps {
  vpc: ec2.IVpc;
  /** The subnets there; the private ones when left out. */
  subnets?: ec2.SubnetSelection | undefined;
  /** Whether to make the endpoints that the functions need. */
  endpoints: boolean;
  /** Whether to make one for CloudWatch's metrics, which the audit of functions can do without. */
  metricsEndpoint: boolean;
}

/**
 * Where functions stand that talk to a database or to the second level. They need no way to the internet: what leaves goes to two
 * endpoints, Secrets Manager (from where settings come; paid for by the hour and zone) and S3 (where CloudFormation waits for an
 * answer; free). Logs, metrics that are written and schedules need none; metrics that are read would need a third.
 */
export class Network extends Construct {
  readonly vpc: ec2.IVpc;
  readonly subnets: ec2.SubnetSelection;
  /** The security group of the functions: nothing comes in. */
  readonly functions: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, { vpc, subnets, endpoints, metricsEndpoint }: NetworkProps) {
    super(scope, id);
    this.vpc = vpc;
    this.subnets = subnets ?? privateSubnets(vpc);
    this.functions = new ec2.SecurityGroup(this, 'Functions', {
      vpc,
      description: 'Functions of StreamGate',
      // What they may reach is said where it stands: nothing else.
      allowAllOutbound: false,
    });
    // A gateway endpoint is a route, to addresses that no security group can name without looking them up.
    this.functions.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'Endpoints: there is no other way out');
    const { SECRETS_MANAGER, CLOUDWATCH_MONITORING } = ec2.InterfaceVpcEndpointAwsService;
    this.addEndpoints({
      ...(endpoints ? { SecretsManager: SECRETS_MANAGER } : {}),
      ...(metricsEndpoint ? { Metrics: CLOUDWATCH_MONITORING } : {}),
    });
    if (endpoints)
      new ec2.GatewayVpcEndpoint(this, 'S3', {
        vpc,
        service: ec2.GatewayVpcEndpointAwsService.S3,
        subnets: [this.subnets],
      });
  }

  /** Lets the functions connect to a server, and says so to its security group where that is given. */
  allow(port: number, what: string, server?: ec2.ISecurityGroup): void {
    this.functions.addEgressRule(server ?? ec2.Peer.anyIpv4(), ec2.Port.tcp(port), what);
    server?.addIngressRule(this.functions, ec2.Port.tcp(port), 'Functions of StreamGate');
  }

  private addEndpoints(services: Record<string, ec2.IInterfaceVpcEndpointService>): void {
    if (Object.keys(services).length === 0) return;
    const { vpc, subnets } = this;
    const securityGroup = new ec2.SecurityGroup(this, 'Endpoint', {
      vpc,
      description: 'Endpoints of services of AWS',
      allowAllOutbound: false,
    });
    securityGroup.addIngressRule(this.functions, ec2.Port.HTTPS, 'Functions of StreamGate');
    for (const [id, service] of Object.entries(services))
      new ec2.InterfaceVpcEndpoint(this, id, { vpc, service, subnets, securityGroups: [securityGroup], open: false });
  }
}

/** The subnets of a network that have no address in the internet. */
export function privateSubnets({ privateSubnets, isolatedSubnets }: ec2.IVpc): ec2.SubnetSelection {
  return { subnets: privateSubnets.length > 0 ? privateSubnets : isolatedSubnets };
}

/** The name that CDK gives to what empties default security groups, once in a stack. */
const restrictDefaultGroups = 'Custom::VpcRestrictDefaultSGCustomResourceProvider';

/**
 * A network without a way to the internet: no NAT, no gateway, two zones. What is refused in it is logged. Its default security group lets nothing in or out
 * (https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-2): a function of CDK's, which may change that one group, takes its rules away
 * when the network is made.
 */
export class IsolatedNetwork extends Construct {
  readonly vpc: ec2.Vpc;

  constructor(scope: Construct, id: string, stage: Pick<Stage, 'logRetentionDays' | 'protect'>) {
    super(scope, id);
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'Isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 }],
      restrictDefaultSecurityGroup: true,
    });
    const logged = {
      retention: stage.logRetentionDays,
      removalPolicy: stage.protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    };
    writesToItsOwnLog(Stack.of(this).node.findChild(restrictDefaultGroups) as CustomResourceProviderBase, logged);
    const logGroup = new logs.LogGroup(this, 'FlowLog', logged);
    this.vpc.addFlowLog('Rejected', {
      destination: ec2.FlowLogDestination.toCloudWatchLogs(logGroup),
      trafficType: ec2.FlowLogTrafficType.REJECT,
    });
  }
}

/** A function that CDK makes may write to every log of the account, and its own is kept for ever. This one has a log as ours have. */
function writesToItsOwnLog(provider: CustomResourceProviderBase, logged: logs.LogGroupProps): void {
  if (provider.node.tryFindChild('Log')) return;
  const { logGroupName, logGroupArn } = new logs.LogGroup(provider, 'Log', logged);
  const [role, handler] = ['Role', 'Handler'].map((id) => provider.node.findChild(id) as CfnResource);
  role?.addPropertyDeletionOverride('ManagedPolicyArns');
  provider.addToRolePolicy({
    Effect: 'Allow',
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: [logGroupArn],
  });
  handler?.addPropertyOverride('LoggingConfig', { LogGroup: logGroupName, LogFormat: 'JSON' });
}

/** The network that a stage asks for; undefined for none. */
export function vpcOf(scope: Construct, stage: Stage): ec2.IVpc | undefined {
  const { network } = stage;
  if (network.kind === 'none') return undefined;
  if (network.kind === 'isolated') return new IsolatedNetwork(scope, 'Network', stage).vpc as ec2.IVpc;
  const { vpcId, availabilityZones, subnetIds, routeTableIds } = network;
  return ec2.Vpc.fromVpcAttributes(scope, 'Vpc', {
    vpcId,
    availabilityZones,
    isolatedSubnetIds: subnetIds,
    ...(routeTableIds ? { isolatedSubnetRouteTableIds: routeTableIds } : {}),
  });
}
