import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import {
  bindRole,
  type Database,
  databaseWithRole,
  databaseWithSecret,
  type RolePlace,
  type Use,
  userArn,
} from './database.ts';
import type { ServiceFunction } from './function.ts';
import { type Network, privateSubnets } from './network.ts';
import { identifierIn } from './rds-host.ts';

/** What is known of the database behind a proxy. */
export interface ProxyProps {
  vpc: ec2.IVpc;
  /** Where the proxy stands: two zones at least. Default: the private subnets. */
  subnets?: ec2.SubnetSelection | undefined;
  /** Of the cluster's writer or the instance, as RDS names it. Its resource id is needed where there is no secret. */
  place: Omit<RolePlace, 'resourceId'> & { resourceId?: string | undefined };
  /** With which the proxy, and who watches the database, log in; without it they do with IAM. It is the secret of `place.user`. */
  secret?: secretsmanager.ISecret | undefined;
}

/** What the server is set to for the connections of the proxy, which takes no such setting at a login. As lib/postgres/pool.ts has it. */
const initQuery = 'SET statement_timeout = 15000';

/**
 * A database of RDS or Aurora that is there, with an RDS Proxy before it that is made. The functions' roles log in to the proxy with IAM: no password exists
 * between them.
 *
 * The history is read and kept through the proxy: short statements of many environments over few connections. What is watched is asked
 * directly: that is one connection for each audit, with settings of its own, which the proxy could share with nobody.
 *
 * - https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html
 * - https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html
 *
 * @example
 * new ProxiedDatabase(this, 'Database', { vpc, secret, place: { host: 'shop.cluster-abc.eu-central-1.rds.amazonaws.com', name: 'shop', user: 'streamgate' } });
 * @throws Error when the host is none of RDS, or nothing says how to log in
 */
export class ProxiedDatabase extends Construct implements Database {
  readonly proxy: rds.DatabaseProxy;
  readonly #direct: Database;
  readonly #place: ProxyProps['place'];
  readonly #securityGroup: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, { vpc, subnets = privateSubnets(vpc), place, secret }: ProxyProps) {
    super(scope, id);
    const { host, port = 5432, user, resourceId, securityGroup: server } = place;
    this.#place = place;
    if (secret) this.#direct = databaseWithSecret(secret, place);
    else if (resourceId) this.#direct = databaseWithRole({ ...place, resourceId });
    else throw new Error('A proxy logs in with a secret, or with IAM at a resourceId. Give one of them.');
    this.#securityGroup = new ec2.SecurityGroup(this, 'Proxy', {
      vpc,
      description: 'The proxy before the database of StreamGate',
      allowAllOutbound: false,
    });
    // With a group of the server CDK adds both rules.
    if (!server) this.#securityGroup.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(port), 'PostgreSQL');
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('rds.amazonaws.com'),
      description: 'Logs in to the database, for the proxy.',
    });
    if (!secret && resourceId)
      role.addToPolicy(
        new iam.PolicyStatement({ actions: ['rds-db:connect'], resources: [userArn(this, resourceId, user)] }),
      );
    this.proxy = new rds.DatabaseProxy(this, 'Resource', {
      vpc,
      vpcSubnets: subnets,
      securityGroups: [this.#securityGroup],
      proxyTarget: this.target(host, port, server),
      role,
      requireTLS: true,
      iamAuth: true,
      initQuery,
      ...(secret ? { secrets: [secret] } : { defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH }),
    });
  }

  bind(to: ServiceFunction, use: Use): void {
    if (use === 'DATABASE') {
      this.#direct.bind(to, use);
      return;
    }
    const { name, user } = this.#place;
    const { resourceName = '' } = Stack.of(this).splitArn(this.proxy.dbProxyArn, ArnFormat.COLON_RESOURCE_NAME);
    bindRole(to, use, { host: this.proxy.endpoint, name, user, resourceId: resourceName });
  }

  allow(network: Network): void {
    this.#direct.allow(network);
    network.allow(5432, 'The proxy before PostgreSQL', this.#securityGroup);
  }

  private target(host: string, port: number, server: ec2.ISecurityGroup | undefined): rds.ProxyTarget {
    const { cluster, instance } = identifierIn(host);
    const securityGroups = server ? [server] : [];
    if (cluster !== undefined) {
      const engine = rds.DatabaseClusterEngine.AURORA_POSTGRESQL;
      const attributes = { clusterIdentifier: cluster, engine, port, securityGroups };
      return rds.ProxyTarget.fromCluster(rds.DatabaseCluster.fromDatabaseClusterAttributes(this, 'Server', attributes));
    }
    return rds.ProxyTarget.fromInstance(
      rds.DatabaseInstance.fromDatabaseInstanceAttributes(this, 'Server', {
        instanceIdentifier: instance,
        instanceEndpointAddress: host,
        engine: rds.DatabaseInstanceEngine.POSTGRES,
        port,
        securityGroups,
      }),
    );
  }
}
